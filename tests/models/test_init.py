"""torchvision's own initialisation of VGG and ResNet, layer by layer."""

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
import torch
import torchvision
from scipy import stats
from torch import Tensor, nn

from cvclaims.models import build
from cvclaims.models.init import initialise

Layer: TypeAlias = nn.Conv2d | nn.Linear

# What the standard deviation of a layer's weights goes by: here images are smaller than
# torchvision's, and with them a kernel or the first linear layer.
BY_FAN_IN, BY_FAN_OUT, CONSTANT = "fan in", "fan out", "constant"

# (ours, its arguments, torchvision's, what convolutions go by, what linear layers go by)
NETWORKS = [
    ("alexnet", {}, torchvision.models.alexnet, BY_FAN_IN, BY_FAN_IN),
    ("vgg", {"depth": 11}, torchvision.models.vgg11, BY_FAN_OUT, CONSTANT),
    ("vgg", {"depth": 16, "batch_norm": True}, torchvision.models.vgg16_bn, BY_FAN_OUT, CONSTANT),
    ("resnet", {"depth": 18}, torchvision.models.resnet18, BY_FAN_OUT, BY_FAN_IN),
    ("resnet", {"depth": 50}, torchvision.models.resnet50, BY_FAN_OUT, BY_FAN_IN),
]


def layers(network: nn.Module) -> Iterator[Layer]:
    return (m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear))


def pairs(
    model: str, args: dict[str, Any], theirs: Callable[..., nn.Module], init: str
) -> list[tuple[Layer, Layer]]:
    """Our layers, drawn by `init`, each with torchvision's."""
    mine = build(model, (3, 32, 32), 10, seed=1, **args)
    initialise(mine, init, 0.01, 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return list(zip(layers(mine), layers(theirs(num_classes=10)), strict=True))


def alike(layer: Layer, other: Layer, by: str) -> bool:
    """Whether the weights, over what their spread goes by, are of one distribution."""
    mine, theirs = (_over_spread(w.weight.detach(), by) for w in (layer, other))
    return bool(stats.ks_2samp(mine.numpy(), theirs.numpy()).pvalue > 1e-4)


def _over_spread(weight: Tensor, by: str) -> Tensor:
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(weight)
    fan = {BY_FAN_IN: fan_in, BY_FAN_OUT: fan_out, CONSTANT: 1}[by]
    return torch.mul(weight.flatten()[:20_000], math.sqrt(fan))


@pytest.mark.parametrize(("model", "args", "theirs", "convolutions", "linear"), NETWORKS)
def test_every_layer_is_drawn_as_torchvision_draws_it(
    model: str,
    args: dict[str, Any],
    theirs: Callable[..., nn.Module],
    convolutions: str,
    linear: str,
) -> None:
    init = "default" if model == "alexnet" else "torchvision"
    for layer, other in pairs(model, args, theirs, init):
        assert (layer.bias is None) == (other.bias is None)
        if layer.bias is not None and other.bias is not None:
            assert layer.bias.any() == other.bias.any()
        by = convolutions if isinstance(layer, nn.Conv2d) else linear
        assert alike(layer, other, by), f"{layer} is drawn otherwise than {other}"


@pytest.mark.parametrize("init", ["default", "normal", "xavier_uniform", "kaiming_normal"])
def test_no_other_initialisation_is_taken_for_it(init: str) -> None:
    model, args, theirs, convolutions, linear = NETWORKS[3]
    apart = [
        not alike(layer, other, convolutions if isinstance(layer, nn.Conv2d) else linear)
        for layer, other in pairs(model, args, theirs, init)
    ]
    # He's by fan in is that by fan out where a layer keeps the number of channels.
    assert sum(apart) >= 6
