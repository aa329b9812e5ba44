"""Section 3.3: with the last batch norm's γ = 0, a block starts as its shortcut.

Each of ResNet-50's 16 bottleneck blocks is checked, on random images from N(0, 1), in training
mode and in evaluation mode. Ours: float64, so that nothing but the statement decides, a sixteenth
of the width, maps of 4×4 to 8×8, batches of 2 to 4.
"""

import functools
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from claims.resnet_mini_cifar.protocol import MINI_CIFAR
from cvclaims import claim

if TYPE_CHECKING:
    from cvclaims.models.resnet import Bottleneck

BLOCKS = 3 + 4 + 6 + 3


@functools.cache
def blocks(seed: int) -> "list[Bottleneck]":
    """The bottleneck blocks of a ResNet-50 that starts with γ = 0, in float64."""
    from cvclaims import build, initialise
    from cvclaims.models.resnet import Bottleneck

    network = build("resnet", (3, 32, 32), 3, seed, depth=50, zero_gamma=True, width=1 / 16)
    initialise(network, "kaiming_normal", 0.01, seed)
    return [block for block in network.double().modules() if isinstance(block, Bottleneck)]


@claim(
    "4.07",
    "With the last batch norm's γ = 0, every bottleneck block is its shortcut at the start: "
    "y = ReLU(shortcut(x)), and ∂y/∂x is the shortcut's",
    source=MINI_CIFAR.at("3.3, interpretation"),
)
@given(
    seed=st.integers(0, 9),
    index=st.integers(0, BLOCKS - 1),
    images=st.integers(0, 2**32),
    batch=st.integers(2, 4),
    side=st.sampled_from([4, 5, 8]),
    training=st.booleans(),
)
def test_a_block_starts_as_its_shortcut(
    seed: int, index: int, images: int, batch: int, side: int, training: bool
) -> None:
    import torch

    block = blocks(seed)[index]
    block.train(training)
    generator = torch.Generator().manual_seed(images)
    shape = (batch, block.conv1.in_channels, side, side)
    x = torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_()

    y, alone = block(x), torch.relu(block.shortcut(x))
    torch.testing.assert_close(y, alone, rtol=0, atol=1e-12)

    # ∂y/∂x by its product with a random direction, as backpropagation takes it.
    direction = torch.randn(y.shape, dtype=torch.float64, generator=generator)
    (gradient,) = torch.autograd.grad(y, x, direction)
    (of_shortcut,) = torch.autograd.grad(alone, x, direction)
    torch.testing.assert_close(gradient, of_shortcut, rtol=0, atol=1e-12)
