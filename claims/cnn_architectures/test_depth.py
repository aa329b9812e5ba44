"""Sections 4 and 5: what 50 and 101 layers do to VGG, Inception and ResNet.

The report finds that VGG collapses, that Inception stays as accurate as it was, and that ResNet
does not gain either: ResNet-18 is its most efficient network, also by the parameters counted in
test_costs.py.
"""

from typing import TYPE_CHECKING

import pytest

from claims.cnn_architectures.protocol import CNN_ARCHITECTURES, inception, resnet, vgg
from cvclaims import Judge, Runs, claim

if TYPE_CHECKING:
    from cvclaims import Timer

pytestmark = pytest.mark.gpu

DEEP = CNN_ARCHITECTURES.at("4. VGG and Inception with 50 layers")
RESNETS = CNN_ARCHITECTURES.at("5. ResNet-18, 50 and 101")

RESNET_ACCURACY = {18: 0.9456, 50: 0.9354, 101: 0.9369}
deeper_resnets = pytest.mark.parametrize("depth", [50, 101])


@claim(
    "3.12",
    "VGG-50 collapses against VGG-16: more than 20 points less accurate (20 is ours)",
    source=DEEP,
    recipes={"vgg_16": vgg(16), "vgg_50": vgg(50)},
    reported={"vgg_16": 0.8434, "vgg_50": 0.3876},
    about_failing=["vgg_50"],
)
def test_vgg_50_collapses(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.vgg_16.test_accuracy, runs.vgg_50.test_accuracy, margin=0.2)


@claim(
    "3.14",
    "Inception-50 keeps Inception-v1's accuracy (within 2 points)",
    source=DEEP,
    recipes={"inception_50": inception(23), "inception_v1": inception(9)},
    reported={"inception_50": 0.7609, "inception_v1": 0.7586},
)
def test_inception_50_keeps_its_accuracy(runs: Runs, verdict: Judge) -> None:
    verdict.not_worse(runs.inception_50.test_accuracy, runs.inception_v1.test_accuracy, delta=0.02)


@claim(
    "3.16",
    "ResNet does not lose accuracy with depth (within 2 points of ResNet-18)",
    source=RESNETS,
    recipes=lambda depth: {f"resnet_{depth}": resnet(depth), "resnet_18": resnet(18)},
    reported=lambda depth: {f"resnet_{n}": RESNET_ACCURACY[n] for n in (depth, 18)},
    case=lambda depth: f"ResNet-{depth}",
)
@deeper_resnets
def test_resnets_keep_their_accuracy(runs: Runs, verdict: Judge, depth: int) -> None:
    deeper, shallow = runs[f"resnet_{depth}"], runs.resnet_18
    verdict.not_worse(deeper.test_accuracy, shallow.test_accuracy, delta=0.02)


@claim(
    "3.17",
    "ResNet-18 is the most efficient: as accurate as the deeper ones (within 2 points)",
    source=RESNETS,
    recipes=lambda depth: {"resnet_18": resnet(18), f"resnet_{depth}": resnet(depth)},
    reported=lambda depth: {f"resnet_{n}": RESNET_ACCURACY[n] for n in (18, depth)},
    case=lambda depth: f"accuracy, against ResNet-{depth}",
)
@deeper_resnets
def test_resnet_18_is_as_accurate(runs: Runs, verdict: Judge, depth: int) -> None:
    shallow, deeper = runs.resnet_18, runs[f"resnet_{depth}"]
    verdict.not_worse(shallow.test_accuracy, deeper.test_accuracy, delta=0.02)


@claim(
    "3.17",
    "ResNet-18 is the most efficient: an epoch of a deeper one takes longer",
    source=RESNETS,
    recipes=lambda depth: {f"resnet_{depth}": resnet(depth), "resnet_18": resnet(18)},
    # From the table's seconds of whole trainings: about 2800, 6400 and 11000.
    reported=lambda depth: {
        f"time of resnet_{depth} / resnet_18": {50: 6400, 101: 11000}[depth] / 2800
    },
    case=lambda depth: f"time, against ResNet-{depth}",
)
@pytest.mark.timing
@deeper_resnets
def test_resnet_18_is_faster(runs: Runs, verdict: Judge, timer: "Timer", depth: int) -> None:
    verdict.times(timer.ratio(runs[f"resnet_{depth}"], runs.resnet_18), factor=1)


@claim(
    "3.29",
    "All three ResNets end at 93 to 94 %",
    source=RESNETS,
    recipes=lambda depth: {"resnet": resnet(depth)},
    reported=lambda depth: {"resnet": RESNET_ACCURACY[depth]},
    case=lambda depth: f"ResNet-{depth}",
)
@pytest.mark.parametrize("depth", RESNET_ACCURACY)
def test_resnets_end_at_94_percent(runs: Runs, verdict: Judge, depth: int) -> None:
    verdict.level(runs.resnet.test_accuracy, RESNET_ACCURACY[depth], 0.015)
