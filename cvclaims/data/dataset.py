"""A data set in memory: four tensors and what has to be known of them."""

import dataclasses
import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cvclaims.catalogue import DATASETS

Arrays = tuple[npt.NDArray[np.generic], ...]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, split into training and test set.

    It is shared by everything in the process that loads it: its tensors must not be written to.

    Attributes:
        name: a data set of `catalogue.DATASETS`.
        train_x: (N, F) float32, or (N, C, H, W) uint8 for images.
        train_y: (N,) int64, indices into `classes`.
        test_x: like `train_x`.
        test_y: like `train_y`.
        classes: the names of the classes.
        mean: images are presented to networks as (x / 255 - mean) / std.
        std: see `mean`. Features are presented as they are: mean 0, std 1.
        source: what tables show, such as "generated stand-in for Fashion-MNIST".
        stand_in: whether it is generated data that only resembles `name`; never judged.
        fingerprint: SHA-256 (hex) of the whole set, see `fingerprint`; a subset keeps it.
    """

    name: str
    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    classes: tuple[str, ...]
    mean: float
    std: float
    source: str
    stand_in: bool
    fingerprint: str

    def normalise(self, x: Tensor) -> Tensor:
        """A batch of any shape as networks take it: uint8 as float32, floats as they are.

        Raises TypeError for any other dtype.
        """
        if x.is_floating_point():
            return x
        if x.dtype != torch.uint8:
            raise TypeError(f"{self.name}: a batch has to be uint8 or floating, not {x.dtype}")
        # A single operation, one kernel on a GPU; the scalar's dtype decides the result's.
        shift = torch.tensor(-self.mean / self.std, dtype=torch.float32)
        return torch.add(shift, x, alpha=1 / (255 * self.std))

    def subset(self, train_size: int | None, test_size: int | None) -> "Dataset":
        """A stratified subset of `train_size` and `test_size` samples; None: all of them.

        The same sizes always give the same samples, in the order of the whole set. Each class
        has its share of them, to within one sample. The whole set is returned as itself.

        Raises ValueError where a size is below 1 or more than is there.
        """
        train = self._chosen("train_size", train_size, self.train_y)
        test = self._chosen("test_size", test_size, self.test_y)
        if train is None and test is None:
            return self
        parts: dict[str, Tensor] = {}
        if train is not None:
            parts |= {"train_x": self.train_x[train], "train_y": self.train_y[train]}
        if test is not None:
            parts |= {"test_x": self.test_x[test], "test_y": self.test_y[test]}
        return dataclasses.replace(self, **parts)  # type: ignore[arg-type]

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
        )


def from_arrays(
    name: str,
    train: Arrays,
    test: Arrays,
    *,
    mean: float = 0.0,
    std: float = 1.0,
    stand_in: bool = False,
    source: str = "",
) -> Dataset:
    """A data set from (x, y) of the training and of the test set; the arrays are copied.

    x of uint8 stays so, any other becomes float32. The catalogue gives the classes and, where
    `source` is empty, the title.
    """
    tensors = []
    for x, y in (train, test):
        dtype = np.uint8 if x.dtype == np.uint8 else np.float32
        tensors.append(torch.from_numpy(x.astype(dtype)))
        tensors.append(torch.from_numpy(y.astype(np.int64)))
    facts = DATASETS[name]
    return Dataset(
        name=name,
        train_x=tensors[0],
        train_y=tensors[1],
        test_x=tensors[2],
        test_y=tensors[3],
        classes=facts.classes,
        mean=mean,
        std=std,
        source=source or facts.title,
        stand_in=stand_in,
        fingerprint=fingerprint(tensors, mean, std),
    )


def fingerprint(tensors: list[Tensor], mean: float, std: float) -> str:
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
    apart.
    """
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
