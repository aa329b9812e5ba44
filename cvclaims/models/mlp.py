"""The multi-layer perceptron, alone and as a stack of many that train side by side."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cvclaims.specs import ACTIVATIONS

# (gradient by an activation's output, that output) -> gradient by its input, in the first's memory.
ActivationGradient: TypeAlias = Callable[[Tensor, Tensor], Tensor]


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


def activation_gradient_of(name: str, negative_slope: float) -> ActivationGradient:
    """What back-propagation does at an activation in `catalogue.ACTIVATIONS`; torch's kernels."""
    aten = torch.ops.aten
    if name == "relu":
        return lambda g, out: aten.threshold_backward.grad_input(g, out, 0, grad_input=g)
    if name == "sigmoid":
        return lambda g, out: aten.sigmoid_backward.grad_input(g, out, grad_input=g)
    if name == "leaky_relu":
        leaky = aten.leaky_relu_backward.grad_input
        return lambda g, out: leaky(g, out, negative_slope, True, grad_input=g)
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
    own (out, in) would cost a transposing copy each step, a third of the time. autograd is left out
    for the same reason: it would fill the gradients' memory with zeros, add to it, and take a step
    of its own for each operation, together a quarter of the time.

    Takes x of shape (S, batch, features), returns logits (S, batch, classes).
    """

    def __init__(self, networks: Sequence[MLP]) -> None:
        super().__init__()
        self.size = len(networks)
        self.activation = activation_of(*networks[0].kind, inplace=True)
        self.activation_gradient = activation_gradient_of(*networks[0].kind)
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

    @torch.no_grad()
    def forward(self, x: Tensor, keep: list[Tensor] | None = None) -> Tensor:
        """Logits of x, without autograd; the hidden layers' outputs are appended to `keep`."""
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            # In place: small networks spend much of a step on memory.
            x = torch.bmm(x, weight).add_(bias)
            if i < last:
                x = self.activation(x)
                if keep is not None:
                    keep.append(x)
        return x

    @torch.no_grad()
    def backward(self, x: Tensor, hidden: Sequence[Tensor], gradient: Tensor) -> None:
        """Back-propagation: write each parameter's `grad` over the last one, in the same memory.

        Args:
            x: what `forward` took.
            hidden: what `forward` kept.
            gradient: of the networks' losses by their logits, (S, batch, classes), in their dtype,
                which all products take: bfloat16 after a forward pass under autocast.
        """
        layers = list(zip(self.weights, self.biases, [x, *hidden], strict=True))
        for i, (weight, bias, x) in reversed(list(enumerate(layers))):
            if weight.grad is None or bias.grad is None:
                weight.grad, bias.grad = torch.empty_like(weight), torch.empty_like(bias)
            if gradient.dtype == weight.dtype:
                torch.bmm(x.mT, gradient, out=weight.grad)
            else:
                weight.grad.copy_(torch.bmm(x.mT.to(gradient.dtype), gradient))
            torch.sum(gradient, 1, keepdim=True, dtype=bias.dtype, out=bias.grad)
            if i:
                gradient = torch.bmm(gradient, weight.mT.to(gradient.dtype))
                self.activation_gradient(gradient, x)
