"""Which figures a page has, and which of them have to be drawn anew.

Claims that trained the same recipes share their figures. `figures/index.json` keeps a hash of
each figure's evidence, so a session that added none draws nothing and opens no record.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from cvclaims.records.record import Record
from cvclaims.report import files
from cvclaims.report.grid import Grid, to_json
from cvclaims.report.groups import Group, Runs, groups, named, slug
from cvclaims.report.rows import Row

Records: TypeAlias = Callable[[Row], Runs]

# Raise it when `drawing` draws the same records differently: every figure is then drawn anew.
VERSION = 3
INDEX = "figures/index.json"
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
    found = named(groups(rows))
    pictures = {stem: _unchanged(folder, stem, group, before) for stem, group in found}
    anew = [(stem, group) for stem, group in found if pictures[stem] is None]
    pictures |= _drawn_anew(folder, anew, records, drawn)
    for picture in itertools.chain.from_iterable(filter(None, pictures.values())):
        drawn.pictures.append(picture)
        after[picture.file] = picture.group.hash(picture.kind, VERSION)
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
    known = [kind for kind in KINDS if index.get(_file(stem, kind)) == group.hash(kind, VERSION)]
    pictures = [Picture(_file(stem, kind), kind, group) for kind in known]
    if "curves" not in known or not all((folder / picture.file).exists() for picture in pictures):
        return None
    return pictures


def _drawn_anew(
    folder: Path, wanted: Sequence[tuple[str, Group]], records: Records, drawn: Drawn
) -> dict[str, list[Picture]]:
    """The figures of each of these groups; what cannot be drawn becomes a problem."""
    jobs = _jobs(wanted, records, drawn)
    pictures: dict[str, list[Picture]] = {}
    if not jobs:
        return pictures
    from cvclaims.report.drawers import draw_all

    pngs = draw_all([(runs, group.title) for _, group, runs in jobs])
    for (stem, group, _), (by_kind, error) in zip(jobs, pngs, strict=True):
        pictures[stem] = [Picture(_file(stem, kind), kind, group) for kind in by_kind]
        for picture in pictures[stem]:
            if files.replace(folder / picture.file, by_kind[picture.kind]):
                drawn.written.append(folder / picture.file)
        if error:
            drawn.problems.append(f"{stem}: not drawn ({error})")
    return pictures


def _jobs(
    wanted: Sequence[tuple[str, Group]], records: Records, drawn: Drawn
) -> list[tuple[str, Group, Runs]]:
    """Each group as far as its records were found, and those records."""
    jobs: list[tuple[str, Group, Runs]] = []
    for stem, group in wanted:
        try:
            runs = _collect(group, records)
        except Exception as error:
            drawn.problems.append(f"{stem}: not drawn ({type(error).__name__}: {error})")
            continue
        if any(runs.values()):
            jobs.append((stem, group.holding(runs), runs))
        else:
            drawn.problems.append(f"{stem}: not drawn, for its records are not in this store")
    return jobs


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
        stem = f"figures/{slug(grid.report)}/grid-{slug(f'{grid.scale}-{grid.kind}')}"
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
