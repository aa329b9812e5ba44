"""Initialisations a recipe may ask for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

Draw = Callable[[Tensor, float, torch.Generator], object]

# How each draws a weight in place, given `std` (which "normal" alone uses) and a generator. He's
# goes by fan in, torch's own choice.
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

    "default" keeps what torch drew when the network was built. "torchvision" draws as torchvision's
    `VGG` and `ResNet` do: convolutions He normal by fan out, and linear layers, where convolutions
    have biases as in VGG, N(0, 0.01²) without biases; a ResNet's last layer stays torch's own.
    Batch norms are left as they are: torch starts them at scale 1 and shift 0, and a ResNet's scale
    of 0 is meant.
    """
    if init == "default":
        return
    if init != "torchvision" and init not in DRAWS:
        names = ", ".join((*DRAWS, "torchvision"))
        raise ValueError(f"unknown init {init!r}; known are default, {names}")
    generator = torch.Generator().manual_seed(seed)
    layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    with_biases = any(isinstance(m, nn.Conv2d) and m.bias is not None for m in layers)
    for layer in layers:
        if init != "torchvision":
            DRAWS[init](layer.weight, std, generator)
        elif isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(
                layer.weight, mode="fan_out", nonlinearity="relu", generator=generator
            )
        elif with_biases:
            nn.init.normal_(layer.weight, 0.0, 0.01, generator=generator)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
