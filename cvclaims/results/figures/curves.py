"""Figures of what is measured every epoch; as `panels`, which lists them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cvclaims.recipe import Recipe
from cvclaims.results.figures.axes import (
    DASHES,
    any_finite,
    colour,
    draw_marks,
    epoch_axis,
    legend,
    log_axis,
)
from cvclaims.results.figures.groups import Subject
from cvclaims.results.figures.probes import Array, mean_over_seeds, per_epoch, range_over_seeds
from cvclaims.results.figures.reported import Mark, marks

# Training above test, so that a gap between the two is seen.
PANELS = {
    "train_loss": "training loss",
    "train_accuracy": "training accuracy (share)",
    "gradient_norm": "gradient norm (L2)",
    "test_loss": "test loss",
    "test_accuracy": "test accuracy (share)",
    "lr": "learning rate",
}
# These have one axis: the quantity is the same.
PAIRS = {"test_loss": "train_loss", "test_accuracy": "train_accuracy"}
# So many panels still fit on a page.
MOST_PANELS = 6
# A close look at the beginning is worth it where training goes on for longer than twice that.
BEGINNING = 20
# A loss is smoothed over so many epochs.
WINDOW = 5


def curves(subject: Subject) -> Figure | None:
    """Losses, accuracies, gradient norm and learning rate over all epochs; else what was logged.

    A line is the mean over seeds, its band goes from the lowest to the highest. Open marks are what
    the report states.
    """
    titles = _titles(subject)
    lines = {curve: _lines(subject, curve) for curve in titles}
    lines = {curve: part for curve, part in lines.items() if part}
    if not lines:
        return None
    told = {curve: marks(subject.reported, subject.runs, curve) for curve in lines}
    marked = {mark.arm: "" for part in told.values() for mark in part}
    # At the end lines lie close: what the report gives for it is written out.
    last = (mark for mark in told.get("test_accuracy", ()) if mark.where == "last epoch")
    marked |= {mark.arm: f" (accuracy {mark.value:.4g})" for mark in last}
    rows, columns = (2, -(-len(lines) // 2)) if len(lines) > 3 else (1, len(lines))
    size = (max(5.6, 3.2 * columns), 0.6 + 2.15 * rows)
    figure = Figure(figsize=size, layout="constrained")
    drawn: dict[str, Axes] = {}
    for number, (curve, part) in enumerate(lines.items()):
        other = drawn.get(PAIRS.get(curve, ""))
        axes = drawn[curve] = figure.add_subplot(rows, columns, number + 1, sharey=other)
        pair = [q for q in (curve, PAIRS.get(curve), _partner(curve)) if q in lines]
        log = _wants_log(curve, [lines[q] for q in pair if q])
        _panel(axes, subject, part, told[curve], log)
        axes.set_title(titles[curve], parse_math=False)
        if curve == "lr" and not log:
            axes.set_ylim(bottom=0)
    legend(figure, subject, marked)
    return figure


def _titles(subject: Subject) -> dict[str, str]:
    """The series to draw, with their titles: of trainings of one's own the first six by name."""
    of_recipes = all(
        isinstance(record.trained, Recipe)
        for records in subject.runs.values()
        for record in records
    )
    if of_recipes:
        return PANELS
    names = dict.fromkeys(
        name for records in subject.runs.values() for record in records for name in record.series
    )
    return {name: PANELS.get(name, name) for name in list(names)[:MOST_PANELS]}


def _partner(curve: str) -> str:
    return next((test for test, train in PAIRS.items() if train == curve), "")


def close_up(subject: Subject) -> Figure | None:
    """The first epochs enlarged, and the training loss smoothed, where training goes on for long.

    Smoothed is the mean over five epochs, centred, of each seed's loss; thin, the loss itself.
    """
    accuracy, loss = (_lines(subject, curve) for curve in ("test_accuracy", "train_loss"))
    longest = max((part.shape[1] for part in (*accuracy.values(), *loss.values())), default=0)
    if longest <= 2 * BEGINNING or not accuracy or not loss:
        return None
    told, losses = (
        [m for m in marks(subject.reported, subject.runs, curve) if m.epoch <= BEGINNING]
        for curve in ("test_accuracy", "train_loss")
    )
    marked = {mark.arm: "" for mark in told + losses}
    figure = Figure(figsize=(10.2, 2.75), layout="constrained")
    left, middle, right = (figure.add_subplot(1, 3, n) for n in (1, 2, 3))
    for axes, part, found in ((left, accuracy, told), (middle, loss, losses)):
        start = {name: values[:, :BEGINNING] for name, values in part.items()}
        log = axes is middle and _wants_log("train_loss", [start])
        _panel(axes, subject, start, found, log)
    left.set_title(f"test accuracy (share), first {BEGINNING} epochs")
    middle.set_title(f"training loss, first {BEGINNING} epochs")
    log = _wants_log("train_loss", [loss])
    for name, values in loss.items():
        raw = mean_over_seeds(positive(values) if log else values)
        right.plot(np.arange(1, len(raw) + 1), raw, color=colour(subject, name), lw=0.6, alpha=0.5)
    smooth = {name: np.array([smoothed(line) for line in part]) for name, part in loss.items()}
    _panel(right, subject, smooth, [], log)
    right.set_title("training loss, smoothed")
    legend(figure, subject, marked)
    return figure


def smoothed(line: Array) -> Array:
    """The centred mean over `WINDOW` epochs; at the ends over as many as there are on both sides.

    Where an epoch is no number, so is every mean that it enters.
    """
    n, half = len(line), WINDOW // 2
    reach = [min(half, i, n - 1 - i) for i in range(n)]
    return np.array([line[i - r : i + r + 1].mean() for i, r in enumerate(reach)])


def positive(values: Array) -> Array:
    """What a logarithmic axis can show; NaN for the rest."""
    return np.where(values > 0, values, np.nan)


def _lines(subject: Subject, curve: str) -> dict[str, Array]:
    """A curve of each arm, shape (seeds, epochs); nothing where no arm has a number."""
    found = {name: per_epoch(records, curve) for name, records in subject.runs.items()}
    return found if any(map(any_finite, found.values())) else {}


def _panel(
    axes: Axes, subject: Subject, lines: Mapping[str, Array], told: Sequence[Mark], log: bool
) -> None:
    for name, values in lines.items():
        values = positive(values) if log else values
        shade, dash = colour(subject, name), DASHES[subject.number(name) % len(DASHES)]
        epochs = np.arange(1, values.shape[1] + 1)
        marker = "o" if len(epochs) <= 5 else ""  # a line through one point is no line
        mean = mean_over_seeds(values)
        axes.plot(epochs, mean, color=shade, linestyle=dash, marker=marker, ms=3.5, label=name)
        if len(values) > 1:
            band = range_over_seeds(values)
            axes.fill_between(epochs, *band, color=shade, alpha=1 / (3 + len(lines)), lw=0)
    draw_marks(axes, subject, told)
    epoch_axis(axes, 1, max(values.shape[1] for values in lines.values()))
    if log:
        log_axis(axes)
    axes.yaxis.set_major_formatter("{x:g}")


def _wants_log(curve: str, parts: Sequence[Mapping[str, Array]]) -> bool:
    """Whether the numbers above 0 lie further apart than ten times; an accuracy never does."""
    if curve.endswith("accuracy"):
        return False
    known = np.concatenate([v[v > 0] for part in parts for v in part.values()])
    return bool(known.size and known.max() > 10 * known.min())
