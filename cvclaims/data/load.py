"""Loading a data set by its name, or by its spec."""

import functools
from pathlib import Path

from cvclaims.data import toy
from cvclaims.data.dataset import Dataset
from cvclaims.data.folder import DataError, DataMissing, how_to_get, refuse_file
from cvclaims.data.packed import packed
from cvclaims.data.stand_in import stand_in
from cvclaims.specs import DATASETS, DatasetSpec, built, dataset_spec

__all__ = ["DataError", "DataMissing", "Dataset", "load"]


def load(name: str | DatasetSpec, folder: Path | None, *, allow_stand_in: bool = False) -> Dataset:
    """Data set `name`, from `folder` where it does not come with scikit-learn.

    Loaded once in a process: later calls return the same object. With `allow_stand_in`, a set
    that is not there is replaced by a generated one that says so, where one can be.

    Raises:
        ValueError: the name is unknown.
        DataMissing: the set is not in the folder, or there is no folder.
        DataError: a file of it is damaged, or some lack; then nothing stands in for it.
    """
    spec = dataset_spec(name)
    if folder is not None:
        refuse_file(folder, "the data folder")
    if spec.stem in DATASETS and not spec.get:
        return _built_in(spec)
    try:
        if folder is None and spec.get:
            get = how_to_get(spec.stem, None)
            raise DataMissing(
                f"{spec.title} is not here, as there is no data folder; get it by {get}"
            )
        return _stored(spec, folder, Path.cwd())
    except DataMissing:
        if not (allow_stand_in and spec.can_stand_in):
            raise
        return _stand_in(spec)


@functools.cache
def _built_in(spec: DatasetSpec) -> Dataset:
    # Importing scikit-learn takes longer than training some of the networks on its sets.
    return packed(spec.name, toy.origin(), built(spec.load))


@functools.cache
def _stored(spec: DatasetSpec, folder: Path | None, _cwd: Path) -> Dataset:
    # A relative folder is kept as it was given, as messages end up in tables; it means another
    # folder once the working directory changes, so that belongs to the cache's key.
    found: Dataset = built(spec.load)(folder)
    return found


@functools.cache
def _stand_in(spec: DatasetSpec) -> Dataset:
    return stand_in(spec.name)
