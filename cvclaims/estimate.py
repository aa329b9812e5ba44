"""About how long runs take here: by records of this very device, else by a few timed steps."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cvclaims.plan import Run
from cvclaims.recipe import Recipe
from cvclaims.specs import NotHereError
from cvclaims.trainable import Trainable

if TYPE_CHECKING:
    import torch

    from cvclaims.records import Record
    from cvclaims.training.pace import Pace


@dataclass(frozen=True)
class Bench:
    """Where runs are timed, and what stands for the same time there.

    Attributes:
        name: the device, as tables show it.
        measured: whether a record was made as this process would make it.
        alike: what of a recipe decides how long an epoch takes.
        kind: what of it decides how long a step and an image take.
        pace: times a few steps of a kind.
    """

    name: str
    measured: Callable[[Record], bool]
    alike: Callable[[Recipe], Recipe]
    kind: Callable[[Recipe], Recipe]
    pace: Callable[[Recipe], Pace]


class Estimate:
    """About how many seconds runs take on a bench; nothing is timed before it is asked for.

    Attributes:
        bench: None where nothing is to be timed: then nothing is estimated.
        lanes: how many runs train at a time.
        by_records: whether records were gone by.
        faults: why runs cannot be timed, one line each.
    """

    def __init__(
        self, records: Iterable[Record], bench: Bench | None = None, lanes: int = 1
    ) -> None:
        self.bench = bench
        self.lanes = lanes
        self.by_records = False
        self.faults: list[str] = []
        self._rates: dict[Recipe, list[float]] = {}
        # Until patience ended them, which no device changes by much.
        self._epochs: dict[Recipe, list[int]] = {}
        self._paces: dict[Recipe, Pace | None] = {}
        self._known: dict[Run, float | None] = {}
        # Of trainings of one's own: nobody else knows what they take.
        self._whole: dict[Trainable, list[float]] = {}
        if bench is None:
            return
        for record in records:
            if not isinstance(record.trained, Recipe):
                if bench.measured(record) and "seconds" in record.numbers:
                    self._whole.setdefault(record.trained, []).append(record.numbers["seconds"])
                continue
            with suppress(NotHereError):  # of data that this session does not know
                self._take(record, bench)

    def _take(self, record: Record, bench: Bench) -> None:
        """Go by what a record of a recipe took."""
        if record.recipe.patience is not None:
            self._epochs.setdefault(record.recipe, []).append(record.epochs)
        if record.images_per_second > 0 and bench.measured(record):
            rates = self._rates.setdefault(bench.alike(record.recipe), [])
            rates.append(record.images_per_second)

    def untimed(self, runs: Iterable[Run]) -> list[Recipe]:
        """The kinds that are to be timed, so that every run has an estimate."""
        if self.bench is None:
            return []
        recipes = dict.fromkeys(_recipes(runs))
        left = [recipe for recipe in recipes if self.bench.alike(recipe) not in self._rates]
        kinds = dict.fromkeys(map(self.bench.kind, left))
        return [kind for kind in kinds if kind not in self._paces]

    def may_stop_early(self, runs: Iterable[Run]) -> bool:
        """Whether one of them does after nobody knows how many epochs."""
        return any(r.patience is not None and r not in self._epochs for r in _recipes(runs))

    def seconds(self, run: Run) -> float | None:
        """About how long a run takes; None where it cannot be timed."""
        any_seed = replace(run, seed=0)
        if any_seed not in self._known:
            self._known[any_seed] = self._seconds(run.trained)
        return self._known[any_seed]

    def total(self, runs: Iterable[Run]) -> tuple[float, int]:
        """The seconds of those that can be estimated, and how many cannot."""
        times = [self.seconds(run) for run in runs]
        known = [time for time in times if time is not None]
        return sum(known) / self.lanes, len(times) - len(known)

    def told(self, runs: Sequence[Run], *, brief: bool = False) -> str:
        """Both in words."""
        if not runs:
            return "" if brief else "nothing to train"
        seconds, unknown = self.total(runs)
        if unknown == len(runs):
            return "not estimated"
        return f"about {duration(seconds)}" + (f", and {unknown} not estimated" if unknown else "")

    def _seconds(self, recipe: Trainable) -> float | None:
        if self.bench is None:
            return None
        if not isinstance(recipe, Recipe):
            times = self._whole.get(recipe)
            self.by_records = self.by_records or times is not None
            return statistics.median(times) if times else None
        epochs = recipe.epochs
        if recipe in self._epochs:
            epochs = min(epochs, round(statistics.median(self._epochs[recipe])))
        rates = self._rates.get(self.bench.alike(recipe))
        if rates is not None:
            self.by_records = True
            return epochs * recipe.train_samples / statistics.median(rates)
        pace = self._pace(self.bench, self.bench.kind(recipe))
        return None if pace is None else pace.seconds(recipe, epochs)

    def _pace(self, bench: Bench, kind: Recipe) -> Pace | None:
        if kind not in self._paces:
            try:
                self._paces[kind] = bench.pace(kind)
            except (RuntimeError, ValueError) as error:  # too large, or no network for such data
                self._paces[kind] = None
                why = f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")
                self.faults.append(f"{kind.model} on {kind.data} cannot be timed: {why}")
        return self._paces[kind]


def _recipes(runs: Iterable[Run]) -> list[Recipe]:
    return [run.trained for run in runs if isinstance(run.trained, Recipe)]


def bench_on(device: torch.device, beside: int) -> Bench:
    """A device of this process, which it shares with whoever trains there.

    Args:
        beside: how many perceptrons of a kind a stack has.
    """
    import torch

    from cvclaims.engines.device import shared
    from cvclaims.engines.provenance import device_name
    from cvclaims.engines.work import one_thread
    from cvclaims.training import pace

    name = device_name(device)
    shown = name if device.type != "cpu" else f"{name}, {_threads(torch.get_num_threads())} a run"

    def measured(record: Record) -> bool:
        with one_thread(record.trained):
            threads = torch.get_num_threads()
        alike = device.type == "cuda" or record.origin.threads == threads
        return record.origin.device == name and alike

    def timed(kind: Recipe) -> Pace:
        with shared(device), one_thread(kind):
            return pace.pace(kind, device, beside)

    return Bench(shown, measured, pace.alike, lambda recipe: pace.kind(recipe, device), timed)


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count != 1)}"


def duration(seconds: float) -> str:
    """ "40 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
