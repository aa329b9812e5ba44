"""Section 3.2: what crop and flip bring ResNet-50 in 15 epochs, and what cutout takes again.

The report judges accuracy by the best epoch and by the last one; so do these claims.
"""

from typing import TYPE_CHECKING

import pytest

from claims.resnet_mini_cifar.protocol import CROP_AND_FLIP, CUTOUT, MINI_CIFAR, resnet_50
from cvclaims import Judge, Runs, claim, measure

if TYPE_CHECKING:
    from cvclaims import Timer

pytestmark = pytest.mark.gpu

AUGMENTATION = MINI_CIFAR.at("3.2, figure 5")

NONE, CROPPED = resnet_50(), resnet_50(CROP_AND_FLIP)
THREE = {"crop_and_flip": CROPPED, "cutout": resnet_50(CUTOUT), "none": NONE}

ACCURACY = {
    "best": {"crop_and_flip": 0.8797, "cutout": 0.8743, "none": 0.8577},
    "last": {"crop_and_flip": 0.8610, "cutout": 0.8507, "none": 0.8417},
}
EPOCH = {"best": measure.best("test_accuracy"), "last": measure.final("test_accuracy")}
best_and_last = pytest.mark.parametrize("epoch", ["best", "last"])


@claim(
    "4.04",
    "Crop and flip make ResNet-50 more accurate (best and last of 15 epochs)",
    source=AUGMENTATION,
    recipes={"crop_and_flip": CROPPED, "none": NONE},
    reported=lambda epoch: {name: ACCURACY[epoch][name] for name in ("crop_and_flip", "none")},
)
@best_and_last
def test_augmentation_gains(runs: Runs, verdict: Judge, epoch: str) -> None:
    accuracy = EPOCH[epoch]
    verdict.greater(runs.crop_and_flip.measure(accuracy), runs.none.measure(accuracy))


@claim(
    "4.05",
    "With cutout on top accuracy lies between crop and flip alone and no augmentation",
    source=AUGMENTATION,
    recipes=THREE,
    reported=lambda epoch: ACCURACY[epoch],
)
@best_and_last
def test_cutout_lies_between(runs: Runs, verdict: Judge, epoch: str) -> None:
    accuracy = EPOCH[epoch]
    verdict.order(*(runs[name].measure(accuracy) for name in THREE))


# Here images are augmented on the device that trains, as a part of each step.
@claim(
    "4.06",
    "Augmentation costs no epoch time (within 5 %)",
    source=AUGMENTATION,
    recipes=lambda augmented: {augmented: THREE[augmented], "none": NONE},
    reported=lambda augmented: {f"{augmented}, s per epoch": 51.6, "none, s per epoch": 51.6},
)
@pytest.mark.timing
@pytest.mark.parametrize("augmented", ["crop_and_flip", "cutout"])
def test_augmentation_takes_no_time(
    runs: Runs, verdict: Judge, timer: "Timer", augmented: str
) -> None:
    verdict.times_within(timer.ratio(runs[augmented], runs.none), 0.05)


@claim(
    "4.14",
    "Cutout fluctuates more than crop and flip alone: unsteadiness of test accuracy, trend apart",
    source=AUGMENTATION,
    recipes={"cutout": THREE["cutout"], "crop_and_flip": CROPPED},
    case="fluctuation",
)
def test_cutout_fluctuates_more(runs: Runs, verdict: Judge) -> None:
    unsteadiness = measure.jitter_of("test_accuracy")
    verdict.greater(runs.cutout.measure(unsteadiness), runs.crop_and_flip.measure(unsteadiness))


@claim(
    "4.14",
    "Cutout converges more slowly than crop and flip alone: epochs to 95 % of its own best",
    source=AUGMENTATION,
    recipes={"crop_and_flip": CROPPED, "cutout": THREE["cutout"]},
    case="convergence",
)
def test_cutout_converges_more_slowly(runs: Runs, verdict: Judge) -> None:
    settled = measure.epochs_to_share_of_best("test_accuracy", 0.95)
    verdict.sooner(runs.crop_and_flip.measure(settled), runs.cutout.measure(settled))


@claim(
    "4.15",
    "Crop and flip are steadier late than no augmentation: unsteadiness over the last 8 epochs",
    source=AUGMENTATION,
    recipes={"none": NONE, "crop_and_flip": CROPPED},
)
def test_augmentation_is_steadier_late(runs: Runs, verdict: Judge) -> None:
    unsteadiness = measure.jitter_of("test_accuracy", -8)
    verdict.greater(runs.none.measure(unsteadiness), runs.crop_and_flip.measure(unsteadiness))
