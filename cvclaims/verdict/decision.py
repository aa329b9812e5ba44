"""What a rule decides: a verdict, and the numbers that it rests on; and the words for verdicts.

Whoever shows a verdict takes its words from here: pytest's plugins, the page, every table.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """What became of a claim."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    RAN = "ran"
    NOT_EVALUATED = "not evaluated"


# What a rule gave; the others say why none did.
JUDGED = (Verdict.SUPPORTED, Verdict.REFUTED, Verdict.INCONCLUSIVE)
# What becomes of a claim with several rows: the first of these that one of them has.
LEAST_FAVOURABLE = (
    *(Verdict.ERROR, Verdict.REFUTED, Verdict.INCONCLUSIVE),
    *(Verdict.NOT_EVALUATED, Verdict.RAN, Verdict.SUPPORTED),
)
# A symbol for the eye that scans a column; the word beside it says the same.
SYMBOLS: Mapping[str, str] = {
    Verdict.SUPPORTED: "✓",
    Verdict.REFUTED: "✗",
    Verdict.INCONCLUSIVE: "?",
    Verdict.ERROR: "!",
    Verdict.RAN: "·",
    Verdict.NOT_EVALUATED: "–",
}


def is_expected(verdict: str, disputed: str | None) -> bool:
    """Whether a disputed claim was refuted, as its own numbers have it."""
    return verdict == Verdict.REFUTED and bool(disputed)


def is_surprise(verdict: str, disputed: str | None) -> bool:
    """Whether a disputed claim was supported, or any other refuted."""
    return verdict == (Verdict.SUPPORTED if disputed else Verdict.REFUTED)


def in_words(verdict: str, disputed: str | None) -> str:
    """The verdict, and what it means for a disputed claim."""
    if not disputed:
        return str(verdict)
    if is_expected(verdict, disputed):
        return f"{verdict} (disputed, as expected)"
    return f"{verdict} (disputed{': a surprise' * is_surprise(verdict, disputed)})"


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
