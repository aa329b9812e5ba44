"""One row of the results: a claim, one case of it, and what came out.

Rows travel from test processes to the one that writes the tables, so they hold JSON types only.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

SCHEMA = 1
VERDICTS = ("supported", "refuted", "inconclusive", "error", "ran", "not evaluated")
JUDGED = ("supported", "refuted", "inconclusive")
_RANK = {"smoke": 0, "reduced": 1, "full": 2}


class Measured(TypedDict):
    """One measured quantity over seeds.

    std (n - 1) is None for a single value. A value that is not a number, as after a run that
    diverged, is None, and then so are mean and std.
    """

    mean: float | None
    std: float | None
    n: int
    values: list[float | None]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of `claims.json`.

    The fields up to `reason` are the file's contract; the others trace the row.

    Attributes:
        report: the report's slug.
        rule: how it was decided, such as "greater(0)"; None where the test never got there.
        disputed: why the statement contradicts the report's own numbers, or None.
        reported, measured: by name, in the same unit.
        data: the data's source, such as "Fashion-MNIST"; empty for a claim without data.
        reason: the decision in numbers, or why there is none.
        case: names the row where a claim has several.
        source: the section, table or figure of the report.
        assumed: protocol fields that the report does not state.
        evidence: for each recipe by name, the keys of the records that were judged.
        recipes: scale -> name -> digest of the claim's recipes: tells stale rows from sound ones.
        revision: the training revision of the evidence.
    """

    id: str
    title: str
    report: str
    rule: str | None
    verdict: str
    disputed: str | None
    scale: str
    reported: Mapping[str, float]
    measured: Mapping[str, Measured]
    device: str
    data: str
    reason: str
    case: str = ""
    report_number: int = 0
    report_title: str = ""
    report_note: str = ""
    source: str = ""
    assumed: Sequence[str] = ()
    evidence: Mapping[str, Sequence[str]] = field(default_factory=dict)
    recipes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    revision: int = 0

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"claim {self.id}: verdict {self.verdict!r} is unknown")
        if self.scale not in _RANK:
            raise ValueError(f"claim {self.id}: scale {self.scale!r} is unknown")

    @property
    def place(self) -> tuple[str, str, str]:
        """What makes two rows the same one."""
        return (self.report, self.id, self.case)

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; raises TypeError or ValueError on anything else, such as NaN."""
        form: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self), allow_nan=False))
        return form

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> "Row":
        """The inverse of `to_dict`; raises ValueError on what is no row."""
        try:
            return cls(**form)
        except TypeError as error:
            raise ValueError(f"not a row: {error}") from None


def merge(old: Iterable[Row], new: Iterable[Row]) -> list[Row]:
    """The rows that stand after a session: a smaller scale never hides a larger one's evidence.

    A new row replaces the old one of its place, unless the old one was judged at a larger scale
    (or the new one was not evaluated at all) and rests on the recipes and training code of today.
    """
    rows = {row.place: row for row in old}
    for row in new:
        before = rows.get(row.place)
        if before is None or not _outranks(before, row):
            rows[row.place] = row
    return sorted(rows.values(), key=lambda r: (r.report_number, r.report, _natural(r.id), r.case))


def _outranks(old: Row, new: Row) -> bool:
    if old.verdict == "not evaluated":
        return False
    if _stale(old, new):
        return False
    if new.verdict == "not evaluated":
        return True
    # What crashed at a larger scale is no evidence that a smaller one could hide.
    return old.verdict != "error" and _RANK[old.scale] > _RANK[new.scale]


def _stale(old: Row, new: Row) -> bool:
    """Whether the old row's evidence belongs to other recipes or to older training code."""
    if old.recipes.get(old.scale) != new.recipes.get(old.scale):
        return True
    return bool(old.recipes) and old.revision != new.revision


def _natural(text: str) -> list[tuple[int, int | str]]:
    """Sort key: "5.2" before "5.10", words after numbers."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in text.split(".")]
