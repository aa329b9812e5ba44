"""Sweeps of the batch size: what every cell of report 2's grid came to.

A sweep is made of the records whose recipes differ in depth, batch norm, pixels and batch size
alone. It is read from the store and not from the rows' evidence, so that it also shows the cells
of claims that cannot be judged yet. `grids.json` keeps it, for programs, and for sessions of other
claims, which read no record.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from cvclaims import Recipe, Record, measure
from cvclaims.records.record import TRAINING_REVISION, rounded
from cvclaims.results.view import ClaimView
from cvclaims.text import clean

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
class Sweep:
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


def sweeps_of(report: str, rows: Sequence[ClaimView], records: Iterable[Record]) -> list[Sweep]:
    """The sweeps among the records of a report's recipes; none for a single batch size."""
    # Rows abbreviate digests.
    wanted = {
        digest[:16] for row in rows for names in row.recipes.values() for digest in names.values()
    }
    groups: dict[str, list[Record]] = {}
    for record in records:
        if _counts(record) and record.recipe.digest[:16] in wanted:
            groups.setdefault(_common(record), []).append(record)
    return [
        _sweep(report, group)
        for group in groups.values()
        if len({record.recipe.batch_size for record in group}) > 1
    ]


def _counts(record: Record) -> bool:
    """Whether a record is evidence: smoke judges nothing, nor does generated data."""
    if not isinstance(record.trained, Recipe):
        return False
    sound = record.status != "failed" and record.scale != "smoke" and not record.origin.stand_in
    here = record.origin.revision == TRAINING_REVISION
    return sound and here and record.recipe.batch_size is not None


def _common(record: Record) -> str:
    """What the records of one sweep share."""
    form = record.recipe.canonical()
    axes = ("depth", "batch_norm")
    args = {k: v for k, v in form.pop("model_args", {}).items() if k not in axes}
    shared = {k: v for k, v in form.items() if k not in ("pixels", "batch_size")}
    return json.dumps([record.scale, record.origin.fingerprint, shared, args], sort_keys=True)


def _sweep(report: str, records: Sequence[Record]) -> Sweep:
    cells: dict[tuple[Any, ...], list[Record]] = {}
    for record in sorted(records, key=lambda record: record.seed):
        cells.setdefault(_place(record.recipe), []).append(record)
    first = records[0]
    return Sweep(
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
    return not measure.best("test_accuracy")(record) > ABOVE_CHANCE * chance


def _accuracy(record: Record) -> float:
    """At the epoch that is kept."""
    if record.recipe.patience is None:
        return measure.final("test_accuracy")(record)
    return measure.at_lowest("test_accuracy", record.recipe.monitor)(record)


def _reached(record: Record) -> float:
    """At the epoch that is kept; the best one of a run that diverged before there was any."""
    return next(
        (x for x in (_accuracy(record), measure.best("test_accuracy")(record)) if math.isfinite(x)),
        0.0,
    )


def _stopping(recipe: Recipe) -> tuple[str, str]:
    """One of KINDS, and what it means."""
    if recipe.patience is None:
        return "epochs", f"{recipe.epochs} epochs"
    if recipe.monitor == "test_loss":
        return "test-loss", "stopped on the test loss, a leak"
    return "held-out", f"stopped on {recipe.held_out:,} training images held out"


def from_json(content: bytes) -> list[Sweep]:
    """The sweeps of `grids.json`; raises ValueError, TypeError or KeyError where it is damaged."""
    return [_from_form(form) for form in json.loads(content)["grids"]]


def _from_form(form: Mapping[str, Any]) -> Sweep:
    cells = [Cell(**cell) for cell in form["cells"]]
    for cell in cells:
        if not _is_sound(cell):
            raise ValueError("a cell is none that this cvclaims makes")
    sweep = Sweep(**{**form, "cells": cells})
    texts = (sweep.report, sweep.data, sweep.stopping)
    if (
        sweep.scale not in ("reduced", "full")
        or sweep.kind not in KINDS
        or not all(map(_is_text, texts))
    ):
        raise ValueError("a sweep is none that this cvclaims makes")
    return sweep


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


def to_json(sweeps: Sequence[Sweep]) -> str:
    """The text of `grids.json`."""
    parts = []
    for sweep in sweeps:
        form = asdict(sweep)
        cells = ",\n  ".join(json.dumps(cell) for cell in form.pop("cells"))
        heading = json.dumps(form, ensure_ascii=False).removesuffix("}")
        parts.append(f'{heading}, "cells": [\n  {cells}\n]}}')
    return '{"grids": [\n' + ",\n".join(parts) + "\n]}\n"
