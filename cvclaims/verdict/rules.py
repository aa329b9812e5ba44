"""The decision rules: values of a few seeds in, a verdict and its reason out. Pure functions.

Each rule makes one look at the data, one-sided at `alpha`. Who looks at 3, 5 and 8 seeds
(`LOOKS`) calls the same rule three times, at the level of three looks (`levels.NOMINAL`), which is
each rule's default, and stops at the first decision.

The rules by sample (all but `exact`) share their treatment of odd input:

- a sequence that is empty or not one value per seed, an `alpha` outside (0, 0.5), a `delta` or
  `factor` that is not positive, a limit that is not finite: ValueError;
- values that are not finite, or a sample of one value: INCONCLUSIVE;
- no spread at all: the estimate is taken as it stands, and INCONCLUSIVE exactly at the limit;
- a bound within rounding (`statistics.ROUNDING`) of the limit counts as equal to it.

The rules on counts (`rate`, `share_above`) take samples of 0 and 1. They need no spread, so that
one value is as good as its test makes it; values that are neither are a ValueError.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from cvclaims.verdict import statistics
from cvclaims.verdict.decision import Decision, Verdict
from cvclaims.verdict.levels import nominal
from cvclaims.verdict.statistics import Array, Estimate
from cvclaims.verdict.words import counts, exp, number, p_told, told_of

Values: TypeAlias = Sequence[float] | npt.NDArray[np.floating[Any] | np.integer[Any]]
"""One number per seed."""

# Of three looks.
ONE_MEAN: Final = nominal("one mean", 3)
DIFFERENCE: Final = nominal("difference", 3)
DEVIATION: Final = nominal("deviation", 3)
RATE: Final = nominal("rate", 3)
SHARE: Final = nominal("share", 3)

POWER: Final = 0.8
"""How often a detectable difference would be shown."""

SMALLEST: Final = float(np.finfo(np.float32).tiny)
"""The smallest positive normal float32, 1.18e-38: what `ratio` takes anything smaller for."""


def greater(a: Values, b: Values, margin: float = 0.0, alpha: float = DIFFERENCE) -> Decision:
    """mean(a) - mean(b) > margin, by Welch's bounds."""
    _check(alpha, margin=margin)
    samples = _values(a), _values(b)
    if undecided := _undecidable(*samples):
        return undecided
    return _beyond("difference", statistics.welch(*samples), samples, margin, alpha)


def not_worse(a: Values, b: Values, delta: float, alpha: float = DIFFERENCE) -> Decision:
    """mean(a) - mean(b) > -delta, by Welch's bounds; delta > 0, in the unit of the values."""
    _check_positive(delta=delta)
    return greater(a, b, -delta, alpha)


def level(x: Values, value: float, delta: float, alpha: float = ONE_MEAN) -> Decision:
    """mean(x) inside value ± delta: two one-sided t tests. REFUTED when wholly outside."""
    _check(alpha, value=value)
    _check_positive(delta=delta)
    sample = _values(x)
    if undecided := _undecidable(sample):
        return undecided
    estimate = statistics.one_mean(sample)
    sign = int(statistics.inside(estimate, value, delta, alpha))
    ends = value - delta, value + delta
    told = told_of("mean", estimate, 0, (sample,), ends, alpha)
    reason = f"{told}; must lie inside {value:.6g} ± {delta:.6g}"
    return _bounded(sign, reason, estimate, ends, (sample,), alpha)


def above(x: Values, bound: float, alpha: float = ONE_MEAN) -> Decision:
    """mean(x) > bound, by Student's bounds."""
    return _one_sample(x, bound, alpha, claimed=1)


def below(x: Values, bound: float, alpha: float = ONE_MEAN) -> Decision:
    """mean(x) < bound, by Student's bounds."""
    return _one_sample(x, bound, alpha, claimed=-1)


def ratio(a: Values, b: Values, factor: float = 1.0, alpha: float = DIFFERENCE) -> Decision:
    """a > factor · b as a ratio of geometric means: `greater` on logarithms.

    For values >= 0 such as times and gradient norms; a negative one is a ValueError. Gradients in
    float32 underflow to exactly 0, whose logarithm would be -inf, so a zero is taken for the
    smallest positive normal float32. So is anything between the two, which would otherwise rank
    below a zero.
    """
    _check(alpha)
    _check_positive(factor=factor)
    samples = _values(a), _values(b)
    if any((sample < 0).any() for sample in samples):
        raise ValueError("a ratio needs values that are not negative")
    if undecided := _undecidable(*samples):
        return undecided
    first, second = map(logarithms, samples)
    # An ulp of a value near 1 is an error of that absolute size in its logarithm, near 0.
    estimate = statistics.at_magnitude(statistics.welch(first, second), 1.0)
    decision = _beyond("ratio", estimate, samples, math.log(factor), alpha, shown=exp)
    raised = sum(int((sample < SMALLEST).sum()) for sample in samples)
    note = f"; {raised} below {SMALLEST:.3g} taken for it" if raised else ""
    return replace(decision, reason=decision.reason + note)


def ratio_above(x: Values, factor: float = 1.0, alpha: float = ONE_MEAN) -> Decision:
    """The geometric mean of ratios x > factor: Student's bounds on their logarithms.

    For ratios of what was measured side by side, one a seed; one that is not positive is a
    ValueError.
    """
    _check(alpha)
    _check_positive(factor=factor)
    sample = _ratios(x)
    if undecided := _undecidable(sample):
        return undecided
    estimate = statistics.at_magnitude(statistics.one_mean(np.log(sample)), 1.0)
    return _beyond("ratio", estimate, (sample,), math.log(factor), alpha, shown=exp)


def ratio_within(x: Values, share: float, alpha: float = ONE_MEAN) -> Decision:
    """The geometric mean of ratios x inside 1 ± share: two one-sided t tests on logarithms.

    REFUTED when wholly outside; `share` lies between 0 and 1.
    """
    _check(alpha)
    _check_share(share=share)
    sample = _ratios(x)
    if undecided := _undecidable(sample):
        return undecided
    ends = math.log1p(-share), math.log1p(share)
    middle, half = (ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2
    estimate = statistics.at_magnitude(statistics.one_mean(np.log(sample)), 1.0)
    sign = int(statistics.inside(estimate, middle, half, alpha))
    told = told_of("ratio", estimate, 0, (sample,), ends, alpha, exp)
    reason = f"{told}; must lie inside 1 ± {share:.6g}"
    return _bounded(sign, reason, estimate, ends, (sample,), alpha, exp)


def spread_below(x: Values, bound: float, alpha: float = DEVIATION) -> Decision:
    """The standard deviation over seeds < bound, by the χ² bounds of Normal values."""
    _check(alpha)
    _check_positive(bound=bound)
    sample = _values(x)
    if undecided := _undecidable(sample):
        return undecided
    deviation, _ = statistics.standard_deviation(sample)
    sign = int(statistics.spread_side(sample, bound, alpha))
    lower, upper = statistics.deviation_bounds(deviation, sample.size, alpha)
    if deviation == 0:
        limits = "without spread"
    else:
        told = f"at least {lower:.4g}", f"at most {upper:.4g}"
        limits = (f"between {lower:.4g} and {upper:.4g}", *told)[sign]
    reason = f"standard deviation {deviation:.4g}, {limits} ({counts((sample,))})"
    return replace(
        _decision(-sign, f"{reason}; must stay below {bound:.6g}"),
        estimate=float(deviation),
        lower=float(lower),
        upper=float(upper),
        level=alpha,
        p=float(statistics.deviation_p(deviation, sample.size, bound)),
        n=(sample.size,),
    )


def rate(a: Values, b: Values, alpha: float = RATE) -> Decision:
    """The share of ones in a exceeds that in b: Boschloo's exact test, either way round."""
    _check(alpha)
    samples = _flags(a), _flags(b)
    if undecided := _not_finite(*samples):
        return undecided
    (k, n), (j, m) = ((int(sample.sum()), sample.size) for sample in samples)
    up, down = statistics.boschloo_p(k, n, j, m), statistics.boschloo_p(j, m, k, n)
    sign = int(up < alpha) - int(down < alpha)
    reason = f"{k} of {n} against {j} of {m}, {p_told(up, down, sign, alpha)}"
    decided = _decision(sign, reason)
    return replace(decided, estimate=k / n - j / m, level=alpha, p=up, n=(n, m))


def share_above(x: Values, share: float, alpha: float = SHARE) -> Decision:
    """The share of ones in x exceeds `share`, between 0 and 1: the exact binomial test."""
    _check(alpha)
    _check_share(share=share)
    sample = _flags(x)
    if undecided := _not_finite(sample):
        return undecided
    k, n = int(sample.sum()), sample.size
    up, down = map(float, statistics.binomial_p(k, n, share))
    sign = int(up < alpha) - int(down < alpha)
    reason = f"{k} of {n}, {p_told(up, down, sign, alpha)}; must exceed {share:.6g}"
    return replace(_decision(sign, reason), estimate=k / n, level=alpha, p=up, n=(n,))


def sooner(a: Values, b: Values, alpha: float = DIFFERENCE) -> Decision:
    """mean(a) < mean(b), in epochs until a threshold is reached, by Welch's bounds."""
    _check(alpha)
    samples = _values(a), _values(b)
    if undecided := _undecidable(*samples):
        return undecided
    saved = statistics.welch(samples[1], samples[0])
    return _beyond("epochs saved", saved, samples, 0.0, alpha)


def order(groups: Sequence[Values], alpha: float = DIFFERENCE) -> Decision:
    """Groups in the claimed order, largest first: every neighbouring pair by `greater`.

    Both the pairs in order and the pairs the other way round are Holm-corrected. SUPPORTED needs
    every pair, REFUTED one. Fewer than two groups are a ValueError.
    """
    pairs = [(i, i + 1) for i in range(len(groups) - 1)]
    return _every_pair(groups, pairs, alpha)


def greatest(groups: Sequence[Values], alpha: float = DIFFERENCE) -> Decision:
    """The first group is larger than each of the others; pair by pair as in `order`."""
    return _every_pair(groups, [(0, i) for i in range(1, len(groups))], alpha)


def least(groups: Sequence[Values], alpha: float = DIFFERENCE) -> Decision:
    """The first group is smaller than each of the others; pair by pair as in `order`."""
    return _every_pair(groups, [(i, 0) for i in range(1, len(groups))], alpha)


def _every_pair(
    groups: Sequence[Values], pairs: Sequence[tuple[int, int]], alpha: float
) -> Decision:
    """Whether the first of every pair of groups is the larger one, Holm-corrected."""
    _check(alpha)
    samples = [_values(group) for group in groups]
    if len(samples) < 2:
        raise ValueError(f"an order needs at least two groups, got {len(samples)}")
    if undecided := _undecidable(*samples):
        return undecided
    found = [statistics.welch(samples[a], samples[b]) for a, b in pairs]
    up, down = np.transpose([statistics.p_values(pair) for pair in found])
    sign = int(statistics.ordered(up, down, alpha))
    adjusted = statistics.holm(down if sign < 0 else up)
    which = int(np.argmin(adjusted) if sign < 0 else np.argmax(adjusted))
    named = "other way round" if sign < 0 else "weakest pair"
    first, second = pairs[which]
    decided = _decision(
        sign,
        f"{named}: groups {first + 1} and {second + 1}, difference "
        f"{number(found[which].value, found[which], ())}, Holm-adjusted p {adjusted[which]:.3g} "
        f"({counts(samples)}); must stay below {alpha:g}",
    )
    # Of the pair that all of it stands or falls by, with its bounds at its own level.
    lower, upper = map(float, statistics.bounds(found[which], alpha))
    return replace(
        decided,
        estimate=float(found[which].value),
        lower=lower,
        upper=upper,
        level=alpha,
        p=float(statistics.holm(up)[which]),
        n=tuple(sample.size for sample in samples),
    )


def exact(measured: object, reported: object) -> Decision:
    """Equality of integers, strings, or nested sequences of those; a list equals its tuple.

    Anything else, floats and booleans first of all, is a TypeError: whether 0.1 + 0.2 is 0.3, or
    True is 1, is no question for an exact rule.
    """
    found, claimed = _canonical(measured), _canonical(reported)
    if found == claimed:
        return Decision(Verdict.SUPPORTED, f"measured {found!r}, as reported")
    return Decision(Verdict.REFUTED, f"measured {found!r}, reported {claimed!r}")


def logarithms(values: Array) -> Array:
    """Natural logarithms of values >= 0 of any shape, with `SMALLEST` as the floor; see `ratio`."""
    return np.asarray(np.log(np.maximum(values, SMALLEST)))


def _one_sample(x: Values, bound: float, alpha: float, claimed: int) -> Decision:
    """`above` (claimed +1) and `below` (claimed -1)."""
    _check(alpha, bound=bound)
    samples = (_values(x),)
    if undecided := _undecidable(*samples):
        return undecided
    return _beyond("mean", statistics.one_mean(*samples), samples, bound, alpha, claimed)


def _beyond(
    what: str,
    estimate: Estimate,
    samples: Sequence[Array],
    limit: float,
    alpha: float,
    claimed: int = 1,
    shown: Callable[[float], float] = float,
) -> Decision:
    """Decide whether the truth lies above (claimed +1) or below (claimed -1) the limit."""
    sign = int(statistics.side(estimate, limit, alpha))
    told = told_of(what, estimate, sign, samples, (limit,), alpha, shown)
    must = "must exceed" if claimed > 0 else "must stay below"
    reason = f"{told}; {must} {shown(limit):.6g}"
    ends = (limit, math.inf) if claimed > 0 else (-math.inf, limit)
    return _bounded(sign * claimed, reason, estimate, ends, samples, alpha, shown)


def _bounded(
    sign: int,
    reason: str,
    estimate: Estimate,
    ends: tuple[float, float],
    samples: Sequence[Array],
    alpha: float,
    shown: Callable[[float], float] = float,
) -> Decision:
    """A decision on whether the truth lies between two ends, with its numbers."""
    lower, upper = map(float, statistics.bounds(estimate, alpha))
    p = max(
        float(statistics.p_values(estimate, ends[0])[0]) if math.isfinite(ends[0]) else 0.0,
        float(statistics.p_values(estimate, ends[1])[1]) if math.isfinite(ends[1]) else 0.0,
    )
    reach = float(statistics.detectable(estimate, alpha, POWER))
    decided = _decision(sign, reason)
    if decided.verdict is Verdict.INCONCLUSIVE and estimate.error > 0:
        beyond = f"a factor of {exp(reach):.3g}" if shown is exp else f"{reach:.3g}"
        note = f"{beyond} beyond that would be shown four times in five"
        decided = replace(decided, reason=f"{reason}; {note}")
    return replace(
        decided,
        estimate=shown(float(estimate.value)),
        lower=shown(lower),
        upper=shown(upper),
        level=alpha,
        p=p,
        n=tuple(sample.size for sample in samples),
        detectable=shown(reach),
    )


def _decision(sign: int, reason: str) -> Decision:
    """+1 supports, -1 refutes, 0 leaves open."""
    verdicts = (Verdict.INCONCLUSIVE, Verdict.SUPPORTED, Verdict.REFUTED)
    return Decision(verdicts[sign], reason)


def _check(alpha: float, **limits: float) -> None:
    """Refuse levels and limits that no decision could be made by."""
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must lie between 0 and 0.5, got {alpha}")
    for name, limit in limits.items():
        if not math.isfinite(limit):
            raise ValueError(f"{name} must be finite, got {limit}")


def _check_positive(**sizes: float) -> None:
    for name, size in sizes.items():
        if not 0 < size < math.inf:
            raise ValueError(f"{name} must be positive and finite, got {size}")


def _check_share(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 < share < 1:
            raise ValueError(f"{name} must lie between 0 and 1, got {share}")


def _ratios(x: Values) -> Array:
    """A sample of positive ratios; ValueError where one is not."""
    sample = _values(x)
    if (sample <= 0).any():
        raise ValueError("ratios have to be positive")
    return sample


def _flags(x: Values) -> Array:
    """A sample of zeros and ones, or of what is not finite; ValueError for anything else."""
    sample = _values(x)
    if not np.isin(sample[np.isfinite(sample)], (0.0, 1.0)).all():
        raise ValueError("a rate needs values that are 0 or 1, one for each run")
    return sample


def _values(x: Values) -> Array:
    """The sample as float64, shape (n,), n >= 1; ValueError otherwise."""
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"one value per seed is needed, got shape {values.shape}")
    return values


def _undecidable(*samples: Array) -> Decision | None:
    """INCONCLUSIVE for samples that no spread can be computed from, else None."""
    if undecided := _not_finite(*samples):
        return undecided
    if all(sample.size > 1 for sample in samples):
        return None
    return Decision(Verdict.INCONCLUSIVE, f"one value has no spread ({counts(samples)})")


def _not_finite(*samples: Array) -> Decision | None:
    """INCONCLUSIVE for samples of which not every value is a number, else None."""
    total = sum(sample.size for sample in samples)
    finite = sum(int(np.isfinite(sample).sum()) for sample in samples)
    if finite == total:
        return None
    reason = f"{total - finite} of {total} values not finite"
    return Decision(Verdict.INCONCLUSIVE, f"{reason} ({counts(samples)})")


def _canonical(value: object) -> object:
    """Integers as int, sequences as tuples, all the way down."""
    if isinstance(value, str):
        return value
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return tuple(_canonical(item) for item in value)
    raise TypeError(f"exact compares integers, strings and sequences, not {type(value).__name__}")
