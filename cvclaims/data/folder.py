"""Where data lies, and what is said when it does not; without torch."""

import os
import shlex
from pathlib import Path

from cvclaims.catalogue import DATASETS

VARIABLE = "CVCLAIMS_DATA"


class DataError(RuntimeError):
    """Data that cannot be used; the message is one line and names the file and the mend."""


class DataMissing(DataError):  # noqa: N818
    """Data that is not there; the message is one line and says how to get it."""


class IncompleteError(DataError):
    """A set of which some files are there and some are not, as after a broken download."""


def data_folder(option: str | None) -> Path | None:
    """The folder to look for data in: `option`, else CVCLAIMS_DATA, else ./data, else None.

    A folder that was named need not exist yet; ./data counts only where it is a folder. Empty
    names count as not given. Raises DataError where a file was named.
    """
    for name, given in (("--claims-data", option), (VARIABLE, os.environ.get(VARIABLE))):
        if given:
            folder = Path(given).expanduser()
            refuse_file(folder, name)
            return folder
    default = Path("data")
    # Not refused where it is a file: any project may have a file called "data".
    return default if default.is_dir() else None


def refuse_file(folder: Path, named_by: str) -> None:
    """Raise DataError where `folder` exists and is none; `named_by` is what has to be mended."""
    try:
        wrong = folder.exists() and not folder.is_dir()
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}): {named_by}") from None
    if wrong:
        raise DataError(f"{folder} is a file: {named_by} has to name a folder")


def how_to_get(name: str, folder: Path | None) -> str:
    """The command, in backquotes, that gets data set `name` into `folder` (None: ./data)."""
    into = "" if folder is None else f" --claims-data {shlex.quote(str(folder))}"
    return f"`{DATASETS[name].get}{into}`"
