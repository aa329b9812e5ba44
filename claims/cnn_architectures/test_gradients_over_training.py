"""Sections 4 and 5, gradients by layer over training: VGG-50's vanish, the others' do not.

The report plots the norm of one parameter's gradient against the epoch. A gradient vanishes on the
way from the last layer to the first, so what is compared is the norm at the last layer's bias over
the norm at the first layer's weight, each averaged over all steps of training. The same statements
before any training are in test_gradients.py.
"""

import statistics

import pytest

from claims.cnn_architectures.protocol import CNN_ARCHITECTURES, inception, resnet, vgg
from cvclaims.claim import claim
from cvclaims.records.measure import Measure, mean_log_of, ratio_of_means
from cvclaims.records.record import Record
from cvclaims.verdict.judge import Judge, Runs

pytestmark = pytest.mark.gpu

DEEP = CNN_ARCHITECTURES.at("4. VGG and Inception with 50 layers, gradients by layer")
RESNETS = CNN_ARCHITECTURES.at("5. ResNet-18, 50 and 101, gradient flow")

VGG_16_AND_50 = {"vgg_50": vgg(50), "vgg_16": vgg(16)}
FIRST = {"vgg_50": "features.0.weight", "vgg_16": "features.0.weight"}
BLOCK_5 = {"vgg_50": "features.78.bias", "vgg_16": "features.24.bias"}


def norm(parameter: str) -> str:
    """The series of a parameter's gradient norm."""
    return f"gradient_norms.{parameter}"


def last_over(parameter: str, last: str = "classifier.6.bias") -> Measure:
    """How much larger the gradient is at the last layer than at another parameter."""
    return ratio_of_means(norm(last), norm(parameter))


@claim(
    "3.13",
    "VGG-50's gradients vanish at features.0.weight and features.78.bias beside classifier.6.bias; "
    "VGG-16's do not",
    source=DEEP,
    recipes=VGG_16_AND_50,
    about_failing=["vgg_50"],
    case=lambda layer: "over training" + ("" if layer is FIRST else ", block 5"),
)
@pytest.mark.parametrize("layer", [FIRST, BLOCK_5], ids=["first layer", "block 5"])
def test_vgg_50_gradients_vanish(runs: Runs, verdict: Judge, layer: dict[str, str]) -> None:
    deep = runs.vgg_50.measure(last_over(layer["vgg_50"]))
    shallow = runs.vgg_16.measure(last_over(layer["vgg_16"]))
    verdict.ratio(deep, shallow, factor=100)


@claim(
    "3.15",
    "Inception-50's gradients do not vanish as VGG-50's do (last layer over first)",
    source=DEEP,
    recipes={"vgg_50": vgg(50), "inception_50": inception(23)},
    about_failing=["vgg_50"],
    case="over training",
)
def test_inception_50_gradients_do_not_vanish(runs: Runs, verdict: Judge) -> None:
    of_inception = last_over("conv2d.0.conv.weight", last="linear.bias")
    verdict.ratio(
        runs.vgg_50.measure(last_over("features.0.weight")),
        runs.inception_50.measure(of_inception),
        factor=100,
    )


@claim(
    "3.19",
    "ResNet-101's gradients do not vanish where VGG-50's do (last layer over first)",
    source=RESNETS,
    recipes={"vgg_50": vgg(50), "resnet_101": resnet(101)},
    about_failing=["vgg_50"],
    case="over training",
)
def test_resnet_101_gradients_do_not_vanish(runs: Runs, verdict: Judge) -> None:
    of_resnet = last_over("conv1.weight", last="fc.bias")
    verdict.ratio(
        runs.vgg_50.measure(last_over("features.0.weight")),
        runs.resnet_101.measure(of_resnet),
        factor=100,
    )


def layer4(record: Record) -> float:
    """The mean logarithm of the gradient norm over layer4's convolutions and all epochs."""
    convolutions = [
        parameter
        for parameter in record.probes["gradient_norms"]
        if parameter.startswith("layer4") and ".conv" in parameter
    ]
    return statistics.fmean(mean_log_of(norm(name))(record) for name in convolutions)


@claim(
    "3.20",
    "In ResNets gradients are larger early and fall towards layer4 (logarithm of the norm; of "
    "layer4, the mean over its convolutions)",
    source=RESNETS,
    recipes=lambda depth: {"resnet": resnet(depth)},
    case=lambda depth: f"over training, ResNet-{depth}",
)
@pytest.mark.parametrize("depth", [18, 50, 101])
def test_resnet_gradients_fall_towards_layer4(runs: Runs, verdict: Judge, depth: int) -> None:
    early = mean_log_of(norm("conv1.weight"))
    verdict.greater(runs.resnet.measure(early, "conv1"), runs.resnet.measure(layer4, "layer4"))
