"""Initialisations a recipe may ask for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

Draw = Callable[[Tensor, float, torch.Generator], object]

# He's comes by fan in, torch's own choice. By fan out, which is usual for convolutions, a last
# layer of few outputs would begin with weights so large that AlexNet's first steps kill it.
# How each draws a weight in place, given `std` (which "normal" alone uses) and a generator.
DRAWS: Mapping[str, Draw] = MappingProxyType(
    {
        "normal": lambda w, std, g: nn.init.normal_(w, 0.0, std, generator=g),
        "xavier_uniform": lambda w, std, g: nn.init.xavier_uniform_(w, generator=g),
        "kaiming_normal": lambda w, std, g: nn.init.kaiming_normal_(
            w, mode="fan_in", nonlinearity="relu", generator=g
        ),
    }
)


def initialise(network: nn.Module, init: str, std: float, seed: int) -> None:
    """Draw every weight of the linear and convolutional layers in place; set their biases to 0.

    "default" keeps what torch drew when the network was built. Batch norms are left as they are:
    torch starts them at scale 1 and shift 0, and a ResNet's scale of 0 is meant.
    """
    if init == "default":
        return
    if init not in DRAWS:
        raise ValueError(f"unknown init {init!r}; known are default, {', '.join(DRAWS)}")
    generator = torch.Generator().manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            DRAWS[init](layer.weight, std, generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
