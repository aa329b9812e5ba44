"""Writing files so that a reader sees all of one or none, on any file system."""

import errno
import itertools
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# An hour after it was made, a draft belongs to a process that was killed while it wrote.
STALE_SECONDS = 3600
_DRAFT = re.compile(r"\.draft-[0-9a-f]{16}")
# A file system that does not offer fsync, or does not permit it, has written all the same.
_NOT_OFFERED = {
    errno.EPERM,
    errno.EACCES,
    errno.EINVAL,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOTTY,
    errno.EROFS,
}


def write_atomically(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Put `content` in the place of a file; makes the folder where it has to.

    A reader sees all of it or what stood there before, and no draft is left. The file can be read
    by whom the umask allows. What is `durable` outlives a power cut, and takes its time for it.
    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path.parent)
    try:
        with open(draft, "xb") as file:
            file.write(content)
            file.flush()
            if durable:
                _settle(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def damaged_names(path: Path) -> Iterator[Path]:
    """Names for copies of a damaged file, in turn: what has one may be all that is left."""
    yield path.with_name(f"{path.name}.damaged")
    for count in itertools.count(2):
        yield path.with_name(f"{path.name}.{count}.damaged")


def check_writable(folder: Path) -> None:
    """Raise OSError unless files can be written into a folder; makes it where it has to.

    It does what writing does, and removes the drafts that killed processes left there and in the
    folders of the two levels below, which is where the results and the records have theirs.
    """
    probe = _draft(folder)
    write_atomically(probe, b"Written to see whether it can be.\n")
    # The age of others is read off this one: the clock of a file server need not be ours.
    written = probe.stat().st_mtime
    probe.unlink()
    with suppress(OSError):
        for level in (".draft-*", "*/.draft-*", "*/*/.draft-*"):
            for path in folder.glob(level):
                _remove_stale(path, written)


def _remove_stale(path: Path, now: float) -> None:
    """Remove a draft that nobody writes any more; one that cannot be removed does no harm."""
    with suppress(OSError):
        if _DRAFT.fullmatch(path.name) and now - path.lstat().st_mtime > STALE_SECONDS:
            path.unlink()


def read_plain(path: Path) -> bytes:
    """The content of a plain file; a pipe or a device in its place is not waited for.

    Raises OSError, also for what is no plain file.
    """
    # Opening a pipe that nobody writes to waits for ever unless one says not to.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "is no plain file", str(path))
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)


def _draft(folder: Path) -> Path:
    """A name that nobody else takes, however long the name of the file itself."""
    return folder / f".draft-{os.urandom(8).hex()}"


def _settle(handle: int) -> None:
    """Wait until the content is on the disk, where the file system lets one wait."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
