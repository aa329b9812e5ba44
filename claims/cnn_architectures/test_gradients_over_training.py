"""Sections 4 and 5, gradients by layer over training: VGG-50's vanish, the others' do not.

The report plots the norm of one parameter's gradient against the epoch. A gradient vanishes on the
way from the last layer to the first, so what is compared is the norm at the last layer's bias over
the norm at the first layer's weight, each averaged over all steps of training. The same statements
before any training are in test_gradients.py.
"""

import math
import statistics
from collections.abc import Callable

import pytest

from claims.cnn_architectures.gradients import entries, in_layer4, is_weight, log_per_entry
from claims.cnn_architectures.protocol import CNN_ARCHITECTURES, inception, resnet, vgg
from cvclaims import Judge, Record, Runs, claim, measure

pytestmark = pytest.mark.gpu

DEEP = CNN_ARCHITECTURES.at("4. VGG and Inception with 50 layers, gradients by layer")
RESNETS = CNN_ARCHITECTURES.at("5. ResNet-18, 50 and 101, gradient flow")

VGG_16_AND_50 = {"vgg_50": vgg(50), "vgg_16": vgg(16)}
FIRST = {"vgg_50": "features.0.weight", "vgg_16": "features.0.weight"}
BLOCK_5 = {"vgg_50": "features.78.bias", "vgg_16": "features.24.bias"}


def norm(parameter: str) -> str:
    """The series of a parameter's gradient norm."""
    return f"gradient_norms.{parameter}"


def last_over(parameter: str, last: str = "classifier.6.bias") -> measure.Measure:
    """How much larger the gradient is at the last layer than at another parameter."""
    return measure.ratio_of_means(norm(last), norm(parameter))


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
    of_inception = last_over("conv2d.1.conv.weight", last="linear.bias")
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


def log_size(record: Record, name: str, *, per_entry: bool) -> float:
    """The mean logarithm over epochs of a gradient's norm; per entry, over √(their number)."""
    size, recipe = measure.mean_log_of(norm(name))(record), record.recipe
    if per_entry:
        return log_per_entry(size, entries(recipe.model, **recipe.model_args)[name])
    return size


def mean_log_size(record: Record, chosen: Callable[[str], bool], *, per_entry: bool) -> float:
    """The mean of `log_size` over the parameters that are chosen by name."""
    names = filter(chosen, record.probes["gradient_norms"])
    return statistics.fmean(log_size(record, name, per_entry=per_entry) for name in names)


@claim(
    "3.20",
    "In ResNets gradients are larger early and fall towards layer4 (mean logarithm over its "
    "convolutions; norms per √(number of entries), as a plain norm grows with a layer's size)",
    source=RESNETS,
    recipes=lambda depth: {"resnet": resnet(depth)},
    case=lambda depth, per_entry: (
        f"over training, ResNet-{depth}" + ("" if per_entry else ", plain norm")
    ),
)
@pytest.mark.parametrize("depth", [18, 50, 101])
@pytest.mark.parametrize("per_entry", [True, False])
def test_resnet_gradients_fall_towards_layer4(
    runs: Runs, verdict: Judge, depth: int, per_entry: bool
) -> None:
    def early(record: Record) -> float:
        return log_size(record, "conv1.weight", per_entry=per_entry)

    def late(record: Record) -> float:
        return mean_log_size(record, in_layer4, per_entry=per_entry)

    verdict.greater(runs.resnet.measure(early, "conv1"), runs.resnet.measure(late, "layer4"))


@claim(
    "3.30",
    "ResNet-18's gradients are the larger ones overall, beside ResNet-101's (geometric mean over "
    "layers of the norm per √(number of entries))",
    source=RESNETS,
    recipes={"resnet_18": resnet(18), "resnet_101": resnet(101)},
    case="over training",
)
def test_resnet_18_has_the_larger_gradients(runs: Runs, verdict: Judge) -> None:
    def overall(record: Record) -> float:
        return math.exp(mean_log_size(record, is_weight, per_entry=True))

    verdict.ratio(runs.resnet_18.measure(overall), runs.resnet_101.measure(overall))


@claim(
    "3.25",
    "In VGG-16 the gradient of features.5.weight falls from a high start: first five epochs over "
    "last five",
    source=DEEP,
    recipes={"vgg_16": vgg(16)},
    case="features.5.weight",
)
def test_vgg_16_gradient_falls(runs: Runs, verdict: Judge) -> None:
    middle = norm("features.5.weight")
    verdict.ratio(
        runs.vgg_16.measure(measure.mean_of(middle, 1, 5), "first five epochs"),
        runs.vgg_16.measure(measure.mean_of(middle, -5), "last five epochs"),
    )


@claim(
    "3.25",
    "VGG-16's features.24.bias keeps a larger gradient than VGG-50's features.78.bias",
    source=DEEP,
    recipes=VGG_16_AND_50,
    about_failing=["vgg_50"],
    case="block 5",
)
def test_vgg_16_keeps_more(runs: Runs, verdict: Judge) -> None:
    shallow = runs.vgg_16.measure(measure.mean_of(norm(BLOCK_5["vgg_16"]), 1))
    verdict.ratio(shallow, runs.vgg_50.measure(measure.mean_of(norm(BLOCK_5["vgg_50"]), 1)))


@claim(
    "3.25",
    "In VGG-50 the gradient of classifier.6.bias stays the larger one, beside features.0.weight, "
    "over the last five epochs",
    source=DEEP,
    recipes={"vgg_50": vgg(50)},
    about_failing=True,
    case="classifier.6.bias",
)
def test_vgg_50_classifier_stays_alive(runs: Runs, verdict: Judge) -> None:
    verdict.ratio(
        runs.vgg_50.measure(measure.mean_of(norm("classifier.6.bias"), -5), "classifier.6.bias"),
        runs.vgg_50.measure(measure.mean_of(norm("features.0.weight"), -5), "features.0.weight"),
    )
