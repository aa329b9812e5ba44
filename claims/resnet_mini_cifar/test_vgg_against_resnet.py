"""Section 3.1: VGG-16 is more accurate than ResNet-50 on a small task, settles earlier, is faster.

ResNet-50's first stage can be read in two ways; accuracy and time are judged under both.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from claims.resnet_mini_cifar.protocol import (
    MINI_CIFAR,
    STAGE1_STRIDE,
    read,
    resnet_50,
    vgg_16,
)
from cvclaims import Judge, Recipe, Record, Runs, claim, combined, measure

if TYPE_CHECKING:
    from cvclaims import Timer

pytestmark = pytest.mark.gpu

COMPARISON = MINI_CIFAR.at("3.1, figure 3")
CURVES = MINI_CIFAR.at("3.1, figures 3 and 4")
both_readings = pytest.mark.parametrize("reading", STAGE1_STRIDE)


def both(reading: str = "usual") -> dict[str, Recipe]:
    """The two networks, under a reading of ResNet-50's strides."""
    return {"vgg_16": vgg_16(), "resnet_50": resnet_50(reading=reading)}


@claim(
    "4.02",
    "On this small task VGG-16 is more accurate than ResNet-50 (after 20 and 15 epochs)",
    source=COMPARISON,
    recipes=both,
    reported={"vgg_16": 0.9363, "resnet_50": 0.8580},
    case=lambda reading: read("", reading),
)
@both_readings
def test_vgg_16_is_more_accurate(runs: Runs, verdict: Judge, reading: str) -> None:
    verdict.greater(runs.vgg_16.test_accuracy, runs.resnet_50.test_accuracy)


@claim(
    "4.02",
    "VGG-16 is 7.83 points more accurate",
    source=COMPARISON,
    recipes=both,
    reported={"vgg_16 − resnet_50": 0.0783},
    case=lambda reading: read("size", reading),
)
@both_readings
def test_size_of_the_gain(runs: Runs, verdict: Judge, reading: str) -> None:
    gain = runs.vgg_16.test_accuracy - runs.resnet_50.test_accuracy
    verdict.level(gain, 0.0783, 0.03)


@claim(
    "4.03",
    "An epoch of ResNet-50 takes about 8.2 times VGG-16's (judged: more than twice)",
    source=COMPARISON,
    recipes=both,
    reported={
        "time of resnet_50 / vgg_16": 8.2,
        "resnet_50, s per epoch": 51.56,
        "vgg_16, s per epoch": 6.28,
    },
    case=lambda reading: read("", reading),
)
@pytest.mark.timing
@both_readings
def test_resnet_50_is_slower(runs: Runs, verdict: Judge, timer: "Timer", reading: str) -> None:
    verdict.times(timer.ratio(runs.resnet_50, runs.vgg_16), factor=2)


@claim(
    "4.11",
    "At the best epoch VGG-16 leads by 8.37 points",
    source=COMPARISON,
    recipes=both(),
    reported={"vgg_16 − resnet_50": 0.0837},
    case="best epoch",
)
def test_lead_at_the_best_epoch(runs: Runs, verdict: Judge) -> None:
    peak = measure.best("test_accuracy")
    verdict.level(runs.vgg_16.measure(peak) - runs.resnet_50.measure(peak), 0.0837, 0.03)


@claim(
    "4.11",
    "ResNet-50 ends at its best (judged: more than half of its runs do)",
    source=COMPARISON,
    recipes={"resnet_50": resnet_50()},
    case="best is last",
)
def test_resnet_50_ends_at_its_best(runs: Runs, verdict: Judge) -> None:
    ends = runs.resnet_50.measure(measure.ends_at_best("test_accuracy"), "ends at its best")
    verdict.share_above(ends, 0.5)


@claim(
    "4.12",
    "VGG-16 settles earlier than ResNet-50: epochs to 95 % of its own best test accuracy",
    source=CURVES,
    recipes=both(),
)
def test_vgg_16_settles_earlier(runs: Runs, verdict: Judge) -> None:
    settled = measure.epochs_to_share_of_best("test_accuracy", 0.95)
    verdict.sooner(runs.vgg_16.measure(settled), runs.resnet_50.measure(settled))


def in_the_same_time(records: Sequence[Record]) -> float:
    """ResNet-50's accuracy after the last epoch that fits into the whole training of VGG-16.

    By the records' own seconds; none where the two were trained on different devices, or where
    not one epoch fits.
    """
    resnet, vgg = records
    left = sum(measure.series(vgg, "seconds")) if resnet.origin.device == vgg.origin.device else 0.0
    reached = float("nan")
    for seconds, accuracy in zip(
        measure.series(resnet, "seconds"), measure.series(resnet, "test_accuracy"), strict=True
    ):
        left -= seconds
        if left < 0:
            break
        reached = accuracy
    return reached


@claim(
    "4.13",
    "VGG-16 gives more accuracy for the same time: its last against ResNet-50's at the last epoch "
    "that fits into VGG-16's whole training, by the seconds of the same runs on one device",
    source=CURVES,
    recipes=both(),
)
def test_vgg_16_gives_more_for_its_time(runs: Runs, verdict: Judge) -> None:
    arms = [runs.resnet_50, runs.vgg_16]
    verdict.greater(
        runs.vgg_16.test_accuracy, combined("resnet_50 in the same time", arms, in_the_same_time)
    )
