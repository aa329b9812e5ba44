"""How often the rules err: their whole sequence of looks on simulated data, many at once.

The data sets are drawn with the truth exactly on a rule's limit, or a known distance from it, so
that every verdict can be told right or wrong. docs/calibration.md tables the outcome.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from cvclaims.verdict import rules, statistics
from cvclaims.verdict.statistics import LOOKS, NOMINAL_ALPHA, Array, Signs

Noise: TypeAlias = Callable[[np.random.Generator, tuple[int, int]], Array]

NOISES: Final[dict[str, Noise]] = {
    "Normal": lambda rng, shape: rng.standard_normal(shape),
    "skewed right": lambda rng, shape: rng.standard_exponential(shape) - 1,
    "skewed left": lambda rng, shape: 1 - rng.standard_exponential(shape),
    "heavy-tailed": lambda rng, shape: rng.standard_t(3, shape) / np.sqrt(3),
    "coarse grid": lambda rng, shape: np.round(rng.standard_normal(shape)),
    "integer epochs": lambda rng, shape: (rng.poisson(4, shape) - 4) / 2,
    "two values": lambda rng, shape: rng.choice([-1.0, 1.0], shape),
    "rare collapse": lambda rng, shape: (
        (0.1 - (rng.random(shape) < 0.1)) / 0.3 + rng.standard_normal(shape) / 20
    ),
}
"""Draws of mean 0 and standard deviation 1 (the coarse grid: 1.04).

Skewed: exponential. Heavy-tailed: t with 3 degrees of freedom. Coarse grid: Normal, rounded to
whole standard deviations. Integer epochs: Poisson of mean 4. Two values: a fair coin. Rare
collapse: nearly the same value each time, but for one run in ten that fails.
"""


@dataclass(frozen=True)
class Case:
    """A rule, and where the truth has to lie to be on its limit. Lengths are in sigma."""

    name: str
    rule: Callable[..., rules.Decision]
    """One look at one data set: a sample per group."""
    signs: Callable[..., Signs]
    """The same look at N data sets: an (N, n) array per group in, (N,) out."""
    limit: tuple[float, ...]
    """The mean of each group with the truth on the limit."""
    toward: tuple[float, ...]
    """What each mean gains for every sigma that the truth moves to the claim's side."""
    values: Callable[[Array], Array] = np.asarray
    """What turns the draws into values of the kind that the rule takes."""


class Rates(NamedTuple):
    """Shares of the data sets, between 0 and 1; the remaining ones stay inconclusive."""

    supported: float
    refuted: float


def first_decision(
    signs: Callable[..., Signs], samples: Sequence[Array], looks: Sequence[int] = LOOKS
) -> Signs:
    """The sign of the first look that decides, else 0, for N data sets.

    `samples` holds an (N, n) array per group, n >= the last look; a look at k sees the first k.
    """
    outcome = np.zeros(len(samples[0]), dtype=np.int8)
    for look in looks:
        sign = signs(*(sample[:, :look] for sample in samples))
        outcome = np.where(outcome == 0, sign, outcome)
    return outcome


def draw(
    case: Case,
    noise: Noise,
    simulations: int,
    rng: np.random.Generator,
    distance: float = 0.0,
    scales: Sequence[float] = (1.0,),
) -> list[Array]:
    """Samples of shape (simulations, last look) for each group of the case.

    `distance`, in sigma, puts the truth on the claim's side of the limit. `scales` multiplies the
    noise of each group, starting over when there are more groups.
    """
    shape = (simulations, LOOKS[-1])
    means = np.add(case.limit, np.multiply(distance, case.toward))
    return [
        case.values(mean + scales[group % len(scales)] * noise(rng, shape))
        for group, mean in enumerate(means)
    ]


def rates(case: Case, samples: Sequence[Array], looks: Sequence[int] = LOOKS) -> Rates:
    """The shares of SUPPORTED and REFUTED at the end of the looks."""
    outcome = first_decision(case.signs, samples, looks)
    return Rates(float(np.mean(outcome > 0)), float(np.mean(outcome < 0)))


def spread_rates(
    noise: Noise, simulations: int, rng: np.random.Generator, scale: float = 1.0
) -> Rates:
    """The rates of `spread_below(1)` on noise with a standard deviation of `scale`."""

    def signs(x: Array) -> Signs:
        return np.asarray(-statistics.spread_side(x, 1.0, NOMINAL_ALPHA), dtype=np.int8)

    x = scale * noise(rng, (simulations, LOOKS[-1]))
    outcome = first_decision(signs, [x])
    return Rates(float(np.mean(outcome > 0)), float(np.mean(outcome < 0)))


def rate_rates(share_a: float, share_b: float, each: int = 1) -> Rates:
    """The exact rates of `rate`, `each` runs a seed in both groups, failing by these shares."""

    def sign(n: int, k: int, j: int) -> int:
        up, down = statistics.boschloo_p(k, n, j, n), statistics.boschloo_p(j, n, k, n)
        return int(up < NOMINAL_ALPHA) - int(down < NOMINAL_ALPHA)

    return _count_rates(sign, (share_a, share_b), each)


def share_rates(share: float, limit: float, each: int = 1) -> Rates:
    """The exact rates of `share_above(limit)`, `each` runs a seed, failing by `share`."""

    def sign(n: int, k: int) -> int:
        up, down = statistics.binomial_p(k, n, limit)
        return int(up < NOMINAL_ALPHA) - int(down < NOMINAL_ALPHA)

    return _count_rates(sign, (share,), each)


def _count_rates(sign: Callable[..., int], shares: Sequence[float], each: int) -> Rates:
    """Every path of counts through the looks with its probability; `sign(n, *counts)` decides."""
    still_open = {(0,) * len(shares): 1.0}
    decided = {1: 0.0, -1: 0.0}
    seen = 0
    for look in LOOKS:
        more = (look - seen) * each
        seen = look
        grown: defaultdict[tuple[int, ...], float] = defaultdict(float)
        for added in product(range(more + 1), repeat=len(shares)):
            chance = math.prod(
                math.comb(more, k) * p**k * (1 - p) ** (more - k)
                for k, p in zip(added, shares, strict=True)
            )
            for counts, before in still_open.items():
                grown[tuple(map(sum, zip(counts, added, strict=True)))] += before * chance
        still_open = {}
        for counts, chance in grown.items():
            if outcome := sign(look * each, *counts):
                decided[outcome] += chance
            else:
                still_open[counts] = chance
    return Rates(decided[1], decided[-1])


def _greater(margin: float) -> Callable[[Array, Array], Signs]:
    return lambda a, b: statistics.side(statistics.welch(a, b), margin, NOMINAL_ALPHA)


def _one_sample(claimed: int, bound: float) -> Callable[[Array], Signs]:
    return lambda x: np.asarray(
        claimed * statistics.side(statistics.one_mean(x), bound, NOMINAL_ALPHA), dtype=np.int8
    )


def _level(value: float, delta: float) -> Callable[[Array], Signs]:
    return lambda x: statistics.inside(statistics.one_mean(x), value, delta, NOMINAL_ALPHA)


def _ratio(factor: float) -> Callable[[Array, Array], Signs]:
    def signs(a: Array, b: Array) -> Signs:
        estimate = statistics.welch(rules.logarithms(a), rules.logarithms(b))
        return statistics.side(
            statistics.at_magnitude(estimate, 1.0), float(np.log(factor)), NOMINAL_ALPHA
        )

    return signs


def _order(*groups: Array) -> Signs:
    tails = [statistics.p_values(statistics.welch(a, b)) for a, b in pairwise(groups)]
    up, down = (np.stack(p, axis=-1) for p in zip(*tails, strict=True))
    return statistics.ordered(up, down, NOMINAL_ALPHA)


def level_case(delta: float) -> Case:
    """`level` around 0, the truth on the upper end; delta sigma from it lies the middle."""
    return Case("level", lambda x: rules.level(x, 0, delta), _level(0, delta), (delta,), (-1,))


CASES: Final = (
    Case("greater", lambda a, b: rules.greater(a, b, 0.5), _greater(0.5), (0.5, 0), (1, 0)),
    Case("not_worse", lambda a, b: rules.not_worse(a, b, 2), _greater(-2), (-2, 0), (1, 0)),
    Case(
        "ratio",
        lambda a, b: rules.ratio(a, b, np.exp(0.5)),
        _ratio(np.exp(0.5)),
        (0.5, 0),
        (1, 0),
        np.exp,
    ),
    Case("sooner", rules.sooner, lambda a, b: _greater(0)(b, a), (0, 0), (-1, 0)),
    level_case(3),
    Case("above", lambda x: rules.above(x, 2), _one_sample(1, 2), (2,), (1,)),
    Case("below", lambda x: rules.below(x, 2), _one_sample(-1, 2), (2,), (-1,)),
    Case("order, one pair equal", lambda *g: rules.order(g), _order, (0, 0, -20), (1, 0, 0)),
    Case("order, all equal", lambda *g: rules.order(g), _order, (0, 0, 0), (1, 0, -1)),
)
"""Every rule by sample. `order` twice, as its rate of error depends on the other pairs."""
