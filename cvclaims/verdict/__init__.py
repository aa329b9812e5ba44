"""Verdicts: what a few seeds' values say about a claim."""

from cvclaims.plan import LOOKS
from cvclaims.verdict.decision import Decision, Verdict
from cvclaims.verdict.levels import nominal
from cvclaims.verdict.rules import (
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

__all__ = [
    "LOOKS",
    "Decision",
    "Verdict",
    "above",
    "below",
    "exact",
    "greater",
    "level",
    "nominal",
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
