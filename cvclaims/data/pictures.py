"""Image files in <part>/<class>/<name>, in a folder or in an archive of one, decoded to arrays.

Every file is accounted for: what lacks, does not belong there or cannot be read is an error that
names it. Hidden files and folders are left out of account, as systems put them anywhere. No mend
asks for anything to be deleted: it may be all that a person has.
"""

import gzip
import os
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cvclaims.data.decoding import FORMATS, Pixels, UnfitError, decode, strictly
from cvclaims.data.folder import DataError, IncompleteError

PARTS = ("train", "test")
# What systems and editors put beside images, and no image is called.
JUNK = re.compile(
    r"(thumbs|ehthumbs\w*)\.db|desktop\.ini|icon\r|#.*#|.*(~|\.(bak|orig|part|tmp))", re.I
)
# Bytes of a file: an image of the sizes here needs a hundredth, and more is not read into memory.
LARGEST = 1 << 20

Labels = npt.NDArray[np.int64]
# Name (of a folder with "/" at its end), size in bytes, and times of change in ns.
Stat = tuple[str, int, int, int]


@dataclass(frozen=True)
class Layout:
    """What a set of image files should be.

    Attributes:
        classes: the folders of each part, in the order of labels.
        per_class: training and test images of each class.
        size: width and height of an image, in pixels.
        mend: what to do where files lack or are damaged.
    """

    classes: tuple[str, ...]
    per_class: tuple[int, int]
    size: tuple[int, int]
    mend: str

    def belongs(self, name: str) -> bool:
        """Whether a file, or a folder with "/" at its end, may be there."""
        part, _, rest = name.partition("/")
        label, _, file = rest.partition("/")
        if part not in PARTS or (label and label not in self.classes):
            return False
        if name.endswith("/"):
            return not file
        return bool(file) and "/" not in file and not JUNK.fullmatch(file)


@dataclass(frozen=True)
class Pictures:
    """Files as they were found.

    Attributes:
        prefix: what messages put before a name.
        names: such as "train/cat/0001.png"; of folders "train/" and "train/cat/".
        read: gives the content of a file; raises OSError.
    """

    prefix: str
    names: frozenset[str]
    read: Callable[[str], bytes]


def in_folder(tree: Path) -> tuple[list[Stat], Pictures]:
    """What lies in folder `tree`: sizes and times, by which a change is noticed, and the files.

    Raises DataError where the folder cannot be listed.
    """
    try:
        stats = sorted(_scan(str(tree)))
    except OSError as error:
        raise DataError(f"{error.filename or tree} cannot be read: {error.strerror}") from None
    names = frozenset(name for name, *_ in stats)
    return stats, Pictures(f"{tree}{os.sep}", names, lambda name: _content(tree / name))


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def _scan(folder: str, under: str = "") -> Iterator[Stat]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = under + entry.name
            if entry.name.startswith("."):
                continue
            if not entry.is_dir():
                stat = stat_of(entry)
                if not entry.is_file():  # to read from a pipe is to wait for ever
                    raise _stray(entry.path)
                yield name, *stat
                continue
            yield f"{name}/", 0, 0, 0
            if name.count("/") < 2:  # deeper folders do not belong there; links may go round
                yield from _scan(entry.path, f"{name}/")


def stat_of(file: os.DirEntry[str] | Path) -> tuple[int, int, int]:
    """Size, and times of the last change in ns; the second one no copying tool can set."""
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def in_archive(path: Path, root: str, layout: Layout) -> Pictures:
    """The files of a .tar.gz whose only folder is `root`, in memory; nothing is unpacked to disk.

    Raises DataError where the archive is damaged, or as soon as it holds what does not belong.
    """
    pictures: dict[str, bytes] = {}
    folders: set[str] = set()
    try:
        with gzip.open(path) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    name = _inside(member, f"{path}: ", root, layout)
                    folders.update(_folders(name))
                    content = archive.extractfile(member) if member.isfile() else None
                    if name and content is not None:
                        pictures[name] = content.read(LARGEST + 1)
            while stream.read(1 << 20):
                pass  # gzip compares its checksum only at the very end
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as error:
        raise DataError(f"{path} is damaged ({error}): {layout.mend}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    return Pictures(f"{path}: {root}/", frozenset({*pictures, *folders}), pictures.__getitem__)


def _inside(member: tarfile.TarInfo, prefix: str, root: str, layout: Layout) -> str:
    """A member's name below `root`, as in `Pictures.names`; empty for what does not count."""
    steps = [step for step in member.name.split("/") if step not in ("", ".")]
    if not steps or any(step.startswith(".") for step in steps) or steps == [root]:
        return ""
    name = "/".join(steps[1:]) + ("/" if member.isdir() else "")
    known_kind = member.isdir() or member.isfile()
    if steps[0] != root or not known_kind or not layout.belongs(name):
        raise _stray(prefix + member.name)
    return name


def _folders(name: str) -> list[str]:
    """The folders that a name implies: archives need not list them."""
    return [name[: i + 1] for i, letter in enumerate(name) if letter == "/"]


def _stray(where: str) -> DataError:
    return DataError(f"{where} does not belong there: keep it elsewhere")


def decoded(
    pictures: Pictures, layout: Layout
) -> tuple[tuple[Pixels, Labels], tuple[Pixels, Labels], list[str]]:
    """Training set, test set, and the encodings that lost something, such as ["JPEG"].

    Each set is (x, y): (N, 3, H, W) uint8 and (N,) int64, sorted by class and, within it, by
    name, whatever order the file system has. Grey images and palettes become RGB, which loses
    nothing. A JPEG's damage can only be seen where it breaks off or its structure is broken: the
    format has no checksum.

    Raises IncompleteError where images lack, DataError where one cannot be used or there are more
    than should be.
    """
    sets: list[tuple[Pixels, Labels]] = []
    losses: set[str] = set()
    with strictly():
        # One after the other: threads only fight for Python's lock over images as small as these.
        for groups in _arranged(pictures, layout):
            x, lost_by = zip(*(_images(pictures, layout, names) for names in groups), strict=True)
            y = np.repeat(np.arange(len(groups), dtype=np.int64), [len(names) for names in groups])
            sets.append((np.concatenate(x), y))
            losses = losses.union(*lost_by)
    return sets[0], sets[1], sorted(losses - {""})


def _images(pictures: Pictures, layout: Layout, names: list[str]) -> tuple[Pixels, set[str]]:
    """These images, (N, 3, H, W), and by what they lost something."""
    width, height = layout.size
    x = np.empty((len(names), 3, height, width), np.uint8)
    losses = set()
    for i, name in enumerate(names):
        image, lost_by = _image(pictures, name, layout)
        x[i] = image.transpose(2, 0, 1)
        losses.add(lost_by)
    return x, losses


def _arranged(pictures: Pictures, layout: Layout) -> list[list[list[str]]]:
    """For each part the names of its images, sorted, class by class."""
    by_folder: dict[str, list[str]] = {}
    for name in sorted(pictures.names):
        if not layout.belongs(name):
            raise _stray(pictures.prefix + name.rstrip("/"))
        if name.endswith("/"):
            by_folder.setdefault(name, [])
        else:
            by_folder[name[: name.rindex("/") + 1]].append(name)
    for part in PARTS:
        for folder in (f"{part}/", *(f"{part}/{label}/" for label in layout.classes)):
            if folder not in by_folder:
                raise IncompleteError(
                    f"{pictures.prefix}{folder.rstrip('/')} is not there: {layout.mend}"
                )
    groups = [[by_folder[f"{part}/{label}/"] for label in layout.classes] for part in PARTS]
    _refuse_counts(groups, pictures, layout)
    return groups


def _refuse_counts(groups: list[list[list[str]]], pictures: Pictures, layout: Layout) -> None:
    train, test = layout.per_class
    counts = [{len(names) for names in part} for part in groups]
    if counts == [{test}, {train}] and train != test:
        raise DataError(
            f"{pictures.prefix}train and test are mixed up: train holds {test:,} images of each "
            f"class and test {train:,}: exchange their names"
        )
    for part, expected, found in zip(PARTS, layout.per_class, groups, strict=True):
        for label, names in zip(layout.classes, found, strict=True):
            where = f"{pictures.prefix}{part}/{label}"
            if not names:
                raise IncompleteError(f"{where} holds no images: {layout.mend}")
            if len(names) < expected:
                raise IncompleteError(
                    f"{where} holds {len(names):,} images instead of {expected:,}: {layout.mend}"
                )
            if len(names) > expected:
                raise DataError(
                    f"{where} holds {len(names):,} files instead of {expected:,} images: keep "
                    f"those elsewhere that do not belong there{_odd(names)}"
                )


def _odd(names: list[str]) -> str:
    """The first of the names that differ from most in more than digits, for a message."""
    forms = [re.sub(r"\d+", "0", name) for name in names]
    [(usual, _)] = Counter(forms).most_common(1)
    odd = [name for name, form in zip(names, forms, strict=True) if form != usual]
    return f", such as {odd[0].rpartition('/')[2]}" if odd else ""


def _image(pictures: Pictures, name: str, layout: Layout) -> tuple[Pixels, str]:
    """One image, (H, W, 3), and by what it lost something; DataError names it where it is unfit."""
    from PIL import UnidentifiedImageError

    where = pictures.prefix + name
    try:
        content = pictures.read(name)
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise DataError(f"{where} is larger than an image of the data set can be: {layout.mend}")
    try:
        return decode(content, layout.size)
    except UnfitError as error:
        raise DataError(f"{where} {error}") from None
    except Exception as error:  # damaged bytes make Pillow raise nearly anything
        reason = str(error) or type(error).__name__
        if isinstance(error, UnidentifiedImageError):  # its own message shows a Python object
            reason = f"none of the formats {', '.join(FORMATS)}"
        raise DataError(f"{where} cannot be decoded ({reason}): {layout.mend}") from None
