"""What a rule decides: a verdict, and the numbers that it rests on."""

import enum
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """What became of a claim."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    RAN = "ran"
    NOT_EVALUATED = "not evaluated"


@dataclass(frozen=True)
class Decision:
    """A verdict and the numbers that it rests on; those that a rule does not have are None.

    Attributes:
        reason: all of it in one line.
        estimate: of what the rule bounds, in the unit of its limit: a mean, a difference, a ratio,
            a standard deviation, a share.
        lower, upper: its bounds, each one-sided at `level`.
        level: the one-sided level of this look.
        p: the one-sided p value that supports where it is below `level`.
        n: the values of each sample.
        detectable: how far beyond its limit the truth would have to lie for as many values, with
            the spread seen, to show it four times in five; in the unit of `estimate`, for a ratio a
            factor.
    """

    verdict: Verdict
    reason: str
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    level: float | None = None
    p: float | None = None
    n: tuple[int, ...] = ()
    detectable: float | None = None
