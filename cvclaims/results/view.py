"""All that is known of one case of a claim: what every table, page and figure shows.

Views travel from test processes to the one that writes the tables, and stand in `claims.json`, so
they hold JSON types only.
"""

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from cvclaims.text import clean
from cvclaims.verdict.decision import Verdict, is_expected

if TYPE_CHECKING:
    from cvclaims.verdict.judgment import Judgment

SCHEMA = 1
Place: TypeAlias = tuple[str, str, str, str]
# How the rules of timed rows end.
TIMED = ", timed"
RANK = {"smoke": 0, "reduced": 1, "full": 2}
# Fields that stand in the file where a claim has them, and those that are read off other files.
_WHERE_THERE = (
    *("about_failing", "guards", "decision", "size", "own_runs", "rule_digest", "failure"),
)
ELSEWHERE = ("versions", "figures")


class Measured(TypedDict):
    """One measured quantity over seeds.

    std (n - 1) is None for a single value. A value that is not a number, as after a run that
    diverged, is None, and then so are mean and std.
    """

    mean: float | None
    std: float | None
    n: int
    values: list[float | None]


class Numbers(TypedDict, total=False):
    """The numbers of a verdict, as in `verdict.decision.Decision`; what a rule lacks is None."""

    estimate: float | None
    lower: float | None
    upper: float | None
    level: float | None
    p: float | None
    detectable: float | None
    n: list[int]


@dataclass(frozen=True, kw_only=True)
class ClaimView:
    """A claim, one case of it, and what came out.

    The fields up to `reason` are the contract of `claims.json`; the others trace it. Every text is
    made fit to be shown, wherever the view came from.

    Attributes:
        report: the report's slug.
        rule: how it was decided, such as "greater(0)"; None where the test never got there.
        disputed: why the statement contradicts the report's own numbers, or None.
        reported, measured: by name, in the same unit.
        data: the data's source, such as "Fashion-MNIST"; empty for a claim without data.
        reason: the decision in numbers, or why there is none.
        case: names it where a claim has several.
        source: the section, table or figure of the report.
        assumed: protocol fields that the report does not state.
        evidence: for each recipe by name, the keys of the records that were judged.
        recipes: scale -> name -> digest of the claim's recipes: tells stale rows from sound ones.
        revision: the training revision of the evidence.
        about_failing: the recipes of which the statement says that they fail to train; True: all.
        guards: the guards of `verdict.validity` that had a say, such as "V1"; `reason` has their
            words. Where the claim *ran*, they held it back: it is not comparable.
        decision: the numbers of the verdict; empty where the rule has none.
        size: whether the effect is at least half of the reported one; see `verdict.beside`.
        own_runs: what the same rule says of the report's own runs.
        rule_digest: of the rule with its margins, looks, level and guards: tells a changed rule.
        failure: why the last session that tried could not judge the claim, while a verdict of
            before stands.
        versions: of what trained it, by name, off its records.
        figures: its figures' files in the results folder.

    Those from `about_failing` on are in the file only where a claim has them, the last two never:
    `Results.load` reads them off the records and the figures.
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
    decision: Numbers = field(default_factory=Numbers)
    size: str = ""
    own_runs: str = ""
    rule_digest: str = ""
    failure: str = ""
    versions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    figures: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            object.__setattr__(self, name, _cleaned(getattr(self, name)))
        if self.verdict not in tuple(Verdict):
            raise ValueError(f"claim {self.id}: verdict {self.verdict!r} is unknown")
        if self.scale not in RANK:
            raise ValueError(f"claim {self.id}: scale {self.scale!r} is unknown")

    @property
    def statement(self) -> tuple[str, str, str]:
        """Which case of which claim it is."""
        return (self.report, self.id, self.case)

    @property
    def timed_on(self) -> str:
        """The kind of device that times belong to; empty for every other claim, and before."""
        if not self.device or not (self.rule or "").endswith(TIMED):
            return ""
        return "CPU" if self.device.startswith("CPU") else "GPU"

    @property
    def place(self) -> Place:
        """What makes two views the same row: what a GPU took is no news of a CPU (V6)."""
        return (*self.statement, self.timed_on)

    @property
    def bound(self) -> str:
        """What the rule holds the claim against, such as "0" or "> 0.5"; empty without any."""
        found = re.search(r"\((.*)\)", self.rule or "")
        return found[1] if found else ""

    @property
    def held_back(self) -> bool:
        """Whether a guard held it back: what was measured is not comparable."""
        return self.verdict == Verdict.RAN and bool(self.guards)

    @property
    def expected(self) -> bool:
        """Whether it is disputed and was refuted, as its own numbers have it."""
        return is_expected(self.verdict, self.disputed)

    @property
    def beside(self) -> list[str]:
        """What stands beside the verdict and changes none; see `verdict.beside`."""
        size = f"size: {self.size}" if self.size else ""
        own = f"its own runs: {self.own_runs}" if self.own_runs else ""
        return [text for text in (size, own) if text]

    @classmethod
    def of(cls, heading: Mapping[str, Any], judgment: "Judgment") -> "ClaimView":
        """A claim's heading, which says what it is, with what the judge gave for it."""
        return cls(**heading, **vars(judgment) | {"verdict": judgment.verdict.value})

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; raises TypeError or ValueError on anything else, such as NaN."""
        form: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self), allow_nan=False))
        absent = [name for name in _WHERE_THERE if not form[name]]
        for name in (*absent, *ELSEWHERE):
            del form[name]
        return form

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> "ClaimView":
        """The inverse of `to_dict`; raises ValueError on what is no claim's form."""
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


def in_order(views: Iterable[ClaimView]) -> list[ClaimView]:
    """By report, claim and case."""
    return sorted(
        views, key=lambda v: (v.report_number, v.report, _natural(v.id), v.case, v.timed_on)
    )


def by_report(views: Iterable[ClaimView]) -> dict[str, list[ClaimView]]:
    """The views by their report's slug, both in the order given."""
    reports: dict[str, list[ClaimView]] = {}
    for view in views:
        reports.setdefault(view.report, []).append(view)
    return reports


def _natural(text: str) -> list[tuple[int, int | str]]:
    """Sort key: "5.2" before "5.10", words after numbers."""
    # Python refuses to read a number of thousands of digits; no claim has one.
    return [
        (0, int(part)) if part.isdecimal() and len(part) < 20 else (1, part)
        for part in text.split(".")
    ]
