"""The training loop: data on the device, one stack of networks, no reading back inside an epoch."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cvclaims.data.dataset import Dataset
from cvclaims.models import StackedMLP, build_for, stack
from cvclaims.recipe import Recipe
from cvclaims.seeds import stream
from cvclaims.training.losses import LOSSES
from cvclaims.training.optim import Optimizers, learning_rate, settings
from cvclaims.training.probes import Gradients, Units, boundary, histograms

TEST_BATCH = 2_000

# Called after each epoch with (epoch from 1, epochs, test accuracy of each network, images/s).
Progress = Callable[[int, int, list[float], float], None]


@dataclass(frozen=True)
class Trained:
    """What training gave, before it is known where it ran: see `records.Record`."""

    status: str
    curves: dict[str, list[float]]
    class_accuracy: list[float]
    probes: dict[str, Any]
    parameters: int
    images_per_second: float


def stackable(recipe: Recipe) -> Recipe:
    """Recipes that are equal under this can train in one stack: they differ in the update only."""
    plain = {"optimizer": "sgd", "lr": 1.0, "momentum": 0.0, "weight_decay": 0.0}
    return recipe.but(scheduler=None, gamma=1.0, assumed=(), **plain)


def train(
    runs: Sequence[tuple[Recipe, int]],
    data: Dataset,
    device: torch.device,
    progress: Progress | None = None,
) -> list[Trained]:
    """Train every (recipe, seed) of `runs` side by side; results come in the order of `runs`.

    All recipes have to be equal under `stackable`. Each network has its own initialisation and
    order of samples, from its own seed, so it learns what it would learn alone (up to float
    rounding: the products run in batches).
    """
    if len({stackable(recipe) for recipe, _ in runs}) != 1:
        raise ValueError("these recipes cannot train in one stack: they differ in more than rates")
    # Equal optimiser settings side by side make few, wide optimiser steps.
    order = sorted(range(len(runs)), key=lambda i: repr(settings(runs[i][0])))
    with _denormals_flushed():
        session = _Session([runs[i] for i in order], data, device)
        session.run(progress)
        results = session.results()
    return [results[order.index(i)] for i in range(len(runs))]


@contextmanager
def _denormals_flushed() -> Iterator[None]:
    """Take numbers below 1e-38 for 0 on the CPU.

    The moments that Adam keeps of a dead unit shrink to denormal numbers and stay there, and each
    step on those takes the processor some twenty times as long.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)  # torch's default; others in this process count on it


class _Session:
    """The state of one stack in training."""

    def __init__(
        self, runs: Sequence[tuple[Recipe, int]], data: Dataset, device: torch.device
    ) -> None:
        self.recipes = [recipe for recipe, _ in runs]
        self.recipe = self.recipes[0]
        self.data = data.subset(self.recipe.train_size, self.recipe.test_size).to(device)
        self.device = device
        self.stack: StackedMLP = stack([build_for(r, s) for r, s in runs]).to(device)
        self.loss = LOSSES[self.recipe.loss]
        self.optimizers = Optimizers(list(self.stack.named().values()), self.recipes)
        self.orders = [torch.Generator().manual_seed(stream(s, "order")) for _, s in runs]
        self.gradients = Gradients(self.stack)
        self.units = Units(self.stack) if "units" in self.recipe.probes else None
        # (epochs, 4, S): train loss and accuracy, test loss and accuracy.
        self.metrics: list[Tensor] = []
        self.seconds: list[float] = []
        self.class_accuracy = torch.zeros(0)

    def run(self, progress: Progress | None) -> None:
        """All epochs, or until every network has diverged."""
        for epoch in range(self.recipe.epochs):
            start = time.perf_counter()
            self.optimizers.set_epoch(epoch)
            trained = self._train_epoch()
            # Read back once an epoch; also waits for the device, so the clock below is honest.
            self.metrics.append(torch.cat([trained, self._evaluate()]).cpu())
            self.seconds.append(time.perf_counter() - start)
            if progress is not None:
                rate = self.stack.size * len(self.data.train_x) / self.seconds[-1]
                progress(epoch + 1, self.recipe.epochs, self.metrics[-1][3].tolist(), rate)
            if not torch.stack(self.metrics)[:, 0].isfinite().all(0).any():
                break

    def _train_epoch(self) -> Tensor:
        """One pass over the training data; returns loss and accuracy, (2, S)."""
        samples = len(self.data.train_x)
        batch = self.recipe.batch_size or samples
        order = self._order() if batch < samples else None
        sums = torch.zeros(2, self.stack.size, device=self.device)
        for start in range(0, samples, batch):
            x, y = self._batch(order, start, min(start + batch, samples))
            kept: list[Tensor] | None = [] if self.units else None
            logits = self.stack(x, kept)
            losses = self.loss(logits, y)
            self.optimizers.zero_grad()
            # The networks share nothing, so the gradient of the sum is each one's own gradient.
            torch.autograd.backward(losses.sum())
            self.gradients.after_backward()
            if self.units and kept:
                self.units.after_backward(kept)
            self.optimizers.step()
            sums[0] += losses.detach() * y.shape[1]
            sums[1] += (logits.detach().argmax(2) == y).sum(1)
        self.gradients.after_epoch()
        if self.units:
            self.units.after_epoch()
        return sums / samples

    def _order(self) -> Tensor:
        """Every network's order of the training samples for one epoch, (S, samples)."""
        samples = len(self.data.train_x)
        return torch.stack([torch.randperm(samples, generator=g) for g in self.orders]).to(
            self.device
        )

    def _batch(self, order: Tensor | None, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Inputs (S, batch, features) and labels (S, batch) of one step."""
        size = self.stack.size
        if order is None:  # the whole set at once: order means nothing
            x = self.data.normalise(self.data.train_x).flatten(1)
            return x.expand(size, *x.shape), self.data.train_y.expand(size, -1)
        index = order[:, start:stop].flatten()
        x = self.data.normalise(self.data.train_x.index_select(0, index))
        y = self.data.train_y.index_select(0, index)
        return x.view(size, stop - start, -1), y.view(size, stop - start)

    @torch.no_grad()
    def _evaluate(self) -> Tensor:
        """Loss and accuracy on the test data, (2, S); keeps the accuracy of each class."""
        size, classes = self.stack.size, len(self.data.classes)
        loss = torch.zeros(size, device=self.device)
        right = torch.zeros(size, classes, device=self.device)
        for x, y in zip(
            torch.split(self.data.test_x, TEST_BATCH),
            torch.split(self.data.test_y, TEST_BATCH),
            strict=True,
        ):
            x = self.data.normalise(x).flatten(1)
            labels = y.expand(size, -1)
            logits = self.stack(x.expand(size, *x.shape))
            loss += self.loss(logits, labels) * len(y)
            right.scatter_add_(1, labels, (logits.argmax(2) == labels).float())
        total = torch.bincount(self.data.test_y, minlength=classes)
        # A small test subset may lack a class: it has no accuracy, and none is made up.
        self.class_accuracy = (right / total).cpu()
        return torch.stack([loss, right.sum(1)]) / len(self.data.test_x)

    def results(self) -> list[Trained]:
        """Each network's outcome; one whose loss stopped being finite ends there as diverged."""
        metrics = torch.stack(self.metrics)
        parameters = sum(p[0].numel() for p in self.stack.named().values())
        return [
            self._result(i, recipe, metrics[:, :, i], parameters)
            for i, recipe in enumerate(self.recipes)
        ]

    def _result(self, i: int, recipe: Recipe, metrics: Tensor, parameters: int) -> Trained:
        finite = metrics[:, 0].isfinite().tolist()
        diverged = False in finite
        epochs = finite.index(False) + 1 if diverged else len(finite)
        names = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
        curves = dict(zip(names, metrics[:epochs].T.tolist(), strict=True))
        curves["lr"] = [learning_rate(recipe, epoch) for epoch in range(epochs)]
        curves["seconds"] = self.seconds[:epochs]
        probes = self.gradients.result(i, epochs)
        if self.units:
            probes |= self.units.result(i, epochs)
            probes |= histograms(self.stack, self.data, i)
        if "boundary" in recipe.probes and not diverged:
            probes |= boundary(self.stack, self.data, i)
        seen = self.stack.size * len(self.data.train_x) * len(self.seconds)
        return Trained(
            status="diverged" if diverged else "finished",
            curves=curves,
            class_accuracy=self.class_accuracy[i].tolist(),
            probes=probes,
            parameters=parameters,
            images_per_second=seen / math.fsum(self.seconds),
        )
