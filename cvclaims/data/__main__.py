"""Get a data set: `python -m cvclaims.data fashion_mnist [--claims-data FOLDER]`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from types import MappingProxyType

from cvclaims.catalogue import DATASETS, known
from cvclaims.data.folder import DataError, DataMissing, IncompleteError, data_folder
from cvclaims.data.load import BUILT_IN, Dataset, load


def main(argv: Sequence[str] | None = None) -> int:
    """Download one data set, unless it is there; print one line on what is there.

    Returns 0; 1, with one line on stderr, where it could not be had; 2 for an unknown name.
    """
    parser = argparse.ArgumentParser(
        prog="python -m cvclaims.data", description="Get a data set and check it."
    )
    parser.add_argument("name", help=f"one of {', '.join(DATASETS)}")
    parser.add_argument(
        "--claims-data",
        metavar="FOLDER",
        help="where to look and to put it (default: CVCLAIMS_DATA, else ./data)",
    )
    options = parser.parse_args(argv)
    try:
        name = known("data set", options.name, DATASETS)
    except ValueError as error:
        return _failed(error, 2)
    try:
        folder = data_folder(options.claims_data) or Path("data")
        dataset = _present(name, folder)
    # torchvision tells a failed download by RuntimeError (as DataError is) or lets these pass.
    except (RuntimeError, OSError, HTTPException) as error:
        return _failed(error, 1)
    sizes = f"{len(dataset.train_y):,} training and {len(dataset.test_y):,} test samples"
    if name in BUILT_IN:
        print(f"{DATASETS[name].title} comes with scikit-learn: {sizes}")
    else:
        print(f"{dataset.source} is in {folder}: {sizes}")
    return 0


def _present(name: str, folder: Path) -> Dataset:
    """The data set, downloaded where it lacks; what is there and sound is left alone."""
    try:
        return load(name, folder)
    except (DataMissing, IncompleteError):
        DOWNLOADS[name](folder)
    return load(name, folder)


def _failed(error: Exception, status: int) -> int:
    line = " ".join(str(error).split())
    # An error of the network or the disk names neither the set nor what was tried.
    what = "" if isinstance(error, DataError | ValueError) else "the download failed: "
    print(f"python -m cvclaims.data: {what}{line or type(error).__name__}", file=sys.stderr)
    return status


def _fashion_mnist(folder: Path) -> None:
    from torchvision.datasets import FashionMNIST

    FashionMNIST(str(folder), download=True)


def _cifar10(folder: Path) -> None:
    from torchvision.datasets import CIFAR10

    CIFAR10(str(folder), download=True)


DOWNLOADS: Mapping[str, Callable[[Path], None]] = MappingProxyType(
    {"fashion_mnist": _fashion_mnist, "cifar10": _cifar10}
)

if __name__ == "__main__":
    sys.exit(main())
