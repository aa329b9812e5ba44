"""Data of an author's own: a function's arrays, or a folder of images; see `cvclaims.own`.

Facts are read without torch, while tests are collected; whatever is wrong with the data is told
there and then, in one line.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from cvclaims.data.folder import DataError, DataMissing, current_folder
from cvclaims.specs import DatasetSpec, Facts

if TYPE_CHECKING:
    from cvclaims.data.dataset import Dataset

Array = npt.NDArray[Any]
CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class Arrays:
    """A data set as arrays: (train x, train y, test x, test y), and the names of its classes."""

    parts: tuple[Array, Array, Array, Array]
    classes: tuple[str, ...]

    @property
    def facts(self) -> Facts:
        """What they show."""
        train_x, train_y, test_x, test_y = self.parts
        counts = np.bincount(test_y, minlength=len(self.classes)) if self.classes else ()
        return Facts(
            train=len(train_x),
            test=len(test_x),
            shape=train_x.shape[1:],
            classes=self.classes,
            targets=0 if self.classes else train_y.shape[1],
            test_counts=tuple(map(int, counts)),
        )


@dataclass
class Source:
    """A function that gives a data set; see `own.dataset` for what the fields are."""

    name: str
    title: str
    function: Callable[..., Any]
    takes_folder: bool
    files: tuple[str, ...]
    declared: Facts | None
    spec: DatasetSpec = field(init=False)
    _arrays: Arrays | None = field(init=False, default=None)

    def facts(self) -> Facts:
        """What was said of it; else what its arrays show, which are then kept for loading."""
        if self.declared is not None:
            return self.declared
        self._arrays = self._arrays or self._called(current_folder())
        return self._arrays.facts

    def load(self, folder: Path | None) -> "Dataset":
        """The whole of it; from the cache where the files that it says it reads are as they were.

        Raises DataMissing, DataError.
        """
        from cvclaims.data.packed import packed

        if not self.files:
            return self._built(folder)
        key = self.spec.name, _stats(self.title, folder, self.files)
        return packed(f"own-{self.name}", key, lambda: self._built(folder))

    def _built(self, folder: Path | None) -> "Dataset":
        arrays, self._arrays = self._arrays or self._called(folder), None
        return _dataset(self.spec, arrays, self.title)

    def _called(self, folder: Path | None) -> Arrays:
        if self.takes_folder and folder is None:
            raise DataMissing(
                f"{self.title} is not here, as there is no data folder; name one by --claims-data"
            )
        try:
            given = self.function(folder) if self.takes_folder else self.function()
        except DataError:
            raise
        except FileNotFoundError as error:
            missing = error.filename or error
            raise DataMissing(f"{self.title} is not here: {missing} does not exist") from error
        except Exception as error:
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            raise DataError(f"data set {self.name}: its function failed: {what}") from error
        return checked(self.name, given, self.declared)


def checked(name: str, given: object, declared: Facts | None = None) -> Arrays:
    """What a function gave, as arrays; raises DataError in one line for what is no data set."""
    try:
        (train_x, train_y), (test_x, test_y) = cast("Any", given)
    except (TypeError, ValueError):
        raise _wrong(name, "give (train x, train y), (test x, test y)") from None
    for part, x, y in (("train", train_x, train_y), ("test", test_x, test_y)):
        counts = [len(given) if hasattr(given, "__len__") else None for given in (x, y)]
        if counts[0] != counts[1] or not counts[0]:
            raise _wrong(name, f"{part} has {counts[0]} samples and {counts[1]} targets")
    train, test = _inputs(name, "train", train_x), _inputs(name, "test", test_x)
    labels = [_targets(name, "train", train_y), _targets(name, "test", test_y)]
    if train.shape[1:] != test.shape[1:] or train.dtype != test.dtype:
        raise _wrong(
            name,
            f"train samples are {train.shape[1:]} {train.dtype}, test samples {test.shape[1:]} "
            f"{test.dtype}",
        )
    classes = declared.classes if declared is not None else _classes(labels)
    if classes:
        labels = [
            _indices(name, part, y, classes)
            for part, y in zip(("train", "test"), labels, strict=True)
        ]
    elif labels[0].dtype.kind != "f" or labels[1].dtype.kind != "f":
        raise _wrong(name, "no classes are named, so its targets are to be floats")
    else:
        labels = [y.reshape(len(y), -1).astype(np.float32) for y in labels]
        if labels[0].shape[1] != labels[1].shape[1]:
            raise _wrong(name, "train and test have different numbers of targets")
    arrays = Arrays((train, labels[0], test, labels[1]), classes)
    if declared is not None:
        _keeps_to(name, arrays.facts, declared)
    return arrays


def _inputs(name: str, part: str, given: object) -> Array:
    x = np.asarray(given)
    if x.dtype.kind not in "buif" or x.ndim < 2:
        raise _wrong(
            name, f"{part} x is an array of numbers, (N, ...), not {x.dtype} of shape {x.shape}"
        )
    if x.dtype != np.uint8:
        x = np.ascontiguousarray(x, np.float32)
        if bad := int((~np.isfinite(x)).reshape(len(x), -1).any(1).sum()):
            raise _wrong(name, f"{bad} of {len(x)} {part} samples hold what is not finite")
        return x
    if x.ndim == 3:  # grey images
        x = x[:, None]
    if x.ndim == 4 and x.shape[1] not in CHANNELS:
        mend = "; transpose(0, 3, 1, 2) makes that of (N, H, W, C)"
        raise _wrong(name, f"{part} x is {x.shape}: images are (N, channels, H, W){mend}")
    return np.ascontiguousarray(x)


def _targets(name: str, part: str, given: object) -> Array:
    y = np.asarray(given)
    if y.dtype.kind not in "buifUSO" or y.ndim not in (1, 2):
        raise _wrong(name, f"{part} y is {y.dtype} of shape {y.shape}; it is (N,) or (N, targets)")
    if y.dtype.kind == "f":
        if bad := int((~np.isfinite(y)).reshape(len(y), -1).any(1).sum()):
            raise _wrong(name, f"{bad} of {len(y)} {part} targets are not finite")
    elif y.ndim == 2:
        raise _wrong(name, f"{part} y is {y.shape} of {y.dtype}: classes are (N,), from 0")
    return y


def _classes(labels: Sequence[Array]) -> tuple[str, ...]:
    """The names of the classes that the labels show; () where they are floats."""
    if any(y.dtype.kind == "f" for y in labels):
        return ()
    if all(y.dtype.kind in "bui" for y in labels):
        return tuple(map(str, range(1 + max(int(y.max()) for y in labels if len(y)))))
    return tuple(sorted({str(label) for y in labels for label in y}))


def _indices(name: str, part: str, y: Array, classes: tuple[str, ...]) -> Array:
    """Labels as indices into the classes."""
    if y.dtype.kind in "bui":
        wrong = np.flatnonzero((y.astype(np.int64) < 0) | (y >= len(classes)))
        if len(wrong):
            raise _wrong(
                name,
                f"{part} label {y[wrong[0]]} in row {wrong[0]} is none of its {len(classes)} "
                f"classes, 0 to {len(classes) - 1}",
            )
        return y.astype(np.int64)
    if y.dtype.kind == "f":
        raise _wrong(name, f"it has classes, but its {part} targets are floats")
    place = {label: index for index, label in enumerate(classes)}
    for row, label in enumerate(map(str, y)):
        if label not in place:
            raise _wrong(name, f"{part} label {label!r} in row {row} is none of its classes")
    return np.array([place[str(label)] for label in y], np.int64)


def _keeps_to(name: str, found: Facts, declared: Facts) -> None:
    for what in ("train", "test", "shape", "classes", "targets"):
        mine, said = getattr(found, what), getattr(declared, what)
        if mine != said:
            raise _wrong(name, f"{what} was said to be {said}, and is {mine}")


def _wrong(name: str, what: str) -> DataError:
    return DataError(f"data set {name}: {what}")


def _dataset(spec: DatasetSpec, arrays: Arrays, source: str) -> "Dataset":
    from cvclaims.data.dataset import from_arrays

    train_x, train_y, test_x, test_y = arrays.parts
    by_channel = moments(train_x) if train_x.dtype == np.uint8 else ((0.0,), (1.0,))
    mean, std = (v if len(v) > 1 else v[0] for v in by_channel)
    return from_arrays(
        spec.name,
        (train_x, train_y),
        (test_x, test_y),
        mean=mean,
        std=std,
        source=source,
        classes=arrays.classes,
    )


def moments(x: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of uint8 images, as shares of 255.

    From sums of whole numbers, so that every processor has the same; four digits.
    """
    channels = x.swapaxes(0, 1).reshape(x.shape[1], -1)
    means, deviations = [], []
    for channel in channels:
        counts = np.bincount(channel, minlength=256)
        levels = np.arange(256, dtype=np.int64)
        total = int(counts.sum())
        mean = int((counts * levels).sum()) / total
        square = int((counts * levels * levels).sum()) / total
        means.append(round(mean / 255, 4))
        deviations.append(round((square - mean * mean) ** 0.5 / 255, 4) or 1.0)
    return tuple(means), tuple(deviations)


def _stats(title: str, folder: Path | None, patterns: Sequence[str]) -> list[tuple[str, int, int]]:
    """Name, size and time of change of every file that a set says it reads."""
    found = []
    for pattern in patterns:
        paths = sorted(folder.glob(pattern)) if folder is not None else []
        if not paths:
            where = folder if folder is not None else "a data folder: name one by --claims-data"
            raise DataMissing(f"{title} is not here: there is no {pattern} in {where}")
        assert folder is not None
        for path in paths:
            stat = path.stat()
            found.append((str(path.relative_to(folder)), stat.st_size, stat.st_mtime_ns))
    return found


# What images are called that a folder of classes may hold.
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")


@dataclass
class Pictures:
    """A folder of images in `train/<class>` and `test/<class>`; see `own.image_folder`."""

    folder: str
    size: int
    spec: DatasetSpec = field(init=False)

    def facts(self) -> Facts:
        """Counted by their files, of which none is opened."""
        files = self._files(current_folder())
        classes = tuple(files["train"])
        counts = tuple(len(files["test"].get(name, ())) for name in classes)
        train = sum(map(len, files["train"].values()))
        return Facts(train, sum(counts), (3, self.size, self.size), classes, test_counts=counts)

    def load(self, folder: Path | None) -> "Dataset":
        """The whole of it, from the cache where no file has changed."""
        from cvclaims.data.packed import packed

        files = self._files(folder)
        paths = [path for part in files.values() for of in part.values() for path in of]
        key = [(str(p), (s := p.stat()).st_size, s.st_mtime_ns) for p in paths]
        name = f"own-{self.folder.replace('/', '-')}-{self.size}"
        return packed(name, key, lambda: self._built(files))

    def _files(self, data: Path | None) -> dict[str, dict[str, list[Path]]]:
        """The image files by part and class, sorted by name."""
        if data is None or not (data / self.folder).is_dir():
            where = data if data is not None else "a data folder: name one by --claims-data"
            raise DataMissing(
                f"{self.folder} is not here: there is no folder {self.folder} in {where}"
            )
        found: dict[str, dict[str, list[Path]]] = {}
        for part in ("train", "test"):
            there = data / self.folder / part
            if not there.is_dir():
                raise _wrong(
                    self.folder, f"{there} does not exist; it holds a folder for each class"
                )
            found[part] = {of.name: _images_in(of) for of in sorted(there.iterdir()) if of.is_dir()}
            for name, images in found[part].items():
                if not images:
                    raise _wrong(
                        self.folder, f"{there / name} holds no images ({', '.join(ENDINGS)})"
                    )
        if len(found["train"]) < 2:
            raise _wrong(self.folder, f"its train folder has {len(found['train'])} classes")
        if odd := sorted(set(found["test"]) ^ set(found["train"])):
            raise _wrong(self.folder, f"class {odd[0]} is in one of train and test alone")
        return found

    def _built(self, files: dict[str, dict[str, list[Path]]]) -> "Dataset":
        parts: list[Array] = []
        for of_class in files.values():
            images = [self._image(path) for paths in of_class.values() for path in paths]
            labels = [label for label, paths in enumerate(of_class.values()) for _ in paths]
            parts += [np.stack(images), np.array(labels, np.int64)]
        arrays = Arrays((parts[0], parts[1], parts[2], parts[3]), tuple(files["train"]))
        return _dataset(self.spec, arrays, self.spec.title)

    def _image(self, path: Path) -> Array:
        """(3, size, size) uint8: RGB, its shorter side scaled to `size`, the middle of it."""
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(path) as image:
                whole = image.convert("RGB")
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            why = str(error).splitlines()[0]
            raise _wrong(self.folder, f"{path} cannot be read as an image ({why})") from None
        share = self.size / min(whole.size)
        width, height = (max(self.size, round(side * share)) for side in whole.size)
        whole = whole.resize((width, height), Image.Resampling.BILINEAR)
        left, top = (width - self.size) // 2, (height - self.size) // 2
        cut = whole.crop((left, top, left + self.size, top + self.size))
        return np.asarray(cut).transpose(2, 0, 1)


def _images_in(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS)
    return []
