"""`cvclaims doctor`: whether this machine and this folder can carry claims out, on one screen."""

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from cvclaims.cli.output import add_command, show, write_json

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

OK, LOOK, BROKEN = "ok", "look", "broken"
MARKS = {OK: "✓", LOOK: "·", BROKEN: "✗"}
PYTHON, TORCH = (3, 11), (2, 11)
# Below this a long run's checkpoints and records may not find room.
LEAST_FREE = 5 << 30


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, what was found, and how to mend it."""

    what: str
    state: str
    found: str
    mend: str = ""


def add_to(commands: "Commands") -> None:
    """Add the command."""
    parser = add_command(
        commands, "doctor", carry_out,
        summary="say whether this machine and this folder can carry claims out",
        description="Look at Python, torch, GPUs, cores, data sets, store, results, checkpoints "
        "and disk, each with its mend where something is wrong. Nothing is written but a file to "
        "try each folder with, which is taken away again.",
        statuses={0: "all is well, or worth a look", 1: "something is broken"},
    )  # fmt: skip
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="the results folder (results)"
    )
    parser.add_argument("--store", type=Path, help="its store (default: RESULTS/records)")
    parser.add_argument("--data", help="the data folder (default: CVCLAIMS_DATA, else ./data)")
    parser.add_argument("--json", action="store_true", help="for programs")


def carry_out(options: argparse.Namespace) -> int:
    """Print what was found; returns the exit status."""
    found = [finding for look in _LOOKS for finding in _tried(look, options)]
    if options.json:
        write_json([asdict(finding) for finding in found])
    else:
        show(_line(finding) for finding in found)
    return int(any(finding.state == BROKEN for finding in found))


def _line(finding: Finding) -> str:
    mend = f": {finding.mend}" if finding.mend else ""
    return f"{MARKS[finding.state]} {finding.what}: {finding.found}{mend}"


Look = Callable[[argparse.Namespace], Iterator[Finding]]


def _tried(look: Look, options: argparse.Namespace) -> Iterator[Finding]:
    """What a look finds; one that fails is a finding itself."""
    try:
        yield from look(options)
    except Exception as error:
        what = look.__name__.strip("_").replace("_", " ")
        yield Finding(what, BROKEN, f"{type(error).__name__}: {error}")


def _versions(_: argparse.Namespace) -> Iterator[Finding]:
    is_known = sys.version_info >= PYTHON
    mend = "" if is_known else f"cvclaims needs Python {PYTHON[0]}.{PYTHON[1]} or later"
    yield Finding("Python", OK if is_known else BROKEN, platform.python_version(), mend)
    yield Finding("cvclaims", OK, metadata.version("cvclaims"))
    plugins = {
        entry.name
        for entry in metadata.entry_points(group="pytest11")
        if entry.value.startswith("cvclaims")
    }
    missing = "" if plugins else "install cvclaims anew: pytest does not know its plugins"
    told = ", ".join(sorted(plugins)) or "none"
    yield Finding("pytest's plugins", OK if plugins else BROKEN, told, missing)


def _torch(_: argparse.Namespace) -> Iterator[Finding]:
    import torch

    version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    mend = "" if version >= TORCH else f"install torch {TORCH[0]}.{TORCH[1]} or later"
    yield Finding("torch", OK if version >= TORCH else BROKEN, torch.__version__, mend)
    try:
        import torchvision

        yield Finding("torchvision", OK, torchvision.__version__)
    except Exception as error:
        mend = "install torch and torchvision in one step, so that they fit"
        yield Finding("torchvision", BROKEN, f"{type(error).__name__}: {error}", mend)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("cores", OK, f"{cores} for this process, {torch.get_num_threads()} torch threads")


def _gpus(_: argparse.Namespace) -> Iterator[Finding]:
    import torch

    from cvclaims.plugins import device
    from cvclaims.plugins.gpu import gpu_present

    if torch.backends.mps.is_available():
        yield Finding("GPU", OK, "mps")
    elif not gpu_present():
        hint = "claims at full scale that take more than seconds are not evaluated here"
        yield Finding("GPU", LOOK, "none", hint)
    elif why := device.fault("cuda"):
        yield Finding("GPU", BROKEN, "there, and torch cannot use it", why)
    else:
        for number in range(torch.cuda.device_count()):
            about = torch.cuda.get_device_properties(number)
            free, whole = torch.cuda.mem_get_info(number)
            bf16 = "bf16" if torch.cuda.is_bf16_supported() else "no bf16"
            told = f"{about.name}, {free >> 30} of {whole >> 30} GiB free, {bf16}"
            yield Finding(f"GPU {number}", OK, told)


def _data(options: argparse.Namespace) -> Iterator[Finding]:
    from cvclaims.data.folder import DataError, found, how_to_get, session_folder
    from cvclaims.specs import DATASETS

    try:
        folder = session_folder(options.data, None)
    except DataError as error:
        yield Finding("data", BROKEN, str(error))
        return
    there = found(folder)
    for name in (name for name, spec in DATASETS.items() if spec.get):
        if name in there:
            yield Finding(DATASETS[name].title, OK, f"in {folder}")
        else:
            where = folder or "any data folder"
            yield Finding(DATASETS[name].title, LOOK, f"not in {where}", how_to_get(name, folder))


def _store(options: argparse.Namespace) -> Iterator[Finding]:
    from cvclaims.records import Store
    from cvclaims.records.store import StoreError

    store = Store(options.store or options.results / "records")
    if not store.root.exists():
        yield Finding("store", LOOK, f"{store.root} is not there yet")
        return
    try:
        store.check()
    except StoreError as error:
        yield Finding("store", BROKEN, str(error))
    count = sum(1 for _ in store)
    state = LOOK if store.problems else OK
    told = f"{count} sound records in {store.root}"
    more = (
        f"{len(store.problems)} cannot be used, such as {store.problems[0]}"
        if state == LOOK
        else ""
    )
    yield Finding("records", state, told, more)


def _results(options: argparse.Namespace) -> Iterator[Finding]:
    from cvclaims.results.claims_json import CLAIMS, read_claims
    from cvclaims.results.output import ResultsError

    file = options.results / CLAIMS
    if not file.exists():
        yield Finding("results", LOOK, f"{file} is not there yet", "`pytest claims` writes it")
        return
    try:
        rows, damage = read_claims(file)
    except ResultsError as error:
        yield Finding("results", BROKEN, str(error))
        return
    mend = f"{damage}; --claims-replay fills the gaps" if damage else ""
    yield Finding("results", BROKEN if damage else OK, f"{len(rows)} rows in {file}", mend)


def _cache(_: argparse.Namespace) -> Iterator[Finding]:
    from cvclaims.data.packed import cache_folder

    folder = cache_folder()
    if folder is None:
        yield Finding(
            "cache", LOOK, "no home folder", "set CVCLAIMS_CACHE: runs keep no checkpoints"
        )
        return
    kept = list((folder / "checkpoints").glob("*.checkpoint"))
    size = sum(path.stat().st_size for path in kept) / 2**20
    yield Finding("checkpoints", OK, f"{len(kept)} unfinished runs, {size:.0f} MiB, in {folder}")


def _disk(options: argparse.Namespace) -> Iterator[Finding]:
    place = next(
        p for p in (options.results.resolve(), *options.results.resolve().parents) if p.exists()
    )
    free = shutil.disk_usage(place).free
    mend = "" if free >= LEAST_FREE else "free some: checkpoints of long runs take hundreds of MiB"
    yield Finding("disk", OK if free >= LEAST_FREE else LOOK, f"{free / 2**30:.0f} GiB free", mend)


_LOOKS: tuple[Look, ...] = (_versions, _torch, _gpus, _data, _store, _results, _cache, _disk)
