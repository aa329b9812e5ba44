"""Downloads of the stored sets, by torchvision, which knows the publishers' addresses.

A download goes into a folder of its own and is moved once it is whole: what a person has is never
written to, and one that breaks off leaves nothing.
"""

import io
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stderr, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from cvclaims.data.folder import DataError

# Of silence, after which a server counts as gone: torchvision would wait for ever.
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Source:
    """Where a set comes from.

    Attributes:
        fetch: torchvision's class, called with a folder; files that are there are not fetched.
        addresses: where torchvision looks for the files.
        files: the archives, by name, with their md5.
        below: where in the data folder they lie.
    """

    fetch: Callable[..., object]
    addresses: tuple[str, ...]
    files: Mapping[str, str]
    below: Path


def download(name: str, folder: Path) -> None:
    """Get data set `name` into `folder`; files that are there stay as they are.

    Raises DataError, which names the addresses and what to put where by hand.
    """
    source = DOWNLOADS[name]()
    place = folder / source.below
    with _scratch(folder) as scratch:
        foreign: list[str] = []
        try:
            foreign += _reuse(source, place, scratch / source.below)
            with _conditions():
                source.fetch(str(scratch), download=True)
            _move(scratch, folder)
        # torchvision tells a failed download by RuntimeError or lets the others pass.
        except (RuntimeError, OSError, HTTPException) as error:
            others = f" ({', '.join(foreign)} there: not the publisher's)" if foreign else ""
            raise DataError(
                f"the download failed: {str(error).strip() or type(error).__name__}; "
                f"put {', '.join(source.files)} from {' or '.join(source.addresses)} into {place} "
                f"by hand{others} and run this again"
            ) from None


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder inside `folder` that goes again; so do the folders above it that are left empty."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            scratch = TemporaryDirectory(prefix=".download-", dir=folder)
        except OSError as error:
            raise DataError(
                f"{folder} cannot be written ({error.strerror}): name another by --claims-data"
            ) from None
        with scratch as name:
            yield Path(name)
    finally:
        for path in made:
            with suppress(OSError):  # it is in use
                path.rmdir()


@contextmanager
def _conditions() -> Iterator[None]:
    """No waiting for ever, and torchvision's progress only where somebody watches it."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_SECONDS)
    try:
        with nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO()):
            yield
    finally:
        socket.setdefaulttimeout(before)


def _reuse(source: Source, place: Path, scratch: Path) -> list[str]:
    """Copy the archives that are there; returns the names of those that are other files."""
    from torchvision.datasets.utils import check_integrity

    foreign: list[str] = []
    if place.is_dir():
        scratch.mkdir(parents=True, exist_ok=True)
    for name, md5 in source.files.items():
        if check_integrity(place / name, md5):
            shutil.copy(place / name, scratch / name)
        elif (place / name).is_file():
            foreign.append(name)
    return foreign


def _move(scratch: Path, folder: Path) -> None:
    for path in sorted(scratch.rglob("*")):
        target = folder / path.relative_to(scratch)
        if path.is_file() and not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)


def _fashion_mnist() -> Source:
    from torchvision.datasets import FashionMNIST

    files = dict(FashionMNIST.resources)
    return Source(FashionMNIST, tuple(FashionMNIST.mirrors), files, Path("FashionMNIST/raw"))


def _cifar10() -> Source:
    from torchvision.datasets import CIFAR10

    return Source(CIFAR10, (CIFAR10.url,), {CIFAR10.filename: CIFAR10.tgz_md5}, Path())


DOWNLOADS: Mapping[str, Callable[[], Source]] = MappingProxyType(
    {"fashion_mnist": _fashion_mnist, "cifar10": _cifar10}
)
