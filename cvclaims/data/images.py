"""Image sets that lie in the data folder.

Each is read as torchvision.datasets lays it out and checked against pinned hashes: a result must
not rest on a damaged file. Nothing is ever written here.
"""

import gzip
import hashlib
import zlib
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from cvclaims.data.dataset import Dataset, from_arrays
from cvclaims.data.folder import DataError, DataMissing, IncompleteError, how_to_get
from cvclaims.specs import DATASETS

# Of the unpacked files. torchvision pins the md5 of the publisher's .gz files instead, but gzip
# can be done anew, in mirrors and archives, without a change to the data.
FASHION_MNIST_SHA256 = MappingProxyType(
    {
        "train-images-idx3-ubyte": (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
        ),
        "train-labels-idx1-ubyte": (
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
        ),
        "t10k-images-idx3-ubyte": (
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
        ),
        "t10k-labels-idx1-ubyte": (
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
        ),
    }
)


def fashion_mnist(folder: Path) -> Dataset:
    """Fashion-MNIST: 60,000 + 10,000 grey images of 28 x 28, pixels to be shown as (x - 0.5) / 0.5.

    Reads folder/FashionMNIST/raw, the four files as .gz or unpacked. The normalisation is that
    of report 5 (CLAIMS.md, section 5).

    Raises DataMissing where none of the files is there, DataError where one lacks or is damaged.
    """
    raw = folder / "FashionMNIST" / "raw"
    paths = {name: _packed_or_not(raw / name) for name in FASHION_MNIST_SHA256}
    lacking = [name for name, path in paths.items() if path is None]
    get = how_to_get("fashion_mnist", folder)
    if len(lacking) == len(paths):
        raise DataMissing(f"Fashion-MNIST is not in {folder}; get it by {get}")
    # What is there is looked at first: what a broken download left is damaged, and stays so.
    arrays = [_idx(path, FASHION_MNIST_SHA256[name], get) for name, path in paths.items() if path]
    if lacking:
        raise IncompleteError(f"{raw} lacks {', '.join(lacking)}; get the rest by {get}")
    train_x, train_y, test_x, test_y = arrays
    return from_arrays(
        "fashion_mnist",
        (train_x.reshape(-1, *DATASETS["fashion_mnist"].shape), train_y),
        (test_x.reshape(-1, *DATASETS["fashion_mnist"].shape), test_y),
        mean=0.5,
        std=0.5,
    )


def _packed_or_not(path: Path) -> Path | None:
    # torchvision's download leaves both; the unpacked file is faster to read.
    for candidate in (path, path.with_name(f"{path.name}.gz")):
        try:
            if candidate.is_file():
                return candidate
        except OSError as error:
            raise DataError(f"{candidate} cannot be read: {error.strerror}") from None
    return None


def _idx(path: Path, sha256: str, get: str) -> npt.NDArray[np.uint8]:
    """The values of an idx file (flat), packed or not, once its hash is right.

    The hash vouches for magic number, counts and length, so only the header's size is looked
    up: 4 bytes, and 4 for each of the dimensions that byte 3 states. torchvision's reader takes
    paths of unpacked files only, and takes longer to import than this to run.
    """
    mend = f"move it out of the folder and get it again by {get}"
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is damaged ({error}): {mend}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DataError(
            f"{path} is damaged or not Fashion-MNIST (sha256 {found[:16]}…, not {sha256[:16]}…): "
            f"{mend}"
        )
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3])
