"""The grids after a session: what the store holds joins what stands."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from cvclaims.records.record import Record
from cvclaims.report.grid import TREATMENTS, Cell, Grid, grids_of
from cvclaims.report.rows import Row

# All records of a store.
Held: TypeAlias = Callable[[], Iterable[Record]]
# What tells one sweep from another: report, scale, kind, data and stopping.
Sweep: TypeAlias = tuple[str, str, str, str, str]

# A claim on so many recipes is one about a sweep; reports without such a claim read no records.
FEWEST_RECIPES = 6


def renewed(
    kept: Iterable[Grid],
    before: Sequence[Row],
    rows: Sequence[Row],
    session: Sequence[Row],
    held: Held,
) -> list[Grid]:
    """The grids after a session that made `rows` of those `before`.

    Those of its reports are read from the store and joined with those that stand, whose records
    another store may hold; a sweep whose recipes or training code changed begins anew.
    """
    fresh = {row.report for row in session}
    begun_anew = _begun_anew(before, session)
    grids = _by_sweep(grid for grid in kept if grid.report not in begun_anew)
    swept = [
        report for report in sorted(fresh) if any(_sweeps(r) for r in rows if r.report == report)
    ]
    records = list(held()) if swept else []
    for report in swept:
        made = grids_of(report, [row for row in rows if row.report == report], records)
        for sweep, found in _by_sweep(made).items():
            grids[sweep] = _joined(grids.get(sweep, []), found)
    order = sorted(grids, key=lambda sweep: (*sweep[:2], sweep[2] != "test-loss", *sweep[2:]))
    return [grid for sweep in order for grid in grids[sweep]]


def _begun_anew(before: Iterable[Row], session: Iterable[Row]) -> set[str]:
    """The reports with a sweep whose recipes or training code are others than before."""
    old = {row.place: row for row in before}
    pairs = [(old[new.place], new) for new in session if new.place in old]
    return {
        new.report
        for was, new in pairs
        if _sweeps(was) and (was.recipes != new.recipes or was.revision != new.revision)
    }


def _by_sweep(grids: Iterable[Grid]) -> dict[Sweep, list[Grid]]:
    found: dict[Sweep, list[Grid]] = {}
    for grid in grids:
        sweep = (grid.report, grid.scale, grid.kind, grid.data, grid.stopping)
        found.setdefault(sweep, []).append(grid)
    return found


def _joined(standing: Sequence[Grid], made: Sequence[Grid]) -> list[Grid]:
    """Of each cell of a sweep the one with more runs, the new one where they are as many.

    Sweeps that differ in what a grid does not say, such as the learning rate, are not mixed: then
    the side with more runs stays.
    """
    if not len(standing) == len(made) == 1:
        return list(max(made, standing, key=lambda grids: sum(grid.runs for grid in grids)))
    cells: dict[tuple[str, str, int], Cell] = {}
    for cell in (*made[0].cells, *standing[0].cells):
        place = (cell.net, cell.treatment, cell.batch)
        cells[place] = max(cells.get(place, cell), cell, key=lambda one: one.runs)
    return [replace(made[0], cells=sorted(cells.values(), key=_order))]


def _order(cell: Cell) -> tuple[int, str, int, int]:
    """As `_place`: networks by depth, which is the number that ends their names."""
    return (len(cell.net), cell.net, list(TREATMENTS.values()).index(cell.treatment), cell.batch)


def _sweeps(row: Row) -> bool:
    return any(len(names) >= FEWEST_RECIPES for names in row.recipes.values())
