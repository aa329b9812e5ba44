"""Optimisers and learning rates of a stack: torch.optim on slices of the stacked parameters."""

import inspect
import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from cvclaims.recipe import Recipe


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """The rate of an epoch, counted from 0.

    As torch's ExponentialLR(gamma), StepLR(step_size, gamma) and CosineAnnealingLR(epochs), each
    stepped once an epoch.
    """
    if recipe.scheduler is None:
        return recipe.lr
    if recipe.scheduler == "exponential":
        return recipe.lr * recipe.gamma**epoch
    if recipe.scheduler == "step":
        assert recipe.step_size is not None
        return recipe.lr * recipe.gamma ** (epoch // recipe.step_size)
    if recipe.scheduler == "cosine":
        return recipe.lr * (1 + math.cos(math.pi * epoch / recipe.epochs)) / 2
    raise ValueError(f"unknown scheduler {recipe.scheduler!r}")


class Optimizers:
    """Steps S stacked networks, each by its own recipe.

    Every optimiser here works element by element, so neighbours in the stack with the same
    settings share one `torch.optim` optimiser over a slice, and the result is that of training
    each alone. Order recipes by `settings` to get few, wide slices.

    Args:
        parameters: of the stack, (S, ...) each; of one network in its own shapes with `lone`.
        recipes: one for each network.
        lone: the parameters are one network's, and nothing has to be cut into slices.
    """

    def __init__(
        self, parameters: Sequence[Tensor], recipes: Sequence[Recipe], *, lone: bool = False
    ) -> None:
        self._parameters = list(parameters)
        # Slices see the gradients' memory, which therefore has to stay where it is.
        self._gradients = [] if lone else [torch.zeros_like(p) for p in parameters]
        for parameter, gradient in zip(parameters, self._gradients, strict=False):
            parameter.grad = gradient
        self._groups: list[tuple[Recipe, torch.optim.Optimizer]] = []
        start = 0
        for _, same in itertools.groupby(recipes, settings):
            group = list(same)
            stop = start + len(group)
            mine = self._parameters if lone else [_slice(p, start, stop) for p in parameters]
            self._groups.append((group[0], _optimizer(group[0], mine)))
            start = stop

    def set_epoch(self, epoch: int) -> None:
        """Set every network's learning rate for an epoch, counted from 0."""
        for recipe, optimizer in self._groups:
            rate = learning_rate(recipe, epoch)
            for group in optimizer.param_groups:
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(rate)  # where a captured graph reads it
                else:
                    group["lr"] = rate

    def zero_grad(self) -> None:
        """Make the backward pass begin with no gradients."""
        if self._gradients:
            torch._foreach_zero_(self._gradients)
            return
        for parameter in self._parameters:
            parameter.grad = None  # the first gradient is written, not added to zeros

    @torch.no_grad()
    def step(self) -> None:
        """One update of every network."""
        for _, optimizer in self._groups:
            optimizer.step()

    @torch.no_grad()
    def forget(self) -> None:
        """Set moments and step counts to 0, in place: what they are before the first step."""
        for _, optimizer in self._groups:
            for state in optimizer.state.values():
                for value in state.values():
                    if isinstance(value, Tensor):
                        value.zero_()


def settings(recipe: Recipe) -> tuple[object, ...]:
    """What has to be equal for two recipes to share an optimiser."""
    return (
        recipe.optimizer,
        recipe.lr,
        recipe.momentum,
        recipe.weight_decay,
        recipe.scheduler or "",
        recipe.gamma,
        recipe.step_size or 0,
    )


def _slice(parameter: Tensor, start: int, stop: int) -> Tensor:
    view = parameter.detach()[start:stop]
    assert parameter.grad is not None
    view.grad = parameter.grad[start:stop]
    return view


class _Uncompiled(torch.optim.Optimizer):
    """Steps that nothing compiles, without importing what would compile them.

    torch wraps these methods so that the first optimiser of a process imports `torch._dynamo`:
    850 modules, and one to two seconds in every worker. The wrapper of `step` also turns gradients
    off, which `Optimizers.step` does instead.
    """

    add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)


class _SGD(_Uncompiled, torch.optim.SGD):
    step = inspect.unwrap(torch.optim.SGD.step)


class _Adam(_Uncompiled, torch.optim.Adam):
    step = inspect.unwrap(torch.optim.Adam.step)


class _AdamW(_Uncompiled, torch.optim.AdamW):
    step = inspect.unwrap(torch.optim.AdamW.step)


def _optimizer(recipe: Recipe, parameters: list[Tensor]) -> torch.optim.Optimizer:
    device, decay = parameters[0].device, recipe.weight_decay
    # On the device the rate can change without capturing the step anew.
    rate = torch.tensor(recipe.lr, device=device) if device.type == "cuda" else recipe.lr
    if recipe.optimizer == "sgd":
        return _SGD(parameters, rate, momentum=recipe.momentum, weight_decay=decay, fused=True)
    capturable = device.type == "cuda"
    if recipe.optimizer == "adam":
        return _Adam(parameters, rate, weight_decay=decay, fused=True, capturable=capturable)
    if recipe.optimizer == "adamw":
        return _AdamW(parameters, rate, weight_decay=decay, fused=True, capturable=capturable)
    raise ValueError(f"unknown optimizer {recipe.optimizer!r}")
