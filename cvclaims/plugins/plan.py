"""--claims-plan: what the selected claims would train and about how long it would take.

Nothing is trained. Times come from the images per second that records of this kind of device
hold; a run that no such record is like is counted, and not guessed.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from cvclaims.plan import Run, looks, runs_of
from cvclaims.plugins.settings import gpu_present
from cvclaims.records.record import TRAINING_REVISION

if TYPE_CHECKING:
    from cvclaims.plugins.cases import Case
    from cvclaims.plugins.suite import Suite
    from cvclaims.recipe import Recipe
    from cvclaims.records import Record


class Planner:
    """Prints the plan in place of running the tests; its methods are pytest's hooks."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run nothing; pytest's own loop still ends a session whose tests cannot be collected."""
        return None if session.testsfailed else True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The plan; with -qq without its list of claims."""
        from cvclaims.plugins.terminal import sheet_of

        terminal, sheet = terminalreporter, sheet_of(self.suite.config)
        terminal.write_sep("=", "plan")
        for line in self._lines():
            terminal.write_line(sheet.spell(line))
        for problem in dict.fromkeys([*self.suite.problems.values(), *self.suite.take_problems()]):
            terminal.write_line(sheet.spell(f"problem: {problem}"), yellow=True)

    def _lines(self) -> Iterator[str]:
        cases = list(self.suite.cases.values())
        if not cases:
            yield "no claims were selected"
            return
        seeds = self.suite.settings.seeds
        training = [case for case in cases if case.claim.recipes and not case.is_timed]
        yield _told(cases, training)
        if not training:
            return
        records = [record for record in self.suite.store if record.status != "failed"]
        estimate = Estimate(records, self._on_gpu(training))
        first = [_runs(case, looks(case.claim, seeds)[0]) for case in training]
        whole = [_runs(case, looks(case.claim, seeds)[-1]) for case in training]
        there = set() if self.suite.settings.rerun else _there(records, whole)
        yield f"first look: {_look(first, there, estimate)}"
        yield f"worst case, no look deciding before the last: {_look(whole, there, estimate)}"
        if estimate.devices:
            yield f"times as measured on {', '.join(sorted(estimate.devices))}, run after run"
        steps = list(order(training, there, seeds, estimate))
        if steps and self.suite.config.option.verbose > -2:
            stored = len(training) - len(steps)
            yield f"{stored} have their first look in the store; the others, cheapest first, each"
            yield "with what those above it leave to train:"
            yield ""
            yield from _table(steps, estimate)

    def _on_gpu(self, cases: Sequence[Case]) -> Callable[[Run], bool]:
        """Which runs to time by a GPU's records: all on a GPU, else those that were refused."""
        device = self.suite.settings.device
        if device.startswith("cuda") or (device == "auto" and gpu_present()):
            return lambda run: True
        refused = {run.recipe for case in cases if case.refusal for run in _runs(case, 1)}
        return lambda run: run.recipe in refused


def _there(records: Sequence[Record], needed: Iterable[Sequence[Run]]) -> set[Run]:
    """The runs that the store holds."""
    held = {(r.recipe.digest, r.seed) for r in records if r.origin.revision == TRAINING_REVISION}
    return {run for runs in needed for run in runs if (run.recipe.digest, run.seed) in held}


def _look(needed: Sequence[Sequence[Run]], there: Set[Run], estimate: Estimate) -> str:
    claims = Counter(run for runs in needed for run in runs)
    left = [run for run in claims if run not in there]
    shared = sum(count > 1 for count in claims.values())
    return (
        f"{len(claims)} run{'s' * (len(claims) != 1)}, {shared} of them shared between claims; "
        f"{len(claims) - len(left)} in the store, {len(left)} left: {estimate.told(left)}"
    )


class Estimate:
    """The seconds that runs take, from records of the same kind of device.

    Attributes:
        devices: the names of those whose records were used.
    """

    def __init__(self, records: Iterable[Record], on_gpu: Callable[[Run], bool]) -> None:
        self.devices: set[str] = set()
        self._on_gpu = on_gpu
        self._known: dict[Run, float | None] = {}
        self._by_model: dict[tuple[str, bool], list[Record]] = {}
        for record in records:
            if record.images_per_second > 0:
                kind = (record.recipe.model, not record.origin.device.startswith("CPU"))
                self._by_model.setdefault(kind, []).append(record)

    def seconds(self, run: Run) -> float | None:
        """About how long a run takes; None where no record is like it."""
        any_seed = replace(run, seed=0)
        if any_seed not in self._known:
            self._known[any_seed] = self._seconds(run)
        return self._known[any_seed]

    def total(self, runs: Iterable[Run]) -> tuple[float, int]:
        """The seconds of those that can be estimated, and how many cannot."""
        times = [self.seconds(run) for run in runs]
        known = [time for time in times if time is not None]
        return sum(known), len(times) - len(known)

    def told(self, runs: Sequence[Run], *, brief: bool = False) -> str:
        """Both in words."""
        if not runs:
            return "" if brief else "nothing to train"
        seconds, unknown = self.total(runs)
        why = "" if brief else ", as nothing like them was measured"
        if unknown == len(runs):
            return f"not estimated{why}"
        return f"about {duration(seconds)}" + (
            f", and {unknown} not estimated{why}" if unknown else ""
        )

    def _seconds(self, run: Run) -> float | None:
        alike = [
            record
            for record in self._by_model.get((run.recipe.model, self._on_gpu(run)), [])
            # Smoke's few images are mostly a start.
            if (record.scale == "smoke") == (run.scale == "smoke")
        ]
        if not alike:
            return None
        closest = min(_unlike(run.recipe, record.recipe) for record in alike)
        chosen = [r for r in alike if _unlike(run.recipe, r.recipe) == closest]
        self.devices.update(record.origin.device for record in chosen)
        return statistics.median(_as_measured(run.recipe, record) for record in chosen)


def _unlike(recipe: Recipe, other: Recipe) -> tuple[float, ...]:
    """How far another recipe of the same model is from one, the weightiest difference first."""
    return (
        recipe.digest != other.digest,
        recipe.model_args != other.model_args,
        recipe.precision != other.precision,
        _batch_ratio(recipe, other),
        abs(recipe.work / recipe.cost - other.work / other.cost),
        recipe.pixels != other.pixels or recipe.augment != other.augment,
        recipe.monitor != other.monitor,
    )


def _batch_ratio(recipe: Recipe, other: Recipe) -> float:
    a, b = _batch(recipe), _batch(other)
    return max(a, b) / min(a, b)


def _batch(recipe: Recipe) -> int:
    return recipe.batch_size or recipe.train_samples


def _as_measured(recipe: Recipe, record: Record) -> float:
    """Seconds of a recipe at a record's pace, scaled to the work that an image is.

    In smaller batches a step is taken to last as long as the measured one, so that the estimate
    is rather too long. With patience a run ends where the measured ones did, if theirs is the same.
    """
    other = record.recipe
    pace = record.images_per_second * min(1.0, _batch(recipe) / _batch(other))
    pace *= (other.work / other.cost) / (recipe.work / recipe.cost)
    stops_alike = recipe.patience is not None and other.patience == recipe.patience
    epochs = min(record.epochs, recipe.epochs) if stops_alike else recipe.epochs
    return epochs * recipe.train_samples / pace


def duration(seconds: float) -> str:
    """ "40 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _runs(case: Case, seeds: int) -> list[Run]:
    """The runs of a claim over so many seeds; smoke takes one."""
    upto = range(1 if case.scale == "smoke" else seeds)
    found = (runs_of(recipe, case.scale, upto) for recipe in case.claim.recipes.values())
    return list(dict.fromkeys(run for runs in found for run in runs))


def _told(cases: Sequence[Case], training: Sequence[Case]) -> str:
    scales = Counter(case.scale for case in training)
    parts = [f"{count} train at {scale} scale" for scale, count in scales.items()]
    timed = sum(case.is_timed for case in cases)
    parts += [f"{timed} time their recipes"] if timed else []
    idle = len(cases) - len(training) - timed
    parts += [f"{idle} train nothing"] if idle else []
    refused = [case.refusal for case in cases if case.refusal]
    parts += [f"{len(refused)} cannot run here: {refused[0]}"] if refused else []
    return f"{len(cases)} claim test{'s' * (len(cases) != 1)}: {'; '.join(parts)}"


@dataclass(frozen=True)
class Step:
    """A claim in the order of work: the runs of its first look, and those still to be trained."""

    case: Case
    runs: Sequence[Run]
    new: Sequence[Run]


def order(
    cases: Sequence[Case], there: Set[Run], seeds: int | None, estimate: Estimate
) -> Iterator[Step]:
    """The claims by what they cost besides what is there or trained before them, cheapest first.

    Those whose first look is there are left out. Where not every run can be estimated, the work
    of a run stands for its time.
    """
    needed = {case.nodeid: _runs(case, looks(case.claim, seeds)[0]) for case in cases}
    everything = {run for runs in needed.values() for run in runs} - there
    by_time = estimate.total(everything)[1] == 0
    cost = {run: (estimate.seconds(run) if by_time else run.recipe.work) for run in everything}
    done = set(there)
    left = [case for case in cases if not done.issuperset(needed[case.nodeid])]
    while left:
        new = {case.nodeid: [r for r in needed[case.nodeid] if r not in done] for case in left}
        case = min(left, key=lambda case: sum(cost[run] or 0 for run in new[case.nodeid]))
        left.remove(case)
        done.update(new[case.nodeid])
        yield Step(case, needed[case.nodeid], new[case.nodeid])


def cheapest_first(cases: Sequence[Case], seeds: int | None) -> list[Case]:
    """All of the claims in that order, by work alone, as if nothing were stored.

    Before them those that train nothing, which are decided in seconds.
    """
    steps = order(cases, set(), seeds, Estimate([], lambda run: False))
    training = [step.case for step in steps]
    taken = {case.nodeid for case in training}
    return [*(case for case in cases if case.nodeid not in taken), *training]


def _table(steps: Iterable[Step], estimate: Estimate) -> list[str]:
    from tabulate import tabulate

    heads = ("claim", "case", "scale", "runs", "to train", "time")
    lines = []
    for step in steps:
        claim = step.case.claim
        time = estimate.told(step.new, brief=True)
        numbers = len(step.runs), len(step.new), time
        lines.append((claim.id, claim.case, step.case.scale, *numbers))
    # With numparse it would write claim 5.10 as 5.1.
    alignment = ("left", "left", "left", "right", "right", "left")
    table = tabulate(lines, heads, tablefmt="simple", disable_numparse=True, colalign=alignment)
    return table.splitlines()
