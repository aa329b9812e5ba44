"""Training from the first epoch to the last, and what is kept of it."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cvclaims.data.dataset import Dataset
from cvclaims.models import Lone, stacks
from cvclaims.recipe import Recipe
from cvclaims.specs import MetricSpec
from cvclaims.training.checkpoint import Checkpoint
from cvclaims.training.graph import Kept, put
from cvclaims.training.memory import FULL, peak_of, ran_out_of_memory, too_large
from cvclaims.training.optim import learning_rate, settings
from cvclaims.training.probes import boundary, histograms
from cvclaims.training.session import Session

# Called after each epoch and beside each checkpoint; returns the seconds that it took.
Pause = Callable[[], float]
# Called after each epoch with (epoch from 1, epochs, test accuracy of each network, images/s).
Progress = Callable[[int, int, list[float], float], None]


@dataclass(frozen=True)
class Trained:
    """What training gave, before it is known where it ran: see `records.Record`."""

    status: str
    curves: dict[str, list[float]]
    class_accuracy: list[float]
    probes: dict[str, Any]
    numbers: dict[str, float]
    precision: str = "fp32"


def stackable(recipe: Recipe) -> Recipe:
    """Recipes that are equal under this can train in one stack: they differ in the update only."""
    plain = {"optimizer": "sgd", "lr": 1.0, "momentum": 0.0, "weight_decay": 0.0}
    return recipe.but(scheduler=None, gamma=1.0, step_size=None, warmup=0, assumed=(), **plain)


def train(
    runs: Sequence[tuple[Recipe, int]],
    data: Dataset,
    device: torch.device,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
    pause: Pause = lambda: 0.0,
    *,
    alone: bool = True,
) -> list[Trained]:
    """Train every (recipe, seed) of `runs` side by side; results come in the order of `runs`.

    All recipes have to be equal under `stackable`. Each network has its own initialisation and
    order of samples, from its own seed, so it learns what it would learn alone (up to float
    rounding: the products run in batches). With a `checkpoint` it goes on from what that holds,
    and saves there now and then; where it could save it calls `pause`, whose time is not counted,
    and so it does after each epoch. Raises torch.OutOfMemoryError where memory does not suffice
    beside others, and TooLargeError where it does not though the device is had `alone`.
    """
    if len({stackable(recipe) for recipe, _ in runs}) != 1:
        raise ValueError("these recipes cannot train in one stack: they differ in more than rates")
    if len(runs) > 1 and not stacks(runs[0][0]):
        raise ValueError(
            "these recipes cannot train in one stack: each stops when it will, or has convolutions"
        )
    # Equal optimiser settings side by side make few, wide optimiser steps.
    order = sorted(range(len(runs)), key=lambda i: repr(settings(runs[i][0])))
    ordered = [runs[i] for i in order]
    try:
        results = _trained(ordered, data, device, progress, checkpoint, pause)
    except RuntimeError as error:
        if not ran_out_of_memory(error):
            raise
        results = None
    # Outside of that block, so that the error's frames no longer hold what filled memory.
    if results is None:
        raise too_large(ordered, data, device) if alone else torch.OutOfMemoryError(FULL)
    return [results[order.index(i)] for i in range(len(runs))]


def _trained(
    runs: Sequence[tuple[Recipe, int]],
    data: Dataset,
    device: torch.device,
    progress: Progress | None,
    checkpoint: Checkpoint | None,
    pause: Pause,
) -> list[Trained]:
    session = Session(runs, data, device)
    with session.running():
        return _Epochs(session, checkpoint, pause).run(progress)


class _Clock:
    """The seconds since it was made, and `before`."""

    def __init__(self, before: float = 0.0) -> None:
        self._start = time.perf_counter() - before

    def seconds(self) -> float:
        """How many they are."""
        return time.perf_counter() - self._start

    def skip(self, seconds: float) -> None:
        """Leave so many out."""
        self._start += seconds


class _Epochs:
    """The epochs of a session and what they measured."""

    def __init__(
        self,
        session: Session,
        checkpoint: Checkpoint | None = None,
        pause: Pause = lambda: 0.0,
    ) -> None:
        self.session = session
        self.checkpoint = checkpoint
        self.pause = pause
        # (4, S) an epoch: train loss and accuracy, test loss and accuracy.
        self.metrics: list[Tensor] = []
        self.seconds: list[float] = []
        # The monitored loss of each epoch, and what was learned where it was lowest.
        self.monitored: list[float] = []
        self.best: Kept | None = None
        # Accuracy on the training images as they are, once all epochs are over.
        self.evaluated: list[float] = []
        # Of a GPU; how much of a processor's memory a run takes nobody can tell.
        self.peak = peak_of(session.device)
        # Since the present epoch began, what an earlier process spent on it included.
        self._clock = _Clock()

    def state(self) -> dict[str, Any]:
        """All that the epochs go on from, and the session with them."""
        return {
            "session": self.session.state(),
            "metrics": self.metrics,
            "seconds": self.seconds,
            "monitored": self.monitored,
            "best": self.best.copies if self.best is not None else None,
            "elapsed": self._clock.seconds(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`."""
        self.session.restore(state["session"])
        self.metrics, self.seconds = state["metrics"], state["seconds"]
        self.monitored = state["monitored"]
        if state["best"] is not None:
            self.best = self.session.learned()
            put(state["best"], self.best.copies)
        self._clock = _Clock(state["elapsed"])

    def _take_up(self) -> None:
        """Go on from the checkpoint, where there is one that holds these runs."""
        state = self.checkpoint.load() if self.checkpoint is not None else None
        if self.checkpoint is not None and state is not None:
            self.restore(state)
            self.checkpoint.resumed = len(self.seconds)

    def _save(self) -> None:
        if self.checkpoint is not None and self.checkpoint.due():
            self.checkpoint.save(self.state())
            self._clock.skip(self.pause())

    def run(self, progress: Progress | None) -> list[Trained]:
        """All epochs, or until the recipe stops or every network has diverged; their outcomes."""
        session, epochs = self.session, self.session.recipe.epochs
        samples = session.networks.size * session.batches.samples
        self._take_up()
        for epoch in range(len(self.metrics), epochs):
            session.optimizers.set_epoch(epoch)
            trained = session.train_epoch(self._save)
            # Read back once an epoch; also waits for the device, so the clock below is honest.
            self.metrics.append(torch.cat([trained, session.test()]).cpu())
            session.check_epoch()
            self.seconds.append(self._clock.seconds())
            self._clock = _Clock()
            if progress is not None:
                accuracy = self.metrics[-1][3].tolist()
                progress(epoch + 1, epochs, accuracy, samples / self.seconds[-1])
            if not torch.stack(self.metrics)[:, 0].isfinite().all(0).any() or self._stops():
                break
            if epoch + 1 < epochs:  # what the last epoch's test found is not kept
                self._save()
                self._clock.skip(self.pause())
        if self.best is not None:
            self.best.restore()
            session.test()
        return self._results()

    def _stops(self) -> bool:
        """Whether the monitored loss has not fallen for too long; keeps the best epoch's state."""
        patience = self.session.recipe.patience
        if patience is None:
            return False
        (loss,) = self.session.monitored().tolist()
        now = loss if math.isfinite(loss) else math.inf
        if all(now < before for before in self.monitored):
            self.best = self.session.learned()
        self.monitored.append(now)
        return len(self.monitored) - 1 - self.monitored.index(min(self.monitored)) >= patience

    def _results(self) -> list[Trained]:
        """Each network's outcome; one whose loss stopped being finite ends there as diverged."""
        session = self.session
        metrics, class_accuracy = torch.stack(self.metrics), session.class_accuracy().cpu()
        own = self._own_metrics()
        if "evaluated_train_accuracy" in session.recipe.probes:
            self.evaluated = session.evaluated_train_accuracy().tolist()
        return [
            self._result(i, recipe, metrics[:, :, i], class_accuracy[i].tolist(), own[i])
            for i, recipe in enumerate(session.recipes)
        ]

    def _result(
        self,
        i: int,
        recipe: Recipe,
        metrics: Tensor,
        class_accuracy: list[float],
        own: Mapping[str, float],
    ) -> Trained:
        session = self.session
        finite = metrics[:, 0].isfinite().tolist()
        diverged = False in finite
        epochs = finite.index(False) + 1 if diverged else len(finite)
        names = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
        curves = dict(zip(names, metrics[:epochs].T.tolist(), strict=True))
        if not recipe.class_names:  # numbers are predicted, and none is right or wrong
            curves = {name: curve for name, curve in curves.items() if "accuracy" not in name}
        curves["lr"] = [learning_rate(recipe, epoch) for epoch in range(epochs)]
        curves["seconds"] = self.seconds[:epochs]
        seen = session.networks.size * session.batches.samples * len(self.seconds)
        return Trained(
            status="diverged" if diverged else "finished",
            curves=curves,
            class_accuracy=class_accuracy,
            probes=self._probes(i, recipe, epochs, diverged=diverged),
            numbers={
                "parameters": _parameters(session),
                "images_per_second": seen / math.fsum(self.seconds),
                **own,
            },
            precision=session.precision,
        )

    def _own_metrics(self) -> list[dict[str, float]]:
        """What the recipe's own metrics are for each network, and what memory one took at most."""
        session, metrics = self.session, self.session.recipe.metrics
        found: list[dict[str, float]] = [{} for _ in session.recipes]
        if self.peak is not None and len(found) == 1:
            found[0]["peak_bytes"] = self.peak()
        if metrics:
            outputs, targets = session.predictions()
            for network, numbers in enumerate(found):
                for name, metric in metrics.items():
                    numbers[name] = measured(name, metric, outputs[network], targets)
        return found

    def _probes(self, i: int, recipe: Recipe, epochs: int, *, diverged: bool) -> dict[str, Any]:
        session = self.session
        probes = session.gradients.result(i, epochs)
        if recipe.held_out:
            probes["held_out_loss"] = self.monitored[:epochs]
        if self.evaluated:
            probes["evaluated_train_accuracy"] = self.evaluated[i]
        if isinstance(session.networks, Lone):
            return probes
        if session.units:
            probes |= session.units.result(i, epochs)
            probes |= histograms(session.networks, session.data, i)
        if "boundary" in recipe.probes and not diverged:
            probes |= boundary(session.networks, session.data, i)
        return probes


def measured(name: str, metric: MetricSpec, outputs: Tensor, targets: Tensor) -> float:
    """What a metric of one's own gives for (N, outputs) and (N, ...); ValueError for no number."""
    if metric.function is None:
        raise ValueError(f"metric {name!r} is of code that is not here: it cannot be measured")
    value = metric.function(outputs.clone(), targets.clone())
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    try:
        number = float(value)
    except (TypeError, ValueError, RuntimeError):
        told = f"a tensor of {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
        raise ValueError(
            f"metric {name!r} gives {told}; it has to give a number for outputs and targets"
        ) from None
    return number


def _parameters(session: Session) -> int:
    """The parameters of one network of the stack."""
    return sum(p.numel() for p in session.networks.parameters()) // session.networks.size
