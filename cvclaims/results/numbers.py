"""Numbers as people read them: a reported one and a measured one in the same digits.

A row does not name its units, so the format follows from the numbers alone: whole numbers are
counts or epochs, anything else gets about four significant digits and at least two.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cvclaims.claim import Reported, mean_reported
from cvclaims.results.view import ClaimView, Measured

NONE = "–"
# Below this, four decimals would leave less than two significant digits.
_SMALL = 1e-3
# From here on digits before the point are no longer read, only counted.
_LARGE = 1e7
# Whole numbers stay written out for longer: parameter counts are compared digit by digit.
_LARGE_COUNT = 1e12


@dataclass(frozen=True)
class Quantity:
    """One line of a row's numbers, as text; `n` is empty where the row says it once for all."""

    name: str
    reported: str
    measured: str
    n: str = ""


def quantities(row: ClaimView) -> tuple[list[Quantity], str]:
    """The row's numbers by name, reported ones first, and how many values all of them rest on.

    The second is empty where they differ (then each line says it) and where a single value has
    no seeds behind it, as a number of parameters has none.
    """
    names = [*row.reported, *(name for name in row.measured if name not in row.reported)]
    sizes = {measured["n"] for measured in row.measured.values()}
    lines = []
    for name in names:
        measured = row.measured.get(name)
        n = f"n = {measured['n']}" if measured and len(sizes) > 1 else ""
        shown = "" if len(names) == 1 else name
        lines.append(Quantity(shown, *side_by_side(row.reported.get(name), measured), n))
    if len(sizes) != 1 or (sizes == {1} and not row.evidence):
        return lines, ""
    values = sizes.pop()
    if not row.evidence:
        return lines, counted(values, "value")
    # A sample pooled from several recipes has more values than any of them has seeds.
    seeds = max(map(len, row.evidence.values()))
    return lines, counted(values, "seed" if values <= seeds else "run")


def briefly(value: float) -> str:
    """A number alone: whole ones in full, any other in four significant digits."""
    return _count(value) if _are_counts(value, None) else f"{value:.4g}"


def counted(number: int, unit: str) -> str:
    """ "1 seed", "5 seeds"."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def side_by_side(given: Reported | None, measured: Measured | None) -> tuple[str, str]:
    """Both as text: ("0.9833", "0.9822 ± 0.0031"); an en dash stands for one that is missing.

    Of several reported runs it is their mean, and how many they are.
    """
    left, right = _side_by_side(None if given is None else mean_reported(given), measured)
    return f"{left} (n = {len(given)})" if isinstance(given, Sequence) else left, right


def _side_by_side(reported: float | None, measured: Measured | None) -> tuple[str, str]:
    if _are_counts(reported, measured):
        return _count(reported), NONE if measured is None else _count_spread(measured)
    known = [reported, measured["mean"] if measured else None]
    places = _places(max((abs(x) for x in known if x is not None), default=0.0))
    left = NONE if reported is None else _decimal(reported, places)
    return left, NONE if measured is None else _spread(measured, places)


def _are_counts(reported: float | None, measured: Measured | None) -> bool:
    known = [] if reported is None else [reported]
    for value in measured["values"] if measured else ():
        if value is None:
            return False
        known.append(value)
    return all(math.isfinite(x) and x == int(x) and abs(x) < _LARGE_COUNT for x in known)


def _count(x: float | None) -> str:
    return NONE if x is None else f"{x:,.0f}"


def _count_spread(measured: Measured) -> str:
    mean, std = measured["mean"], measured["std"]
    if mean is None or std is None:
        return _count(mean)
    # A mean of epochs: one decimal, unless every seed gave the same.
    return f"{mean:,.1f} ± {std:,.1f}" if std else f"{mean:,.0f} ± 0"


def _spread(measured: Measured, places: int) -> str:
    mean, std = measured["mean"], measured["std"]
    if mean is None or not math.isfinite(mean):
        return "not finite"
    if std is None or not math.isfinite(std):
        return _decimal(mean, places)
    largest = max(abs(mean), std)
    if 0 < largest < _SMALL or largest >= _LARGE:
        return f"{mean:.2e} ± {std:.1e}"
    # The spread may be what needs the digits: 0.0041 beside a reported 450.
    places = max(places, 0 if _shows(largest, places) else _places(largest))
    tiny = 0 < std < 0.5 * 10**-places
    return f"{mean:,.{places}f} ± " + (f"<{10.0**-places:g}" if tiny else f"{std:,.{places}f}")


def _decimal(x: float, places: int) -> str:
    if x == 0:
        return "0"
    if abs(x) < _SMALL or abs(x) >= _LARGE:
        return f"{x:.2e}"
    return f"{x:,.{places if _shows(x, places) else _places(abs(x))}f}"


def _places(magnitude: float) -> int:
    """Decimals that leave about four significant digits: 0.9833, 1.640, 22.80, 1,924."""
    if magnitude < 1 or not math.isfinite(magnitude):
        return 4
    return max(0, 3 - int(math.log10(magnitude)))


def _shows(x: float, places: int) -> bool:
    """Whether so many decimals leave at least two significant digits of x."""
    return abs(x) >= 10.0 ** (1 - places)
