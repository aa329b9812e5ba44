"""A grid as a picture: accuracy over batch size, a panel for each network, failures below.

Imported only once there is something to draw: see `drawing`.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cvclaims.report.axes import COLOURS, DASHES
from cvclaims.report.grid import TREATMENTS, Cell, Grid


def batch_sizes(grid: Grid) -> Figure:
    """Lines are means over the runs that train, bands go from the lowest to the highest."""
    columns = len(grid.nets)
    figure = Figure(figsize=(max(6.2, 1.2 + 4.4 * columns), 4.9), layout="constrained")
    axes = figure.subplots(
        2, columns, squeeze=False, sharex=True, sharey="row", height_ratios=(2.6, 1)
    )
    for number, net in enumerate(grid.nets):
        above, below = axes[0][number], axes[1][number]
        above.set_title(net, parse_math=False)
        for treatment in grid.treatments:
            cells = {batch: grid.cell(net, treatment, batch) for batch in grid.batches}
            _accuracy(above, treatment, cells)
            _failures(below, treatment, cells, grid.treatments)
        _batch_axis(below, grid.batches)
    axes[0][0].set_ylabel("test accuracy of\nruns that train")
    axes[1][0].set_ylabel("share of runs\nthat fail")
    axes[1][0].set_ylim(0, 1.05)
    handles = [_line(axes[0][0], treatment, [], []) for treatment in grid.treatments]
    figure.legend(handles=handles, loc="outside lower left", ncols=4)
    return figure


def _colour(treatment: str) -> str:
    return COLOURS[list(TREATMENTS.values()).index(treatment)]


def _line(axes: Axes, treatment: str, x: list[float], y: list[float]) -> Line2D:
    dash = DASHES[list(TREATMENTS.values()).index(treatment)]
    (line,) = axes.plot(
        x, y, color=_colour(treatment), linestyle=dash, marker="o", ms=4, label=treatment
    )
    return line


def _accuracy(axes: Axes, treatment: str, cells: Mapping[int, Cell | None]) -> None:
    """A line that breaks off where no run trained, or none was made: it must not bridge a gap."""
    x = [float(np.log2(batch)) for batch in cells]
    parts = [cell.accuracy if cell and cell.accuracy else [np.nan] for cell in cells.values()]
    _line(axes, treatment, x, [float(np.mean(part)) for part in parts])
    low, high = ([float(f(part)) for part in parts] for f in (np.min, np.max))
    axes.fill_between(x, low, high, color=_colour(treatment), alpha=0.15, lw=0)


def _failures(
    axes: Axes, treatment: str, cells: Mapping[int, Cell | None], among: list[str]
) -> None:
    """Bars side by side: lines at 0 and at 1 would hide one another."""
    width = 0.8 / len(among)
    shift = (among.index(treatment) - (len(among) - 1) / 2) * width
    x = [float(np.log2(batch)) + shift for batch in cells]
    shares = [cell.failed / cell.runs if cell else 0.0 for cell in cells.values()]
    axes.bar(x, shares, width=0.9 * width, color=_colour(treatment), label=treatment)


def _batch_axis(axes: Axes, batches: list[int]) -> None:
    """Powers of two at equal distances, whatever batch sizes there are."""
    axes.set_xticks([float(np.log2(batch)) for batch in batches], [str(b) for b in batches])
    axes.set_xlim(np.log2(batches[0]) - 0.6, np.log2(batches[-1]) + 0.6)
    axes.grid(False, axis="x")
    axes.set_xlabel("batch size")
