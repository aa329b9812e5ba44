"""In what precision a run computes: what its recipe asks for, as far as the device has it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch

AMPERE = (8, 0)


def precision_on(wanted: str, device: torch.device) -> str:
    """The precision that a recipe's `precision` becomes on a device; records state it.

    A processor without instructions for bfloat16 would emulate them at a fraction of its speed,
    and computes in fp32 instead; so does a GPU of before 2020, whose matrix units know neither
    bfloat16 nor tf32 (NVIDIA: from compute capability 8.0 on). tf32 is a mode of CUDA's units, and
    fp32 elsewhere. The finer precision is the one that either stands in for.
    """
    if device.type == "cuda":
        return wanted if torch.cuda.get_device_capability(device) >= AMPERE else "fp32"
    on_cpu = device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return "bf16" if wanted == "bf16" and on_cpu else "fp32"


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """torch's autocast to bfloat16, where that is the precision."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


@contextmanager
def matrix_units(precision: str, device: torch.device) -> Iterator[None]:
    """Let CUDA compute fp32 products in TF32 only where that was asked for, and tune cuDNN.

    torch's own default has convolutions in TF32 and matrix products in fp32.
    """
    if device.type != "cuda":
        yield
        return
    products: Any = torch.backends.cuda.matmul
    convolutions: Any = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = products.fp32_precision, convolutions.fp32_precision, torch.backends.cudnn.benchmark
    mode = "tf32" if precision == "tf32" else "ieee"
    products.fp32_precision = convolutions.fp32_precision = mode
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        products.fp32_precision, convolutions.fp32_precision = before[:2]
        torch.backends.cudnn.benchmark = before[2]
