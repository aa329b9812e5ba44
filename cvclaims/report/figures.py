"""Which figures a page has, and which of them have to be drawn anew.

Claims that trained the same recipes share their figures. `figures/index.json` keeps a hash of
each figure's evidence, so a session that added none draws nothing and opens no record.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from cvclaims.records.record import Record
from cvclaims.report import files
from cvclaims.report.grid import Grid, to_json
from cvclaims.report.rows import Row

Records: TypeAlias = Callable[[Row], Mapping[str, Sequence[Record]]]

# Raise it when `drawing` draws the same records differently: every figure is then drawn anew.
VERSION = 1
# Rough runs judge nothing: a picture of two epochs would only look like evidence.
SCALES = ("reduced", "full")
INDEX = "figures/index.json"
# So many recipes can share a figure and still be told apart at a glance.
MOST_TOGETHER = 4
# Beyond this a figure of curves has more lines than colours; a claim on so many is one about a
# grid, which has a figure of its own.
MOST_LINES = 7
# What `panels.KINDS` can draw, in the order in which a reader looks, and what the page says.
KINDS = {
    "curves": "Training curves: mean over seeds, band from the lowest to the highest.",
    "gradient-flow": "Norms of the gradients of weights: left, of the first and the last layer, "
    "over training; right, of every layer from input to output, mean over training and seeds.",
    "activations": "Activations after the last epoch: one outline a seed.",
    "dead-units": "Share of activations ≤ 0, and share of units with neither output nor gradient "
    "for any training sample: mean over seeds, at the right after the last epoch.",
    "boundary": "Predicted class over the plane: mean over seeds; a line is one seed's boundary.",
}


@dataclass
class Group:
    """Rows of one report whose runs are shown together; the figures are named after the first.

    `runs` holds, by name, the keys of every record that any of the rows was judged by: a claim
    that was decided after three seeds gains from one that took eight.
    """

    rows: list[Row]
    runs: dict[str, set[str]]

    @property
    def lead(self) -> Row:
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

    def hash(self, kind: str) -> str:
        """What a figure of this kind rests on."""
        keys = [[name, sorted(found)] for name, found in self.runs.items()]
        text = json.dumps([VERSION, kind, self.title, keys])
        return hashlib.sha256(text.encode()).hexdigest()

    def holding(self, runs: Mapping[str, Sequence[Record]]) -> "Group":
        """The same group as far as records of it were found."""
        return replace(self, runs={name: {r.key for r in found} for name, found in runs.items()})


@dataclass(frozen=True)
class Picture:
    """A figure on the page; `file` is relative to the results folder, with forward slashes."""

    file: str
    kind: str
    group: Group


@dataclass
class Drawn:
    """The page's figures, and what was done for them."""

    pictures: list[Picture] = field(default_factory=list)
    # Each grid with its figure's file; None where it could not be drawn.
    grids: list[tuple[Grid, str | None]] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def draw_figures(
    folder: Path, rows: Sequence[Row], records: Records, grids: Sequence[Grid] = ()
) -> Drawn:
    """Bring `folder/figures` in line with rows and grids: draw what changed, remove what went.

    Only files that the index names are ever removed. A figure that cannot be drawn becomes a
    problem, never an exception: a picture must not cost the tables.
    """
    before = read_index(folder)
    after: dict[str, str] = {}
    drawn = Drawn()
    for stem, group in named(groups(rows)):
        pictures = _unchanged(folder, stem, group, before)
        if pictures is None:
            pictures = _drawn_anew(folder, stem, group, records, drawn)
        drawn.pictures += pictures
        after.update((picture.file, picture.group.hash(picture.kind)) for picture in pictures)
    for file, grid in _named_grids(grids).items():
        evidence = hashlib.sha256(f"{VERSION} {to_json([grid])}".encode()).hexdigest()
        there = before.get(file) == evidence and (folder / file).exists()
        if there or _grid_drawn(folder / file, grid, drawn):
            after[file] = evidence
        drawn.grids.append((grid, file if file in after else None))
    for file in sorted(before.keys() - after.keys()):
        if files.remove(folder / file):
            drawn.removed.append(folder / file)
    if after != before:
        text = json.dumps(after, indent=1, sort_keys=True) + "\n"
        if files.replace(folder / INDEX, text.encode()):
            drawn.written.append(folder / INDEX)
    return drawn


def _unchanged(
    folder: Path, stem: str, group: Group, index: Mapping[str, str]
) -> list[Picture] | None:
    """The group's figures as they stand, or None where one has to be drawn.

    Every run has curves, so curves of this very evidence say that the whole group was drawn.
    """
    known = [kind for kind in KINDS if index.get(_file(stem, kind)) == group.hash(kind)]
    pictures = [Picture(_file(stem, kind), kind, group) for kind in known]
    if "curves" not in known or not all((folder / picture.file).exists() for picture in pictures):
        return None
    return pictures


def _drawn_anew(
    folder: Path, stem: str, group: Group, records: Records, drawn: Drawn
) -> list[Picture]:
    from cvclaims.report import drawing

    pictures: list[Picture] = []
    try:
        runs = _collect(group, records)
        if not any(runs.values()):
            drawn.problems.append(f"{stem}: not drawn, for its records are not in this store")
            return []
        group = group.holding(runs)
        for kind in KINDS:
            png = drawing.draw(kind, runs, group.title)
            if png is None:
                continue
            picture = Picture(_file(stem, kind), kind, group)
            if files.replace(folder / picture.file, png):
                drawn.written.append(folder / picture.file)
            pictures.append(picture)
    except files.ReportError:
        raise
    except Exception as error:
        drawn.problems.append(f"{stem}: not drawn ({type(error).__name__}: {error})")
    return pictures


def _grid_drawn(path: Path, grid: Grid, drawn: Drawn) -> bool:
    """Draw a grid's figure; False where it cannot be."""
    from cvclaims.report import drawing

    try:
        png = drawing.draw_grid(grid)
    except Exception as error:
        drawn.problems.append(f"{path.stem}: not drawn ({type(error).__name__}: {error})")
        return False
    if png is None:
        return False
    if files.replace(path, png):
        drawn.written.append(path)
    return True


def _named_grids(grids: Sequence[Grid]) -> dict[str, Grid]:
    """Each grid by its figure's file: figures/<report>/grid-<scale>-<stopping>.png."""
    named: dict[str, Grid] = {}
    for grid in grids:
        stem = f"figures/{_slug(grid.report)}/grid-{_slug(f'{grid.scale}-{grid.kind}')}"
        free, count = stem, 1
        while f"{free}.png" in named:
            count += 1
            free = f"{stem}-{count}"
        named[f"{free}.png"] = grid
    return named


def _collect(group: Group, records: Records) -> dict[str, list[Record]]:
    """The group's records by name, ordered by seed, each once."""
    found: dict[str, Record] = {}
    for row in group.rows:
        for part in records(row).values():
            found.update((record.key, record) for record in part)
    return {
        name: sorted((found[key] for key in keys if key in found), key=lambda r: (r.seed, r.key))
        for name, keys in group.runs.items()
    }


def groups(rows: Sequence[Row]) -> list[Group]:
    """The rows that have evidence to draw, by what they trained, in the page's order.

    A row joins those that trained its recipes, or some of them, while one figure can still show
    all: three pairs of three activations make one figure of three.
    """
    parts: list[_Part] = []
    # The largest first: it takes in those that trained only some of its recipes.
    for row in sorted(rows, key=lambda row: -len(row.evidence)):
        if row.scale not in SCALES or not any(row.evidence.values()):
            continue
        if len(row.evidence) > MOST_LINES:
            continue
        home = next((part for part in parts if part.takes(row)), None)
        if home is None:
            home = _Part([], {})
            parts.append(home)
        home.rows.append(row)
        home.recipes |= _recipes(row)
    place = {row.place: number for number, row in enumerate(rows)}
    for part in parts:
        part.rows.sort(key=lambda row: place[row.place])
    return [part.group() for part in sorted(parts, key=lambda part: place[part.rows[0].place])]


@dataclass
class _Part:
    """A group in the making; `recipes` is what each name of any of its rows stands for."""

    rows: list[Row]
    recipes: dict[str, str]

    def takes(self, row: Row) -> bool:
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
        return Group(self.rows, runs)


def _recipes(row: Row) -> dict[str, str]:
    """What each of the row's runs trained; the records' keys where its digest is unknown."""
    digests = row.recipes.get(row.scale, {})
    return {name: digests.get(name) or " ".join(keys) for name, keys in row.evidence.items()}


def _origin(row: Row) -> tuple[object, ...]:
    """What has to be the same for two rows to share a figure."""
    return (row.report, row.scale, row.data, row.revision)


def named(found: Sequence[Group]) -> list[tuple[str, Group]]:
    """Each group with the start of its files' names: figures/<report>/<claim>-<case or names>."""
    taken: set[str] = set()
    pairs = []
    for group in found:
        stem = f"figures/{_slug(group.lead.report)}/{_slug(f'{group.lead.id}-{_what(group)}')}"
        free, count = stem, 1
        while free.casefold() in taken:  # some file systems take ReLU.png for relu.png
            count += 1
            free = f"{stem}-{count}"
        taken.add(free.casefold())
        pairs.append((free, group))
    return pairs


def _what(group: Group) -> str:
    """The case of the first claim; the names where it has none, with the data where several."""
    cases = {row.case for row in group.rows if row.id == group.lead.id}
    names = "-".join(group.runs)
    if len(cases) > 1:
        data = re.sub(r"\(.*?\)", "", group.lead.data).strip().lower()
        return f"{data}-{names}"
    return group.lead.case or names


def _slug(text: str, most: int = 60) -> str:
    """A file's name from any text; a long one is cut, and told apart by its hash."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "figure"
    if len(slug) <= most:
        return slug
    return f"{slug[: most - 7].rstrip('-.')}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _file(stem: str, kind: str) -> str:
    return f"{stem}-{kind}.png"


def read_index(folder: Path) -> dict[str, str]:
    """File -> hash of its evidence; a damaged index is no index, and everything is drawn anew.

    An entry that could lead out of `figures/` is dropped: what the index names may be removed.
    """
    try:
        form = json.loads((folder / INDEX).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(form, dict):
        return {}
    good = re.compile(r"figures/[\w.-]+/[\w.-]+\.png")
    return {
        file: evidence
        for file, evidence in form.items()
        if good.fullmatch(file) and "/../" not in file and isinstance(evidence, str)
    }
