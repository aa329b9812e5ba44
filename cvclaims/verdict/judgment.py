"""What the judge gives: a verdict with all that it rests on, in JSON types."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cvclaims.records.record import rounded
from cvclaims.verdict.decision import Decision, Verdict


@dataclass(frozen=True)
class Judgment:
    """A verdict with all that it rests on; see `results.view.ClaimView` for the fields.

    `rule` is None where the test never got there.
    """

    verdict: Verdict
    rule: str | None
    reason: str
    measured: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Sequence[str]] = field(default_factory=dict)
    device: str = ""
    data: str = ""
    guards: Sequence[str] = ()
    decision: Mapping[str, Any] = field(default_factory=dict)
    size: str = ""
    own_runs: str = ""
    rule_digest: str = ""


def numbers(decision: Decision) -> dict[str, Any]:
    """A decision's numbers as JSON types; what is not finite is None, and empty without any."""
    if not decision.n:
        return {}
    names = ("estimate", "lower", "upper", "level", "p", "detectable")
    return {name: _plain(getattr(decision, name)) for name in names} | {"n": list(decision.n)}


def _plain(number: float | None) -> float | None:
    return float(number) if number is not None and math.isfinite(number) else None


def summary(values: Sequence[float]) -> dict[str, Any]:
    """See `results.view.Measured`; what is not finite is None."""
    finite = all(map(math.isfinite, values))
    return {
        "mean": rounded(float(statistics.fmean(values))) if finite else None,
        "std": rounded(float(statistics.stdev(values))) if finite and len(values) > 1 else None,
        "n": len(values),
        "values": rounded([float(value) for value in values]),
    }
