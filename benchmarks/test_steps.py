"""Steps per second: small and large batches of shallow and deep VGG, and what CUDA graphs give."""

import statistics
from collections.abc import Callable
from typing import Any

import pytest
import torch

from benchmarks.images import NETWORKS, cifar10, our_sides, our_steps
from benchmarks.machine import CPU, describe, lazily, mebibytes, peak
from benchmarks.table import Row
from claims.alexnet_vgg_review.protocol import vgg
from cvclaims.recipe import Recipe

DEPTHS = (11, 19)
# Steps of a round, by batch size: a second or so, on a CPU up to ten.
STEPS_ON_CPU = {8: 5, 1024: 1}
STEPS_ON_GPU = {8: 500, 128: 200, 1024: 50}
ROUNDS = 2
GRAPH = "bf16 on the GPU, step by step / CUDA graph"


def vgg_in_batches_of(size: int, depth: int) -> Recipe:
    return vgg(depth).but(batch_size=size)


def steps_per_second(steps: int) -> Callable[[float], str]:
    """How a time of so many steps is shown."""
    return lambda seconds: f"{steps / seconds:,.3g} steps/s"


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("size", STEPS_ON_CPU)
def test_vgg_on_cpu(benchmark: Any, record: Callable[[Row], None], depth: int, size: int) -> None:
    # Two batches to go round: all 50,000 images would be shuffled for a step or two.
    recipe, data = vgg_in_batches_of(size, depth).but(train_size=2 * size), cifar10()
    steps = STEPS_ON_CPU[size]
    work = lazily(lambda: our_steps(recipe, data, CPU, steps))
    memory = peak(work, CPU)
    benchmark.pedantic(work, rounds=ROUNDS)
    median = statistics.median(float(seconds) for seconds in benchmark.stats.stats.data)
    record(
        Row(
            f"VGG{depth}, batch {size}, CPU",
            f"– / {our_sides(CPU, recipe)}",
            "–",
            steps_per_second(steps)(median),
            "–",
            memory=f"– / {mebibytes(memory)}",
            machine=describe(CPU, data.source),
        )
    )


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("size", STEPS_ON_CPU)
def test_vgg_on_gpu(
    beside: Callable[..., float], gpu: Callable[..., torch.device], depth: int, size: int
) -> None:
    work = f"VGG{depth}, batch {size}, GPU"
    asked = 4 if (depth, size) == (11, 8) else None
    device = gpu(work, GRAPH, f"{asked} ×" if asked else "")
    captured_beside_eager(beside, work, vgg_in_batches_of(size, depth), asked, device)


@pytest.mark.parametrize("name", NETWORKS)
def test_network_on_gpu(
    beside: Callable[..., float], gpu: Callable[..., torch.device], name: str
) -> None:
    work = f"{name}, batch {NETWORKS[name].batch_size}, GPU"
    captured_beside_eager(beside, work, NETWORKS[name], None, gpu(work, GRAPH))


def captured_beside_eager(
    beside: Callable[..., float],
    work: str,
    recipe: Recipe,
    at_least: float | None,
    device: torch.device,
) -> None:
    """Our steps as a CUDA graph beside the same steps launched kernel by kernel."""
    assert recipe.batch_size is not None
    data, steps = cifar10(), STEPS_ON_GPU[recipe.batch_size]
    beside(
        work,
        lazily(lambda: our_steps(recipe, data, device, steps)),
        lazily(lambda: our_steps(recipe, data, device, steps, capture=False)),
        at_least,
        sides=GRAPH,
        device=device,
        images=data.source,
        show=steps_per_second(steps),
    )
