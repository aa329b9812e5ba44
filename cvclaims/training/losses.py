"""The losses of recipes, for a stack of networks at once."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy over the batch: (S, B, K), (S, B) -> (S,)."""
    losses = F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none")
    return losses.view(y.shape).mean(1)


def mse(logits: Tensor, y: Tensor) -> Tensor:
    """Mean over all entries of (logits - one-hot)²: (S, B, K), (S, B) -> (S,)."""
    target = F.one_hot(y, logits.shape[-1]).to(logits.dtype)
    return (logits - target).square().mean((1, 2))


def softmax_mse(logits: Tensor, y: Tensor) -> Tensor:
    """Mean over all entries of (softmax(logits) - one-hot)²: (S, B, K), (S, B) -> (S,)."""
    return mse(logits.softmax(-1), y)


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {"cross_entropy": cross_entropy, "softmax_mse": softmax_mse, "mse": mse}
)
