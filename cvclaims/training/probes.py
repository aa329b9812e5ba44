"""What is recorded of a network while it trains, for each network of a stack.

Probes read what a training step computed anyway: gradients after the backward pass, activations
of the forward pass. They add up on the device and are read once an epoch.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from cvclaims.data.dataset import Dataset
from cvclaims.models import Lone, StackedMLP
from cvclaims.training.graph import put

HISTOGRAM_BINS = 40
BOUNDARY_GRID = 60
# Activation histograms look at this many training samples at most.
HISTOGRAM_SAMPLES = 10_000
# A norm from which on the squares that underflow in float32 (below 1e-38 each) do not count.
FAINT = 1e-15


class Gradients:
    """Gradient norms, per parameter and of all parameters together.

    `gradient_norms[name]` and `gradient_norm`: the mean over an epoch's steps of the L2 norm of
    one parameter's gradient, and of the whole gradient. `gradient_mean_abs`: at the epoch's last
    step, the mean over parameters of mean |gradient| (report 5's "gradient magnitude").
    """

    def __init__(self, networks: StackedMLP | Lone) -> None:
        self._parameters = networks.named()
        self._lone = isinstance(networks, Lone)
        device = next(iter(self._parameters.values())).device
        # The squares of a vanished gradient underflow in float32; deep networks have such. Apple's
        # GPUs know no float64.
        wide = self._lone and device.type != "mps"
        self._dtype = torch.float64 if wide else torch.float32
        shape = len(self._parameters) + 1, networks.size
        self.sum = torch.zeros(shape, device=device, dtype=self._dtype)
        self._epochs: list[Tensor] = []

    def state(self) -> dict[str, Any]:
        """What was counted so far."""
        return {"sum": self.sum, "epochs": self._epochs}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on counting from `state`."""
        self.sum.copy_(state["sum"])
        self._epochs = [epoch.to(self.sum.device) for epoch in state["epochs"]]

    def after_backward(self) -> None:
        """Add one step's norms."""
        norms = self._norms()
        self.sum[:-1] += norms
        self.sum[-1] += torch.linalg.vector_norm(norms, dim=0)

    def after_epoch(self, steps: int) -> None:
        """Close an epoch of so many steps."""
        if self._lone:
            means = [g.abs().mean()[None] for g in self._gradients()]
        else:
            means = [g.abs().mean((1, 2)) for g in self._gradients()]
        size = torch.stack(means).mean(0).to(self.sum.dtype)
        self._epochs.append(torch.cat([self.sum / steps, size[None]]))
        self.sum.zero_()

    def result(self, network: int, epochs: int) -> dict[str, Any]:
        """The probes of one network over its first `epochs` epochs."""
        rows = torch.stack(self._epochs[:epochs])[:, :, network].T.tolist()
        *per_parameter, total, size = rows
        return {
            "gradient_norm": total,
            "gradient_norms": dict(zip(self._parameters, per_parameter, strict=True)),
            "gradient_mean_abs": size,
        }

    def _norms(self) -> Tensor:
        """(parameters, S)."""
        gradients = self._gradients()
        if not self._lone:
            return torch.stack([torch.linalg.vector_norm(g, dim=(1, 2)) for g in gradients])
        if self.sum.device.type != "cpu":
            return torch.stack(torch._foreach_norm(gradients, 2, self._dtype))[:, None]
        # A CPU would first copy each gradient to float64; those alone need it whose squares do not
        # fit float32.
        norms = torch.stack(torch._foreach_norm(gradients)).to(self._dtype)
        fits = norms.gt(FAINT) & norms.isfinite()
        for i in fits.logical_not().nonzero().flatten().tolist():
            norms[i] = torch.linalg.vector_norm(gradients[i], dtype=self._dtype)
        return norms[:, None]

    def _gradients(self) -> list[Tensor]:
        gradients = [p.grad for p in self._parameters.values()]
        assert all(g is not None for g in gradients)
        return [g for g in gradients if g is not None]


class Units:
    """Hidden units that do nothing, per layer and epoch, by two definitions.

    `non_positive`: the share of activations ≤ 0 over units and training samples (what report 5
    calls its dead ratio). `dead`: the share of units whose output and whose gradient were zero
    for every training sample of the epoch. A unit's gradient is read off the gradients of its
    own weights and bias: these are zero in every batch only if it is zero for every sample.
    """

    def __init__(self, stack: StackedMLP) -> None:
        self._layers = list(zip(stack.weights, stack.biases, strict=True))[:-1]
        widths = [(stack.size, weight.shape[2]) for weight, _ in self._layers]
        device = stack.weights[0].device
        # Written in place, where a captured graph finds them.
        self.below = [torch.zeros(stack.size, device=device) for _ in widths]
        self.alive = [torch.zeros(w, dtype=torch.bool, device=device) for w in widths]
        self._epochs: list[Tensor] = []

    def state(self) -> dict[str, Any]:
        """What was counted so far."""
        return {"below": self.below, "alive": self.alive, "epochs": self._epochs}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on counting from `state`."""
        put([*state["below"], *state["alive"]], [*self.below, *self.alive])
        self._epochs = [epoch.to(self.below[0].device) for epoch in state["epochs"]]

    def after_backward(self, activations: list[Tensor]) -> None:
        """Add one step; `activations` are (S, batch, units), one a hidden layer."""
        layers = zip(activations, self._layers, self.below, self.alive, strict=True)
        for a, (weight, bias), below, alive in layers:
            assert weight.grad is not None
            assert bias.grad is not None
            below += (a.detach() <= 0).float().mean(2).sum(1)
            moved = weight.grad.ne(0).any(1) | bias.grad.ne(0).any(1)
            alive |= a.detach().ne(0).any(1) | moved

    def after_epoch(self, samples: int) -> None:
        """Close an epoch of so many samples."""
        below = torch.stack(self.below) / samples
        dead = torch.stack([1 - alive.float().mean(1) for alive in self.alive])
        self._epochs.append(torch.stack([below, dead]))
        self.forget()

    def forget(self) -> None:
        """Begin an epoch."""
        for total in (*self.below, *self.alive):
            total.zero_()

    def result(self, network: int, epochs: int) -> dict[str, Any]:
        """The probes of one network over its first `epochs` epochs."""
        below, dead = torch.stack(self._epochs[:epochs])[..., network].permute(1, 2, 0).tolist()
        layers = [f"layer{i + 1}" for i in range(len(below))]
        return {
            "non_positive": dict(zip(layers, below, strict=True)),
            "dead": dict(zip(layers, dead, strict=True)),
        }


@torch.no_grad()
def histograms(stack: StackedMLP, data: Dataset, network: int) -> Mapping[str, Any]:
    """Each hidden layer's outputs over training samples, after the last epoch.

    `edges` has one entry more than `counts`, which sum to 1.
    """
    x = data.normalise(data.train_x[:HISTOGRAM_SAMPLES]).flatten(1)
    kept: list[Tensor] = []
    stack(x.expand(stack.size, *x.shape), kept)
    result = {}
    for i, activations in enumerate(kept):
        values = activations[network].float().flatten().cpu()
        if not values.isfinite().all():
            continue  # a diverged network has no histogram to show
        counts, edges = torch.histogram(values, HISTOGRAM_BINS)
        result[f"layer{i + 1}"] = {
            "edges": edges.tolist(),
            "counts": (counts / counts.sum()).tolist(),
        }
    return {"histograms": result}


@torch.no_grad()
def boundary(stack: StackedMLP, data: Dataset, network: int) -> Mapping[str, Any]:
    """P(class 1) over a grid around the data: row by row, y and x ascending."""
    points = torch.cat([data.train_x, data.test_x])
    low, high = points.amin(0) - 0.5, points.amax(0) + 0.5
    xs, ys = (
        torch.linspace(lo, hi, BOUNDARY_GRID)
        for lo, hi in zip(low.tolist(), high.tolist(), strict=True)
    )
    grid = torch.cartesian_prod(ys, xs).flip(1).to(points.device)
    logits = stack(grid.expand(stack.size, *grid.shape))[network]
    probability = logits.softmax(1)[:, 1].view(BOUNDARY_GRID, BOUNDARY_GRID)
    shown = [[round(p, 3) for p in row] for row in probability.tolist()]
    return {
        "boundary": {
            "x": [low[0].item(), high[0].item()],
            "y": [low[1].item(), high[1].item()],
            "probability": shown,
        }
    }
