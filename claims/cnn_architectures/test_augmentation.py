"""Section 1: does data augmentation make AlexNet more accurate, and how far do seeds spread?

The report names the transforms, not their strengths, which are ours. The mean that it gives
without augmentation, .8291, is not that of its five runs, .8302, on which the rows rest.
"""

import pytest

from claims.cnn_architectures.protocol import (
    CNN_ARCHITECTURES,
    CROP_AND_FLIP,
    MORE_AUGMENTATION,
    alexnet,
)
from cvclaims import Judge, Runs, claim

pytestmark = pytest.mark.gpu

AUGMENTATION = CNN_ARCHITECTURES.at("1. AlexNet with data augmentation")

BASELINE = alexnet()
CROPPED = alexnet(CROP_AND_FLIP)
WITH_AND_WITHOUT = {"crop_and_flip": CROPPED, "baseline": BASELINE}

# The report's five runs of each.
PUBLISHED = {
    "baseline": [0.8256, 0.8245, 0.8339, 0.8348, 0.8322],
    "crop_and_flip": [0.8639, 0.8692, 0.8626, 0.8597, 0.8617],
    "more": [0.8587, 0.8720, 0.8726, 0.8701, 0.8706],
}


def published(*names: str) -> dict[str, list[float]]:
    """The report's runs of these networks."""
    return {name: PUBLISHED[name] for name in names}


@claim(
    "3.01",
    "Augmentation, crop and flip, makes AlexNet more accurate (the report gives .8291 for the mean "
    "of its five runs without; it is .8302)",
    source=AUGMENTATION,
    recipes=WITH_AND_WITHOUT,
    reported=published("crop_and_flip", "baseline"),
)
def test_augmentation_gains(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.crop_and_flip.test_accuracy, runs.baseline.test_accuracy)


@claim(
    "3.01",
    "Augmentation gains about 3.4 points (of the means that the report gives; of its runs, 3.3)",
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
    reported=published("more", "crop_and_flip"),
)
def test_more_augmentation_gains_more(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.more.test_accuracy, runs.crop_and_flip.test_accuracy)


@claim(
    "3.03",
    "Seeds spread by about ± 0.5 points only, without augmentation (standard deviation below 1.25, "
    "which eight seeds can show of 0.5)",
    source=AUGMENTATION,
    recipes={"baseline": BASELINE},
    reported=published("baseline"),
)
def test_seeds_spread_little(runs: Runs, verdict: Judge) -> None:
    verdict.spread_below(runs.baseline.test_accuracy, 0.0125)


@claim(
    "3.22",
    "With augmentation, too, seeds agree (standard deviation below 1.25 points)",
    source=AUGMENTATION,
    recipes={"crop_and_flip": CROPPED},
    reported=published("crop_and_flip"),
)
def test_seeds_agree_with_augmentation(runs: Runs, verdict: Judge) -> None:
    verdict.spread_below(runs.crop_and_flip.test_accuracy, 0.0125)
