"""Initialisations a recipe may ask for."""

import torch
from torch import nn


def initialise(network: nn.Module, init: str, std: float, seed: int) -> None:
    """Set the weights and biases of every linear layer in place.

    "default" keeps what torch drew when the network was built. "normal" draws every weight from
    N(0, std²) and sets every bias to 0.
    """
    if init == "default":
        return
    if init != "normal":
        raise ValueError(f"unknown init {init!r}")
    generator = torch.Generator().manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0.0, std, generator=generator)
            nn.init.zeros_(layer.bias)
