"""Which rows of a page share figures, and what those are called."""

import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from cvclaims.records.record import Record
from cvclaims.results.view import ClaimView

# Records of several seeds, by the name that a claim has for their recipe.
Runs: TypeAlias = Mapping[str, Sequence[Record]]

# Rough runs judge nothing: a picture of two epochs would only look like evidence.
SCALES = ("reduced", "full")
# So many recipes can share a figure and still be told apart at a glance.
MOST_TOGETHER = 4
# Beyond this a figure of curves has more lines than colours; a claim on so many is one about a
# grid, which has a figure of its own.
MOST_LINES = 7


@dataclass(frozen=True)
class Reported:
    """What a report states of an arm, and what the same quantity came to in each run of it.

    Attributes:
        row: the row that holds it: all that one row compares is the same quantity.
        numbers: one, or one for each run that the report made.
        measured: by the key of the run's record.
    """

    row: tuple[str, ...]
    arm: str
    numbers: tuple[float, ...]
    measured: Mapping[str, float | None]

    @property
    def mean(self) -> float:
        """The reported number, or the mean of those of its runs."""
        return sum(self.numbers) / len(self.numbers)


@dataclass(frozen=True)
class Subject:
    """What the figures of a group are drawn from."""

    runs: Runs
    title: str = ""
    # The number of each arm's colour, the same in all figures of its report.
    colours: Mapping[str, int] = field(default_factory=dict)
    reported: Sequence[Reported] = ()
    rows: Sequence[ClaimView] = ()

    def number(self, name: str) -> int:
        """An arm's place among the colours."""
        return self.colours.get(name, list(self.runs).index(name))


@dataclass
class Group:
    """Rows of one report whose runs are shown together; the figures are named after the first.

    `runs` holds, by name, the keys of every record that any of the rows was judged by: a claim
    that was decided after three seeds gains from one that took eight. `reported` holds what the
    report states of them.
    """

    rows: list[ClaimView]
    runs: dict[str, set[str]]
    reported: list[Reported] = field(default_factory=list)
    colours: dict[str, int] = field(default_factory=dict)

    @property
    def lead(self) -> ClaimView:
        """The row that the figures are named after."""
        return self.rows[0]

    @property
    def title(self) -> str:
        """Data, scale and seeds: what every picture has to carry when it travels alone."""
        lead = self.lead
        sizes = {len(keys) for keys in self.runs.values()}
        few, many = min(sizes), max(sizes)
        seeds = f"{many} seed{'s' * (many > 1)}" if few == many else f"{few} to {many} seeds"
        return " · ".join(part for part in (lead.data, f"{lead.scale} scale", seeds) if part)

    def hash(self, kind: str, version: int) -> str:
        """What a figure of this kind rests on, drawn by a version of the drawing."""
        keys = [[name, sorted(found)] for name, found in self.runs.items()]
        told = [[list(r.row), r.arm, list(r.numbers), dict(r.measured)] for r in self.reported]
        rows = [[*row.place, row.measured, row.reported] for row in self.rows]
        text = json.dumps([version, kind, self.title, keys, self.colours, told, rows])
        return hashlib.sha256(text.encode()).hexdigest()

    def subject(self, runs: Runs) -> Subject:
        """What its figures are drawn from, given its records."""
        return Subject(runs, self.title, self.colours, self.reported, self.rows)

    def holding(self, runs: Runs) -> "Group":
        """The same group as far as records of it were found."""
        return replace(self, runs={name: {r.key for r in found} for name, found in runs.items()})


def groups(rows: Sequence[ClaimView]) -> list[Group]:
    """The rows that have evidence to draw, by what they trained, in the page's order.

    A row joins those that trained its recipes, or some of them, while one figure can still show
    all: three pairs of three activations make one figure of three.
    """
    parts: list[_Part] = []
    having: dict[str, set[int]] = {}
    # The largest first: it takes in those that trained only some of its recipes.
    for row in sorted(rows, key=lambda row: -len(row.evidence)):
        if row.scale not in SCALES or not any(row.evidence.values()):
            continue
        if len(row.evidence) > MOST_LINES:
            continue
        # A home has one of the row's recipes: only those are asked, in the order they were made.
        near = {number for recipe in _recipes(row).values() for number in having.get(recipe, ())}
        home = next((number for number in sorted(near) if parts[number].takes(row)), len(parts))
        if home == len(parts):
            parts.append(_Part([], {}))
        parts[home].rows.append(row)
        parts[home].recipes |= _recipes(row)
        for recipe in parts[home].recipes.values():
            having.setdefault(recipe, set()).add(home)
    place = {row.place: number for number, row in enumerate(rows)}
    for part in parts:
        part.rows.sort(key=lambda row: place[row.place])
    found = [part.group() for part in sorted(parts, key=lambda part: place[part.rows[0].place])]
    _colour(found)
    return found


def _colour(found: Sequence[Group]) -> None:
    """Give each name of a report one colour, another than those of all that it is drawn with."""
    for report in {group.lead.report for group in found}:
        own = [group for group in found if group.lead.report == report]
        known: dict[str, int] = {}
        for name in dict.fromkeys(name for group in own for name in group.runs):
            near = {other for group in own if name in group.runs for other in group.runs}
            taken = {known[other] for other in near if other in known}
            known[name] = next(n for n in itertools.count() if n not in taken)
        for group in own:
            group.colours = {name: known[name] for name in group.runs}


@dataclass
class _Part:
    """A group in the making; `recipes` is what each name of any of its rows stands for."""

    rows: list[ClaimView]
    recipes: dict[str, str]

    def takes(self, row: ClaimView) -> bool:
        new, own = _recipes(row), set(self.recipes.values())
        if _origin(row) != _origin(self.rows[0]):
            return False
        if any(self.recipes.get(name, recipe) != recipe for name, recipe in new.items()):
            return False  # one name for two recipes: the legend could not tell them apart
        together = own | set(new.values())
        return bool(own & set(new.values())) and len(together) <= max(len(own), MOST_TOGETHER)

    def group(self) -> Group:
        names: dict[str, str] = {}
        runs: dict[str, set[str]] = {}
        for row in self.rows:
            for name, recipe in _recipes(row).items():
                first = names.setdefault(recipe, name)
                runs.setdefault(first, set()).update(row.evidence[name])
        told = [part for row in self.rows for part in _reported(row, names)]
        return Group(self.rows, runs, told)


def _reported(row: ClaimView, names: Mapping[str, str]) -> list[Reported]:
    """What a row's report states, of each arm that it can be about; `names` is by recipe.

    A number bears the name of an arm, or of a sample, which may be of any one of the row's arms.
    """
    found = []
    for label, number in row.reported.items():
        values = row.measured[label]["values"] if label in row.measured else []
        for name, recipe in _recipes(row).items():
            keys = row.evidence[name]
            if len(keys) == len(values) and (name == label or label not in row.evidence):
                measured = dict(zip(keys, values, strict=True))
                found.append(Reported(row.place, names[recipe], _numbers(number), measured))
    return found


def _numbers(reported: Any) -> tuple[float, ...]:
    """One number, or one a run, as a tuple."""
    return tuple(reported) if isinstance(reported, list | tuple) else (reported,)


def _recipes(row: ClaimView) -> dict[str, str]:
    """What each of the row's runs trained; the records' keys where its digest is unknown."""
    digests = row.recipes.get(row.scale, {})
    return {name: digests.get(name) or " ".join(keys) for name, keys in row.evidence.items()}


def _origin(row: ClaimView) -> tuple[object, ...]:
    """What has to be the same for two rows to share a figure."""
    return (row.report, row.scale, row.data, row.revision)


def named(found: Sequence[Group]) -> list[tuple[str, Group]]:
    """Each group with the start of its files' names: figures/<report>/<claim>-<case or names>."""
    taken: set[str] = set()
    stems = (f"figures/{slug(g.lead.report)}/{slug(f'{g.lead.id}-{_what(g)}')}" for g in found)
    return [(free_name(stem, taken), group) for stem, group in zip(stems, found, strict=True)]


def free_name(stem: str, taken: set[str]) -> str:
    """The name, or with a number behind it the first that is not taken; takes it."""
    free, count = stem, 1
    while free.casefold() in taken:  # some file systems take ReLU.png for relu.png
        count += 1
        free = f"{stem}-{count}"
    taken.add(free.casefold())
    return free


def _what(group: Group) -> str:
    """The case of the first claim; the names where it has none, with the data where several."""
    cases = {row.case for row in group.rows if row.id == group.lead.id}
    names = "-".join(group.runs)
    if len(cases) > 1:
        data = re.sub(r"\(.*?\)", "", group.lead.data).strip().lower()
        return f"{data}-{names}"
    return group.lead.case or names


# What `slug` makes, and what Windows takes for a device whatever follows the first point.
NAME = "[A-Za-z0-9_][A-Za-z0-9._-]*"
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def slug(text: str, most: int = 60) -> str:
    """A file's name from any text; a long one is cut, and told apart by its hash."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "figure"
    if _DEVICE.match(slug):
        slug = f"_{slug}"
    if len(slug) <= most:
        return slug
    return f"{slug[: most - 7].rstrip('-.')}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
