"""Why VGG repeats 3×3 filters: they see as much as one large filter, for fewer weights.

The filters' inputs and outputs have C channels; biases are left out of the count, as in the
report. Which pixels a stack sees is read off the gradient of its central output on the input: all
weights and pixels are positive, so that neither ReLU nor a cancelling sum hides one.
"""

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claims.alexnet_vgg_review.protocol import ALEXNET_VGG
from cvclaims import claim

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cvclaims import Judge


def stack(depth: int, kernel: int, channels: int, seed: int = 0) -> "nn.Sequential":
    """`depth` convolutions that keep the size, with positive weights, each followed by ReLU."""
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for _ in range(depth):
        conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False)
        nn.init.uniform_(conv.weight, 0.1, 1.0, generator=generator)
        layers += [conv.double(), nn.ReLU()]
    return nn.Sequential(*layers)


def pixels_seen(network: "nn.Module", channels: int, side: int) -> "Tensor":
    """Which pixels of a (side, side) image the central output depends on, as booleans."""
    import torch

    x = torch.ones(1, channels, side, side, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[0, :, side // 2, side // 2].sum(), x)
    return (gradient != 0).any(dim=1)[0]


@claim(
    "1.01",
    "Three stacked 3×3 convolutions see the same input region as one 7×7, and two as one 5×5",
    source=ALEXNET_VGG.at("VGGNet: why 3×3 filters alone"),
)
@given(depth=st.integers(1, 8), channels=st.integers(1, 3), seed=st.integers(0, 2**32))
@example(depth=3, channels=1, seed=0)
@example(depth=2, channels=1, seed=0)
def test_small_filters_see_as_much(depth: int, channels: int, seed: int) -> None:
    kernel = 1 + depth * (3 - 1)  # the formula: each 3×3 adds one pixel on either side
    side = kernel + 4
    small = pixels_seen(stack(depth, 3, channels, seed), channels, side)
    large = pixels_seen(stack(1, kernel, channels, seed), channels, side)
    assert small.equal(large)
    assert small[2:-2, 2:-2].all()
    assert small.sum() == kernel**2


@claim(
    "1.02",
    "At C channels one 7×7 takes 49C² weights, three 3×3 take 27C², about 45 % fewer",
    source=ALEXNET_VGG.at("Questions on VGGNet: why several small filters"),
)
@given(channels=st.integers(1, 4096))
def test_small_filters_take_fewer_weights(channels: int) -> None:
    import torch
    from torch import nn

    with torch.device("meta"):
        one = nn.Conv2d(channels, channels, 7, bias=False)
        three = [nn.Conv2d(channels, channels, 3, bias=False) for _ in range(3)]
    large = one.weight.numel()
    small = sum(conv.weight.numel() for conv in three)
    assert large == 49 * channels**2
    assert small == 27 * channels**2
    assert f"{1 - small / large:.0%}" == "45%"


@claim(
    "1.34",
    "Three stacked 3×3 convolutions put three non-linearities where one 7×7 has one",
    source=ALEXNET_VGG.at("VGGNet: why 3×3 filters alone"),
    reported=lambda number: {"counted": number},
    case=lambda kernel: f"{kernel}×{kernel}",
)
@pytest.mark.parametrize(("depth", "kernel", "number"), [(3, 3, 3), (1, 7, 1)])
def test_small_filters_have_more_non_linearities(
    verdict: "Judge", depth: int, kernel: int, number: int
) -> None:
    from torch import nn

    layers = stack(depth, kernel, channels=2)
    verdict.exact(sum(isinstance(layer, nn.ReLU) for layer in layers), number)


@claim(
    "1.37",
    "A depthwise separable 3×3 convolution keeps the input region at far fewer parameters, from 2 "
    "channels on",
    source=ALEXNET_VGG.at("Questions on VGGNet: why several small filters"),
)
@given(channels=st.integers(2, 4096))
@example(channels=2)
def test_depthwise_convolutions_take_fewer_weights(channels: int) -> None:
    import torch
    from torch import nn

    def layers(c: int) -> tuple[nn.Sequential, nn.Conv2d]:
        depthwise = nn.Conv2d(c, c, 3, padding=1, groups=c, bias=False)
        whole = nn.Conv2d(c, c, 3, padding=1, bias=False)
        return nn.Sequential(depthwise, nn.Conv2d(c, c, 1, bias=False)), whole

    with torch.device("meta"):
        separable, whole = layers(channels)
    weights = sum(parameter.numel() for parameter in separable.parameters())
    assert weights == 9 * channels + channels**2 < whole.weight.numel() == 9 * channels**2
    few = min(channels, 4)
    seen = []
    for network in layers(few):
        for parameter in network.parameters():
            nn.init.constant_(parameter, 1.0)
        seen.append(pixels_seen(network.double(), few, 7))
    assert seen[0].equal(seen[1])
