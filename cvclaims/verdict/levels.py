"""The level of each look: one table, by kind of rule and number of looks.

Whoever looks several times errs more often. Each level is the largest at which the simulated share
of false support on Normal values, the truth on the rule's limit, stays at or below 5 % over the
whole sequence of looks, cut off to four digits: docs/calibration.md says how, with the seed and the
number of repetitions. After P. Armitage, C. K. McPherson, B. C. Rowe, "Repeated significance tests
on accumulating data", J. Royal Statistical Society A 132 (1969).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["one mean", "difference", "deviation", "rate", "share"]

OVERALL: Final = 0.05
"""What all looks together may err by; the level of a look that stands alone."""

NOMINAL: Final[Mapping[Kind, tuple[float, ...]]] = MappingProxyType(
    {
        "one mean": (0.05, 0.0290, 0.0211, 0.0166, 0.0138),
        "difference": (0.0469, 0.0271, 0.0194, 0.0153, 0.0127),
        "deviation": (0.05, 0.0279, 0.0199, 0.0155, 0.0128),
        "rate": (0.05, 0.0327, 0.0244, 0.0205, 0.0167),
        "share": (0.05, 0.0347, 0.0251, 0.0211, 0.0178),
    }
)
"""Each kind's one-sided level at one to five looks.

One mean: Student's t. Difference: Welch's t, at the worst ratio of standard deviations from 1 to 4;
also for an order, whose weakest pair decides. Deviation: χ². Rate: Boschloo's exact test, and
share: the exact binomial test, by enumeration over all true shares.
"""


def nominal(kind: Kind, looks: int) -> float:
    """The level of each of so many looks, from 1 to 5."""
    return NOMINAL[kind][looks - 1]
