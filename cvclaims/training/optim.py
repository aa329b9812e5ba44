"""Optimisers and learning rates of a stack: torch.optim on slices of the stacked parameters."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from cvclaims.recipe import Recipe


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """The rate of an epoch, counted from 0: torch's ExponentialLR is lr * gamma ** epoch."""
    if recipe.scheduler is None:
        return recipe.lr
    if recipe.scheduler == "exponential":
        return recipe.lr * recipe.gamma**epoch
    raise ValueError(f"unknown scheduler {recipe.scheduler!r}")


class Optimizers:
    """Steps S stacked networks, each by its own recipe.

    Every optimiser here works element by element, so neighbours in the stack with the same
    settings share one `torch.optim` optimiser over a slice, and the result is that of training
    each alone. Order recipes by `settings` to get few, wide slices.
    """

    def __init__(self, parameters: Sequence[Tensor], recipes: Sequence[Recipe]) -> None:
        self._gradients = [torch.zeros_like(p) for p in parameters]
        for parameter, gradient in zip(parameters, self._gradients, strict=True):
            parameter.grad = gradient
        self._groups: list[tuple[Recipe, torch.optim.Optimizer]] = []
        start = 0
        for _, same in itertools.groupby(recipes, settings):
            group = list(same)
            stop = start + len(group)
            slices = [_slice(p, start, stop) for p in parameters]
            self._groups.append((group[0], _optimizer(group[0], slices)))
            start = stop

    def set_epoch(self, epoch: int) -> None:
        """Set every network's learning rate for an epoch, counted from 0."""
        for recipe, optimizer in self._groups:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(recipe, epoch)

    def zero_grad(self) -> None:
        """Zero the gradients in place: the slices must go on seeing the same memory."""
        torch._foreach_zero_(self._gradients)

    def step(self) -> None:
        """One update of every network."""
        for _, optimizer in self._groups:
            optimizer.step()


def settings(recipe: Recipe) -> tuple[object, ...]:
    """What has to be equal for two recipes to share an optimiser."""
    return (
        recipe.optimizer,
        recipe.lr,
        recipe.momentum,
        recipe.weight_decay,
        recipe.scheduler or "",
        recipe.gamma,
    )


def _slice(parameter: Tensor, start: int, stop: int) -> Tensor:
    view = parameter.detach()[start:stop]
    assert parameter.grad is not None
    view.grad = parameter.grad[start:stop]
    return view


def _optimizer(recipe: Recipe, parameters: list[Tensor]) -> torch.optim.Optimizer:
    decay = recipe.weight_decay
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, recipe.lr, momentum=recipe.momentum, weight_decay=decay, fused=True
        )
    if recipe.optimizer == "adam":
        return torch.optim.Adam(parameters, recipe.lr, weight_decay=decay, fused=True)
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(parameters, recipe.lr, weight_decay=decay, fused=True)
    raise ValueError(f"unknown optimizer {recipe.optimizer!r}")
