"""One row of the results: a claim, one case of it, and what came out.

Rows travel from test processes to the one that writes the tables, so they hold JSON types only.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

from cvclaims.catalogue import FRAGILE
from cvclaims.text import clean

SCHEMA = 1
VERDICTS = ("supported", "refuted", "inconclusive", "error", "ran", "not evaluated")
JUDGED = ("supported", "refuted", "inconclusive")
# How the rules of timed rows end.
TIMED = ", timed"
# Fields that stand in the file where a row has them.
_WHERE_THERE = (
    *("about_failing", "guards", "decision", "size", "own_runs", "rule_digest", "failure"),
)
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

    The fields up to `reason` are the file's contract; the others trace the row. Every text of it
    is made fit to be shown, wherever the row came from.

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
        about_failing: the recipes of which the statement says that they fail to train; True: all.
        guards: the guards of `verdict.validity` that had a say, such as "V1"; `reason` has their
            words. Where the row *ran*, they held it back: it is not comparable.
        decision: the numbers of the verdict: estimate, lower, upper, level, p, detectable and n, as
            in `verdict.rules.Decision`; empty where the rule has none.
        size: whether the effect is at least half of the reported one; see `verdict.beside`.
        own_runs: what the same rule says of the report's own runs.
        rule_digest: of the rule with its margins, looks, level and guards: tells a changed rule.
        failure: why the last session that tried could not judge the claim, while a verdict of
            before stands.

    Those from `about_failing` on are in the file only of rows that have them.
    """

    id: str
    title: str
    report: str
    rule: str | None
    verdict: str
    disputed: str | None
    scale: str
    reported: Mapping[str, float | Sequence[float]]
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
    about_failing: bool | Sequence[str] = ()
    guards: Sequence[str] = ()
    decision: Mapping[str, Any] = field(default_factory=dict)
    size: str = ""
    own_runs: str = ""
    rule_digest: str = ""
    failure: str = ""

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            object.__setattr__(self, name, _cleaned(getattr(self, name)))
        if self.verdict not in VERDICTS:
            raise ValueError(f"claim {self.id}: verdict {self.verdict!r} is unknown")
        if self.scale not in _RANK:
            raise ValueError(f"claim {self.id}: scale {self.scale!r} is unknown")

    @property
    def statement(self) -> tuple[str, str, str]:
        """Which case of which claim it is."""
        return (self.report, self.id, self.case)

    @property
    def timed_on(self) -> str:
        """The kind of device that a timed row belongs to; empty for every other, and before."""
        if not self.device or not (self.rule or "").endswith(TIMED):
            return ""
        return "CPU" if self.device.startswith("CPU") else "GPU"

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What makes two rows the same one: what a GPU took is no news of a CPU (V6)."""
        return (*self.statement, self.timed_on)

    @property
    def held_back(self) -> bool:
        """Whether a guard held it back: what was measured is not comparable."""
        return self.verdict == "ran" and bool(self.guards)

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; raises TypeError or ValueError on anything else, such as NaN."""
        form: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self), allow_nan=False))
        for name in _WHERE_THERE:
            if not form[name]:
                del form[name]
        return form

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> "Row":
        """The inverse of `to_dict`; raises ValueError on what is no row."""
        try:
            return cls(**form)
        except TypeError as error:
            raise ValueError(f"not a row: {error}") from None


def _cleaned(value: Any) -> Any:
    """Every text in it fit to be shown; whatever else a file held stays as it is."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {_cleaned(name): _cleaned(part) for name, part in value.items()}
    return [_cleaned(part) for part in value] if isinstance(value, list) else value


def merge(old: Iterable[Row], new: Iterable[Row]) -> list[Row]:
    """The rows that stand after a session: nothing less hides a verdict on today's recipes.

    A new row replaces the old one of its place, unless that one rests on the recipes and training
    code of today and was judged at a larger scale, or the new one has no verdict to put in its
    place. Nor does one that leaves the claim open, or only ran, where more was judged: fewer seeds
    or generated data are no news. But where the very records that were judged only run now, a rule
    or a guard has changed, which takes the verdict back; as does a row of the same scale by another
    rule. What crashed is told beside the verdict
    that stands. Smoke judges nothing and never enters.

    A timed row stands beside that of the other kind of device. What was not timed, as it crashed or
    had no device, belongs to neither: it meets both.
    """
    statements: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in old:
        statements.setdefault(row.statement, {})[row.timed_on] = row
    for row in new:
        if row.scale != "smoke":
            statements[row.statement] = _joined(statements.get(row.statement, {}), row)
    return in_order(row for rows in statements.values() for row in rows.values())


def _joined(old: Mapping[str, Row], new: Row) -> dict[str, Row]:
    """The rows of one statement by the device they were timed on, after a new one."""
    timed = {kind: row for kind, row in old.items() if kind}
    if timed and not new.timed_on:
        rows = [_standing(row, new) for row in timed.values()]
    else:
        others = [r for kind, r in timed.items() if kind != new.timed_on and not _stale(r, new)]
        rows = [*others, _standing(old.get(new.timed_on) or old.get(""), new)]
    return {row.timed_on: row for row in rows}


def in_order(rows: Iterable[Row]) -> list[Row]:
    """The rows by report, claim and case."""
    return sorted(
        rows, key=lambda r: (r.report_number, r.report, _natural(r.id), r.case, r.timed_on)
    )


def _standing(old: Row | None, new: Row) -> Row:
    if old is None or old.scale == "smoke" or old.verdict == "not evaluated" or _stale(old, new):
        return new
    if new.verdict == "not evaluated":
        return old
    # What crashed at a larger scale is no evidence that a smaller one could hide.
    if old.verdict == "error":
        return new
    if new.verdict == "error":
        return replace(old, failure=new.reason or "it does not say why")
    return replace(old, failure="") if _outranks(old, new) else new


def _outranks(old: Row, new: Row) -> bool:
    """Whether what was judged before says more than what was judged now, on the same recipes."""
    if old.scale == new.scale and _ruled_otherwise(old, new):
        return False
    if old.verdict in JUDGED and new.verdict == "ran":
        return not _same_records(old, new)
    if _RANK[old.scale] != _RANK[new.scale]:
        return _RANK[old.scale] > _RANK[new.scale]
    if _left_open_by_a_guard(new) and _same_records(old, new):
        return False
    undecided = new.verdict == "ran" or (new.verdict == "inconclusive" and old.verdict in JUDGED)
    return undecided and _most_values(old) > _most_values(new)


def _ruled_otherwise(old: Row, new: Row) -> bool:
    """Whether another rule, margin, level or guard stands behind the two."""
    return bool(old.rule_digest and new.rule_digest) and old.rule_digest != new.rule_digest


def _left_open_by_a_guard(row: Row) -> bool:
    """Whether V1 left a row open, which no further seed could decide."""
    ours = any(name in FRAGILE for name in row.assumed)
    return row.verdict == "inconclusive" and "V1" in row.guards and ours


def _same_records(old: Row, new: Row) -> bool:
    """Whether the new row rests on records of the old one alone."""
    before, now = ({k for keys in r.evidence.values() for k in keys} for r in (old, new))
    return bool(now) and now <= before


def _most_values(row: Row) -> int:
    """How many values its numbers rest on; the samples of a row have one for each seed."""
    return max((measured["n"] for measured in row.measured.values()), default=0)


def _stale(old: Row, new: Row) -> bool:
    """Whether the old row's evidence belongs to other recipes or to older training code."""
    if old.recipes.get(old.scale) != new.recipes.get(old.scale):
        return True
    return bool(old.recipes) and old.revision != new.revision


def _natural(text: str) -> list[tuple[int, int | str]]:
    """Sort key: "5.2" before "5.10", words after numbers."""
    # Python refuses to read a number of thousands of digits; no claim has one.
    return [
        (0, int(part)) if part.isdecimal() and len(part) < 20 else (1, part)
        for part in text.split(".")
    ]
