"""A sweep as a picture: accuracy over batch size for each network, failures below, means beside.

Imported only once there is something to draw: see `section`.
"""

from collections.abc import Mapping
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D

from claims.vgg_batch_size.sweeps import TREATMENTS, Cell, Sweep
from cvclaims.results.figures.axes import COLOURS, DASHES


def batch_sizes(sweep: Sweep) -> Figure:
    """Lines are means over the runs that train, bands go from the lowest to the highest.

    At the right, the mean of each treatment over all batch sizes, runs that fail among them.
    """
    columns = len(sweep.nets)
    figure = Figure(figsize=(max(6.2, 1.0 + 3.6 * columns) + 3.4, 4.9), layout="constrained")
    place = figure.add_gridspec(
        2, columns + 1, height_ratios=(2.6, 1), width_ratios=(*[3.6] * columns, 3.2)
    )
    above, below = _panels(figure, place, columns)
    for number, net in enumerate(sweep.nets):
        above[number].set_title(net, parse_math=False)
        for treatment in sweep.treatments:
            cells = {batch: sweep.cell(net, treatment, batch) for batch in sweep.batches}
            _accuracy(above[number], treatment, cells)
            _failures(below[number], treatment, cells, sweep.treatments)
        _batch_axis(below[number], sweep.batches)
    above[0].set_ylabel("test accuracy (share) of\nruns that train")
    below[0].set_ylabel("share of runs\nthat fail")
    below[0].set_ylim(0, 1.05)
    _means(figure.add_subplot(place[:, columns]), sweep)
    handles = [_line(above[0], treatment, [], []) for treatment in sweep.treatments]
    figure.legend(handles=handles, loc="outside lower left", ncols=4)
    return figure


def _panels(figure: Figure, place: GridSpec, columns: int) -> tuple[list[Axes], list[Axes]]:
    """Axes of accuracies above those of failures; all of a row, and both of a column, share one."""
    above: list[Axes] = []
    below: list[Axes] = []
    for number in range(columns):
        first = above[0] if above else None
        above.append(figure.add_subplot(place[0, number], sharey=first))
        first = below[0] if below else None
        below.append(figure.add_subplot(place[1, number], sharey=first, sharex=above[number]))
        above[number].tick_params(labelbottom=False, labelleft=number == 0)
        below[number].tick_params(labelleft=number == 0)
    return above, below


def _means(axes: Axes, sweep: Sweep) -> None:
    """A bar for each network and treatment: the mean over batch sizes of what all runs reached.

    Dots are the batch sizes. Where some were not trained, the bar says how many were.
    """
    width = 0.84 / len(sweep.treatments)
    for treatment in sweep.treatments:
        shift = (sweep.treatments.index(treatment) - (len(sweep.treatments) - 1) / 2) * width
        for x, net in enumerate(sweep.nets):
            cells = (sweep.cell(net, treatment, batch) for batch in sweep.batches)
            reached = [fmean(cell.reached) for cell in cells if cell and cell.reached]
            if not reached:
                continue
            axes.bar(x + shift, fmean(reached), 0.92 * width, color=_colour(treatment), alpha=0.55)
            at = [x + shift] * len(reached)
            axes.plot(at, reached, ls="none", marker=".", ms=4, color=_colour(treatment))
            few = f"\n{len(reached)}/{len(sweep.batches)}" * (len(reached) < len(sweep.batches))
            text = f"{fmean(reached):.2f}{few}"
            axes.annotate(
                text, (x + shift, max(reached)), (0, 4), textcoords="offset points", ha="center",
                fontsize=8,
            )  # fmt: skip
    axes.set_title("mean over batch sizes, all runs")
    axes.set_ylabel("test accuracy (share)")
    axes.set_xticks(range(len(sweep.nets)), sweep.nets)
    axes.set_xlim(-0.6, len(sweep.nets) - 0.4)
    axes.set_ylim(0, 1.1)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.grid(False, axis="x")


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
