"""What the tests of training share: float64, in which rounding hides nothing."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from cvclaims.training import pinned, session
from tests.training.exact import network_of


@pytest.fixture
def float64(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sessions train in float64; give them `precise` data.

    Two ways to compute the same function differ in float32 by a processor's order of sums,
    magnified by every step; here by some 1e-12, and by a mistake as much as ever.
    """
    monkeypatch.setattr(Tensor, "float", Tensor.double)  # which logits go through
    monkeypatch.setattr(session, "build_for", network_of)
    monkeypatch.setattr(pinned, "DTYPE", torch.float64)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)
