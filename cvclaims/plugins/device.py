"""Which device a process trains on, and whether torch can use it; torch is imported when asked."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

from cvclaims.plugins import settings as options

if TYPE_CHECKING:
    import torch

ON_CPU = "--claims-device cpu trains on the CPU"


def asks_for_more_than_cpu(wanted: str) -> bool:
    """Whether a session wants a device that torch may not have; without asking torch."""
    return options.gpu_present() if wanted == "auto" else wanted != "cpu"


def fault(wanted: str) -> str:
    """Why torch cannot train on what `--claims-device` names, in one line; empty where it can."""
    import torch

    if not asks_for_more_than_cpu(wanted) or (wanted == "auto" and options.is_mac()):
        return ""
    if wanted == "mps":
        return "" if torch.backends.mps.is_available() else f"torch has no mps here; {ON_CPU}"
    count, warned = _gpus_and_warning()
    if count == 0:
        if torch.version.cuda is None and torch.version.hip is None:
            return f"torch {torch.__version__} cannot use GPUs: install one that can; {ON_CPU}"
        return f"{_too_old(warned) or 'torch finds no GPU that it can use here'}; {ON_CPU}"
    number = wanted.partition(":")[2]
    if number and int(number) >= count:
        gpus = "GPU" if count == 1 else "GPUs"
        return f"{wanted!r} is not among the {count} {gpus} here, which count from 0; {ON_CPU}"
    return ""


def chosen(wanted: str, worker: str) -> torch.device:
    """The device of a worker: of several GPUs worker i takes i modulo their number."""
    import torch

    if wanted == "auto":
        wanted = _best()
    if wanted != "cuda":
        return torch.device(wanted)
    return torch.device(f"cuda:{int(worker.removeprefix('gw')) % _gpus()}")


def side_by_side(wanted: str, workers: int) -> int:
    """How many runs of so many workers train at a time, each as fast as alone, or nearly so."""
    kind = chosen(wanted, "gw0")
    if kind.type == "cpu":
        return workers
    return min(workers, _gpus()) if wanted in ("auto", "cuda") and kind.type == "cuda" else 1


def _best() -> str:
    """The kind of device that "auto" is. Whether a Mac's GPU can be used torch alone knows."""
    import torch

    if options.is_mac():
        return "mps" if torch.backends.mps.is_available() else "cpu"
    return "cuda" if options.gpu_present() else "cpu"


def _gpus() -> int:
    """How many GPUs CUDA_VISIBLE_DEVICES leaves to torch."""
    return _gpus_and_warning()[0]


def _gpus_and_warning() -> tuple[int, str]:
    """The same, and what torch warns of where it finds none: it raises nothing."""
    import torch

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return count, " ".join(str(warning.message) for warning in caught)


def _too_old(warned: str) -> str:
    """What torch's warning of an old driver means, with both versions and the mend; else empty.

    It says "found version 11040": the newest CUDA that the driver supports, here 11.4.
    """
    import torch

    found = re.search(r"driver on your system is too old \(found version (\d+)\)", warned)
    if found is None:
        return f"torch cannot use the GPU here: {_first_sentence(warned)}" if warned else ""
    version = int(found[1])
    supported = f"{version // 1000}.{version % 1000 // 10}"
    return (
        f"the GPU's driver supports CUDA {supported} and torch {torch.__version__} needs "
        f"{torch.version.cuda}: update the driver, or install a torch for CUDA {supported}"
    )


def _first_sentence(text: str) -> str:
    """A text up to its first full stop, on one line."""
    return " ".join(text.split()).partition(". ")[0].rstrip(".")
