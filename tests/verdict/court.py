"""A court for tests: a judge with an engine that has every record at hand."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from cvclaims.claim import Claim, Report
from cvclaims.engines import NotEvaluated
from cvclaims.plan import LOOKS, Run, scaled_arms
from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.verdict import Decision, rules
from cvclaims.verdict.judge import Arm, Judge, Judgment, Pooled, Runs, Timed, Timing, pooled
from tests.records.factory import record

PLACE = Report(9, "a-report", "A report").at("Table 1")
LIGHT = Recipe(data="digits", lr=0.1, epochs=2)
HEAVY = Recipe(data="fashion_mnist", lr=0.1, epochs=9)
NAN = math.nan

# Four arms, eight seeds, no two alike: no two samples can be taken for each other.
VALUES = {
    "a": [0.91, 0.93, 0.92, 0.90, 0.94, 0.91, 0.92, 0.93],
    "b": [0.70, 0.75, 0.72, 0.71, 0.74, 0.73, 0.70, 0.76],
    "c": [0.50, 0.49, 0.51, 0.52, 0.48, 0.50, 0.51, 0.49],
    "d": [0.30, 0.33, 0.31, 0.32, 0.30, 0.34, 0.31, 0.33],
}
# Three seeds leave open whether the first is larger, five do not.
LATE = {"a": [0.5, 0.6, 0.7, 0.6, 0.6], "b": [0.3, 0.4, 0.5, 0.4, 0.4]}
# No number of seeds decides.
OPEN = {"a": [0.2, 0.9] * 4, "b": [0.9, 0.2] * 4}

# Whether a run of six (two arms, three seeds) failed, and ratios of times.
FLAGS = {"a": 1.0, "b": 0.0}
RATIOS = [1.30, 1.31, 1.29, 1.32, 1.30, 1.31, 1.29, 1.33]

Make = Callable[[str, Run], Record]


def accuracies(values: dict[str, list[float]]) -> Make:
    """Records of an arm and a run with these accuracies, by seed."""

    def make(arm: str, run: Run) -> Record:
        value = values[arm][run.seed]
        return record(run.recipe, run.seed, accuracy=value, scale=run.scale)

    return make


def flags(label: str, arm: Arm, bit: float) -> Pooled:
    """Two arms' worth of runs that all failed, or none of them."""
    part = arm.measure(lambda _: bit)
    return pooled(f"{label} failed", part, part)


def timed(
    label: str, ratios: Sequence[float], *, stand_in: bool = False, device: str = "a watch"
) -> Timed:
    """Ratios by seed, on a device and data of their own, with a number beside them."""

    def take(seed: int) -> Timing:
        beside = {"a, s per epoch": 2.0 + seed}
        return Timing(ratios[seed], beside, device, "MNIST, timed", stand_in)

    return Timed(label, take)


class Shelf:
    """An engine: makes the record of any run, and keeps the list of questions."""

    def __init__(self, arms: dict[str, Recipe], make: Make, seeds: int = 8) -> None:
        self.names = {recipe.lr: name for name, recipe in arms.items()}
        self.make = make
        self.seeds = seeds
        self.asked: list[list[Run]] = []

    def records(self, runs: Sequence[Run]) -> list[Record]:
        self.asked.append(list(runs))
        if any(run.seed >= self.seeds for run in runs):
            raise NotEvaluated(f"the store ends after {self.seeds} seeds")
        return [self.make(self.names[run.recipe.lr], run) for run in runs]

    @property
    def seeds_asked(self) -> list[list[int]]:
        return [sorted({run.seed for run in runs}) for runs in self.asked]


class Court:
    """A claim with its arms, its judge and its engine."""

    def __init__(
        self,
        make: Make | dict[str, list[float]] = VALUES,
        *,
        recipe: Recipe = LIGHT,
        scale: str = "full",
        most: int = 8,
        seeds: int = 8,
        **about: Any,
    ) -> None:
        # Rates tell the arms apart at every scale.
        self.arms = {name: recipe.but(lr=0.1 * i) for i, name in enumerate("abcd", 1)}
        fields = {"id": "9.01", "title": "Something holds", "source": PLACE, **about}
        claim = Claim(recipes=self.arms, **fields)
        of = accuracies(make) if isinstance(make, dict) else make
        self.scale = scale
        self.shelf = Shelf(self.arms, of, seeds)
        # Three looks, of light recipes too.
        at = (*(n for n in LOOKS if n < most), most)
        self.judge = Judge(claim, scale, self.shelf, at)
        self.runs = Runs(claim, scaled_arms(claim, scale))
        self.bad, self.good = (flags(name, self.runs[name], bit) for name, bit in FLAGS.items())
        self.timed = timed("a / b", RATIOS)
        self.a, self.b, self.c, self.d = (arm.test_accuracy for arm in self.runs.values())

    @property
    def judgment(self) -> Judgment:
        assert self.judge.judgment is not None
        return self.judge.judgment

    def keys(self, arm: str, seeds: int) -> list[str]:
        runs = self.runs[arm].runs(range(seeds))
        return [self.shelf.make(arm, run).key for run in runs]


def first_three(arm: str) -> list[float]:
    return VALUES[arm][:3]


RULES: dict[str, tuple[Callable[[Court], None], Decision]] = {
    "greater(0)": (
        lambda court: court.judge.greater(court.a, court.b),
        rules.greater(first_three("a"), first_three("b")),
    ),
    "greater(0.125)": (
        lambda court: court.judge.greater(court.a, court.b, margin=0.125),
        rules.greater(first_three("a"), first_three("b"), 0.125),
    ),
    "not_worse(0.25)": (
        lambda court: court.judge.not_worse(court.b, court.c, delta=0.25),
        rules.not_worse(first_three("b"), first_three("c"), 0.25),
    ),
    "ratio(1)": (
        lambda court: court.judge.ratio(court.a, court.b),
        rules.ratio(first_three("a"), first_three("b")),
    ),
    "ratio(1.5)": (
        lambda court: court.judge.ratio(court.a, court.d, factor=1.5),
        rules.ratio(first_three("a"), first_three("d"), 1.5),
    ),
    "sooner": (
        lambda court: court.judge.sooner(court.d, court.a),
        rules.sooner(first_three("d"), first_three("a")),
    ),
    "order": (
        lambda court: court.judge.order(court.a, court.b, court.c, court.d),
        rules.order([first_three(arm) for arm in "abcd"]),
    ),
    "greatest": (
        lambda court: court.judge.greatest(court.a, court.c, court.b),
        rules.greatest([first_three(arm) for arm in "acb"]),
    ),
    "least": (
        lambda court: court.judge.least(court.d, court.b, court.c),
        rules.least([first_three(arm) for arm in "dbc"]),
    ),
    "level(0.9, 0.125)": (
        lambda court: court.judge.level(court.a, value=0.9, delta=0.125),
        rules.level(first_three("a"), 0.9, 0.125),
    ),
    "level(> 0.75)": (
        lambda court: court.judge.above(court.a, bound=0.75),
        rules.above(first_three("a"), 0.75),
    ),
    "level(< 0.75)": (
        lambda court: court.judge.below(court.d, bound=0.75),
        rules.below(first_three("d"), 0.75),
    ),
    "spread(< 0.5)": (
        lambda court: court.judge.spread_below(court.a, bound=0.5),
        rules.spread_below(first_three("a"), 0.5),
    ),
    "greater(0.125), paired": (
        lambda court: court.judge.paired(court.a - court.b, margin=0.125),
        rules.above([x - y for x, y in zip(VALUES["a"], VALUES["b"], strict=True)][:3], 0.125),
    ),
    "rate": (
        lambda court: court.judge.rate(court.bad, court.good),
        rules.rate([1] * 6, [0] * 6),
    ),
    "share(> 0.5)": (
        lambda court: court.judge.share_above(court.bad, share=0.5),
        rules.share_above([1] * 6, 0.5),
    ),
    "ratio(1), timed": (
        lambda court: court.judge.times(court.timed),
        rules.ratio_above(RATIOS[:3]),
    ),
    "ratio(1.25), timed": (
        lambda court: court.judge.times(court.timed, factor=1.25),
        rules.ratio_above(RATIOS[:3], 1.25),
    ),
    "ratio(1 ± 0.5), timed": (
        lambda court: court.judge.times_within(court.timed, share=0.5),
        rules.ratio_within(RATIOS[:3], 0.5),
    ),
}
SWAPPED: dict[str, Callable[[Court], None]] = {
    "greater(0)": lambda court: court.judge.greater(court.b, court.a),
    "greater(0.125)": lambda court: court.judge.greater(court.a, court.b, 0.0625),
    "not_worse(0.25)": lambda court: court.judge.not_worse(court.c, court.b, 0.25),
    "ratio(1)": lambda court: court.judge.ratio(court.b, court.a),
    "ratio(1.5)": lambda court: court.judge.ratio(court.a, court.d, 2),
    "sooner": lambda court: court.judge.sooner(court.a, court.d),
    "order": lambda court: court.judge.order(court.a, court.c, court.b, court.d),
    "greatest": lambda court: court.judge.greatest(court.b, court.c, court.a),
    "least": lambda court: court.judge.least(court.b, court.d, court.c),
    "level(0.9, 0.125)": lambda court: court.judge.level(court.a, 0.125, 0.9),
    "level(> 0.75)": lambda court: court.judge.above(court.d, 0.75),
    "level(< 0.75)": lambda court: court.judge.below(court.a, 0.75),
    "spread(< 0.5)": lambda court: court.judge.spread_below(court.b, 0.5),
    "greater(0.125), paired": lambda court: court.judge.paired(court.b - court.a, 0.125),
    "rate": lambda court: court.judge.rate(court.good, court.bad),
    "share(> 0.5)": lambda court: court.judge.share_above(court.good, 0.5),
    "ratio(1), timed": lambda court: court.judge.times(court.timed, 2),
    "ratio(1.25), timed": lambda court: court.judge.times(court.timed),
    "ratio(1 ± 0.5), timed": lambda court: court.judge.times_within(court.timed, 0.25),
}
