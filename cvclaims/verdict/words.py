"""A rule's numbers in words: the reason of a decision, in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cvclaims.verdict import statistics
from cvclaims.verdict.statistics import Array, Estimate


def p_told(up: float, down: float, sign: int, alpha: float) -> str:
    """The p value that decided; where none did, the smaller one."""
    p, way = (up, "for more") if sign > 0 or (sign == 0 and up <= down) else (down, "for fewer")
    return f"p {p:.3g} {way}, decided below {alpha:g}"


def told_of(
    what: str,
    estimate: Estimate,
    sign: int,
    samples: Sequence[Array],
    limits: Sequence[float],
    alpha: float,
    shown: Callable[[float], float] = float,
) -> str:
    """One line: the estimate, the bound that `sign` says decided (0: both), the sample sizes."""
    value, lower, upper = (
        number(bound, estimate, limits, shown)
        for bound in (estimate.value, *statistics.bounds(estimate, alpha))
    )
    if estimate.error == 0:
        bound = "without spread"
    else:
        bound = (f"between {lower} and {upper}", f"at least {lower}", f"at most {upper}")[sign]
    return f"{what} {value}, {bound} ({counts(samples)})"


def number(
    number: Array,
    estimate: Estimate,
    limits: Sequence[float],
    shown: Callable[[float], float] = float,
) -> str:
    """Four significant digits, more where four would make it look equal to a limit."""
    exact_ = 0.0 if abs(number) <= estimate.rounding else float(number)
    texts = [f"{shown(exact_):.{digits}g}" for digits in (4, 6, 8, 10)]
    apart = [text for text in texts if all(float(text) != shown(limit) for limit in limits)]
    return (apart or texts)[0]


def counts(samples: Sequence[Array]) -> str:
    """ "n = 3, 5"."""
    return "n = " + ", ".join(str(sample.size) for sample in samples)


def exp(logarithm: float) -> float:
    """exp, infinite instead of an OverflowError: a wide bound on a logarithm is no failure."""
    with np.errstate(over="ignore"):
        return float(np.exp(logarithm))
