"""The multi-layer perceptron, alone and as a stack of many that train side by side."""

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cvclaims.specs import ACTIVATIONS


def activation_of(name: str, negative_slope: float) -> Callable[[Tensor], Tensor]:
    """The elementwise function of an activation in `specs.ACTIVATIONS`."""
    if name == "relu":
        return torch.relu
    if name == "sigmoid":
        return torch.sigmoid
    if name == "leaky_relu":
        return lambda x: F.leaky_relu(x, negative_slope)
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
    own (out, in) would cost a transposing copy each step, a third of the time.

    Takes x of shape (S, batch, features), returns logits (S, batch, classes).
    """

    def __init__(self, networks: Sequence[MLP]) -> None:
        super().__init__()
        self.size = len(networks)
        self.activation = activation_of(*networks[0].kind)
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
            product = torch.bmm(x, weight)
            # Under autocast products are bfloat16; biases and their gradients stay float32.
            x = (product + bias).to(product.dtype)
            if i < last:
                x = self.activation(x)
                if keep is not None:
                    keep.append(x)
        return x
