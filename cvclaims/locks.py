"""Locks on files, across processes and machines, that say whom they wait for.

The system lets go of a lock when its process dies, however it dies. Where a file system has no such
locks there is no other kind to fall back to: what a lock file that merely exists says about a
process of another machine, nobody can know.
"""

import errno
import os
import platform
import re
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import lock_descriptor, unlock_descriptor

from cvclaims.text import clean

TELL_SECONDS = 10.0
LOOK_SECONDS = 0.05
# Follow no link, and wait for nobody at the other end of a pipe.
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
# Windows lets nobody else read the first byte, which is what it locks.
_HOLDER_AT = 1
_HOLDER = re.compile(r"process \d+ on [\w.-]+ since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


class LockError(RuntimeError):
    """A lock cannot be had; the message is one line that names the file and the mend."""

    def __init__(self, message: str) -> None:
        super().__init__(clean(message))


def _to_stderr(text: str) -> None:
    """Say it where pytest's capture of `sys.stderr` does not swallow it."""
    with suppress(OSError, ValueError):  # closed
        if sys.__stderr__ is not None:
            print(f"cvclaims: {text}", file=sys.__stderr__, flush=True)


# Called with one line once a wait has become long; a plugin that owns the terminal replaces it.
tell: Callable[[str], None] = _to_stderr


class Lock:
    """An exclusive lock on a file, which stays when the lock is let go.

    One thread may take it and another let it go.

    Args:
        path: the lock file; its folder is made where it has to.
        what: what the lock guards, for messages: "the results folder".
        elsewhere: how to have the lock file in another folder, for messages.
    """

    def __init__(self, path: Path, what: str, elsewhere: str = "choose another folder") -> None:
        self.path, self.what, self.elsewhere = path, what, elsewhere
        self._handle: int | None = None

    def acquire(self, *, blocking: bool = True, timeout: float | None = None) -> bool:
        """Take the lock; False where another has it, at once or after `timeout` seconds.

        Raises LockError where it cannot be had at all.
        """
        begun, told = time.monotonic(), False
        while not self._try():
            waited = time.monotonic() - begun
            if not blocking or (timeout is not None and waited >= timeout):
                return False
            if waited >= TELL_SECONDS and not told:
                told = True
                tell(
                    f"for {waited:.0f} s waiting for {self.what}, which {self.holder()} has "
                    f"(lock file {self.path}): end that process, or wait"
                )
            time.sleep(LOOK_SECONDS)
        return True

    def release(self) -> None:
        """Let the lock go, if it was taken."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        try:
            with suppress(OSError):  # closing lets go too, unless a child process has a copy
                unlock_descriptor(handle)
        finally:
            os.close(handle)

    def holder(self) -> str:
        """Who has the lock, as far as its file says."""
        try:
            handle = os.open(self.path, os.O_RDONLY | _PLAIN)
            try:
                os.lseek(handle, _HOLDER_AT, os.SEEK_SET)
                text = os.read(handle, 200).decode("ascii", errors="replace")
            finally:
                os.close(handle)
        except OSError:
            text = ""
        # A stranger's text reaches no terminal.
        return text if _HOLDER.fullmatch(text) else "another process"

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _try(self) -> bool:
        """Take the lock if it is free."""
        if self._handle is not None:
            raise RuntimeError(
                f"{self.path} is held by this very lock, which would wait for itself"
            )
        handle = self._open()
        try:
            # One on a file that was removed meanwhile would exclude nobody.
            if lock_descriptor(handle, blocking=False) and os.fstat(handle).st_nlink:
                _sign(handle)
                self._handle = handle
        except OSError as error:
            raise self._error(error, "", ", on a file system that has locks") from None
        finally:
            if self._handle is None:
                os.close(handle)
        return self._handle is not None

    def _open(self) -> int:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            blocking = next(p for p in self.path.parents if p.exists() or p.is_symlink())
            raise LockError(
                f"{self.what}: the lock file {self.path} cannot be made, as {blocking} is no "
                "folder; move that away"
            ) from None
        except OSError as error:
            raise self._error(error, "make its folder writable, or ") from None
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | _PLAIN, 0o666)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EISDIR):
                raise self._misplaced() from None
            raise self._error(error, "make it writable, or ") from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise self._misplaced()
        return handle

    def _misplaced(self) -> LockError:
        return LockError(
            f"{self.what}: something that is no plain file stands in place of the lock file "
            f"{self.path}; move it away"
        )

    def _error(self, error: OSError, before: str, after: str = "") -> LockError:
        return LockError(
            f"{self.what}: the lock file {self.path} cannot be used ({error.strerror or error}); "
            f"{before}{self.elsewhere}{after}"
        )


def _sign(handle: int) -> None:
    """Write into a lock file who holds it; one that cannot be told is held all the same."""
    host = re.sub(r"[^\w.-]", "_", platform.node(), flags=re.ASCII) or "_"
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.lseek(handle, _HOLDER_AT, os.SEEK_SET)
        os.write(handle, f"process {os.getpid()} on {host} since {now}".encode())
