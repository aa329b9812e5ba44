"""Section 3.1: on a small task VGG-16 is more accurate than ResNet-50, and far faster."""

from typing import TYPE_CHECKING

import pytest

from claims.resnet_mini_cifar.protocol import MINI_CIFAR, resnet_50, vgg_16
from cvclaims.claim import claim
from cvclaims.verdict.judge import Judge, Runs

if TYPE_CHECKING:
    from cvclaims.plugins.timing import Timer

pytestmark = pytest.mark.gpu

COMPARISON = MINI_CIFAR.at("3.1, figure 3")
BOTH = {"vgg_16": vgg_16(), "resnet_50": resnet_50()}


@claim(
    "4.02",
    "On this small task VGG-16 is more accurate than ResNet-50 (after 20 and 15 epochs)",
    source=COMPARISON,
    recipes=BOTH,
    reported={"vgg_16": 0.9363, "resnet_50": 0.8580},
)
def test_vgg_16_is_more_accurate(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.vgg_16.test_accuracy, runs.resnet_50.test_accuracy)


@claim(
    "4.02",
    "VGG-16 is 7.83 points more accurate",
    source=COMPARISON,
    recipes=BOTH,
    reported={"vgg_16 − resnet_50": 0.0783},
    case="size",
)
def test_size_of_the_gain(runs: Runs, verdict: Judge) -> None:
    gain = runs.vgg_16.test_accuracy - runs.resnet_50.test_accuracy
    verdict.level(gain, 0.0783, 0.03)


@claim(
    "4.03",
    "An epoch of ResNet-50 takes about 8.2 times VGG-16's (judged: more than twice)",
    source=COMPARISON,
    recipes=BOTH,
    reported={
        "time of resnet_50 / vgg_16": 8.2,
        "resnet_50, s per epoch": 51.56,
        "vgg_16, s per epoch": 6.28,
    },
)
@pytest.mark.timing
def test_resnet_50_is_slower(runs: Runs, verdict: Judge, timer: "Timer") -> None:
    verdict.times(timer.ratio(runs.resnet_50, runs.vgg_16), factor=2)
