"""Data and networks in float64, for what trains under the fixture `float64`."""

import dataclasses

import torch
from torch import Tensor, nn

from cvclaims.data.dataset import Dataset
from cvclaims.models import build_for
from cvclaims.recipe import Recipe


class Precise(Dataset):
    """A data set whose samples reach a network as float64."""

    def normalise(self, x: Tensor) -> Tensor:
        return super().normalise(x).double()


def precise(data: Dataset) -> Precise:
    """The same data set, in float64."""
    fields = [field.name for field in dataclasses.fields(data) if field.init]
    values = {name: getattr(data, name) for name in fields}
    features = {n: v for n, v in values.items() if isinstance(v, Tensor) and v.is_floating_point()}
    return Precise(**values | {name: value.double() for name, value in features.items()})


def network_of(recipe: Recipe, seed: int) -> nn.Module:
    """The network that a run begins with, drawn in float32 as ever, in the default dtype."""
    wanted = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        return build_for(recipe, seed).to(wanted)
    finally:
        torch.set_default_dtype(wanted)
