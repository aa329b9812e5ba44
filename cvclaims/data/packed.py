"""A cache of decoded data sets: uncompressed arrays, mapped into memory.

Decoding 60,000 images takes seconds, and importing scikit-learn for its small sets more than one;
mapping what was made before takes none, and the worker processes of a machine share its pages.
Nothing rests on the cache: it may be deleted at any time, and what is damaged is made anew.
"""

import hashlib
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cvclaims.data.dataset import Dataset
from cvclaims.locks import Lock, LockError

VARIABLE = "CVCLAIMS_CACHE"
# Raise it when what is stored, or how images are decoded, changes.
FORMAT = 2
# Sets of one name that are kept: a few data folders may be in use in turn.
KEPT = 3
PARTS = ("train_x", "train_y", "test_x", "test_y")
FACTS = "facts.json"


def cache_folder() -> Path | None:
    """CVCLAIMS_CACHE, else XDG_CACHE_HOME/cvclaims, else ~/.cache/cvclaims; None without a home."""
    if given := os.environ.get(VARIABLE):
        return Path(given).expanduser()
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "cvclaims"
    try:
        return Path.home() / ".cache" / "cvclaims"
    except RuntimeError:
        return None


def packed(name: str, key: object, build: Callable[[], Dataset]) -> Dataset:
    """What `build` returns, from the cache where it holds this `key`; else built and put there.

    Several processes that ask at once build once. Without a cache that can be written it is
    built and stays in this process's memory: slower, and the same in every value.

    Args:
        name: begins the name of the folder, for those who look into the cache.
        key: its repr tells apart all that has to be told apart, files included.
        build: gives a data set of four tensors on the CPU, with nothing held out.
    """
    folder = cache_folder()
    if folder is None:
        return build()
    digest = hashlib.sha256(repr((FORMAT, name, key)).encode()).hexdigest()
    entry = folder / f"{name}-{digest[:24]}"
    if (found := _read(entry)) is not None:
        return found
    with ExitStack() as stack:
        try:
            stack.enter_context(Lock(folder / f"{name}.lock", f"the cache of {name}"))
        except LockError:
            return build()
        if (found := _read(entry)) is not None:  # built by another while we waited
            return found
        dataset = build()
        try:
            _write(entry, dataset)
        except OSError:
            return dataset
        _tidy(name, entry)
        # The mapped one, whose memory is shared and can be given back.
        return _read(entry) or dataset


def _read(entry: Path) -> Dataset | None:
    """The set in folder `entry`; None where it is not there, or not as it was written."""
    try:
        checksum, _, text = (entry / FACTS).read_text(encoding="utf-8").partition("\n")
        if checksum != _crc(text.encode()):
            return None
        facts: dict[str, Any] = json.loads(text)
        for part in PARTS:
            path = entry / f"{part}.npy"
            if _crc_of_file(path) != facts[part]:
                return None
            # Mode "c": pages are shared until someone writes, and torch takes it for writable.
            facts[part] = torch.from_numpy(np.load(path, mmap_mode="c"))
    except (OSError, ValueError):
        return None
    for name, value in facts.items():
        facts[name] = tuple(value) if isinstance(value, list) else value  # JSON has no tuples
    return Dataset(**facts)


def _write(entry: Path, dataset: Dataset) -> None:
    """Put a set into folder `entry`, which appears all at once; raises OSError."""
    facts: dict[str, Any] = {
        name: getattr(dataset, name)
        for name in ("name", "classes", "mean", "std", "source", "stand_in", "fingerprint")
    }
    scratch = entry.with_name(f".{entry.name}-{os.urandom(8).hex()}")
    scratch.mkdir()
    try:
        for part in PARTS:
            path = scratch / f"{part}.npy"
            np.save(path, getattr(dataset, part).numpy())
            facts[part] = _crc_of_file(path)
        text = json.dumps(facts)
        (scratch / FACTS).write_text(f"{_crc(text.encode())}\n{text}", encoding="utf-8")
        # What stands there is damaged; who has mapped it keeps what he mapped.
        shutil.rmtree(entry, ignore_errors=True)
        scratch.replace(entry)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _tidy(name: str, entry: Path) -> None:
    """Delete what killed processes left, and all but the newest sets; whoever calls holds the lock.

    Only what is named as this module names it: the cache may be a folder that holds other things
    too. What cannot be deleted stays: the cache is larger, and nothing else.
    """
    a_set = re.escape(name) + "-[0-9a-f]{24}"
    try:
        there = list(entry.parent.iterdir())
        for left in there:
            if re.fullmatch(rf"\.{a_set}-[0-9a-f]{{16}}", left.name):
                shutil.rmtree(left, ignore_errors=True)
        others = [path for path in there if re.fullmatch(a_set, path.name) and path != entry]
        by_age = sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return
    for old in by_age[KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


def _crc_of_file(path: Path) -> str:
    # Of every byte: a tenth of a second for CIFAR-10, and no damage goes unseen.
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        return _crc(content)


def _crc(content: bytes | mmap) -> str:
    return f"{zlib.crc32(content):08x}"
