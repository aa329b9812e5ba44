"""Sweeps of the batch size: what every cell of one came to, as a table for the page.

A grid is made of the records whose recipes differ in depth, batch norm, pixels and batch size
alone. It is read from the store and not from the rows' evidence, so that it also shows the cells
of claims that cannot be judged yet. `grids.json` keeps it, for programs, and for sessions of other
claims, which read no record.
"""

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cvclaims.files import read_plain
from cvclaims.recipe import Recipe
from cvclaims.records.measure import at_lowest, best, final
from cvclaims.records.record import TRAINING_REVISION, Record, rounded
from cvclaims.report import files
from cvclaims.report.groups import SCALES
from cvclaims.report.rows import Row
from cvclaims.report.tables import plain
from cvclaims.text import clean

FILE = "grids.json"
# A run failed to train when it never did better than chance by half.
ABOVE_CHANCE = 1.5
# Pixels and batch norm, in the order of the columns.
TREATMENTS: Mapping[tuple[str, bool], str] = {
    ("raw", False): "raw",
    ("standardised", False): "data normalisation",
    ("raw", True): "batch norm",
    ("standardised", True): "both",
}
# How training ended, in a word for files.
KINDS = ("test-loss", "held-out", "epochs")
NONE = "—"


@dataclass(frozen=True)
class Cell:
    """One network, treatment and batch size: accuracies of the runs that trained, by seed.

    `failing` holds those of the runs that failed to train; none where a file of before lacks them.
    """

    net: str
    treatment: str
    batch: int
    accuracy: list[float]
    runs: int
    failing: list[float] = field(default_factory=list)

    @property
    def reached(self) -> list[float]:
        """What all runs reached, those that failed too; none where that is not known."""
        return self.accuracy + self.failing if len(self.failing) == self.failed else []

    @property
    def failed(self) -> int:
        """How many runs failed to train."""
        return self.runs - len(self.accuracy)


@dataclass(frozen=True)
class Grid:
    """The cells that there are, of one report, scale, data and stopping."""

    report: str
    scale: str
    data: str
    # How training ended: one of KINDS, and in words for readers.
    kind: str
    stopping: str
    cells: list[Cell]

    @property
    def title(self) -> str:
        """What a table or picture of it has to carry."""
        return f"{self.data} · {self.scale} scale · {self.stopping} · {self.runs} runs"

    @property
    def runs(self) -> int:
        """How many runs it shows."""
        return sum(cell.runs for cell in self.cells)

    @property
    def batches(self) -> list[int]:
        """The batch sizes, in rising order."""
        return sorted({cell.batch for cell in self.cells})

    @property
    def nets(self) -> list[str]:
        """The networks, in the order of the cells."""
        return list(dict.fromkeys(cell.net for cell in self.cells))

    @property
    def treatments(self) -> list[str]:
        """The treatments, in the order of `TREATMENTS`."""
        there = {cell.treatment for cell in self.cells}
        return [name for name in TREATMENTS.values() if name in there]

    def cell(self, net: str, treatment: str, batch: int) -> Cell | None:
        """One cell, or None where nothing was trained."""
        wanted = (net, treatment, batch)
        found = (c for c in self.cells if (c.net, c.treatment, c.batch) == wanted)
        return next(found, None)


def grids_of(report: str, rows: Sequence[Row], records: Iterable[Record]) -> list[Grid]:
    """The grids among the records of a report's recipes; none for a single batch size."""
    # Rows abbreviate digests.
    wanted = {
        digest[:16] for row in rows for names in row.recipes.values() for digest in names.values()
    }
    groups: dict[str, list[Record]] = {}
    for record in records:
        if _counts(record) and record.recipe.digest[:16] in wanted:
            groups.setdefault(_common(record), []).append(record)
    return [
        _grid(report, group)
        for group in groups.values()
        if len({record.recipe.batch_size for record in group}) > 1
    ]


def _counts(record: Record) -> bool:
    """Whether a record is evidence: smoke judges nothing, nor does generated data."""
    sound = record.status != "failed" and record.scale != "smoke" and not record.origin.stand_in
    here = record.origin.revision == TRAINING_REVISION
    return sound and here and record.recipe.batch_size is not None


def _common(record: Record) -> str:
    """What the records of one grid share."""
    form = record.recipe.canonical()
    axes = ("depth", "batch_norm")
    args = {k: v for k, v in form.pop("model_args", {}).items() if k not in axes}
    shared = {k: v for k, v in form.items() if k not in ("pixels", "batch_size")}
    return json.dumps([record.scale, record.origin.fingerprint, shared, args], sort_keys=True)


def _grid(report: str, records: Sequence[Record]) -> Grid:
    cells: dict[tuple[Any, ...], list[Record]] = {}
    for record in sorted(records, key=lambda record: record.seed):
        cells.setdefault(_place(record.recipe), []).append(record)
    first = records[0]
    return Grid(
        report,
        first.scale,
        clean(first.origin.data),
        *_stopping(first.recipe),
        [_cell(cells[place]) for place in sorted(cells)],
    )


def _place(recipe: Recipe) -> tuple[Any, ...]:
    depth = recipe.model_args.get("depth", 0)
    return (depth, list(TREATMENTS).index(_treatment(recipe)), recipe.batch_size)


def _treatment(recipe: Recipe) -> tuple[str, bool]:
    return (recipe.pixels, bool(recipe.model_args.get("batch_norm", False)))


def _cell(records: Sequence[Record]) -> Cell:
    recipe = records[0].recipe
    trained, failing = (
        [record for record in records if _failed(record) == failed] for failed in (False, True)
    )
    return Cell(
        net=f"{recipe.model.upper()}{recipe.model_args.get('depth', '')}",
        treatment=TREATMENTS[_treatment(recipe)],
        batch=recipe.batch_size or 0,
        accuracy=rounded([_accuracy(record) for record in trained]),
        runs=len(records),
        failing=rounded([_reached(record) for record in failing]),
    )


def _failed(record: Record) -> bool:
    chance = 1 / len(record.recipe.class_names)
    return not best("test_accuracy")(record) > ABOVE_CHANCE * chance


def _accuracy(record: Record) -> float:
    """At the epoch that is kept."""
    early = record.recipe.patience is not None
    measure = at_lowest("test_accuracy", record.recipe.monitor) if early else final("test_accuracy")
    return measure(record)


def _reached(record: Record) -> float:
    """At the epoch that is kept; the best one of a run that diverged before there was any."""
    return next(
        (x for x in (_accuracy(record), best("test_accuracy")(record)) if math.isfinite(x)), 0.0
    )


def _stopping(recipe: Recipe) -> tuple[str, str]:
    """One of KINDS, and what it means."""
    if recipe.patience is None:
        return "epochs", f"{recipe.epochs} epochs"
    if recipe.monitor == "test_loss":
        return "test-loss", "stopped on the test loss, a leak"
    return "held-out", f"stopped on {recipe.held_out:,} training images held out"


def read(folder: Path) -> tuple[list[Grid], str]:
    """The grids of `grids.json`, and what is wrong with the file: then it holds none."""
    try:
        form = json.loads(read_plain(folder / FILE))
        return [_from_form(grid) for grid in form["grids"]], ""
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        return [], f"it cannot be read ({error.strerror})"
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return [], f"it holds no grids ({type(error).__name__}: {clean(str(error))[:200]})"


def _from_form(form: Mapping[str, Any]) -> Grid:
    cells = [Cell(**cell) for cell in form["cells"]]
    for cell in cells:
        if not _is_sound(cell):
            raise ValueError("a cell is none that this cvclaims makes")
    grid = Grid(**{**form, "cells": cells})
    texts = (grid.report, grid.data, grid.stopping)
    if grid.scale not in SCALES or grid.kind not in KINDS or not all(map(_is_text, texts)):
        raise ValueError("a grid is none that this cvclaims makes")
    return grid


def _is_sound(cell: Cell) -> bool:
    """Whether every field has its type, and a value that a figure can show."""
    return (
        _is_text(cell.net)
        and cell.treatment in TREATMENTS.values()
        and type(cell.batch) is type(cell.runs) is int
        and 0 < cell.batch < 1 << 40
        and _are_shares(cell.accuracy)
        and _are_shares(cell.failing)
        and max(1, len(cell.accuracy)) <= cell.runs < 1 << 40
        and len(cell.failing) in (0, cell.failed)
    )


def _are_shares(values: Any) -> bool:
    return isinstance(values, list) and all(
        type(value) in (int, float) and 0 <= value <= 1 for value in values
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and clean(value) == value


def write(folder: Path, grids: Sequence[Grid]) -> bool:
    """Keep the grids, one line a cell; without any, no file. True where it changed."""
    if not grids:
        return files.remove(folder / FILE)
    return files.replace(folder / FILE, to_json(grids).encode())


def to_json(grids: Sequence[Grid]) -> str:
    """The text of `grids.json`."""
    parts = []
    for grid in grids:
        form = asdict(grid)
        cells = ",\n  ".join(json.dumps(cell) for cell in form.pop("cells"))
        heading = json.dumps(form, ensure_ascii=False).removesuffix("}")
        parts.append(f'{heading}, "cells": [\n  {cells}\n]}}')
    return '{"grids": [\n' + ",\n".join(parts) + "\n]}\n"


def section(name: str, shown: Sequence[tuple[Grid, str | None]]) -> str:
    """The grids of one report on the page, each with its figure where there is one."""
    parts = [
        f"### Batch sizes of {name}\n",
        "Test accuracy in %, mean ± standard deviation over the runs that train, at the epoch that "
        "is kept; beneath it how many runs failed to train: no epoch of theirs came above "
        f"{ABOVE_CHANCE:g} times chance. The same numbers stand in [{FILE}]({FILE}). In the figure "
        "lines and bands are of the runs that train; the bars at the right are means over batch "
        "sizes of what all runs reached.\n",
    ]
    for grid, file in shown:
        parts.append(f"**{plain(grid.title)}**\n")
        parts.append(markdown(grid))
        if file is not None:
            parts.append(f"![accuracy over batch size, {plain(grid.stopping)}]({file})\n")
    return "\n".join(parts)


def markdown(grid: Grid) -> str:
    """A row for each batch size, a column for each network and treatment that is there."""
    there = {(cell.net, cell.treatment) for cell in grid.cells}
    columns = [(n, t) for n in grid.nets for t in grid.treatments if (n, t) in there]
    heads = ["batch", *(f"{plain(net)}<br>{treatment}" for net, treatment in columns)]
    lines = [_line(heads), "|" + "--:|" * len(heads)]
    for batch in grid.batches:
        cells = (grid.cell(net, treatment, batch) for net, treatment in columns)
        lines.append(_line([str(batch), *map(_shown, cells)]))
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _shown(cell: Cell | None) -> str:
    if cell is None:
        return NONE
    failed = f"<sub>{cell.failed}/{cell.runs} failed</sub>".replace(" ", "\u00a0")
    if not cell.accuracy:
        return failed
    percent = [100 * value for value in cell.accuracy]
    spread = f"\u00a0±\u00a0{statistics.stdev(percent):.1f}" if len(percent) > 1 else ""
    return f"{statistics.fmean(percent):.1f}{spread}<br>{failed}"
