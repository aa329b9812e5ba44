"""One network of any kind behind the interface of a stack."""

import torch
from torch import Tensor, nn


class Lone(nn.Module):
    """A stack of one: convolutions fill a processor without company.

    Its parameters keep their own shapes, in channels_last, the layout in which convolutions are
    fastest; only what goes in and comes out has the stack's first dimension.

    Takes x of shape (1, batch, *shape), returns logits (1, batch, classes).
    """

    size = 1

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)

    def named(self) -> dict[str, nn.Parameter]:
        """The network's parameters under its own names."""
        return dict(self.network.named_parameters())

    def forward(self, x: Tensor, keep: list[Tensor] | None = None) -> Tensor:
        """Logits of x; nothing is kept, as there are no layers of units to look at."""
        x = x[0]
        if x.dim() == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.network(x)
        return logits[None]
