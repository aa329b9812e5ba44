"""Figures of what was judged: each seed beside what the report states; and what accuracy costs."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter
from scipy import special

from cvclaims.claim import Reported
from cvclaims.records.record import Record
from cvclaims.results.figures.axes import INK, any_finite, colour, legend, row_of
from cvclaims.results.figures.groups import Subject
from cvclaims.results.figures.probes import Array, per_epoch
from cvclaims.results.view import ClaimView

# So many rows are one picture; a claim of more has its numbers in the table.
MOST_ROWS = 12
COLUMNS = 3
# The interval of a mean that is drawn, whatever level the rule has.
CONFIDENCE = 0.95
# A line of a panel, in inches.
_LINE = 0.24


def dots(subject: Subject) -> Figure | None:
    """Every seed's value as a dot, the mean with its 95 % interval, the reported value a diamond.

    A panel for each row that has several values of something; its quantities are its lines.
    """
    rows = [row for row in subject.rows if any(m["n"] > 1 for m in row.measured.values())]
    rows = rows[:MOST_ROWS]
    if not rows:
        return None
    columns = min(COLUMNS, len(rows))
    tallest = [
        max(len(row.measured) for row in rows[first : first + columns])
        for first in range(0, len(rows), columns)
    ]
    size = max(5.6, 3.6 * columns), 0.4 + sum(0.95 + _LINE * lines for lines in tallest)
    figure = Figure(figsize=size, layout="constrained")
    ratios = [1 + lines for lines in tallest]
    grid = figure.subplots(len(tallest), columns, squeeze=False, height_ratios=ratios)
    for number, (axes, row) in enumerate(zip(grid.flat, rows, strict=False)):
        _dots_of(axes, row, subject, tallest[number // columns])
    for axes in grid.flat[len(rows) :]:
        axes.set_axis_off()
    return figure


def _dots_of(axes: Axes, row: ClaimView, subject: Subject, lines: int) -> None:
    names = list(row.measured)
    room = 0.25 * len(names) / lines  # the same on paper, however many lines share the height
    for line, name in enumerate(names):
        values = np.array([v for v in row.measured[name]["values"] if v is not None])
        shade = colour(subject, name) if name in subject.runs else INK
        offsets = room * np.sin(np.arange(len(values)) * 2.4)  # equal values stay apart
        axes.plot(values, line + offsets, ls="none", marker="o", ms=3.5, color=shade, alpha=0.6)
        if len(values) > 1:
            error = values.std(ddof=1) / math.sqrt(len(values))
            half = float(special.stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2) * error)
            axes.errorbar(
                values.mean(), line, xerr=half, fmt="|", ms=11, mew=2, capsize=3, color=shade
            )
        if (told := row.reported.get(name)) is not None:
            _told(axes, told, line, shade)
    axes.set_yticks(range(len(names)), [_short(name) for name in names], parse_math=False)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(False, axis="y")
    axes.locator_params(axis="x", nbins=4)
    title = _short(f"{row.id} {row.case}".strip(), 38), _short(row.title, 40)
    axes.set_title("\n".join(title), parse_math=False, fontsize=8, loc="left")


def _told(axes: Axes, told: Reported, line: int, shade: str) -> None:
    numbers = told if isinstance(told, Sequence) else [told]
    axes.plot(
        numbers, [line] * len(numbers), ls="none", marker="D", ms=7, mew=1.5, mfc="none",
        color=shade, clip_on=False, zorder=4,
    )  # fmt: skip


def _short(text: str, most: int = 24) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def cost(subject: Subject) -> Figure | None:
    """Test accuracy against the number of trained parameters; a dot for each seed.

    Of arms that differ in size: one size alone is no cost to compare.
    """
    found = {name: _costs(records) for name, records in subject.runs.items()}
    found = {name: part for name, part in found.items() if len(part)}
    sizes = {float(x) for part in found.values() for x in part[:, 0]}
    if len(sizes) < 2 or not any(any_finite(part[:, 1]) for part in found.values()):
        return None
    figure = Figure(figsize=(5.6, 3.2), layout="constrained")
    (axes,) = row_of(figure, 1)
    for name, part in found.items():
        shade = colour(subject, name)
        axes.plot(part[:, 0], part[:, 1], ls="none", marker="o", ms=5, color=shade, alpha=0.7)
        axes.plot(part[:, 0].mean(), part[:, 1].mean(), marker="_", ms=16, mew=2, color=shade)
    axes.set_xscale("log")
    low, high = min(sizes), max(sizes)
    axes.set_xlim(low / 10 ** (0.2 * math.log10(high / low)), high * (high / low) ** 0.2)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7), numticks=6))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("trained parameters")
    axes.set_ylabel("test accuracy (share)")
    axes.set_title("after the last epoch: seeds (dots) and mean (line)", fontsize=10)
    legend(figure, subject, {})
    return figure


def _costs(records: Sequence[Record]) -> Array:
    """Parameters and last test accuracy, shape (runs, 2); runs without them are left out."""
    pairs = []
    for record in records:
        accuracy = per_epoch([record], "test_accuracy")
        known = accuracy[np.isfinite(accuracy)]
        if "parameters" in record.numbers and known.size:
            pairs.append((record.numbers["parameters"], known[-1]))
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)
