"""Which gradients of a ResNet are compared, and how large a norm is for its number of entries."""

import functools
import math
from typing import Any


@functools.cache
def entries(name: str, **args: Any) -> dict[str, int]:
    """How many entries each parameter of a network for 32×32 images and 10 classes has."""
    import torch

    from cvclaims import build

    with torch.device("meta"):
        network = build(name, (3, 32, 32), 10, **args)
    return {name: parameter.numel() for name, parameter in network.named_parameters()}


def log_per_entry(log_norm: float, number: int) -> float:
    """The logarithm of a norm over √(number of entries): the root of their mean square."""
    return log_norm - math.log(number) / 2


def in_layer4(name: str) -> bool:
    """Whether a parameter is a convolution's of the last stage, shortcuts apart."""
    return name.startswith("layer4") and ".conv" in name


def is_weight(name: str) -> bool:
    """Whether it is the weight of a ResNet's convolution, shortcuts apart, or of its last layer."""
    return name.endswith(("conv1.weight", "conv2.weight", "conv3.weight", "fc.weight"))
