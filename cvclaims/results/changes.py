"""What differs between two tables of the same claims."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from cvclaims.results.numbers import side_by_side
from cvclaims.results.view import ClaimView, Measured

# The row of one case of a claim in either table.
Pair: TypeAlias = tuple[ClaimView, ClaimView]

# Tables keep seven digits.
_ROUNDING = 1e-6
# How a claim falls; one that only ran was not judged.
_FALLS = {("supported", verdict) for verdict in ("refuted", "inconclusive", "error")}


@dataclass
class Changes:
    """Two tables beside each other; rows without a verdict on one side are counted, not paired.

    Attributes:
        moved: pairs of one verdict that measured otherwise: each mean lies beyond the other's
            interval.
        missing: the rows that the first table supports, and the second does not have.
        only: how many rows one of the tables alone has, those of `missing` among them.
    """

    agreeing: int = 0
    differing: list[Pair] = field(default_factory=list)
    moved: list[Pair] = field(default_factory=list)
    missing: list[ClaimView] = field(default_factory=list)
    only: tuple[int, int] = (0, 0)
    not_evaluated: tuple[int, int] = (0, 0)

    @property
    def compared(self) -> int:
        """How many verdicts could agree."""
        return self.agreeing + len(self.differing) + len(self.missing)

    @property
    def fallen(self) -> list[ClaimView]:
        """The rows that the first table supports, and the second no longer does."""
        fell = [a for a, b in self.differing if (a.verdict, b.verdict) in _FALLS]
        return fell + self.missing


def changes(first: Sequence[ClaimView], second: Sequence[ClaimView]) -> Changes:
    """Compare two tables, in the order of the first.

    Times taken on a CPU and on a GPU are no pair; what was not timed at all is one of either.
    """
    statements: dict[tuple[str, str, str], list[ClaimView]] = {}
    for row in second:
        statements.setdefault(row.statement, []).append(row)
    found = [(row, _counterpart(row, statements.get(row.statement, ()))) for row in first]
    pairs = [(row, other) for row, other in found if other is not None]
    gone = [row for row, other in found if other is None]
    open_sides = [tuple(row.verdict == "not evaluated" for row in pair) for pair in pairs]
    judged = [pair for pair, is_open in zip(pairs, open_sides, strict=True) if not any(is_open)]
    return Changes(
        agreeing=sum(a.verdict == b.verdict for a, b in judged),
        differing=[(a, b) for a, b in judged if a.verdict != b.verdict],
        moved=[(a, b) for a, b in judged if a.verdict == b.verdict and _moved(a, b)],
        missing=[r for r in gone if r.verdict == "supported" and r.statement not in statements],
        only=(len(gone), len(second) - len({other.place for _, other in pairs})),
        not_evaluated=(open_sides.count((True, False)), open_sides.count((False, True))),
    )


def _moved(before: ClaimView, after: ClaimView) -> bool:
    """Whether something was measured otherwise, by more than its seeds explain.

    Times are of their machine, and smaller scales of their own protocol: neither is compared.
    """
    if before.timed_on or before.scale != after.scale:
        return False
    names = before.measured.keys() & after.measured.keys()
    return any(_beyond(before.measured[name], after.measured[name]) for name in names)


def _beyond(before: Measured, after: Measured) -> bool:
    """Whether each mean lies beyond the other's 95 % interval; without seeds, if they differ."""
    one, other = before["mean"], after["mean"]
    if one is None or other is None:
        return one is not other
    apart = abs(one - other)
    return apart > _ROUNDING * max(abs(one), abs(other)) and all(
        apart > _half_width(side) for side in (before, after)
    )


def _half_width(measured: Measured) -> float:
    """Half of the 95 % interval of a mean by Student's t; 0 where there is one value alone."""
    from scipy import special

    std, n = measured["std"], measured["n"]
    return (
        0.0 if std is None or n < 2 else float(special.stdtrit(n - 1, 0.975)) * std / math.sqrt(n)
    )


def markdown(found: Changes, a: str, b: str) -> str:
    """For a pull request: what fell first, then what else changed."""
    from cvclaims.results.markdown import plain, table, verdict_of

    fallen = f"**{len(found.fallen)} supported claims fell.** " if found.fallen else ""
    parts = [
        f"### Claims: {plain(a)} → {plain(b)}\n",
        f"{fallen}{found.agreeing} of {found.compared} verdicts agree.\n",
    ]
    lines = [
        [plain(f"{x.id} {x.case}".strip()), verdict_of(x), verdict_of(y), plain(_measures(x, y))]
        for x, y in [*found.differing, *found.moved]
    ]
    lines += [
        [plain(f"{x.id} {x.case}".strip()), verdict_of(x), "not there", ""] for x in found.missing
    ]
    if lines:
        parts.append(table(["claim", "before", "after", "measured"], lines))
    return "\n".join(parts)


def _counterpart(row: ClaimView, others: Sequence[ClaimView]) -> ClaimView | None:
    """The row of the same statement: of the same place, or one that is not timed where this is."""
    same = [other for other in others if other.place == row.place]
    loose = [other for other in others if not (other.timed_on and row.timed_on)]
    return next(iter(same + loose), None)


def told(before: ClaimView, after: ClaimView) -> str:
    """One line: "5.25 digits: supported -> inconclusive; ours 0.9712 -> 0.9701 (n = 8 -> 8)"."""
    parts = [f"{before.verdict} -> {after.verdict}"]
    if before.scale != after.scale:
        parts[0] += f" ({before.scale} -> {after.scale})"
    numbers = _measures(before, after)
    parts += [numbers] if numbers else []
    digests = {before.rule_digest, after.rule_digest} - {""}
    parts += ["another rule, margin, level or guard"] if len(digests) > 1 else []
    # A crash has no numbers, nor has a property: its reason is the example that refutes it.
    if after.reason and not after.measured:
        parts.append(after.reason)
    return f"{' '.join(filter(None, (before.id, before.case)))}: {'; '.join(parts)}"


def _measures(before: ClaimView, after: ClaimView) -> str:
    """Every measured mean of both sides, and how many values they rest on."""
    names = dict.fromkeys([*before.measured, *after.measured])
    numbers = [
        _numbers(name, before.measured.get(name), after.measured.get(name)) for name in names
    ]
    counts = [_values(row) for row in (before, after)]
    if numbers and counts != ["1", "1"]:
        numbers[-1] += f" (n = {' -> '.join(counts)})"
    return ", ".join(numbers)


def _numbers(name: str, before: Measured | None, after: Measured | None) -> str:
    """Both means, in the same digits."""
    left, right = (side["mean"] if side else None for side in (before, after))
    alone: Measured = {"mean": right, "std": None, "n": 1, "values": [right]}
    shown = side_by_side(left, alone if after else None)
    return f"{name} {' -> '.join(shown)}"


def _values(row: ClaimView) -> str:
    """How many values the row's numbers rest on: "8", or "3 to 8" where they differ."""
    sizes = sorted({measured["n"] for measured in row.measured.values()}) or [0]
    return str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
