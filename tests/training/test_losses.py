"""The losses of a stack against torch's, one network at a time."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from cvclaims.training.losses import LOSSES

sizes = st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(2, 6))


def plain(name: str, logits: Tensor, y: Tensor) -> Tensor:
    """One network's loss, by torch."""
    if name == "cross_entropy":
        return F.cross_entropy(logits, y)
    target = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    return F.mse_loss(logits if name == "mse" else F.softmax(logits, dim=1), target)


def example(size: tuple[int, int, int], seed: int, scale: float) -> tuple[Tensor, Tensor]:
    """Logits (S, B, K) and labels (S, B)."""
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(size, generator=generator, dtype=torch.float64)
    return logits, torch.randint(0, size[2], size[:2], generator=generator)


@pytest.mark.parametrize("name", LOSSES)
@given(size=sizes, seed=st.integers(0, 999), scale=st.sampled_from([0.1, 1.0, 30.0]))
@settings(max_examples=40)
def test_each_network_has_torchs_loss_and_gradient(
    name: str, size: tuple[int, int, int], seed: int, scale: float
) -> None:
    logits, y = example(size, seed, scale)
    before = logits.clone()
    losses, gradient = LOSSES[name](logits, y)
    assert (losses.shape, gradient.shape) == (size[:1], size)
    assert torch.equal(logits, before)
    for i in range(size[0]):
        alone = logits[i].detach().requires_grad_()
        loss = plain(name, alone, y[i])
        torch.testing.assert_close(losses[i], loss)
        torch.testing.assert_close(gradient[i], torch.autograd.grad(loss, alone)[0])


def test_by_hand() -> None:
    logits, y = torch.tensor([[[0.0, 0.0], [0.0, 0.0]]]), torch.tensor([[0, 1]])
    losses = {name: loss(logits, y)[0].tolist() for name, loss in LOSSES.items()}
    assert losses["cross_entropy"] == pytest.approx([0.6931472])
    assert losses["softmax_mse"] == pytest.approx([0.25])
    assert losses["mse"] == pytest.approx([0.5])


def test_great_logits_are_no_overflow() -> None:
    logits, y = torch.tensor([[[1e4, -1e4]]]), torch.tensor([[1]])
    assert LOSSES["cross_entropy"](logits, y)[0].tolist() == [2e4]
    assert LOSSES["softmax_mse"](logits, y)[0].tolist() == [1.0]


def test_one_networks_nan_is_its_own() -> None:
    logits, y = torch.zeros(2, 3, 2), torch.zeros(2, 3, dtype=torch.int64)
    logits[0, 0, 0] = torch.nan
    for loss in LOSSES.values():
        losses, gradient = loss(logits, y)
        assert losses.isfinite().tolist() == [False, True]
        assert gradient.isfinite().all((1, 2)).tolist() == [False, True]
