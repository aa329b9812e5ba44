"""Get a data set: `python -m cvclaims.data fashion_mnist [--claims-data FOLDER]`."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from cvclaims.catalogue import known
from cvclaims.data.download import DOWNLOADS, download
from cvclaims.data.folder import DataError, DataMissing, IncompleteError, data_folder
from cvclaims.data.load import Dataset, load
from cvclaims.specs import DATASETS
from cvclaims.text import clean, encodable


def main(argv: Sequence[str] | None = None) -> int:
    """Download one data set, unless it is there; print one line on what is there.

    Returns 0; 1, with one line on stderr, where it could not be had; 2 for an unknown name; 130
    where it was interrupted.
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
        return _failed(str(error), 2)
    try:
        folder = data_folder(options.claims_data) or Path("data")
        dataset = _present(name, folder)
    except (DataError, OSError) as error:
        return _failed(str(error), 1)
    except KeyboardInterrupt:
        return _failed("interrupted; nothing was kept, and what was there is as it was", 130)
    sizes = f"{len(dataset.train_y):,} training and {len(dataset.test_y):,} test samples"
    where = f"{dataset.source} is in {folder}"
    if name not in DOWNLOADS:
        where = f"{DATASETS[name].title} comes with scikit-learn"
    print(encodable(clean(f"{where}: {sizes}"), sys.stdout.encoding or "utf-8"))
    return 0


def _present(name: str, folder: Path) -> Dataset:
    """The data set, downloaded where it lacks; what is there and sound is left alone."""
    try:
        return load(name, folder)
    except (DataMissing, IncompleteError):
        download(name, folder)
    return load(name, folder)


def _failed(message: str, status: int) -> int:
    print(f"python -m cvclaims.data: {clean(message)}", file=sys.stderr)
    return status


if __name__ == "__main__":
    # As for Ctrl-C: what was begun is taken away again.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
