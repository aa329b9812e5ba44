"""Writing into the results folder: whole files or none, and nothing that is lost."""

from contextlib import suppress
from pathlib import Path

from cvclaims.files import damaged_names, read_plain, write_atomically
from cvclaims.text import clean


class ResultsError(RuntimeError):
    """The results cannot be read or written; one line that names the file and the mend."""

    def __init__(self, message: str) -> None:
        super().__init__(clean(message))


def replace(path: Path, content: bytes) -> bool:
    """Write a file so that a reader sees all of it or none; False where it stands so already."""
    try:
        with suppress(FileNotFoundError):
            if read_plain(path) == content:
                return False
        write_atomically(path, content)
    except OSError as error:
        raise ResultsError(
            f"{path} cannot be written ({error.strerror}): free it, then --claims-replay "
            "writes the results anew from the records"
        ) from None
    return True


def remove(path: Path) -> bool:
    """Remove a file; False where there is none."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ResultsError(f"{path} cannot be removed ({error.strerror}): free it") from None
    return True


def keep_copy(path: Path) -> Path:
    """Copy a damaged file to a name of its own, before it is written anew; once is enough."""
    try:
        content = read_plain(path)
        for kept in damaged_names(path):
            if not kept.exists() or (kept.is_file() and read_plain(kept) == content):
                break
    except OSError as error:
        raise ResultsError(
            f"{error.filename} cannot be read ({error.strerror}): {path} is damaged, and a copy "
            "of it is to be kept; move both away"
        ) from None
    replace(kept, content)
    return kept
