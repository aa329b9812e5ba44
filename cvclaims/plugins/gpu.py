"""Whether this process may use a GPU, found out without torch, which takes seconds to import."""

import os
import platform
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T", int, str)
DEV = Path("/dev")


def gpu_present(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the machine shows a GPU and the environment hides not all of them from torch."""
    if is_mac():
        return True
    if sys.platform == "win32":
        driver = Path(environ.get("SystemRoot", r"C:\Windows")) / "System32" / "nvcuda.dll"
        return driver.exists() and bool(visible(environ.get("CUDA_VISIBLE_DEVICES")))
    if any((DEV / name).exists() for name in ("nvidiactl", "dxg")):
        there = sum(re.fullmatch(r"nvidia\d+", path.name) is not None for path in DEV.iterdir())
        first = next(iter(visible(environ.get("CUDA_VISIBLE_DEVICES"))), None)
        # Without the devices' own files, as in WSL, their number is not known.
        return first is not None and not (isinstance(first, int) and 0 < there <= first)
    return (DEV / "kfd").exists() and bool(visible_to_rocm(environ))


def is_mac() -> bool:
    """Whether this is a Mac with a GPU of Apple's own, which torch calls mps."""
    return sys.platform == "darwin" and platform.machine() == "arm64"


def visible(value: str | None) -> tuple[int, ...] | tuple[str, ...]:
    """The devices that a value of CUDA_VISIBLE_DEVICES names, as torch and CUDA read it.

    Numbers up to the first part that is none or is negative, or UUIDs up to the first part that
    is none; a device that is named twice leaves none at all. Without a value there is no limit,
    for which torch takes the first 64.
    """
    if value is None:
        return tuple(range(64))
    for prefix in ("GPU-", "MIG-"):
        if value.startswith(prefix):
            parts = value.split(",")
            strange = (n for n, part in enumerate(parts) if not part.startswith(prefix))
            return _each_once(parts[: next(strange, len(parts))])
    numbers = []
    for part in value.split(","):
        number = re.match(r"[+-]?\d+", part.strip())  # "1gpu" is read as 1
        if number is None or int(number[0]) < 0:
            break
        numbers.append(int(number[0]))
    return _each_once(numbers)


def visible_to_rocm(environ: Mapping[str, str]) -> tuple[int, ...] | tuple[str, ...]:
    """The same on AMD's GPUs: HIP's variable chooses among those that ROCr's leaves."""
    hip, rocr = (environ.get(f"{name}_VISIBLE_DEVICES") for name in ("HIP", "ROCR"))
    if hip is not None:
        return visible(hip)
    if rocr is not None:
        return tuple(range(len(rocr.split(","))))
    return visible(environ.get("CUDA_VISIBLE_DEVICES"))


def _each_once(devices: list[T]) -> tuple[T, ...]:
    return tuple(devices) if len(set(devices)) == len(devices) else ()
