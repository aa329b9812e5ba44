"""The machine: what it is called, what it can do at most, and what work takes of its memory."""

import ctypes
import functools
import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from cvclaims.engines.provenance import driver

CPU = torch.device("cpu")
# Large enough that a GPU is busy with arithmetic, or with memory, and nothing else.
MATRIX = 8192
COPIED = 2**30  # bytes
REPEATS, MEASUREMENTS = 20, 5

Work = Callable[[], object]


def describe(device: torch.device, images: str = "") -> str:
    """The device, the versions, and which images were trained on."""
    python = f"Python {platform.python_version()}, torch {torch.__version__}"
    if device.type == "cuda":
        hardware = f"{torch.cuda.get_device_name(device)}, driver {driver() or 'unknown'}"
    else:
        threads = torch.get_num_threads()
        hardware = (
            f"{_processor()} ({torch.backends.cpu.get_cpu_capability()}), {os.cpu_count()} cores, "
            f"torch on {threads} thread{'s' if threads > 1 else ''}"
        )
    return f"{hardware}, {python}" + (f"; images: {images}" if images else "")


def _processor() -> str:
    """The processor's name, which Python itself does not know on Linux."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return " ".join(value.replace("(R)", "").replace("(TM)", "").split())
    return platform.processor() or platform.machine()


def wait(device: torch.device) -> None:
    """Return when the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(work: Work, device: torch.device, times: int = 1) -> float:
    """The time of doing `work` so many times, waiting for the device before and after."""
    wait(device)
    start = time.perf_counter()
    for _ in range(times):
        work()
    wait(device)
    return time.perf_counter() - start


def _steady(work: Work, device: torch.device) -> float:
    """Seconds of `work`, warm: the median of several measurements of many repetitions."""
    seconds(work, device, REPEATS)
    return statistics.median(seconds(work, device, REPEATS) / REPEATS for _ in range(MEASUREMENTS))


def matmul_rate(device: torch.device, side: int = MATRIX) -> float:
    """FLOP/s of a product of two square bf16 matrices, 2 side³ FLOPs."""
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    out = torch.empty_like(a)
    return 2 * side**3 / _steady(lambda: torch.mm(a, b, out=out), device)


def copy_bandwidth(device: torch.device, size: int = COPIED) -> float:
    """Bytes/s of a copy within the device's memory, those read and those written."""
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * size / _steady(lambda: target.copy_(source), device)


def peak(work: Work, device: torch.device) -> int | None:
    """Bytes by which memory grew at most while `work` ran; None where that cannot be known.

    On a GPU what torch allocated there. On a CPU what the process held; Linux alone can count a
    process's peak anew.
    """
    gc.collect()  # sessions of an earlier benchmark, and the graphs that they keep
    if device.type == "cuda":
        wait(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        wait(device)
        return torch.cuda.max_memory_allocated(device) - before
    if not _count_anew():
        work()
        return None
    held = _status("VmRSS")
    work()
    return _status("VmHWM") - held


def _count_anew() -> bool:
    """Give freed memory back and reset the process's peak; whether that was possible."""
    if sys.platform != "linux":
        return False
    try:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    except (AttributeError, OSError):  # another C library; a kernel that does not allow it
        return False
    return True


def _status(name: str) -> int:
    """A size in bytes from /proc/self/status."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"/proc/self/status has no {name}")


def mebibytes(size: int | None) -> str:
    """A number of bytes as the table shows it."""
    return "not measured" if size is None else f"{size / 2**20:,.0f} MiB"


def lazily(build: Callable[[], Work]) -> Work:
    """Work that is set up at its first call, so that `peak` sees what setting up takes."""
    built = functools.cache(build)
    return lambda: built()()
