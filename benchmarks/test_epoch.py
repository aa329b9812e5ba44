"""An epoch of VGG16-BN and of ResNet-18, beside the usual torchvision loop."""

import os
import statistics
from collections.abc import Callable

import pytest
import torch

from benchmarks.images import NETWORKS, cifar10, flops, our_epoch, our_sides, plain_epoch
from benchmarks.machine import CPU, MATRIX, describe, lazily, matmul_rate, mebibytes, peak, seconds
from benchmarks.table import Row
from cvclaims.data.dataset import Dataset
from cvclaims.recipe import Recipe

# All 50,000 would take a CPU the better part of an hour.
IMAGES_ON_CPU = 256
WORKERS = 8
ROUNDS = 3


@pytest.mark.parametrize("name", NETWORKS)
def test_epoch_on_cpu(beside: Callable[..., float], name: str) -> None:
    recipe, data = NETWORKS[name].but(train_size=IMAGES_ON_CPU), cifar10()
    beside(
        f"{name}, training epoch of {IMAGES_ON_CPU} images, CPU",
        lazily(lambda: our_epoch(recipe, data, CPU)),
        lazily(lambda: plain_epoch(recipe, data, CPU, workers=0)),
        2,
        ROUNDS,
        sides=f"torchvision loop, fp32 / {our_sides(CPU, recipe)}",
        images=data.source,
    )


# Forking loader workers out of a process with threads: Python warns, all such code does it.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
@pytest.mark.parametrize("name", NETWORKS)
def test_epoch_on_gpu(
    beside: Callable[..., float], gpu: Callable[..., torch.device], name: str
) -> None:
    work = f"{name}, training epoch of 50,000 images, GPU"
    sides = f"torchvision loop, fp32, {WORKERS} loader workers / bf16, CUDA graph"
    device = gpu(work, sides, "10 ×")
    recipe, data = NETWORKS[name], cifar10()
    beside(
        work,
        lazily(lambda: our_epoch(recipe, data, device)),
        lazily(lambda: plain_epoch(recipe, data, device, WORKERS)),
        10,
        ROUNDS,
        sides=f"{sides}; {os.cpu_count()} cores",
        device=device,
        images=data.source,
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_share_of_matmul_rate(
    gpu: Callable[..., torch.device], record: Callable[[Row], None], name: str
) -> None:
    work = f"{name}, training epoch of 50,000 images, GPU: share of its bf16 matmul rate"
    sides = "FLOP/s of bf16 products / of the epoch, counted"
    device = gpu(work, sides, "35 %")
    record(share_of_matmul_rate(work, sides, NETWORKS[name], cifar10(), device))


def share_of_matmul_rate(
    work: str, sides: str, recipe: Recipe, data: Dataset, device: torch.device, side: int = MATRIX
) -> Row:
    """The row that sets the FLOPs of an epoch beside the machine's rate, both measured now."""
    epoch = lazily(lambda: our_epoch(recipe, data, device))
    memory = peak(epoch, device)
    shares, rates = [], []
    for _ in range(ROUNDS):
        possible = matmul_rate(device, side)
        rate = flops(recipe, data) * recipe.train_samples / seconds(epoch, device)
        rates.append((possible, rate))
        shares.append(rate / possible)
    possible, rate = (statistics.median(of) / 1e12 for of in zip(*rates, strict=True))
    return Row(
        work,
        sides,
        f"{possible:.3g} TFLOP/s",
        f"{rate:.3g} TFLOP/s",
        f"{statistics.median(shares):.0%}",
        "35 %",
        f"– / {mebibytes(memory)}",
        describe(device, data.source),
    )
