"""Section 1: does data augmentation make AlexNet more accurate, and how far do seeds spread?

The report names the transforms, not their strengths, which are ours. The mean of .8291 that it
gives without augmentation is not that of its five runs, which is .8302.
"""

import pytest

from claims.cnn_architectures.protocol import (
    CNN_ARCHITECTURES,
    CROP_AND_FLIP,
    MORE_AUGMENTATION,
    alexnet,
)
from cvclaims.claim import claim
from cvclaims.verdict.judge import Judge, Runs

pytestmark = pytest.mark.gpu

AUGMENTATION = CNN_ARCHITECTURES.at("1. AlexNet with data augmentation")

BASELINE = alexnet()
CROPPED = alexnet(CROP_AND_FLIP)
WITH_AND_WITHOUT = {"crop_and_flip": CROPPED, "baseline": BASELINE}


@claim(
    "3.01",
    "Augmentation, crop and flip, makes AlexNet more accurate",
    source=AUGMENTATION,
    recipes=WITH_AND_WITHOUT,
    reported={"crop_and_flip": 0.8634, "baseline": 0.8291},
)
def test_augmentation_gains(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.crop_and_flip.test_accuracy, runs.baseline.test_accuracy)


@claim(
    "3.01",
    "Augmentation gains about 3.4 points",
    source=AUGMENTATION,
    recipes=WITH_AND_WITHOUT,
    reported={"crop_and_flip − baseline": 0.0343},
    case="size",
)
def test_size_of_the_gain(runs: Runs, verdict: Judge) -> None:
    gain = runs.crop_and_flip.test_accuracy - runs.baseline.test_accuracy
    verdict.level(gain, 0.0343, 0.015)


@claim(
    "3.02",
    "More augmentation (colour jitter, rotation, affine on top) makes it more accurate still",
    source=AUGMENTATION,
    recipes={"more": alexnet(MORE_AUGMENTATION), "crop_and_flip": CROPPED},
    reported={"more": 0.8688, "crop_and_flip": 0.8634},
)
def test_more_augmentation_gains_more(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.more.test_accuracy, runs.crop_and_flip.test_accuracy)


@claim(
    "3.03",
    "Seeds spread by about ± 0.5 points only (without augmentation; standard deviation below 0.75)",
    source=AUGMENTATION,
    recipes={"baseline": BASELINE},
    reported={"baseline": 0.8291},
)
def test_seeds_spread_little(runs: Runs, verdict: Judge) -> None:
    verdict.spread_below(runs.baseline.test_accuracy, 0.0075)
