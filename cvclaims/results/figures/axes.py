"""What every figure shares: colours, axes, a legend with what the report states.

Imported only once there is something to draw: see `drawing`.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

from cvclaims.results.figures.groups import Subject
from cvclaims.results.figures.probes import Array
from cvclaims.results.figures.reported import Mark

# Okabe and Ito's palette, which stays apart for every kind of colour vision, less its yellow,
# too pale for a line on white, and its black, which is lost on dark pages.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6A737D")
# Text, axes and whatever else has no colour: between white and black, legible on both.
INK = "#656D76"
# Lines that run over each other, such as equal learning rates, stay visible by their dashes.
DASHES = ("-", (0, (6, 1.5)), (0, (2.5, 1.2)), (0, (9, 1.5, 2, 1.5)))
# Two arms of which a report states the same number lie on one point.
MARKERS = ("D", "s", "^", "o", "v", "p", "h")
COLUMNS = 4


def colour(subject: Subject, name: str) -> str:
    """An arm's colour, the same in all its figures."""
    return COLOURS[subject.number(name) % len(COLOURS)]


def draw_marks(axes: Axes, subject: Subject, found: Iterable[Mark]) -> None:
    """Each reported number as an open mark in its arm's colour; the report's own runs as dots."""
    for mark in found:
        shade = colour(subject, mark.arm)
        if mark.runs:
            x, y = zip(*mark.runs, strict=True)
            axes.plot(x, y, ls="none", marker=".", ms=5, color=shade, zorder=3, clip_on=False)
        shape = MARKERS[subject.number(mark.arm) % len(MARKERS)]
        axes.plot(
            [mark.epoch], [mark.value], ls="none", marker=shape, ms=7, mew=1.5, color=shade,
            mfc="none", zorder=4, clip_on=False, label="reported",
        )  # fmt: skip


def legend(figure: Figure, subject: Subject, marked: Mapping[str, str], bars: bool = False) -> None:
    """Names of arms; under each of `marked`, the mark of what the report states, and a note.

    It stands below the figure, which grows by as much.
    """
    handles: list[Line2D | Patch] = []
    for name in subject.runs:
        number = subject.number(name)
        shade, dash = colour(subject, name), DASHES[number % len(DASHES)]
        named = _label(subject, name)
        bar = Patch(color=shade, alpha=0.55, lw=0, label=named)
        handles.append(bar if bars else Line2D([], [], color=shade, ls=dash, label=named))
        if name in marked:
            shape = MARKERS[number % len(MARKERS)]
            told = Line2D([], [], color=shade, ls="none", marker=shape, ms=7, mew=1.5, mfc="none")
            told.set_label(f"reported{marked[name]}")
            handles.append(told)
        elif marked:  # an empty place: a legend fills column by column
            handles.append(Line2D([], [], ls="none", label=" "))
    width, height = figure.get_size_inches()
    longest = max(len(str(handle.get_label())) for handle in handles)
    fitting = int((width - 0.2) // (0.55 + 0.075 * longest))
    columns = max(1, min(COLUMNS, fitting, len(subject.runs)))
    lines = -(-len(subject.runs) // columns) * (2 if marked else 1)
    if marked and len(subject.runs) > columns:  # whole pairs in each column
        missing = -len(subject.runs) % columns
        handles += [Line2D([], [], ls="none", label=" ")] * (2 * missing)
    figure.set_size_inches(width, height + 0.22 * lines)
    found = figure.legend(handles=handles, loc="outside lower left", ncols=columns)
    for text in found.get_texts():
        text.set_parse_math(False)


def _label(subject: Subject, name: str) -> str:
    """An arm in the legend: its name, with what the title cannot say for all of them."""
    records = subject.runs[name]
    uneven = len({len(part) for part in subject.runs.values()}) > 1
    diverged = sum(record.status == "diverged" for record in records)
    notes = [f"{len(records)} seed" + "s" * (len(records) != 1)] if uneven else []
    notes += [f"{diverged} of {len(records)} diverged"] if diverged else []
    return f"{name} ({', '.join(notes)})" if notes else name


def row_of(figure: Figure, columns: int) -> Sequence[Axes]:
    """Axes side by side."""
    axes: Sequence[Axes] = figure.subplots(1, columns, squeeze=False)[0]
    return axes


def epoch_axis(axes: Axes, first: float, last: float) -> None:
    """Whole epochs, with some room at both ends."""
    room = max(0.05 * (last - first + 1), 0.5 if last - first < 5 else 0)
    axes.set_xlim(first - room, last + room)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.set_xlabel("epoch")


def log_axis(axes: Axes) -> None:
    """A logarithmic axis with a few ticks, over however many decades."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    # Over a few decades powers of ten alone would leave one or two ticks.
    few = high / low < 200
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=8))
    if few:
        axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def any_finite(values: Array) -> bool:
    """Whether there is anything to draw."""
    return bool(np.isfinite(values).any())
