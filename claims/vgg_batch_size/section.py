"""Report 2's section of the page: accuracy by batch size, as tables and figures.

What the store holds joins what stands, whose records another store may hold.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from claims.vgg_batch_size.protocol import VGG_BATCH_SIZE
from claims.vgg_batch_size.sweeps import (
    ABOVE_CHANCE,
    KINDS,
    TREATMENTS,
    Cell,
    Sweep,
    from_json,
    sweeps_of,
    to_json,
)
from cvclaims import Section
from cvclaims.results.markdown import plain
from cvclaims.results.sections import News, OwnFigure
from cvclaims.results.view import ClaimView

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILE = "grids.json"
# A claim on so many recipes is one about a sweep.
FEWEST_RECIPES = 6
NONE = "—"
_INTRODUCTION = (
    "Test accuracy in %, mean ± standard deviation over the runs that train, at the epoch that is "
    "kept; beneath it how many runs failed to train: no epoch of theirs came above "
    f"{ABOVE_CHANCE:g} times chance. The same numbers stand in [{FILE}]({FILE}). In the figure "
    "lines and bands are of the runs that train; the bars at the right are means over batch sizes "
    "of what all runs reached.\n"
)
# What tells one sweep from another: scale, kind, data and stopping.
Which: TypeAlias = tuple[str, str, str, str]


class BatchSizes(Section):
    """Every sweep of the batch size that there is; without any, no section."""

    file = FILE
    kinds = KINDS

    def __init__(self, report: str = VGG_BATCH_SIZE.slug) -> None:
        super().__init__(report)
        self.sweeps: list[Sweep] = []

    def read(self, content: bytes) -> None:
        """Take up the sweeps of `grids.json`."""
        self.sweeps = [sweep for sweep in from_json(content) if sweep.report == self.report]

    def renew(self, news: News) -> None:
        """Join what the store holds; a sweep whose recipes or training code changed begins anew."""
        rows, session = (
            [row for row in part if row.report == self.report] for part in (news.rows, news.session)
        )
        kept = [] if _begun_anew(news.before, session) else self.sweeps
        sweeps = _by_which(kept)
        if session and any(map(_is_of_a_sweep, rows)):
            for which, found in _by_which(sweeps_of(self.report, rows, news.held())).items():
                sweeps[which] = _joined(sweeps.get(which, []), found)
        order = sorted(sweeps, key=lambda which: (which[0], which[1] != KINDS[0], *which[1:]))
        self.sweeps = [sweep for which in order for sweep in sweeps[which]]

    def content(self) -> bytes:
        """The text of `grids.json`, one line a cell."""
        return to_json(self.sweeps).encode() if self.sweeps else b""

    def figures(self) -> list[OwnFigure]:
        """A figure for each sweep."""
        return [_figure(sweep) for sweep in self.sweeps]

    def markdown(self, name: str, views: Sequence[ClaimView], files: Sequence[str | None]) -> str:
        """A table for each sweep, with its figure where there is one."""
        if not self.sweeps:
            return ""
        parts = [f"### Batch sizes of {name}\n", _INTRODUCTION]
        for sweep, file in zip(self.sweeps, files, strict=True):
            parts.append(f"**{plain(sweep.title)}**\n")
            parts.append(table(sweep))
            if file is not None:
                parts.append(f"![accuracy over batch size, {plain(sweep.stopping)}]({file})\n")
        return "\n".join(parts)


def _figure(sweep: Sweep) -> OwnFigure:
    def draw() -> "Figure":
        from claims.vgg_batch_size.sweeps_figure import batch_sizes

        return batch_sizes(sweep)

    return OwnFigure(f"grid-{sweep.scale}-{sweep.kind}", sweep.title, to_json([sweep]), draw)


def _begun_anew(before: Iterable[ClaimView], session: Iterable[ClaimView]) -> bool:
    """Whether the recipes or training code of a claim on a sweep are others than before."""
    old = {row.place: row for row in before}
    pairs = [(old[new.place], new) for new in session if new.place in old]
    return any(
        _is_of_a_sweep(was) and (was.recipes != new.recipes or was.revision != new.revision)
        for was, new in pairs
    )


def _by_which(sweeps: Iterable[Sweep]) -> dict[Which, list[Sweep]]:
    found: dict[Which, list[Sweep]] = {}
    for sweep in sweeps:
        which = (sweep.scale, sweep.kind, sweep.data, sweep.stopping)
        found.setdefault(which, []).append(sweep)
    return found


def _joined(standing: Sequence[Sweep], made: Sequence[Sweep]) -> list[Sweep]:
    """Of each cell of a sweep the one with more runs, the new one where they are as many.

    Sweeps that differ in what a sweep does not say, such as the learning rate, are not mixed: then
    the side with more runs stays.
    """
    if not len(standing) == len(made) == 1:
        return list(max(made, standing, key=lambda sweeps: sum(sweep.runs for sweep in sweeps)))
    cells: dict[tuple[str, str, int], Cell] = {}
    for cell in (*made[0].cells, *standing[0].cells):
        place = (cell.net, cell.treatment, cell.batch)
        cells[place] = max(cells.get(place, cell), cell, key=lambda one: one.runs)
    return [replace(made[0], cells=sorted(cells.values(), key=_order))]


def _order(cell: Cell) -> tuple[int, str, int, int]:
    """As `_place`: networks by depth, which is the number that ends their names."""
    return (len(cell.net), cell.net, list(TREATMENTS.values()).index(cell.treatment), cell.batch)


def _is_of_a_sweep(row: ClaimView) -> bool:
    return any(len(names) >= FEWEST_RECIPES for names in row.recipes.values())


def table(sweep: Sweep) -> str:
    """A row for each batch size, a column for each network and treatment that is there."""
    there = {(cell.net, cell.treatment) for cell in sweep.cells}
    columns = [(n, t) for n in sweep.nets for t in sweep.treatments if (n, t) in there]
    heads = ["batch", *(f"{plain(net)}<br>{treatment}" for net, treatment in columns)]
    lines = [_line(heads), "|" + "--:|" * len(heads)]
    for batch in sweep.batches:
        cells = (sweep.cell(net, treatment, batch) for net, treatment in columns)
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
