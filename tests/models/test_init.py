"""torchvision's own initialisation of VGG and ResNet, layer by layer."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torchvision
from scipy import stats
from torch import nn

from cvclaims.models import build
from cvclaims.models.init import initialise


def layers(network: nn.Module) -> Iterator[nn.Conv2d | nn.Linear]:
    return (m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear))


@pytest.mark.parametrize(
    ("model", "args", "theirs"),
    [
        ("alexnet", {}, torchvision.models.alexnet),
        ("vgg", {"depth": 11}, torchvision.models.vgg11),
        ("vgg", {"depth": 16, "batch_norm": True}, torchvision.models.vgg16_bn),
        ("resnet", {"depth": 18}, torchvision.models.resnet18),
        ("resnet", {"depth": 50}, torchvision.models.resnet50),
    ],
)
def test_every_layer_is_drawn_as_torchvision_draws_it(
    model: str, args: dict[str, Any], theirs: Callable[..., nn.Module]
) -> None:
    mine = build(model, (3, 32, 32), 10, seed=1, **args)
    initialise(mine, "default" if model == "alexnet" else "torchvision", 0.01, 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        both = list(zip(layers(mine), layers(theirs(num_classes=10)), strict=True))
    for layer, other in both:
        assert (layer.bias is None) == (other.bias is None)
        if layer.bias is not None and other.bias is not None:
            assert layer.bias.any() == other.bias.any()
        assert _alike(layer, other), f"{layer} is drawn otherwise than {other}"


def _alike(layer: nn.Conv2d | nn.Linear, other: nn.Conv2d | nn.Linear) -> bool:
    """Whether the weights, by the fan that their spread goes by, are of one distribution.

    Where an image is smaller, so are a kernel or the first linear layer: both samples are divided
    by the standard deviation that He's rule by fan out, torch's by fan in, or a constant gives,
    and one of the three has to make them alike.
    """
    samples = [w.weight.detach().flatten()[:20_000] for w in (layer, other)]
    fans = [nn.init._calculate_fan_in_and_fan_out(w.weight) for w in (layer, other)]
    for of in (lambda fan: fan[1] ** -0.5, lambda fan: fan[0] ** -0.5, lambda fan: 1.0):
        mine, theirs = (sample / of(fan) for sample, fan in zip(samples, fans, strict=True))
        if stats.ks_2samp(mine.numpy(), theirs.numpy()).pvalue > 1e-4:
            return True
    return False
