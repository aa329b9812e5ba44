"""What counts as equal: numbers, words, sequences of them, and a report's "about"."""

import math
from collections.abc import Sequence

from cvclaims.verdict import rules
from cvclaims.verdict.decision import Decision, Verdict


def is_empty(value: object) -> bool:
    """Whether it is a sequence that holds nothing, however deep."""
    if isinstance(value, str):
        return not value
    return isinstance(value, Sequence) and all(map(is_empty, value))


def in_every_run(values: Sequence[float], reported: object) -> Decision:
    """Every seed's number is `reported`; what is no whole number is left for the rule to refuse."""
    if odd := sum(not math.isfinite(value) for value in values):
        reason = f"{odd} of {len(values)} values not finite"
        return Decision(Verdict.INCONCLUSIVE, reason)
    whole = [int(value) if value == int(value) else value for value in values]
    return rules.exact(whole, [reported] * len(whole))


def about(measured: object, reported: object, within: float) -> Decision:
    """The two numbers differ by no more than a share `within` of the reported one."""
    for number in (measured, reported):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise TypeError(f"only numbers can be about equal, not {number!r}")
    assert isinstance(measured, int | float)
    assert isinstance(reported, int | float)
    if not (math.isfinite(measured) and math.isfinite(reported)) or reported == 0 or within <= 0:
        raise ValueError(f"{measured} cannot lie within {within} of {reported}")
    off = abs(measured - reported) / abs(reported)
    sign = "above" if measured > reported else "below"
    reason = f"measured {measured:,}, {100 * off:.1f} % {sign} the reported {reported:,}"
    return Decision(Verdict.SUPPORTED if off <= within else Verdict.REFUTED, reason)
