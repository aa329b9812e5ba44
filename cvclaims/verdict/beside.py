"""What stands beside a verdict and changes none: the size of the effect, and the report's own runs.

*Size*, at full scale: whether the effect measured here is at least half of the reported one. *Its
own runs*: the same rule, one look at 5 %, on the runs that the report publishes.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence

from cvclaims.claim import Reported, mean_reported
from cvclaims.verdict import validity
from cvclaims.verdict.decision import Decision
from cvclaims.verdict.guards import Question
from cvclaims.verdict.levels import OVERALL, nominal
from cvclaims.verdict.samples import AnySample, Sample, Timed

AT_LEAST_HALF, LESS_THAN_HALF, OPEN = "at least half", "less than half", "open"
ONE_RUN = "one run"

GUARDS: Mapping[str, object] = {
    "V1": (validity.START_SHARE, validity.START_ERRORS),
    "V2": validity.ENOUGH_SKILL,
    "V3": "more than half",
    "V4": "failed, trained, or undecided",
    "V5": validity.RE_ENCODED,
}
"""What the guards go by: a change of any makes another rule."""


def rule_digest(question: Question, looks: Sequence[int]) -> str:
    """Twelve hex digits of a rule with its margins, looks, level and guards."""
    alpha = nominal(question.test, len(looks)) if question.test else 0
    parts = [question.rule, question.level, question.test, list(looks), alpha]
    text = json.dumps([*parts, GUARDS, validity.ROUNDING], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def size(
    question: Question,
    samples: Sequence[AnySample],
    reported: Mapping[str, Reported],
    decision: Decision,
) -> str:
    """Whether the truth is at least half of the reported effect, by the bounds of this look.

    Empty where the report gives no effect, or one of another sign than the claim's, and where the
    rule bounds none. Of a ratio, the effect is its logarithm.
    """
    if decision.lower is None or decision.upper is None:
        return ""
    effect = _effect(question, samples, {k: mean_reported(v) for k, v in reported.items()})
    if effect is None or not effect > 0:
        return ""
    bounds = decision.lower, decision.upper
    lower, upper = map(_log, bounds) if _is_ratio(question) else bounds
    if lower > effect / 2:
        return AT_LEAST_HALF
    return LESS_THAN_HALF if upper < effect / 2 else OPEN


def own_runs(
    question: Question, samples: Sequence[AnySample], reported: Mapping[str, Reported]
) -> str:
    """What the rule says of the report's own runs: a verdict's word, `ONE_RUN`, or nothing.

    Nothing where the report gives no number for one of the samples.
    """
    given = [reported.get(sample.label) for sample in samples]
    # A report gives no number of 0 or 1 a run.
    if (
        question.test in (None, "rate", "share")
        or not given
        or any(value is None for value in given)
    ):
        return ""
    runs = [value for value in given if isinstance(value, Sequence)]
    if len(runs) < len(given):
        return ONE_RUN
    return str(question.decide(*runs, alpha=OVERALL).verdict)


def _is_ratio(question: Question) -> bool:
    return question.rule.startswith("ratio(")


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _effect(
    question: Question, samples: Sequence[AnySample], reported: Mapping[str, float]
) -> float | None:
    """The reported effect, positive where it has the claimed sign; None where there is none."""
    if _is_ratio(question):
        return _ratio(samples, reported)
    if question.rule == "sooner":
        first, second = _of(samples, reported)
        return None if first is None or second is None else second - first
    if not question.rule.startswith("greater("):
        return None
    if len(samples) == 2:
        first, second = _of(samples, reported)
    else:
        (difference,) = samples
        if difference.label in reported:
            return reported[difference.label]
        leaves = difference.leaves if isinstance(difference, Sample) else ()
        first, second = _of(leaves, reported) if len(leaves) == 2 else (None, None)
    return None if first is None or second is None else first - second


def _ratio(samples: Sequence[AnySample], reported: Mapping[str, float]) -> float | None:
    first: float | None
    second: float | None
    if len(samples) == 2:
        first, second = _of(samples, reported)
    else:
        (timed,) = samples
        if timed.label in reported:
            first, second = reported[timed.label], 1.0
        elif isinstance(timed, Timed) and len(timed.of) == 2:
            first, second = (reported.get(f"{name}, s per epoch") for name in timed.of)
        else:
            return None
    if first is None or second is None or first <= 0 or second <= 0:
        return None
    return math.log(first / second)


def _of(
    samples: Sequence[AnySample], reported: Mapping[str, float]
) -> tuple[float | None, float | None]:
    first, second = (reported.get(sample.label) for sample in samples)
    return first, second
