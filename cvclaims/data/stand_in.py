"""Generated images in place of a set that was not downloaded; to try code with, not to judge."""

import numpy as np
import numpy.typing as npt

from cvclaims.data.cifar10 import MEAN, STD
from cvclaims.data.dataset import Dataset, PerChannel, from_arrays
from cvclaims.specs import DATASETS

TRAIN, TEST = 2000, 500
# Recipes choose among CIFAR-10's classes: two of them still have 300 test images, and the 256
# that a recipe asks for at smoke scale are there.
CIFAR10_TEST = 1500
# Coarse patterns, in squares: 28 and 32 are both divisible by 4.
GRID = 4


def stand_in(name: str) -> Dataset:
    """2,000 + 500 images with shape and classes of image set `name`; always the same ones.

    CIFAR-10's has 1,500 test images, and is normalised by channel as the real set is.

    Each class has a coarse random pattern. An image is its class's pattern, paler or stronger,
    moved by up to 2 pixels, under noise: easy to learn, but not at once.
    """
    facts = DATASETS[name].facts
    channels, height, width = facts.shape
    generator = np.random.default_rng(0)
    patterns = generator.uniform(-1, 1, (len(facts.classes), channels, GRID, GRID))
    patterns = patterns.repeat(height // GRID, axis=2).repeat(width // GRID, axis=3)

    def images(count: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        y = generator.permutation(np.arange(count) % len(facts.classes))
        x = patterns[y] * generator.uniform(0.3, 1, (count, 1, 1, 1))
        moves = generator.integers(-2, 3, (count, 2))
        x = np.stack([np.roll(i, tuple(m), (1, 2)) for i, m in zip(x, moves, strict=True)])
        x += generator.normal(0, 0.5, x.shape)
        return (127.5 + 60 * x).clip(0, 255).astype(np.uint8), y

    mean: PerChannel = 0.5
    std: PerChannel = 0.5
    if name == "cifar10":
        mean, std = MEAN, STD
    return from_arrays(
        name,
        images(TRAIN),
        images(CIFAR10_TEST if name == "cifar10" else TEST),
        mean=mean,
        std=std,
        stand_in=True,
        source=f"generated stand-in for {DATASETS[name].title}",
    )
