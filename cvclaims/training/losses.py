"""The losses of recipes, for a stack of networks at once, each with its gradient.

A loss takes logits (S, batch, classes) and labels (S, batch); `mse` also takes outputs and targets
of the same shape, (S, batch, targets). It returns every network's loss,
(S,), and the gradient of their sum by the logits, which is each network's own, as they share
nothing. Both are in closed form, without autograd.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@torch.no_grad()
def cross_entropy(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy over the batch; the gradient is (softmax - one-hot) / batch."""
    # With the classes last, a CPU takes five times as long: there are few, and it cannot run along
    # many samples of each at once.
    log_p, labels = logits.permute(2, 0, 1).log_softmax(0), y[None]
    share = 1 / y.shape[1]
    losses = -log_p.gather(0, labels)[0].mean(1)
    gradient = log_p.exp_().mul_(share)
    gradient.scatter_add_(0, labels, gradient.new_full(labels.shape, -share))
    return losses, gradient.permute(1, 2, 0)


@torch.no_grad()
def mse(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean over all entries of (logits - one-hot)², or of (outputs - targets)²."""
    wanted = y if y.is_floating_point() else F.one_hot(y, logits.shape[-1])
    gap = logits - wanted.to(logits.dtype)
    return gap.square().mean((1, 2)), gap * (2 / gap[0].numel())


@torch.no_grad()
def softmax_mse(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean over all entries of (softmax(logits) - one-hot)²."""
    p = logits.softmax(-1)
    losses, by_p = mse(p, y)
    return losses, p * (by_p - (p * by_p).sum(-1, keepdim=True))


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {"cross_entropy": cross_entropy, "softmax_mse": softmax_mse, "mse": mse}
)
