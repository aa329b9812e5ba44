"""CIFAR-10, from torchvision's layout, a folder of images, or an archive of that folder.

Nothing is ever written into the data folder; what was decoded is kept in a cache (`packed`).
"""

import hashlib
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cvclaims.data.dataset import Dataset, from_arrays
from cvclaims.data.decoding import decoder
from cvclaims.data.folder import DataError, DataMissing, IncompleteError, how_to_get
from cvclaims.data.packed import packed
from cvclaims.data.pictures import (
    Layout,
    Pictures,
    decoded,
    in_archive,
    in_folder,
    stat_of,
)
from cvclaims.specs import DATASETS

# Of the original training pixels, by channel: the constants that are commonly used. They stay the
# same for re-encoded images, so that networks see both alike.
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2470, 0.2435, 0.2616)

# The md5 that the publisher and torchvision give. Of content that is pinned, md5 is enough: to
# find other bytes with the md5 of given ones is out of reach.
BATCHES = MappingProxyType(
    {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    }
)
FACTS = DATASETS["cifar10"].facts
PER_CLASS = (FACTS.train // len(FACTS.classes), FACTS.test // len(FACTS.classes))


def cifar10(folder: Path, per_class: tuple[int, int] = PER_CLASS) -> Dataset:
    """CIFAR-10: 50,000 + 10,000 colour images, (N, 3, 32, 32) uint8.

    Reads the first of these that is there:

    - folder/cifar-10-batches-py, as torchvision.datasets.CIFAR10 lays it out, in its order;
      source "CIFAR-10".
    - folder/cifar10/{train,test}/<class>/<any name>, images of 32 x 32 in any format of
      `decoding.FORMATS`, sorted by class and name; source "CIFAR-10, JPEG re-encoded" where any
      of them is a JPEG, "WebP" likewise where one is of WebP's lossy kind, else "CIFAR-10, from
      image files".
    - folder/cifar10*.tar.gz, an archive of that folder, with the same result.

    Args:
        folder: the data folder.
        per_class: training and test images that each class has in a folder of images.

    Raises DataMissing where none is there, IncompleteError where files lack, DataError where one
    is damaged or does not belong there.
    """
    get = how_to_get("cifar10", folder)
    try:
        for find in (_batches, _tree, _archive):
            if (found := find(folder, per_class, get)) is not None:
                return packed("cifar10", (found.key, per_class, MEAN, STD), found.read)
    except OSError as error:
        raise DataError(f"{error.filename or folder} cannot be read: {error.strerror}") from None
    raise DataMissing(f"CIFAR-10 is not in {folder}; get it by {get}")


class _Found(NamedTuple):
    """A source that is there: what tells a changed one, and how it is read."""

    key: object
    read: Callable[[], Dataset]


def _batches(folder: Path, per_class: tuple[int, int], get: str) -> _Found | None:
    paths = [folder / "cifar-10-batches-py" / name for name in BATCHES]
    lacking = [path.name for path in paths if not path.is_file()]
    if len(lacking) == len(paths):
        return None
    if lacking:
        for path in paths:
            if path.name not in lacking:  # what a broken download left is damaged, and stays so
                _checked(path, get)
        raise IncompleteError(
            f"{paths[0].parent} lacks {', '.join(lacking)}; get the rest by {get}"
        )
    return _Found([stat_of(path) for path in paths], lambda: _from_batches(paths, get))


def _tree(folder: Path, per_class: tuple[int, int], get: str) -> _Found | None:
    tree = folder / "cifar10"
    if not tree.is_dir():
        return None
    layout = _layout(per_class)
    stats, pictures = in_folder(tree)
    return _Found((stats, decoder()), lambda: _from_pictures(pictures, layout))


def _archive(folder: Path, per_class: tuple[int, int], get: str) -> _Found | None:
    paths = sorted(path for path in folder.glob("cifar10*.tar.gz") if path.is_file())
    if not paths:
        return None
    if len(paths) > 1:
        names = " and ".join(path.name for path in paths)
        raise DataError(f"{folder} holds {names}: move all but one of them to another folder")
    layout = _layout(per_class)

    def read() -> Dataset:
        return _from_pictures(in_archive(paths[0], "cifar10", layout), layout)

    return _Found((paths[0].name, stat_of(paths[0]), decoder()), read)


def _layout(per_class: tuple[int, int]) -> Layout:
    _, height, width = FACTS.shape
    # Into another folder: what is here would stay in its way, and is not ours to take away.
    get = how_to_get("cifar10", Path("FOLDER"))
    mend = f"put the original there, or get the whole set into another folder by {get}"
    return Layout(FACTS.classes, per_class, (width, height), mend)


def _from_pictures(pictures: Pictures, layout: Layout) -> Dataset:
    train, test, lossy = decoded(pictures, layout)
    kind = f"{' and '.join(lossy)} re-encoded" if lossy else "from image files"
    source = f"{DATASETS['cifar10'].title}, {kind}"
    return from_arrays("cifar10", train, test, mean=MEAN, std=STD, source=source)


def _from_batches(paths: list[Path], get: str) -> Dataset:
    *train, test = (_batch(path, get) for path in paths)
    x, y = (np.concatenate(parts) for parts in zip(*train, strict=True))
    return from_arrays("cifar10", (x, y), test, mean=MEAN, std=STD)


def _batch(path: Path, get: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images (N, 3, 32, 32) and labels (N,) of one of the publisher's files.

    It is a pickle, which may run any code: it is opened only once its md5 is right, from the very
    bytes that were checked. torchvision reads the file a second time for that, and under NumPy
    2.4 the publisher's pickles give a warning there, which this package's tests take for an error.
    """
    content = _checked(path, get)
    with warnings.catch_warnings():
        # Python 2 wrote `align` as 0 and 1.
        warnings.filterwarnings("ignore", r"dtype\(\): align should be passed")
        batch = pickle.loads(content, encoding="latin1")
    return batch["data"].reshape(-1, *FACTS.shape), np.asarray(batch["labels"], np.int64)


def _checked(path: Path, get: str) -> bytes:
    """The content of one of the publisher's files, once its md5 is right."""
    content = path.read_bytes()
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != BATCHES[path.name]:
        raise DataError(
            f"{path} is damaged or not CIFAR-10 (md5 {found}, not {BATCHES[path.name]}): "
            f"move it out of the folder and get it again by {get}"
        )
    return content
