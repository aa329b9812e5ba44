"""Section 2: VGG16 with 3×3 convolutions against 7×7 ones, in accuracy and in time.

The parameters of the two, and the report's "23 %", are in test_costs.py.
"""

from typing import TYPE_CHECKING

import pytest

from claims.cnn_architectures.protocol import CNN_ARCHITECTURES, vgg_with_kernel
from cvclaims import Judge, Runs, claim, measure

if TYPE_CHECKING:
    from cvclaims import Timer

pytestmark = pytest.mark.gpu

KERNELS = CNN_ARCHITECTURES.at("2. VGG with 3×3 and 7×7 convolutions")
BOTH_KERNELS = {"kernel_3": vgg_with_kernel(3), "kernel_7": vgg_with_kernel(7)}


@claim(
    "3.05",
    "VGG with 3×3 convolutions is more accurate than with 7×7",
    source=KERNELS,
    recipes=BOTH_KERNELS,
    reported={
        "kernel_3": [0.8750, 0.8686, 0.8720, 0.8638, 0.8663],
        "kernel_7": [0.8302, 0.8200, 0.8265, 0.8266, 0.8202],
    },
)
def test_small_kernels_are_more_accurate(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.kernel_3.test_accuracy, runs.kernel_7.test_accuracy)


@claim(
    "3.05",
    "3×3 is about 4.4 points more accurate",
    source=KERNELS,
    recipes=BOTH_KERNELS,
    reported={"kernel_3 − kernel_7": 0.0444},
    case="size",
)
def test_size_of_the_gain(runs: Runs, verdict: Judge) -> None:
    gain = runs.kernel_3.test_accuracy - runs.kernel_7.test_accuracy
    verdict.level(gain, 0.0444, 0.02)


@claim(
    "3.06",
    "An epoch of VGG 7×7 takes longer than one of VGG 3×3",
    source=KERNELS,
    recipes=BOTH_KERNELS,
    reported={"kernel_7, s per epoch": 29.8, "kernel_3, s per epoch": 22.8},
)
@pytest.mark.timing
def test_large_kernels_are_slower(runs: Runs, verdict: Judge, timer: "Timer") -> None:
    verdict.times(timer.ratio(runs.kernel_7, runs.kernel_3), factor=1)


@claim(
    "3.23",
    "VGG 7×7 trains less steadily than 3×3: test accuracy moves more from epoch to epoch, trend "
    "apart",
    source=KERNELS,
    recipes=BOTH_KERNELS,
)
def test_large_kernels_train_less_steadily(runs: Runs, verdict: Judge) -> None:
    unsteadiness = measure.jitter_of("test_accuracy")
    verdict.greater(runs.kernel_7.measure(unsteadiness), runs.kernel_3.measure(unsteadiness))
