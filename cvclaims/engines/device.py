"""Who may use a device of this machine: training shares it, timing has it alone.

Every process of a user, of whatever session, agrees through files in the folder for temporary
files. The system lets go of a lock when its process dies, however it dies.
"""

import getpass
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from filelock import FileLock

# What this process holds or waits for, by device: a second hold could wait for the first.
_held: set[str] = set()


@contextmanager
def shared(device: torch.device) -> Iterator[None]:
    """Use a device beside others that share it; waits for whoever has it, or wants it, alone.

    Raises RuntimeError where this process has it already, in either way.
    """
    name = device_id(device)
    with _once(name):
        mine = _file(name, f"{uuid.uuid4().hex}.use")
        lock = _lock(mine)
        try:
            with _lock(_file(name, "gate")):
                lock.acquire()
            yield
        finally:
            lock.release()
            _remove(mine)


@contextmanager
def exclusive(device: torch.device) -> Iterator[None]:
    """Have a device alone; waits for those that share it, and lets no new ones in meanwhile.

    Raises RuntimeError where this process has it already, in either way.
    """
    name = device_id(device)
    # Whoever wants to share passes the gate, so that ever new ones cannot keep this one waiting.
    with _once(name), _lock(_file(name, "gate")):
        for file in _folder().glob(f"{name}.*.use"):
            _wait_for(file)
        yield


def device_id(device: torch.device) -> str:
    """A name that all processes have for a device, whatever GPUs are visible to each."""
    if device.type != "cuda":
        return device.type
    return f"cuda-{torch.cuda.get_device_properties(device).uuid}"


def _wait_for(file: Path) -> None:
    """Wait until nobody uses this file, and remove it: its process may have died."""
    with _lock(file):
        _remove(file)


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


def _lock(file: Path) -> FileLock:
    # thread_local=False: a generator may be closed by another thread than began it.
    return FileLock(file, thread_local=False)


def _file(name: str, ending: str) -> Path:
    return _folder() / f"{name}.{ending}"


def _folder() -> Path:
    """A folder of this user's own."""
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    folder = Path(tempfile.gettempdir()) / f"cvclaims.{user}.devices"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
