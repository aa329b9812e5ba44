"""What the tests of training share: float64, in which rounding hides nothing."""

import dataclasses
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from cvclaims.data.dataset import Dataset
from cvclaims.models import build_for
from cvclaims.recipe import Recipe
from cvclaims.training import session


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


@pytest.fixture
def float64(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sessions train in float64; give them `precise` data.

    Two ways to compute the same function differ in float32 by a processor's order of sums,
    magnified by every step; here by some 1e-12, and by a mistake as much as ever.
    """
    monkeypatch.setattr(Tensor, "float", Tensor.double)  # which logits go through
    monkeypatch.setattr(session, "build_for", network_of)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)
