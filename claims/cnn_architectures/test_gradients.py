"""Gradients by layer before any training: VGG-50's vanish, the report finds, the others' do not.

A gradient vanishes on the way from the last layer to the first, so what is compared is the norm
at the last layer's bias over the norm at the first layer's weight, the parameters that the report
plots. The report plots them over training; these are its statements at initialisation.

Ours: a batch of 8 random images, N(0, 1) as standardised pixels are, with random labels; full
width; dropout off; batch norm, in Inception and ResNet, by the batch's own statistics. Each family
is initialised as assumed for the whole report, unless a case says otherwise.
"""

import functools
import math
import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.cnn_architectures.gradients import entries, in_layer4, is_weight, log_per_entry
from claims.cnn_architectures.protocol import CNN_ARCHITECTURES, initialisation
from cvclaims import Computed, Judge, claim, measure, stream

if TYPE_CHECKING:
    from cvclaims import Hooks

# Of a network by name, under an initialisation and a seed, and in float64 where asked for:
# gradient norms by parameter.
Norms: TypeAlias = Callable[..., dict[str, float]]

DEEP = CNN_ARCHITECTURES.at("4. VGG and Inception with 50 layers, gradients by layer")
RESNETS = CNN_ARCHITECTURES.at("5. ResNet-18, 50 and 101, gradient flow")
# As torchvision draws VGG and ResNet.
FAMILYS = "torchvision"

NETWORKS: dict[str, dict[str, Any]] = {
    "VGG-16": {"name": "vgg", "depth": 16, "dropout": 0.0},
    "VGG-50": {"name": "vgg", "depth": 50, "dropout": 0.0},
    "Inception-50": {"name": "inception", "modules": 23, "dropout": 0.0},
    "ResNet-18": {"name": "resnet", "depth": 18},
    "ResNet-50": {"name": "resnet", "depth": 50},
    "ResNet-101": {"name": "resnet", "depth": 101},
}
INIT = {name: initialisation(str(args["name"])) for name, args in NETWORKS.items()}
FIRST = {
    "VGG-16": "features.0.weight",
    "VGG-50": "features.0.weight",
    "Inception-50": "conv2d.1.conv.weight",
    "ResNet-101": "conv1.weight",
}
LAST = {
    "VGG-16": "classifier.6.bias",
    "VGG-50": "classifier.6.bias",
    "Inception-50": "linear.bias",
    "ResNet-101": "fc.bias",
}
# What 3.20's rows say of how norms are taken.
SIZES = {True: "", False: ", plain norm"}
BLOCK_5 = {"VGG-16": "features.24.bias", "VGG-50": "features.78.bias"}


@pytest.fixture(scope="module")
def norms(hooks: "Hooks") -> Norms:
    """Gradient norms at initialisation; each network is asked once for each seed."""
    import torch

    from cvclaims import build, initialise

    @functools.cache
    def gradient_norms(
        network: str, init: str, seed: int, *, double: bool = False
    ) -> dict[str, float]:
        generator = torch.Generator().manual_seed(stream(seed, "images"))
        x = torch.randn(8, 3, 32, 32, generator=generator)
        y = torch.randint(10, (8,), generator=generator)
        model = build(shape=(3, 32, 32), classes=10, seed=seed, **NETWORKS[network])
        initialise(model, init, 0.01, stream(seed, "init"))
        if double:
            model, x = model.double(), x.double()
        return hooks.gradient_norms(model, (x, y))

    return gradient_norms


def last_over(
    layer: dict[str, str], network: str, norms: Norms, init: str | None = None
) -> Computed:
    """How much larger the gradient is at the last layer than at another one, by name."""

    def share(seed: int) -> float:
        found = norms(network, init or INIT[network], seed)
        # A gradient that underflowed to 0 is taken for the smallest float32, as `ratio` does.
        return found[LAST[network]] / max(found[layer[network]], measure.SMALLEST)

    return Computed(network, share)


@claim(
    "3.13",
    "VGG-50's gradients vanish at features.0.weight and features.78.bias beside classifier.6.bias; "
    "VGG-16's do not",
    source=DEEP,
    about_failing=True,
    case=lambda layer: "at initialisation" + ("" if layer is FIRST else ", block 5"),
)
@pytest.mark.parametrize("layer", [FIRST, BLOCK_5], ids=["first layer", "block 5"])
def test_vgg_50_gradients_vanish(verdict: Judge, norms: Norms, layer: dict[str, str]) -> None:
    deep, shallow = last_over(layer, "VGG-50", norms), last_over(layer, "VGG-16", norms)
    verdict.ratio(deep, shallow, factor=100)


@claim(
    "3.15",
    "Inception-50's gradients do not vanish as VGG-50's do (last layer over first)",
    source=DEEP,
    about_failing=True,
    case="at initialisation",
)
def test_inception_50_gradients_do_not_vanish(verdict: Judge, norms: Norms) -> None:
    vgg, inception = last_over(FIRST, "VGG-50", norms), last_over(FIRST, "Inception-50", norms)
    verdict.ratio(vgg, inception, factor=100)


@claim(
    "3.19",
    "ResNet-101's gradients do not vanish where VGG-50's do (last layer over first)",
    source=RESNETS,
    about_failing=True,
    case="at initialisation",
)
def test_resnet_101_gradients_do_not_vanish(verdict: Judge, norms: Norms) -> None:
    vgg, resnet = last_over(FIRST, "VGG-50", norms), last_over(FIRST, "ResNet-101", norms)
    verdict.ratio(vgg, resnet, factor=100)


def log_size(found: dict[str, float], network: str, name: str, *, per_entry: bool) -> float:
    """The logarithm of a gradient's norm; per entry, of the norm over √(number of entries)."""
    size = math.log(max(found[name], measure.SMALLEST))
    return log_per_entry(size, entries(**NETWORKS[network])[name]) if per_entry else size


@claim(
    "3.20",
    "In ResNets gradients are larger early and fall towards layer4 (mean logarithm over its "
    "convolutions; norms per √(number of entries), as a plain norm grows with a layer's size)",
    source=RESNETS,
    case=lambda depth, per_entry: f"at initialisation, ResNet-{depth}{SIZES[per_entry]}",
)
@pytest.mark.parametrize("depth", [18, 50, 101])
@pytest.mark.parametrize("per_entry", [True, False])
def test_resnet_gradients_fall_towards_layer4(
    verdict: Judge, norms: Norms, depth: int, per_entry: bool
) -> None:
    network = f"ResNet-{depth}"

    def early(seed: int) -> float:
        found = norms(network, FAMILYS, seed)
        return log_size(found, network, "conv1.weight", per_entry=per_entry)

    def late(seed: int) -> float:
        found = norms(network, FAMILYS, seed)
        return statistics.fmean(
            log_size(found, network, name, per_entry=per_entry) for name in filter(in_layer4, found)
        )

    verdict.greater(Computed("conv1", early), Computed("layer4", late))


@claim(
    "3.30",
    "ResNet-18's gradients are the larger ones overall, beside ResNet-101's (geometric mean over "
    "layers of the norm per √(number of entries))",
    source=RESNETS,
    case="at initialisation",
)
def test_resnet_18_has_the_larger_gradients(verdict: Judge, norms: Norms) -> None:
    def overall(network: str) -> Computed:
        def size(seed: int) -> float:
            found = norms(network, FAMILYS, seed)
            weights = filter(is_weight, found)
            logs = (log_size(found, network, name, per_entry=True) for name in weights)
            return math.exp(statistics.fmean(logs))

        return Computed(network, size)

    verdict.ratio(overall("ResNet-18"), overall("ResNet-101"))


@claim(
    "3.26",
    "In Inception-50 a convolution's bias has a gradient near 0 although nothing vanishes: its "
    "first convolution's weight over its bias (at initialisation, in float64)",
    source=DEEP,
)
def test_a_bias_has_no_gradient(verdict: Judge, norms: Norms) -> None:
    def first_convolution(what: str) -> Computed:
        def norm(seed: int) -> float:
            found = norms("Inception-50", INIT["Inception-50"], seed, double=True)
            return found[f"conv2d.0.conv.{what}"]

        return Computed(what, norm)

    verdict.ratio(first_convolution("weight"), first_convolution("bias"), factor=100)


@claim(
    "3.26",
    "A bias in front of a batch norm has gradient 0 by algebra: the norm takes it off again",
    source=CNN_ARCHITECTURES.at("ours, beside 3.26"),
    case="by algebra",
)
@given(channels=st.integers(1, 4), size=st.integers(2, 6), seed=st.integers(0, 1000))
def test_batch_norm_takes_a_bias_off(channels: int, size: int, seed: int) -> None:
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layer = nn.Conv2d(2, channels, 3, dtype=torch.float64)
        norm = nn.BatchNorm2d(channels, dtype=torch.float64)
        out = torch.relu(norm(layer(torch.randn(size, 2, 7, 7, dtype=torch.float64))))
        assert layer.bias is not None
        loss = (out * torch.randn_like(out)).sum()
        weight, bias = torch.autograd.grad(loss, [layer.weight, layer.bias])
    assert bias.abs().max() <= 1e-9 * weight.abs().max()


@claim(
    "3.21",
    "VGG-50's vanishing is a matter of initialisation too: 3.13's ratio under each (it is, where "
    "these rows differ)",
    source=CNN_ARCHITECTURES.at("ours, beside 3.13"),
)
@pytest.mark.parametrize(
    "init",
    ["default", "xavier_uniform", "kaiming_normal", FAMILYS],
    ids=["PyTorch's default", "Xavier uniform", "He normal", "torchvision's"],
)
def test_vanishing_by_initialisation(verdict: Judge, norms: Norms, init: str) -> None:
    deep = last_over(FIRST, "VGG-50", norms, init)
    shallow = last_over(FIRST, "VGG-16", norms, init)
    verdict.ratio(deep, shallow, factor=100)
