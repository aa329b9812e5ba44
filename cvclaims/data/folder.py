"""Where data lies, and what is said when it does not; without torch."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from cvclaims.specs import DATASETS, NotHereError
from cvclaims.text import clean

VARIABLE = "CVCLAIMS_DATA"
# By what a set is known at a glance, below the data folder; a "/" at the end means a folder.
TRACES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "fashion_mnist": (
            "FashionMNIST/raw/t*-idx[13]-ubyte",
            "FashionMNIST/raw/t*-idx[13]-ubyte.gz",
        ),
        "cifar10": (
            "cifar-10-batches-py/data_batch_[1-5]",
            "cifar-10-batches-py/test_batch",
            "cifar10/",
            "cifar10*.tar.gz",
        ),
    }
)


class DataError(NotHereError):
    """Data that cannot be used; the message is one line and names the file and the mend.

    Names of files and folders stand in it, which may be anything: it is made fit to be shown.
    """

    def __init__(self, message: str) -> None:
        super().__init__(clean(message))


class DataMissing(DataError):  # noqa: N818
    """Data that is not there; the message is one line and says how to get it."""


class IncompleteError(DataError):
    """A set of which some files are there and some are not, as after a broken download."""


def data_folder(option: str | None) -> Path | None:
    """The folder to look for data in: `option`, else CVCLAIMS_DATA, else ./data, else None.

    A folder that was named need not exist yet; ./data counts only where it is a folder. Empty
    names count as not given. Raises DataError where a file was named.
    """
    folder, named_by = _named(option, None)
    if named_by:
        refuse_file(folder, named_by)
        return folder
    return _default()


def session_folder(option: str | None, ini: str | None) -> Path | None:
    """The folder that a session reads: `option`, else `ini`, else CVCLAIMS_DATA, else ./data.

    `ini` is the project's `claims_data`. None where nothing is named and there is no ./data.

    Raises DataError where a folder that was named is none, is not there or cannot be read: what
    is asked for is not replaced by generated images in silence. So does an empty folder that the
    option names; one that holds other things may hold the data of an author's own.
    """
    folder, named_by = _named(option, ini)
    if not named_by:
        return _default()
    refuse_file(folder, named_by)
    name, *others = TRACES
    get = (
        f"get a set by {how_to_get(name, folder)} (or {', '.join(others)}), or name another folder"
    )
    if not folder.exists():
        fault = "is a link to nothing" if folder.is_symlink() else "does not exist"
        raise DataError(f"{folder} {fault}: {named_by} has to name the folder of the sets; {get}")
    if not _entries(folder, named_by) and option:
        raise DataError(f"{folder} holds nothing: {get}")
    return folder


# The folder that this process was told to read, where it was.
_told: list[Path | None] = []


def tell_folder(folder: Path | None) -> None:
    """Let what is read while tests are collected come from the session's data folder."""
    _told[:] = [folder]


def current_folder() -> Path | None:
    """The session's data folder; outside of a session as if one were begun here."""
    return _told[0] if _told else session_folder(None, None)


def found(folder: Path | None) -> tuple[str, ...]:
    """The stored sets of the catalogue that seem to be in `folder`, by a glance at names."""
    return tuple(name for name in TRACES if folder and _has(folder, TRACES[name]))


def refuse_file(folder: Path, named_by: str) -> None:
    """Raise DataError where `folder` exists and is none; `named_by` is what has to be mended."""
    try:
        wrong = folder.exists() and not folder.is_dir()
    except OSError as error:
        raise _unreadable(folder, error, named_by) from None
    if wrong:
        raise DataError(f"{folder} is a file: {named_by} has to name a folder")


def how_to_get(name: str, folder: Path | None) -> str:
    """The command, in backquotes, that gets data set `name` into `folder` (None: ./data)."""
    into = "" if folder is None else f" --claims-data {shlex.quote(str(folder))}"
    return f"`{DATASETS[name].get}{into}`"


def _named(option: str | None, ini: str | None) -> tuple[Path, str]:
    """The folder that was named, and what named it; empty where nothing did."""
    variable = os.environ.get(VARIABLE)
    for name, given in (("--claims-data", option), ("claims_data", ini), (VARIABLE, variable)):
        if given:
            try:
                return Path(given).expanduser(), name
            except RuntimeError:
                raise DataError(f"{given}: no home is known; {name} has to name a folder") from None
    return Path(), ""


def _default() -> Path | None:
    # Not refused where it is a file: any project may have a file called "data".
    default = Path("data")
    return default if default.is_dir() else None


def _entries(folder: Path, named_by: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError as error:
        raise _unreadable(folder, error, named_by) from None


def _unreadable(folder: Path, error: OSError, named_by: str) -> DataError:
    return DataError(
        f"{folder} cannot be read ({error.strerror}): {named_by} has to name a folder that can"
    )


def _has(folder: Path, traces: tuple[str, ...]) -> bool:
    try:
        return any(
            path.is_dir() if trace.endswith("/") else path.is_file()
            for trace in traces
            for path in folder.glob(trace)
        )
    except OSError:  # loading says what is wrong with it
        return False
