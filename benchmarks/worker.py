"""A worker as pytest-xdist has several: it carries out its share of eight runs.

    python -m benchmarks.worker DEVICE NUMBER WORKERS EPOCHS SCALE

Says "ready" once Python, torch and the data are there, starts when it reads a line, and says
"done" with the bytes that it took on the GPU. So starting up is not timed.
"""

import sys

import torch

from benchmarks.images import cifar10
from claims.alexnet_vgg_review import protocol as report_1
from claims.cnn_architectures import protocol as report_3
from cvclaims.recipe import Recipe
from cvclaims.scales import scaled
from cvclaims.training.loop import train

RECIPES = (
    report_1.vgg(11),
    report_1.vgg(16, batch_norm=True),
    report_3.small_inception(reductions=True),
    report_3.resnet(18),
)
SEEDS = range(2)


def share_of(number: int, workers: int) -> list[tuple[Recipe, int]]:
    """The runs of a worker: dealt out by their work, forth and back, so that none has most."""
    runs = [(recipe, seed) for recipe in RECIPES for seed in SEEDS]
    runs.sort(key=lambda run: run[0].but(epochs=1).work)
    turns = [*range(workers), *reversed(range(workers))]
    return [run for i, run in enumerate(runs) if turns[i % len(turns)] == number]


def main(device: torch.device, number: int, workers: int, epochs: int, scale: str) -> None:
    """Wait for the start, then train one run after the other."""
    data = cifar10()
    torch.zeros(1, device=device)  # the device's context is part of starting up
    print("ready", flush=True)
    sys.stdin.readline()
    for recipe, seed in share_of(number, workers):
        train([(scaled(recipe, scale).but(epochs=epochs), seed)], data, device)
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    print("done", peak, flush=True)


if __name__ == "__main__":
    place, *counts, size = sys.argv[1:]
    which, of, passes = map(int, counts)
    main(torch.device(place), which, of, passes, size)
