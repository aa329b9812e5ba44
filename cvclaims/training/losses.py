"""The losses of recipes, for a stack of networks at once."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy over the batch: (S, B, K), (S, B) -> (S,)."""
    # With the classes last, a CPU takes five times as long: there are few, and it cannot run along
    # many samples of each at once.
    classes_first = logits.permute(2, 0, 1)
    return F.cross_entropy(classes_first[None], y[None], reduction="none")[0].mean(1)


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
