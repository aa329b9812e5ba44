"""How often the rules err: their whole sequence of looks on simulated data, many at once.

The data sets are drawn with the truth exactly on a rule's limit, or a known distance from it, so
that every verdict can be told right or wrong. docs/calibration.md tables the outcome.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, product
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from cvclaims.plan import LOOKS
from cvclaims.verdict import rules, statistics
from cvclaims.verdict.decision import Decision
from cvclaims.verdict.levels import Kind, nominal
from cvclaims.verdict.statistics import Array, Signs

Noise: TypeAlias = Callable[[np.random.Generator, tuple[int, int]], Array]
Rule: TypeAlias = Callable[..., Decision]
Look: TypeAlias = Callable[..., Signs]
Means: TypeAlias = tuple[float, ...]

ROOT_E: Final = math.exp(0.5)

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
    kind: Kind
    rule: Callable[..., Decision]
    """One look at one data set: a sample per group; at three looks' level."""
    signs: Callable[..., Signs]
    """The same look at N data sets: an (N, n) array per group and `alpha` in, (N,) out."""
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
    signs: Callable[..., Signs],
    samples: Sequence[Array],
    alpha: float,
    looks: Sequence[int] = LOOKS,
) -> Signs:
    """The sign of the first look at level `alpha` that decides, else 0, for N data sets.

    `samples` holds an (N, n) array per group, n >= the last look; a look at k sees the first k.
    """
    outcome = np.zeros(len(samples[0]), dtype=np.int8)
    for look in looks:
        sign = signs(*(sample[:, :look] for sample in samples), alpha=alpha)
        outcome = np.where(outcome == 0, sign, outcome)
    return outcome


def draw(
    case: Case,
    noise: Noise,
    simulations: int,
    rng: np.random.Generator,
    distance: float = 0.0,
    scales: Sequence[float] = (1.0,),
    most: int = LOOKS[-1],
) -> list[Array]:
    """Samples of shape (simulations, most) for each group of the case.

    `distance`, in sigma, puts the truth on the claim's side of the limit. `scales` multiplies the
    noise of each group, starting over when there are more groups.
    """
    shape = (simulations, most)
    means = np.add(case.limit, np.multiply(distance, case.toward))
    return [
        case.values(mean + scales[group % len(scales)] * noise(rng, shape))
        for group, mean in enumerate(means)
    ]


def rates(
    case: Case,
    samples: Sequence[Array],
    looks: Sequence[int] = LOOKS,
    alpha: float | None = None,
) -> Rates:
    """The shares of SUPPORTED and REFUTED after all looks, at their own level or `alpha`."""
    alpha = nominal(case.kind, len(looks)) if alpha is None else alpha
    outcome = first_decision(case.signs, samples, alpha, looks)
    return Rates(float(np.mean(outcome > 0)), float(np.mean(outcome < 0)))


def spread_rates(
    noise: Noise,
    simulations: int,
    rng: np.random.Generator,
    scale: float = 1.0,
    looks: Sequence[int] = LOOKS,
) -> Rates:
    """The rates of `spread_below(1)` on noise with a standard deviation of `scale`."""

    def signs(x: Array, *, alpha: float) -> Signs:
        return np.asarray(-statistics.spread_side(x, 1.0, alpha), dtype=np.int8)

    x = scale * noise(rng, (simulations, looks[-1]))
    outcome = first_decision(signs, [x], nominal("deviation", len(looks)), looks)
    return Rates(float(np.mean(outcome > 0)), float(np.mean(outcome < 0)))


def rate_rates(
    share_a: float, share_b: float, each: int = 1, looks: Sequence[int] = LOOKS
) -> Rates:
    """The exact rates of `rate`, `each` runs a seed in both groups, failing by these shares."""
    alpha = nominal("rate", len(looks))

    def sign(n: int, k: int, j: int) -> int:
        up, down = statistics.boschloo_p(k, n, j, n), statistics.boschloo_p(j, n, k, n)
        return int(up < alpha) - int(down < alpha)

    return _count_rates(sign, (share_a, share_b), each, looks)


def share_rates(share: float, limit: float, each: int = 1, looks: Sequence[int] = LOOKS) -> Rates:
    """The exact rates of `share_above(limit)`, `each` runs a seed, failing by `share`."""
    alpha = nominal("share", len(looks))

    def sign(n: int, k: int) -> int:
        up, down = statistics.binomial_p(k, n, limit)
        return int(up < alpha) - int(down < alpha)

    return _count_rates(sign, (share,), each, looks)


def _count_rates(
    sign: Callable[..., int], shares: Sequence[float], each: int, looks: Sequence[int]
) -> Rates:
    """Every path of counts through the looks with its probability; `sign(n, *counts)` decides."""
    still_open = {(0,) * len(shares): 1.0}
    decided = {1: 0.0, -1: 0.0}
    seen = 0
    for look in looks:
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


def _greater(margin: float) -> Callable[..., Signs]:
    return lambda a, b, alpha: statistics.side(statistics.welch(a, b), margin, alpha)


def _one_sample(claimed: int, bound: float) -> Callable[..., Signs]:
    return lambda x, alpha: np.asarray(
        claimed * statistics.side(statistics.one_mean(x), bound, alpha), dtype=np.int8
    )


def _level(value: float, delta: float) -> Callable[..., Signs]:
    return lambda x, alpha: statistics.inside(statistics.one_mean(x), value, delta, alpha)


def _ratio(factor: float) -> Callable[..., Signs]:
    def signs(a: Array, b: Array, *, alpha: float) -> Signs:
        estimate = statistics.welch(rules.logarithms(a), rules.logarithms(b))
        return statistics.side(statistics.at_magnitude(estimate, 1.0), float(np.log(factor)), alpha)

    return signs


def _order(*groups: Array, alpha: float) -> Signs:
    tails = [statistics.p_values(statistics.welch(a, b)) for a, b in pairwise(groups)]
    up, down = (np.stack(p, axis=-1) for p in zip(*tails, strict=True))
    return statistics.ordered(up, down, alpha)


def _sooner(a: Array, b: Array, *, alpha: float) -> Signs:
    return _greater(0)(b, a, alpha=alpha)


def _ordered(*groups: Array) -> Decision:
    return rules.order(groups)


def level_case(delta: float) -> Case:
    """`level` around 0, the truth on the upper end; delta sigma from it lies the middle."""
    return Case(
        "level", "one mean", lambda x: rules.level(x, 0, delta), _level(0, delta), (delta,), (-1,)
    )


def _welch(name: str, rule: Rule, signs: Look, limit: Means, toward: Means) -> Case:
    return Case(name, "difference", rule, signs, limit, toward)


CASES: Final = (
    _welch("greater", partial(rules.greater, margin=0.5), _greater(0.5), (0.5, 0), (1, 0)),
    _welch("not_worse", partial(rules.not_worse, delta=2), _greater(-2), (-2, 0), (1, 0)),
    replace(
        _welch("ratio", partial(rules.ratio, factor=ROOT_E), _ratio(ROOT_E), (0.5, 0), (1, 0)),
        values=np.exp,
    ),
    _welch("sooner", rules.sooner, _sooner, (0, 0), (-1, 0)),
    level_case(3),
    Case("above", "one mean", partial(rules.above, bound=2), _one_sample(1, 2), (2,), (1,)),
    Case("below", "one mean", partial(rules.below, bound=2), _one_sample(-1, 2), (2,), (-1,)),
    _welch("order, one pair equal", _ordered, _order, (0, 0, -20), (1, 0, 0)),
    _welch("order, all equal", _ordered, _order, (0, 0, 0), (1, 0, -1)),
)
"""Every rule by sample. `order` twice, as its rate of error depends on the other pairs."""
