"""A data set in memory: its tensors and what has to be known of them."""

import dataclasses
import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cvclaims.catalogue import known
from cvclaims.specs import dataset_spec

Arrays = tuple[npt.NDArray[np.generic], ...]
# One number for all of an image, or one for each channel.
PerChannel = float | tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, split into training and test set.

    It is shared by everything in the process that loads it: its tensors must not be written to.

    Attributes:
        name: that of a `specs.DatasetSpec`.
        train_x: (N, C, H, W) uint8 for images; else (N, ...) float32.
        train_y: (N,) int64, indices into `classes`; or (N, targets) float32 where there are none.
        test_x: like `train_x`.
        test_y: like `train_y`.
        classes: the names of the classes; empty where numbers are to be predicted.
        mean: images are presented to networks as (x / 255 - mean) / std; a tuple has one number
            for each channel.
        std: see `mean`; both are numbers, or both tuples. Features are presented as they are:
            mean 0, std 1.
        source: what tables show, such as "generated stand-in for Fashion-MNIST".
        stand_in: whether it is generated data that only resembles `name`; never judged.
        fingerprint: SHA-256 (hex) of the whole set, see `fingerprint`; whatever is cut from it or
            presented in another way keeps it.
        held_x: training samples that were taken out of `train_x`, see `hold_out`; None: none.
        held_y: like `train_y`, of `held_x`.
    """

    name: str
    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    classes: tuple[str, ...]
    mean: PerChannel
    std: PerChannel
    source: str
    stand_in: bool
    fingerprint: str
    held_x: Tensor | None = None
    held_y: Tensor | None = None
    # (C, 1, 1) float32 each: 1 / (255 std) and -mean / std, where those go by channel.
    _by_channel: tuple[Tensor, Tensor] | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        if not isinstance(self.mean, tuple) and not isinstance(self.std, tuple):
            return
        if not (
            isinstance(self.mean, tuple)
            and isinstance(self.std, tuple)
            and len(self.mean) == len(self.std) == self.train_x.shape[1]
        ):
            raise ValueError(
                f"{self.name}: mean {self.mean} and std {self.std} do not go by "
                f"{self.train_x.shape[1]} channels"
            )
        # Made here, on the data's device, and not for each batch: copying numbers to a GPU waits
        # for it, and cannot be captured in a CUDA graph.
        scale = [1 / (255 * std) for std in self.std]
        shift = [-mean / std for mean, std in zip(self.mean, self.std, strict=True)]
        tensors = tuple(
            torch.tensor(values, dtype=torch.float32, device=self.train_x.device).view(-1, 1, 1)
            for values in (scale, shift)
        )
        object.__setattr__(self, "_by_channel", tensors)

    def normalise(self, x: Tensor) -> Tensor:
        """A batch as networks take it: uint8 as float32, floats as they are.

        Its shape is any where mean and std are numbers, else (..., C, H, W).

        Raises TypeError for any other dtype, ValueError for other channels.
        """
        if x.is_floating_point():
            return x
        if x.dtype != torch.uint8:
            raise TypeError(f"{self.name}: a batch has to be uint8 or floating, not {x.dtype}")
        if self._by_channel is not None:
            scale, shift = (t.to(x.device) for t in self._by_channel)
            if x.dim() < 3 or x.shape[-3] != len(scale):
                raise ValueError(
                    f"{self.name}: a batch has to be (..., {len(scale)}, H, W), "
                    f"not {tuple(x.shape)}"
                )
            # Product and sum are rounded one by one, on every device alike; addcmul may or may
            # not, and is several times slower on a CPU where it takes uint8.
            return torch.mul(x, scale).add_(shift)
        assert not isinstance(self.mean, tuple)
        assert not isinstance(self.std, tuple)
        # A single operation, one kernel on a GPU; the scalar's dtype decides the result's.
        shift = torch.tensor(-self.mean / self.std, dtype=torch.float32)
        return torch.add(shift, x, alpha=1 / (255 * self.std))

    def raw(self) -> "Dataset":
        """The same data set, its images presented from 0 to 1: mean 0, std 1."""
        return dataclasses.replace(self, mean=0.0, std=1.0)

    def of_classes(self, names: tuple[str, ...]) -> "Dataset":
        """Only the samples of these classes, labelled 0, 1, ... in the order of `names`.

        Samples keep their order. () gives the whole set as itself.

        Raises ValueError where a name is unknown or stands twice, or samples are held out.
        """
        if not names:
            return self
        self._refuse_held("of_classes")
        for name in names:
            known(f"class of {self.source}:", name, self.classes)
        if len(set(names)) < len(names):
            raise ValueError(f"classes name one twice: {', '.join(names)}")
        labels = [self.classes.index(name) for name in names]
        train_x, train_y = _relabelled(self.train_x, self.train_y, labels)
        test_x, test_y = _relabelled(self.test_x, self.test_y, labels)
        return dataclasses.replace(
            self, train_x=train_x, train_y=train_y, test_x=test_x, test_y=test_y, classes=names
        )

    def subset(self, train_size: int | None, test_size: int | None) -> "Dataset":
        """A stratified subset of `train_size` and `test_size` samples; None: all of them.

        The same sizes always give the same samples, in the order of the whole set. Each class
        has its share of them, to within one sample. The whole set is returned as itself.

        Raises ValueError where a size is below 1 or more than is there, or samples are held out.
        """
        train = self._chosen("train_size", train_size, self.train_y)
        test = self._chosen("test_size", test_size, self.test_y)
        if train is None and test is None:
            return self
        self._refuse_held("subset")
        parts: dict[str, Tensor] = {}
        if train is not None:
            parts |= {"train_x": self.train_x[train], "train_y": self.train_y[train]}
        if test is not None:
            parts |= {"test_x": self.test_x[test], "test_y": self.test_y[test]}
        return dataclasses.replace(self, **parts)  # type: ignore[arg-type]

    def hold_out(self, size: int) -> "Dataset":
        """`size` training samples, stratified, moved out of training into `held_x`, `held_y`.

        They are what early stopping may look at, as it may not look at the test set. The same
        size always takes the same samples; those held and those left keep their order. It comes
        last: `subset` and `of_classes` refuse a set with samples held out.

        Raises ValueError where a size is below 1 or leaves none to train on, or samples are held
        out already.
        """
        if self.held_y is not None:
            raise ValueError("hold_out comes once: samples are held out already")
        if not 1 <= size < len(self.train_y):
            raise ValueError(
                f"hold_out takes 1 to {len(self.train_y) - 1} of the {len(self.train_y)} training "
                f"samples of {self.source}, not {size}"
            )
        held = stratified(self.train_y, size).to(self.train_y.device)
        stays = torch.ones_like(self.train_y, dtype=torch.bool)
        stays[held] = False
        return dataclasses.replace(
            self,
            train_x=self.train_x[stays],
            train_y=self.train_y[stays],
            held_x=self.train_x[held],
            held_y=self.train_y[held],
        )

    def _refuse_held(self, what: str) -> None:
        if self.held_y is not None:
            raise ValueError(f"{what} has to come before hold_out: samples are held out already")

    def _chosen(self, what: str, size: int | None, y: Tensor) -> Tensor | None:
        if size is None or size == len(y):
            return None
        if size < 1:
            raise ValueError(f"{what} has to be 1 or more, not {size}")
        if size > len(y):
            raise ValueError(f"{what} {size} is more than the {len(y)} samples of {self.source}")
        return stratified(y, size).to(y.device)

    def to(self, device: torch.device | str) -> "Dataset":
        """The same data set with its tensors on `device`."""
        return dataclasses.replace(
            self,
            train_x=self.train_x.to(device),
            train_y=self.train_y.to(device),
            test_x=self.test_x.to(device),
            test_y=self.test_y.to(device),
            held_x=None if self.held_x is None else self.held_x.to(device),
            held_y=None if self.held_y is None else self.held_y.to(device),
        )


def _relabelled(x: Tensor, y: Tensor, labels: list[int]) -> tuple[Tensor, Tensor]:
    """The samples (x, y) with one of `labels`, and its place among them for a label."""
    place = torch.full((max(labels) + 1,), -1, device=y.device)
    place[labels] = torch.arange(len(labels), device=y.device)
    chosen = torch.isin(y, torch.tensor(labels, device=y.device)).nonzero().flatten()
    return x[chosen], place[y[chosen]]


def from_arrays(
    name: str,
    train: Arrays,
    test: Arrays,
    *,
    mean: PerChannel = 0.0,
    std: PerChannel = 1.0,
    stand_in: bool = False,
    source: str = "",
    classes: tuple[str, ...] | None = None,
) -> Dataset:
    """A data set from (x, y) of the training and of the test set; the arrays are copied.

    x of uint8 stays so, any other becomes float32; y is float32 where it is no whole numbers. The
    spec gives the classes where they are None, and the title where `source` is empty.
    """
    tensors = []
    for x, y in (train, test):
        dtype = np.uint8 if x.dtype == np.uint8 else np.float32
        tensors.append(torch.from_numpy(x.astype(dtype)))
        tensors.append(torch.from_numpy(y.astype(np.float32 if y.dtype.kind == "f" else np.int64)))
    spec = dataset_spec(name) if classes is None or not source else None
    return Dataset(
        name=name,
        train_x=tensors[0],
        train_y=tensors[1],
        test_x=tensors[2],
        test_y=tensors[3],
        classes=spec.classes if spec is not None and classes is None else classes or (),
        mean=mean,
        std=std,
        source=source or (spec.title if spec is not None else name),
        stand_in=stand_in,
        fingerprint=fingerprint(tensors, mean, std),
    )


def fingerprint(tensors: list[Tensor], mean: PerChannel, std: PerChannel) -> str:
    """SHA-256 (hex) over shape, dtype and bytes of each tensor, and over mean and std."""
    digest = hashlib.sha256()
    for tensor in tensors:
        array = np.ascontiguousarray(tensor.cpu().numpy())
        digest.update(f"{array.shape} {array.dtype.str} ".encode())
        digest.update(array.data)
    digest.update(f"mean {mean!r} std {std!r}".encode())
    return digest.hexdigest()


def stratified(y: Tensor, size: int) -> Tensor:
    """Indices (size,) int64, ascending, of a stratified choice from labels `y` (N,).

    Class c gets size * N_c / N of them, rounded down or up (largest remainder), so that small
    sizes work too, which scikit-learn's stratified split refuses. Which samples of a class are
    taken is drawn from a generator of its own, with a fixed seed: NumPy's RandomState, whose
    stream is frozen for good. Records rely on that, as the fingerprint does not tell subsets
    apart. Of numbers that are to be predicted, (N, targets), any are as good.
    """
    if y.is_floating_point():
        return torch.from_numpy(np.sort(np.random.RandomState(0).permutation(len(y))[:size]))
    labels = y.cpu().numpy()
    classes, counts = np.unique(labels, return_counts=True)
    quota, remainder = np.divmod(size * counts, len(labels))
    left = size - quota.sum()
    quota[np.argsort(-remainder, kind="stable")[:left]] += 1
    generator = np.random.RandomState(0)
    chosen = [
        generator.permutation(np.flatnonzero(labels == label))[:count]
        for label, count in zip(classes, quota, strict=True)
    ]
    return torch.from_numpy(np.sort(np.concatenate(chosen)))
