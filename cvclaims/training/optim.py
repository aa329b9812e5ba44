"""Optimisers and learning rates of a stack: torch's own on slices of stacked parameters."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from cvclaims.recipe import Recipe

ADAM: Mapping[str, Callable[..., None]] = MappingProxyType({"adam": adam, "adamw": adamw})


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """The rate of an epoch, counted from 0.

    As torch's ExponentialLR(gamma), StepLR(step_size, gamma) and CosineAnnealingLR(epochs -
    warmup), each stepped once an epoch, after a warm-up as by LinearLR: see `Recipe.warmup`.
    """
    if epoch < recipe.warmup:
        return recipe.lr * (epoch + 1) / (recipe.warmup + 1)
    epoch, epochs = epoch - recipe.warmup, recipe.epochs - recipe.warmup
    if recipe.scheduler is None:
        return recipe.lr
    if recipe.scheduler == "exponential":
        return recipe.lr * recipe.gamma**epoch
    if recipe.scheduler == "step":
        assert recipe.step_size is not None
        return recipe.lr * recipe.gamma ** (epoch // recipe.step_size)
    if recipe.scheduler == "cosine":
        return recipe.lr * (1 + math.cos(math.pi * epoch / epochs)) / 2
    raise ValueError(f"unknown scheduler {recipe.scheduler!r}")


class Optimizers:
    """Steps S stacked networks, each by its own recipe.

    Every optimiser here works element by element, so neighbours in the stack with the same
    settings share one update of a slice, and the result is that of training each alone. Order
    recipes by `settings` to get few, wide slices.

    Args:
        parameters: of the stack, (S, ...) each; of one network in its own shapes with `lone`.
        recipes: one for each network.
        lone: the parameters are one network's, and nothing has to be cut into slices.
    """

    def __init__(
        self, parameters: Sequence[Tensor], recipes: Sequence[Recipe], *, lone: bool = False
    ) -> None:
        self._parameters = list(parameters)
        self._lone = lone
        if not lone:
            # Slices see the gradients' memory, which therefore has to stay where it is.
            for parameter in parameters:
                parameter.grad = torch.zeros_like(parameter)
        self._updates: list[_Update] = []
        start = 0
        for _, same in itertools.groupby(recipes, settings):
            group = list(same)
            stop = start + len(group)
            mine = self._parameters if lone else [_slice(p, start, stop) for p in parameters]
            self._updates.append(_Update(group[0], mine))
            start = stop

    def set_epoch(self, epoch: int) -> None:
        """Set every network's learning rate for an epoch, counted from 0."""
        for update in self._updates:
            update.set_rate(learning_rate(update.recipe, epoch))

    def zero_grad(self) -> None:
        """Make the backward pass begin with no gradients; a stack's stay in the same memory."""
        if not self._lone:
            torch._foreach_zero_([p.grad for p in self._parameters if p.grad is not None])
            return
        for parameter in self._parameters:
            parameter.grad = None  # the first gradient is written, not added to zeros

    @torch.no_grad()
    def step(self) -> None:
        """One update of every network."""
        for update in self._updates:
            update.step()

    @property
    def state(self) -> list[Tensor]:
        """Moments and step counts: with the parameters, all that an update goes on from."""
        return [tensor for update in self._updates for tensor in update.state]

    @torch.no_grad()
    def forget(self) -> None:
        """Set moments and step counts to 0, in place: what they are before the first step."""
        torch._foreach_zero_(self.state)


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
        recipe.warmup,
    )


def _slice(parameter: Tensor, start: int, stop: int) -> Tensor:
    view = parameter.detach()[start:stop]
    assert parameter.grad is not None
    view.grad = parameter.grad[start:stop]
    return view


class _Update:
    """One recipe's optimiser over some parameters: torch.optim's function, and what it keeps.

    Not its class, whose first one imports `torch._dynamo`: 850 modules, one to two seconds in every
    process.
    """

    def __init__(self, recipe: Recipe, parameters: Sequence[Tensor]) -> None:
        self.recipe = recipe
        self._parameters = list(parameters)
        device = parameters[0].device
        # On the device the rate can change without capturing the step anew.
        on_device = device.type == "cuda"
        self._rate = torch.tensor(recipe.lr, device=device) if on_device else recipe.lr
        moments = int(recipe.momentum > 0) if recipe.optimizer == "sgd" else 2
        self._moments = [[torch.zeros_like(p) for p in parameters] for _ in range(moments)]
        # torch counts the steps of each parameter: here all in one tensor's memory.
        self._steps = torch.zeros(len(parameters), device=device)
        self._counts = list(self._steps)

    def set_rate(self, rate: float) -> None:
        """Set the learning rate."""
        if isinstance(self._rate, Tensor):
            self._rate.fill_(rate)  # where a captured graph reads it
        else:
            self._rate = rate

    def step(self) -> None:
        """Update the parameters by their gradients."""
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        assert len(gradients) == len(self._parameters)  # the kernels take them pair by pair
        if self.recipe.optimizer == "sgd":
            self._sgd(gradients)
        else:
            self._adam(gradients)

    @property
    def state(self) -> list[Tensor]:
        """Step count and moments."""
        return [self._steps, *itertools.chain(*self._moments)]

    def _sgd(self, gradients: list[Tensor]) -> None:
        # Moments of zeros, to which the first gradient is added: as torch's, which copies it.
        none: list[Tensor | None] = [None] * len(gradients)
        moments: list[Tensor | None] = [*self._moments[0]] if self._moments else none
        sgd(
            self._parameters,
            gradients,
            moments,
            fused=True,
            lr=self._rate,
            momentum=self.recipe.momentum,
            weight_decay=self.recipe.weight_decay,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )

    def _adam(self, gradients: list[Tensor]) -> None:
        # With torch.optim's own defaults.
        ADAM[self.recipe.optimizer](
            self._parameters,
            gradients,
            *self._moments,
            [],
            self._counts,
            fused=True,
            lr=self._rate,
            beta1=0.9,
            beta2=0.999,
            weight_decay=self.recipe.weight_decay,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )
