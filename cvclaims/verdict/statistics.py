"""Statistics of a few seeds: arrays in, numbers out, nothing read, printed or kept.

Every function is vectorised. Samples have shape (..., n): the last axis holds one value per seed,
any leading axes are independent data sets. Samples must be finite; `rules` sees to that. No
function warns, whatever the finite values.

A decision is a sign: +1 when the estimate lies clearly above a limit, -1 when clearly below it,
0 when the data leave it open.
"""

from __future__ import annotations

import functools
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special

Array: TypeAlias = npt.NDArray[np.float64]
Signs: TypeAlias = npt.NDArray[np.int8]

ROUNDING: Final = 8 * float(np.finfo(np.float64).eps)
"""Numbers that differ by less than this, relative to what they were computed from, are equal.

Decimal data carry half an ulp each, a mean and a difference a few more; 0.1 + 0.2 against 0.3
must not read as a discovery.
"""

_extremes = np.errstate(over="ignore", invalid="ignore")
"""Values near the end of the float range: what overflows is inf, inf - inf is nan, no warning.

A bound at the wrong infinity, or nan, decides nothing; rightly so.
"""


class Estimate(NamedTuple):
    """A mean, or a difference of means, with what is needed to bound it. All of shape (...)."""

    value: Array
    """The estimate, in the unit of the sample."""
    error: Array
    """Its standard error, same unit; 0 when the sample has no spread."""
    df: Array
    """Degrees of freedom of Student's t for (value - truth) / error."""
    rounding: Array
    """How far `value` may be off through floating-point rounding alone, same unit."""


def mean_and_error(x: npt.ArrayLike) -> tuple[Array, Array]:
    """Mean and standard error of the mean, sqrt(s² / n) with s² over n - 1, each of shape (...).

    `x` has shape (..., n); fewer than two values are a ValueError. Neither depends on the order
    of the values, identical values give exactly their value and 0, and squares neither overflow
    nor vanish.
    """
    values = np.sort(np.asarray(x, dtype=np.float64), axis=-1)  # sums depend on the order
    n = values.shape[-1]
    if n < 2:
        raise ValueError(f"a spread needs at least two values, got {n}")
    exponent = np.frexp(_largest(values))[1]  # a power of two scales without rounding
    scaled = np.ldexp(values, -exponent[..., None])
    first = scaled[..., :1]  # deviations from one of the values: identical ones give exactly 0
    deviations = scaled - first
    shift = deviations.mean(axis=-1, keepdims=True)
    variance = np.square(deviations - shift).sum(axis=-1) / (n - 1)
    mean = (first + shift)[..., 0]
    return np.ldexp(mean, exponent), np.ldexp(np.sqrt(variance / n), exponent)


def one_mean(x: npt.ArrayLike) -> Estimate:
    """The mean of one sample, shape (..., n), with n - 1 degrees of freedom (Student 1908)."""
    values = np.asarray(x, dtype=np.float64)
    mean, error = mean_and_error(values)
    df = np.full_like(mean, values.shape[-1] - 1)
    return Estimate(mean, error, df, ROUNDING * _largest(values))


@_extremes
def welch(a: npt.ArrayLike, b: npt.ArrayLike) -> Estimate:
    """The difference mean(a) - mean(b) of two samples with variances of their own.

    `a` has shape (..., n), `b` (..., m). With the squared standard errors u and v of the means:
    error² = u + v and df = (u + v)² / (u² / (n - 1) + v² / (m - 1)).

    Source: B. L. Welch, "The generalization of 'Student's' problem when several different
    population variances are involved", Biometrika 34 (1947); F. E. Satterthwaite, Biometrics
    Bulletin 2 (1946). The same as `scipy.stats.ttest_ind(equal_var=False)`.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    (mean_a, error_a), (mean_b, error_b) = mean_and_error(a), mean_and_error(b)
    n, m = a.shape[-1], b.shape[-1]
    value, error = mean_a - mean_b, np.hypot(error_a, error_b)
    # Shares of the error rather than the formula's fourth powers, which under- and overflow.
    known = (error > 0) & np.isfinite(error)
    divisor = np.where(known, error, 1.0)
    share_a, share_b = np.square(error_a / divisor), np.square(error_b / divisor)
    inverse = np.square(share_a) / (n - 1) + np.square(share_b) / (m - 1)
    df = 1 / np.where(known, inverse, 1 / (n + m - 2))
    return Estimate(value, error, df, ROUNDING * np.maximum(_largest(a), _largest(b)))


def at_magnitude(estimate: Estimate, magnitude: float | Array) -> Estimate:
    """The estimate with `rounding` of numbers as large as `magnitude` allowed for as well."""
    rounding = np.maximum(estimate.rounding, ROUNDING * np.abs(magnitude))
    return estimate._replace(rounding=rounding)


@_extremes
def bounds(estimate: Estimate, alpha: float) -> tuple[Array, Array]:
    """Lower and upper confidence bound of the truth, each one-sided at level `alpha`.

    Together they are the two-sided interval at 1 - 2 alpha: value ± t(1 - alpha, df) · error.
    """
    width = -special.stdtrit(estimate.df, alpha) * estimate.error
    return estimate.value - width, estimate.value + width


@_extremes
def p_values(estimate: Estimate, limit: float | Array = 0.0) -> tuple[Array, Array]:
    """One-sided p values (of "truth <= limit", of "truth >= limit").

    The first is below alpha exactly when the lower bound is above the limit, the second when the
    upper bound is below it, rounding allowed for. Without spread they are 0 or 1.
    """
    gap = estimate.value - limit
    return _tail(gap - estimate.rounding, estimate), _tail(-gap - estimate.rounding, estimate)


@_extremes
def side(estimate: Estimate, limit: float | Array, alpha: float) -> Signs:
    """+1 where the lower bound exceeds `limit`, -1 where the upper bound is below it, else 0."""
    lower, upper = bounds(estimate, alpha)
    above = lower - estimate.rounding > limit
    below = upper + estimate.rounding < limit
    return _signs(np.asarray(above), np.asarray(below))


@_extremes
def detectable(estimate: Estimate, alpha: float, power: float) -> Array:
    """How far beyond a limit the truth has to lie to be shown with this power, at this error.

    (t(1 - alpha, df) + t(power, df)) · error: the usual approximation by a shifted t, with the
    error seen taken for the true one. J. Cohen, "Statistical power analysis for the behavioral
    sciences" (1988), section 2.
    """
    return -(special.stdtrit(estimate.df, alpha) + special.stdtrit(estimate.df, 1 - power)) * (
        estimate.error
    )


def inside(estimate: Estimate, value: float, delta: float, alpha: float) -> Signs:
    """+1 where both bounds lie inside value ± delta, -1 where both lie outside on one side, else 0.

    Source: two one-sided tests, D. J. Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15
    (1987).
    """
    estimate = at_magnitude(estimate, max(abs(value), delta))  # the ends are sums of these two
    low, high = side(estimate, value - delta, alpha), side(estimate, value + delta, alpha)
    within, without = (low > 0) & (high < 0), (low < 0) | (high > 0)
    return _signs(within, without)


def standard_deviation(x: npt.ArrayLike) -> tuple[Array, Array]:
    """Sample standard deviation (n - 1) of (..., n), and how far rounding may have it off."""
    values = np.asarray(x, dtype=np.float64)
    _, error = mean_and_error(values)
    return error * np.sqrt(values.shape[-1]), ROUNDING * _largest(values)


def deviation_bounds(deviation: Array, n: int, alpha: float) -> tuple[Array, Array]:
    """Lower and upper bound of a Normal sample's true σ, each one-sided at `alpha`.

    (n - 1) s² / σ² follows χ² with n - 1 degrees of freedom; Cramér, "Mathematical methods of
    statistics" (1946), section 29.3. It takes the values to be Normal, however many there are.
    """
    df = n - 1
    high, low = special.chdtri(df, alpha), special.chdtri(df, 1 - alpha)
    return deviation * np.sqrt(df / high), deviation * np.sqrt(df / low)


def deviation_p(deviation: Array, n: int, limit: float) -> Array:
    """One-sided p value of "σ >= limit", small where the sample deviation is well below it."""
    return np.asarray(special.chdtr(n - 1, (n - 1) * np.square(deviation / limit)))


def spread_side(x: npt.ArrayLike, limit: float, alpha: float) -> Signs:
    """+1 where σ's lower bound exceeds `limit`, -1 where its upper bound is below it, else 0."""
    deviation, rounding = standard_deviation(x)
    lower, upper = deviation_bounds(deviation, np.shape(x)[-1], alpha)
    return _signs(np.asarray(lower - rounding > limit), np.asarray(upper + rounding < limit))


def binomial_p(k: npt.ArrayLike, n: int, share: float) -> tuple[Array, Array]:
    """Exact one-sided p values for k of n, shape (...), against a true share.

    The first is P(K >= k), small where the truth exceeds `share`; the second P(K <= k).
    """
    k = np.asarray(k, dtype=np.float64)
    up = np.where(k > 0, special.bdtrc(np.maximum(k - 1, 0), n, share), 1.0)
    return up, np.asarray(special.bdtr(k, n, share))


@functools.cache
def boschloo_p(k: int, n: int, j: int, m: int) -> float:
    """One-sided p value of Boschloo's exact test, small where k of n is more than j of m.

    Fisher's p value is its statistic, the largest probability over the common share its p value.
    Source: R. D. Boschloo, "Raised conditional level of significance for the 2 × 2-table when
    testing the equality of two probabilities", Statistica Neerlandica 24 (1970).
    """
    if k + j in (0, n + m):  # all alike: the test is not defined, and nothing is told apart
        return 1.0
    from scipy import stats  # half a second, which other rules need not wait for

    table = [[k, j], [n - k, m - j]]
    return float(stats.boschloo_exact(table, alternative="greater").pvalue)


def holm(p: npt.ArrayLike) -> Array:
    """Holm-adjusted p values of tests along the last axis, same shape as `p`.

    The i-th smallest of m is multiplied by m + 1 - i; none falls below a smaller one's, none
    exceeds 1. Source: S. Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    p = np.asarray(p, dtype=np.float64)
    ranking = np.argsort(p, axis=-1)
    factors = np.arange(p.shape[-1], 0, -1)
    stepped = np.maximum.accumulate(np.take_along_axis(p, ranking, axis=-1) * factors, axis=-1)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, ranking, np.minimum(stepped, 1.0), axis=-1)
    return adjusted


def ordered(p_up: npt.ArrayLike, p_down: npt.ArrayLike, alpha: float) -> Signs:
    """+1 where every pair is in order, -1 where one is the other way round, else 0; Holm-adjusted.

    `p_up` and `p_down`, shape (..., pairs), are the `p_values` of the neighbours' differences.
    """
    every = np.asarray((holm(p_up) < alpha).all(axis=-1))
    reverse = np.asarray((holm(p_down) < alpha).any(axis=-1))
    return _signs(every, reverse)


def _signs(up: npt.NDArray[np.bool_], down: npt.NDArray[np.bool_]) -> Signs:
    """+1 where up, -1 where down, else 0; never are both."""
    return np.asarray(up.astype(np.int8) - down.astype(np.int8))


def _largest(values: Array) -> Array:
    """The largest magnitude along the last axis."""
    return np.asarray(np.abs(values).max(axis=-1))


def _tail(gap: Array, estimate: Estimate) -> Array:
    """P(T > gap / error); without spread 0 for a positive gap, 1 otherwise."""
    certain = np.where(gap > 0, np.inf, -np.inf)
    spread = estimate.error > 0
    t = np.where(spread, gap / np.where(spread, estimate.error, 1.0), certain)
    return np.asarray(special.stdtr(estimate.df, -t))
