"""The figures that there are: records of several seeds by name in, a matplotlib Figure out.

Imported only once there is something to draw: see `drawing`. Nothing here asks what claim a
figure is for.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from cvclaims.recipe import Recipe
from cvclaims.records.record import Record
from cvclaims.results.figures.axes import (
    COLOURS,
    INK,
    any_finite,
    colour,
    draw_marks,
    legend,
    row_of,
)
from cvclaims.results.figures.curves import close_up, curves
from cvclaims.results.figures.gradients import gradient_flow
from cvclaims.results.figures.groups import Subject
from cvclaims.results.figures.probes import (
    Array,
    boundaries,
    by_class,
    by_layer,
    histograms,
    layer_of,
    layers_mean,
    mean_over_seeds,
    per_epoch,
)
from cvclaims.results.figures.reported import Curve, class_marks, class_means, marks
from cvclaims.results.figures.samples import cost, dots


def activations(subject: Subject) -> Figure | None:
    """Histograms of each layer's activations after the last epoch, one line a seed."""
    found = {name: histograms(records) for name, records in subject.runs.items()}
    found = {name: part for name, part in found.items() if part}
    layers = list(dict.fromkeys(layer for part in found.values() for layer in part))
    if not layers:
        return None
    size = (max(5.6, 3.9 * len(layers)), 0.7 + 1.65 * len(found))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(found), len(layers), squeeze=False, sharey=True)
    for number, (name, part) in enumerate(found.items()):
        shade = colour(subject, name)
        for axes, layer in zip(grid[number], layers, strict=True):
            for edges, shares in part.get(layer, []):
                axes.stairs(shares, edges, color=shade, lw=1.0, alpha=0.7)
            axes.set_title(f"{name}, {layer}", parse_math=False)
        grid[number][0].set_ylabel("share of\nactivations")
    for axes in grid[-1]:
        axes.set_xlabel("activation")
    # Dead units pile up in one bin: on a linear scale nothing else would be seen.
    grid[0][0].set_yscale("log")
    grid[0][0].set_ylim(1e-5, 1.5)
    grid[0][0].yaxis.set_major_locator(LogLocator(numticks=4))
    return figure


def dead_units(subject: Subject) -> Figure | None:
    """Heat maps, layer × epoch: the share of activations ≤ 0, and of dead units; mean over seeds.

    The number at the end of each line is that of the last epoch. Under a title stands what the
    report states.
    """
    definitions = {"non_positive": "activations ≤ 0", "dead": "dead units"}
    found = {
        probe: {name: by_layer(records, probe) for name, records in subject.runs.items()}
        for probe in definitions
    }
    found = {probe: part for probe, part in found.items() if any(part.values())}
    names = [name for name in subject.runs if any(part[name] for part in found.values())]
    if not names:
        return None
    depth = max(len(part[name]) for part in found.values() for name in names)
    told = {probe: _told_shares(subject, probe, found[probe]) for probe in found}
    height = 1.0 + sum(0.55 + 0.3 * depth + 0.17 * _most(told[probe]) for probe in found)
    figure = Figure(figsize=(1.3 + 2.9 * len(names), height), layout="constrained")
    grid = figure.subplots(len(found), len(names), squeeze=False)
    for line, (probe, part) in zip(grid, found.items(), strict=True):
        for axes, name in zip(line, names, strict=True):
            title = "\n".join([f"{name}: {definitions[probe]}", *told[probe].get(name, ())])
            _heat_panel(axes, title, part[name])
            if axes is not line[0] and list(part[name]) == list(part[names[0]]):
                axes.set_yticklabels([])
    for axes in grid[-1]:
        axes.set_xlabel("epoch")
    images = [axes.images[0] for axes in grid.flat if axes.images]
    bar = figure.colorbar(images[0], ax=grid, shrink=0.9, aspect=12, ticks=[0, 0.5, 1])
    bar.set_label("share")
    return figure


def _told_shares(
    subject: Subject, probe: str, layers: Mapping[str, Mapping[str, Array]]
) -> dict[str, list[str]]:
    """What the report states of each arm's shares, in words, layer by layer and of their mean."""
    lines: dict[str, list[str]] = {}
    places: dict[str, Curve] = {"layers' mean": layers_mean(probe)}
    places |= {layer: layer_of(probe, layer) for part in layers.values() for layer in part}
    for place, curve in places.items():
        for mark in marks(subject.reported, subject.runs, curve):
            text = f"reported {mark.value:g} ({place}, {mark.where})"
            lines.setdefault(mark.arm, []).append(text)
    return lines


def _most(lines: Mapping[str, Sequence[str]]) -> int:
    return max(map(len, lines.values()), default=0)


def _heat_panel(axes: Axes, title: str, layers: Mapping[str, Array]) -> None:
    axes.set_title(title, parse_math=False, fontsize=9)
    axes.grid(False)
    if not layers:
        axes.set_axis_off()
        return
    means = [mean_over_seeds(values) for values in layers.values()]
    image = np.full((len(means), max(map(len, means))), np.nan)
    for line, mean in zip(image, means, strict=True):
        line[: len(mean)] = mean
    epochs = image.shape[1]
    extent = (0.5, epochs + 0.5, len(means) - 0.5, -0.5)
    axes.imshow(
        image, aspect="auto", cmap="cividis", vmin=0, vmax=1, extent=extent, interpolation="nearest"
    )
    axes.set_yticks(range(len(layers)), list(layers))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
    for number, mean in enumerate(means):
        last = mean[np.isfinite(mean)][-1:]
        if last.size:
            place = (1.02, number)
            axes.annotate(f"{last[0]:.2f}", place, xycoords=("axes fraction", "data"), va="center")


def boundary(subject: Subject) -> Figure | None:
    """P(class 1) over the plane, mean over seeds; each seed's own boundary is a thin line."""
    found = {name: boundaries(records) for name, records in subject.runs.items()}
    found = {name: part for name, part in found.items() if len(part[0])}
    if not found:
        return None
    columns = min(4, len(found))
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(0.9 + 2.7 * columns, 0.5 + 2.95 * rows), layout="constrained")
    panels = [figure.add_subplot(rows, columns, number + 1) for number in range(len(found))]
    colours = LinearSegmentedColormap.from_list("", [COLOURS[0], "#FFFFFF", COLOURS[4]])
    for axes, (name, (grids, extent)) in zip(panels, found.items(), strict=True):
        x = np.linspace(extent[0], extent[1], grids.shape[2])
        y = np.linspace(extent[2], extent[3], grids.shape[1])
        shades = axes.contourf(x, y, grids.mean(axis=0), np.linspace(0, 1, 11), cmap=colours)
        for grid in grids:
            if grid.min() < 0.5 < grid.max():  # a net that prefers one class everywhere has none
                axes.contour(x, y, grid, [0.5], colors=INK, linewidths=0.8)
        axes.set_aspect("equal")
        axes.grid(False)
        axes.set_title(_accuracy(subject, name), parse_math=False)
    bar = figure.colorbar(shades, ax=panels, shrink=0.8, ticks=[0, 0.5, 1])
    classes = next(iter(subject.runs.values()))[0].class_names
    bar.set_label(f"P({classes[1] if len(classes) > 1 else 'class 1'})")
    return figure


def _accuracy(subject: Subject, name: str) -> str:
    """An arm's title: its accuracy after the last epoch, and the report's."""
    accuracy = per_epoch(subject.runs[name], "test_accuracy")
    last = [line[np.isfinite(line)][-1] for line in accuracy if any_finite(line)]
    if not last:
        return name
    found = marks(subject.reported, subject.runs, "test_accuracy")
    told = [m.value for m in found if m.arm == name and m.where == "last epoch"]
    reported = f"\nreported {', '.join(f'{value:.3f}' for value in told)}" if told else ""
    return f"{name}\ntest accuracy {np.mean(last):.3f}{reported}"


def _is_image_network(record: Record) -> bool:
    return isinstance(record.trained, Recipe) and not record.recipe.network.flat


def classes(subject: Subject) -> Figure | None:
    """Test accuracy of each class: bars are means over seeds, dots the seeds; best class first.

    Of convolutional networks alone: no report asks which classes a perceptron takes for others.
    """
    runs = {
        name: [record for record in records if _is_image_network(record)]
        for name, records in subject.runs.items()
    }
    kinds = {record.class_names for records in runs.values() for record in records}
    found = {name: by_class(records) for name, records in runs.items()}
    found = {name: part for name, part in found.items() if any_finite(part)}
    if not found or len(kinds) != 1:
        return None
    names = kinds.pop()
    means = {name: mean_over_seeds(part) for name, part in found.items()}
    order = np.argsort(-mean_over_seeds(np.array(list(means.values()))), kind="stable")
    told = class_marks(subject.reported, runs)
    marked = {mark.arm for mark in told}
    width = 0.8 / len(found)
    wide = min(12.5, 1 + len(names) * (0.75 + 0.2 * (len(found) - 1)))
    title = ["each class after the last epoch: mean (bar) and seeds (dots)"]
    for name, value, of in class_means(subject.reported, runs):
        title.append(f"{name}: reported {value:g}, the mean of {', '.join(of)}")
    height = 3.0 + 0.18 * (len(title) - 1)
    figure = Figure(figsize=(max(5.6, wide), height), layout="constrained")
    (axes,) = row_of(figure, 1)
    shown = []
    for number, (name, part) in enumerate(found.items()):
        x = np.arange(len(names)) + (number - (len(found) - 1) / 2) * width
        shade = colour(subject, name)
        axes.bar(x, means[name][order], width=0.92 * width, color=shade, alpha=0.55, label=name)
        for line in part:
            axes.plot(x, line[order], ls="none", marker=".", ms=4, color=INK, zorder=3)
        place = {int(c): float(x[i]) for i, c in enumerate(order)}
        shown += [m.at(place[int(m.epoch)]) for m in told if m.arm == name]
    draw_marks(axes, subject, shown)
    axes.set_xticks(range(len(names)), [names[c] for c in order])
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylim(0, 1.02)
    axes.grid(False, axis="x")
    axes.set_ylabel("test accuracy (share)")
    axes.set_title("\n".join(dict.fromkeys(title)), parse_math=False, fontsize=10)
    legend(figure, subject, dict.fromkeys(marked, ""), bars=True)
    return figure


KINDS: Mapping[str, Callable[[Subject], Figure | None]] = {
    "dots": dots,
    "curves": curves,
    "close-up": close_up,
    "classes": classes,
    "gradient-flow": gradient_flow,
    "activations": activations,
    "dead-units": dead_units,
    "boundary": boundary,
    "cost": cost,
}
