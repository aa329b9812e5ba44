"""Verdicts: what a few seeds' values say about a claim."""

from cvclaims.verdict.rules import (
    Decision,
    Verdict,
    above,
    below,
    exact,
    greater,
    level,
    not_worse,
    order,
    rate,
    ratio,
    ratio_above,
    ratio_within,
    share_above,
    sooner,
    spread_below,
)
from cvclaims.verdict.statistics import LOOKS, NOMINAL_ALPHA

__all__ = [
    "LOOKS",
    "NOMINAL_ALPHA",
    "Decision",
    "Verdict",
    "above",
    "below",
    "exact",
    "greater",
    "level",
    "not_worse",
    "order",
    "rate",
    "ratio",
    "ratio_above",
    "ratio_within",
    "share_above",
    "sooner",
    "spread_below",
]
