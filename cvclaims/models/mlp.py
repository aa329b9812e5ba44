"""The multi-layer perceptron, alone and as a stack of many that train side by side."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cvclaims.catalogue import ACTIVATIONS


def activation_of(
    name: str, negative_slope: float, *, inplace: bool = False
) -> Callable[[Tensor], Tensor]:
    """The elementwise function of an activation in `catalogue.ACTIVATIONS`."""
    if name == "relu":
        return torch.relu_ if inplace else torch.relu
    if name == "sigmoid":
        return torch.sigmoid_ if inplace else torch.sigmoid
    if name == "leaky_relu":
        return lambda x: F.leaky_relu(x, negative_slope, inplace)
    raise ValueError(f"unknown activation {name!r}: known are {', '.join(ACTIVATIONS)}")


class MLP(nn.Module):
    """Linear layers with an activation between them: in - hidden... - classes.

    Takes x of shape (batch, *shape), returns logits (batch, classes).
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int,
        hidden: Sequence[int],
        activation: str,
        negative_slope: float,
    ) -> None:
        super().__init__()
        widths = [math.prod(shape), *hidden, classes]
        self.layers = nn.ModuleList(
            nn.Linear(wide, narrow) for wide, narrow in itertools.pairwise(widths)
        )
        self.kind = (activation, negative_slope)
        self.activation = activation_of(*self.kind)

    def activations(self, x: Tensor) -> list[Tensor]:
        """What each hidden layer puts out for x, first layer first."""
        out = []
        x = x.flatten(1)
        for layer in list(self.layers)[:-1]:
            x = self.activation(layer(x))
            out.append(x)
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Logits of x."""
        hidden = self.activations(x)
        logits: Tensor = self.layers[-1](hidden[-1] if hidden else x.flatten(1))
        return logits


class StackedMLP(nn.Module):
    """S perceptrons of one shape as one: a batched matrix product does the work of S products.

    Small networks spend their time launching operations; a stack launches each one once. Weights
    are kept as (S, in, out), the layout in which their gradients come out of the product; torch's
    own (out, in) would cost a transposing copy each step, a third of the time. A backward pass
    writes its gradients over those of the one before, in the same memory, and adds nothing up.

    Takes x of shape (S, batch, features), returns logits (S, batch, classes).
    """

    def __init__(self, networks: Sequence[MLP]) -> None:
        super().__init__()
        self.size = len(networks)
        self.activation = activation_of(*networks[0].kind, inplace=True)
        layers = list(zip(*(list(network.layers) for network in networks), strict=True))
        self.weights = nn.ParameterList(
            torch.stack([layer.weight.detach().T for layer in same]).contiguous() for same in layers
        )
        self.biases = nn.ParameterList(
            torch.stack([layer.bias.detach()[None] for layer in same]) for same in layers
        )

    def named(self) -> dict[str, nn.Parameter]:
        """Stacked parameters under the names that each MLP gives its own."""
        named = {}
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            named[f"layers.{i}.weight"] = weight
            named[f"layers.{i}.bias"] = bias
        return named

    def forward(self, x: Tensor, keep: list[Tensor] | None = None) -> Tensor:
        """Logits of x; the hidden layers' outputs are appended to `keep`."""
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = _Linear.apply(x, weight, bias)
            if i < last:
                x = self.activation(x)
                if keep is not None:
                    keep.append(x)
        return x


class _Linear(torch.autograd.Function):
    """S linear layers at once: x (S, batch, in) times weight (S, in, out), plus bias (S, 1, out).

    autograd's own would add to the gradients of the step before, which had to be made zeros first:
    together a tenth of a step.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        # In place: small networks spend much of a step on memory.
        out = torch.bmm(x, weight).add_(bias)
        ctx.save_for_backward(x.to(out.dtype), weight, bias)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias = ctx.saved_tensors
        (gradient,) = gradients
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = torch.bmm(gradient, weight.to(gradient.dtype).mT)
        if weight.grad is None or bias.grad is None:  # autograd makes them of what is returned
            of_weight = torch.bmm(x.mT, gradient).to(weight.dtype)
            return of_x, of_weight, gradient.sum(1, keepdim=True, dtype=bias.dtype)
        if gradient.dtype == weight.dtype:
            torch.bmm(x.mT, gradient, out=weight.grad)
        else:  # under autocast
            weight.grad.copy_(torch.bmm(x.mT, gradient))
        torch.sum(gradient, 1, keepdim=True, dtype=bias.dtype, out=bias.grad)
        return of_x, None, None
