"""Who may use a device of this machine: training shares it, timing has it alone.

Every process of a user, of whatever session, agrees through files in the folder for temporary
files. The system lets go of a lock when its process dies, however it dies.
"""

from __future__ import annotations

import getpass
import os
import stat
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cvclaims.locks import Lock, LockError

if TYPE_CHECKING:
    import torch

# What this process holds or waits for, by device: a second hold could wait for the first.
_held: set[str] = set()
ELSEWHERE = "set TMPDIR to a folder that is yours"


class Share:
    """A place beside others on a device."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = _lock(name, f"{uuid.uuid4().hex}.use")

    def take(self) -> None:
        """Take the place; waits for whoever has the device, or wants it, alone."""
        with _lock(self._name, "gate"):
            _forget_the_dead(self._name)
            self._lock.acquire()

    def give_way(self) -> float:
        """Let pass who waits for the device alone; returns the seconds that it took.

        Long work calls it now and then, so that nobody waits for all of it.
        """
        gate = _lock(self._name, "gate")
        if gate.acquire(blocking=False):
            gate.release()
            return 0.0
        begun = time.perf_counter()
        self.leave()
        self.take()
        return time.perf_counter() - begun

    def leave(self) -> None:
        """Give the place up."""
        self._lock.release()
        _remove(self._lock.path)


@contextmanager
def shared(device: torch.device) -> Iterator[Share]:
    """Use a device beside others that share it; waits for whoever has it, or wants it, alone.

    Raises RuntimeError where this process has it already, in either way.
    """
    name = device_id(device)
    with _once(name):
        share = Share(name)
        try:
            share.take()
            yield share
        finally:
            share.leave()


@contextmanager
def exclusive(device: torch.device) -> Iterator[None]:
    """Have a device alone; waits for those that share it, and lets no new ones in meanwhile.

    Raises RuntimeError where this process has it already, in either way.
    """
    name = device_id(device)
    # Whoever wants to share passes the gate, so that ever new ones cannot keep this one waiting.
    with _once(name), _lock(name, "gate"):
        for lock in _users(name):
            with lock:
                _remove(lock.path)
        yield


def device_id(device: torch.device) -> str:
    """A name that all processes have for a device, whatever GPUs are visible to each."""
    if device.type != "cuda":
        return device.type
    import torch

    return f"cuda-{torch.cuda.get_device_properties(device).uuid}"


def broken(device: torch.device) -> str:
    """What a GPU says that no longer works for this process, as after a kernel's assertion.

    Empty where it works. CUDA then refuses whatever the process asks until it ends.
    """
    if device.type != "cuda":
        return ""
    import torch

    try:
        torch.cuda.synchronize(device)
    except RuntimeError as error:
        return str(error).partition("\n")[0]
    return ""


def _users(name: str) -> list[Lock]:
    """The locks of those that share a device, or shared it and died."""
    return [
        _lock(name, path.name.removeprefix(f"{name}.")) for path in _folder().glob(f"{name}.*.use")
    ]


def _forget_the_dead(name: str) -> None:
    """Remove what processes that died left; whoever calls has the gate."""
    for lock in _users(name):
        if lock.acquire(blocking=False):
            _remove(lock.path)
            lock.release()


def _remove(file: Path) -> None:
    with suppress(OSError):  # gone already, or on Windows still open elsewhere: it does no harm
        file.unlink()


@contextmanager
def _once(name: str) -> Iterator[None]:
    if name in _held:
        raise RuntimeError(f"this process has {name} already and would wait for itself")
    _held.add(name)
    try:
        yield
    finally:
        _held.discard(name)


def _lock(name: str, ending: str) -> Lock:
    return Lock(_folder() / f"{name}.{ending}", f"the device {name}", ELSEWHERE)


def _folder() -> Path:
    """A folder of this user's own, in the one for temporary files."""
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    name = f"cvclaims.{user}.devices"
    try:
        folder = Path(tempfile.gettempdir()) / name
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
    except OSError as error:
        raise LockError(
            f"the folder {error.filename or name} for the devices' locks cannot be made "
            f"({error.strerror}); {ELSEWHERE}"
        ) from None
    # What stands there may have been put there by another, for us to write through.
    if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "getuid") and found.st_uid != user):
        raise LockError(
            f"{folder}, for the devices' locks, is not a folder of this user's own; "
            f"move it away, or {ELSEWHERE}"
        )
    return folder
