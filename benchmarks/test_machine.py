"""What the GPU can do at most, to judge everything else by."""

from collections.abc import Callable

import torch

from benchmarks.machine import copy_bandwidth, describe, matmul_rate
from benchmarks.table import Row


def test_matmul_rate(gpu: Callable[..., torch.device], record: Callable[[Row], None]) -> None:
    work = "The GPU's own: product of two 8192 × 8192 matrices"
    device = gpu(work, "– / bf16")
    rate = f"{matmul_rate(device) / 1e12:.3g} TFLOP/s"
    record(Row(work, "– / bf16", "–", rate, "–", memory="–", machine=describe(device)))


def test_copy_bandwidth(gpu: Callable[..., torch.device], record: Callable[[Row], None]) -> None:
    work = "The GPU's own: copying 1 GiB in its memory, bytes read and written"
    device = gpu(work)
    rate = f"{copy_bandwidth(device) / 1e9:,.0f} GB/s"
    record(Row(work, "", "–", rate, "–", memory="–", machine=describe(device)))
