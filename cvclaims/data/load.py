"""Loading a data set by its name in the catalogue."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from cvclaims.catalogue import DATASETS, known
from cvclaims.data import cifar10, images, toy
from cvclaims.data.dataset import Dataset
from cvclaims.data.folder import DataError, DataMissing, how_to_get, refuse_file
from cvclaims.data.packed import packed
from cvclaims.data.stand_in import stand_in

__all__ = ["BUILT_IN", "STORED", "DataError", "DataMissing", "Dataset", "load"]

# Together exactly the names of the catalogue (tested). A new set needs an entry there, a loader
# here and, where it is stored, its download in download.py.
BUILT_IN: Mapping[str, Callable[[], Dataset]] = MappingProxyType(
    {"digits": toy.digits, "moons": toy.moons, "circles": toy.circles}
)
STORED: Mapping[str, Callable[[Path], Dataset]] = MappingProxyType(
    {"fashion_mnist": images.fashion_mnist, "cifar10": cifar10.cifar10}
)


def load(name: str, folder: Path | None, *, allow_stand_in: bool = False) -> Dataset:
    """Data set `name`, from `folder` where it does not come with scikit-learn.

    Loaded once in a process: later calls return the same object. With `allow_stand_in`, a set
    that is not there is replaced by a generated one that says so.

    Raises:
        ValueError: the name is unknown.
        DataMissing: the set is not in the folder, or there is no folder.
        DataError: a file of it is damaged, or some lack; then nothing stands in for it.
    """
    known("data set", name, DATASETS)
    if folder is not None:
        refuse_file(folder, "the data folder")
    if name in BUILT_IN:
        return _built_in(name)
    try:
        if folder is None:
            title, get = DATASETS[name].title, how_to_get(name, None)
            raise DataMissing(f"{title} is not here, as there is no data folder; get it by {get}")
        return _stored(name, folder, Path.cwd())
    except DataMissing:
        if not allow_stand_in:
            raise
        return _stand_in(name)


@functools.cache
def _built_in(name: str) -> Dataset:
    # Importing scikit-learn takes longer than training some of the networks on its sets.
    return packed(name, toy.origin(), BUILT_IN[name])


@functools.cache
def _stored(name: str, folder: Path, _cwd: Path) -> Dataset:
    # A relative folder is kept as it was given, as messages end up in tables; it means another
    # folder once the working directory changes, so that belongs to the cache's key.
    return STORED[name](folder)


@functools.cache
def _stand_in(name: str) -> Dataset:
    return stand_in(name)
