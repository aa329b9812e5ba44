"""What is set for all of a process and can change what is learned: fixed while training and timing.

A test, a notebook or another plugin may have changed any of it. What a run learns must not depend
on that, as its key does not.
"""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

# What networks are made of, and what they compute in where nothing finer or coarser is asked for.
DTYPE = torch.float32


@contextmanager
def pinned(device: torch.device) -> Iterator[None]:
    """torch's own defaults for everything that a run's numbers could depend on; put back after.

    Default dtype and device, autocast, gradients, the precision of products, denormal numbers, the
    number of threads, and the random states of torch. Threads are pinned to what they are now.
    And warnings are told and raise nothing, whatever pytest was told to make of them.
    """
    with ExitStack() as contexts:
        contexts.enter_context(torch.device("cpu"))  # where tensors are made if nothing is said
        for setting in (_warnings_told, _dtype, _threads, _products, _denormals_flushed):
            contexts.enter_context(setting())
        contexts.enter_context(torch.inference_mode(False))
        contexts.enter_context(torch.enable_grad())
        for kind in {"cpu", device.type}:
            # Weights cast by an inner autocast would be kept until the outermost ends, and serve
            # later steps though they have been trained since.
            contexts.enter_context(torch.autocast(kind, enabled=False, cache_enabled=False))
        cuda = [device] if device.type == "cuda" else []
        contexts.enter_context(torch.random.fork_rng(cuda))
        if device.type == "mps":
            contexts.enter_context(_metal_drawn_from())
        yield


@contextmanager
def _warnings_told() -> Iterator[None]:
    """Let no warning of torch's end a run: pytest is often told to make errors of them.

    A GPU's first product in each thread that autograd has finds no context there, makes the
    device's its own, and would warn of it every time; that one is not even told.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.filterwarnings("ignore", "Attempting to run cuBLAS", UserWarning)
        yield


@contextmanager
def _metal_drawn_from() -> Iterator[None]:
    """Put the random state of Apple's GPU back; `fork_rng` knows CUDA's alone."""
    before = torch.mps.get_rng_state()
    try:
        yield
    finally:
        torch.mps.set_rng_state(before)


@contextmanager
def _dtype() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(DTYPE)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _products() -> Iterator[None]:
    """Compute fp32 products of a CPU in fp32: "medium" precision lets them be in bfloat16.

    CUDA's are set by `precision.matrix_units`.
    """
    backend: Any = torch.backends.mkldnn
    units = backend.matmul, backend.conv
    before = [unit.fp32_precision for unit in units]
    for unit in units:
        unit.fp32_precision = "ieee"
    try:
        yield
    finally:
        for unit, precision in zip(units, before, strict=True):
            unit.fp32_precision = precision


@contextmanager
def _denormals_flushed() -> Iterator[None]:
    """Take numbers below 1e-38 for 0 on the CPU.

    The moments that Adam keeps of a dead unit shrink to denormal numbers and stay there, and each
    step on those takes the processor some twenty times as long.
    """
    before = _flushes_denormals()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _flushes_denormals() -> bool:
    """torch cannot be asked, but its arithmetic can."""
    return bool(torch.tensor([1e-30], dtype=torch.float32).mul(1e-12).eq(0))
