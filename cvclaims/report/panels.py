"""The figures that there are: name -> records of several seeds in, a matplotlib Figure out.

Imported only once there is something to draw: see `drawing`. Nothing here asks what claim a
figure is for.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

from cvclaims.catalogue import DATASETS
from cvclaims.records.record import Record
from cvclaims.report.groups import Runs
from cvclaims.report.probes import (
    Array,
    boundaries,
    by_layer,
    histograms,
    mean_over_seeds,
    per_epoch,
    range_over_seeds,
)

# With fewer layers there is no flow to look at.
DEEP = 6

# Okabe and Ito's palette, which stays apart for every kind of colour vision, less its yellow,
# too pale for a line on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# Lines that run over each other, such as equal learning rates, stay visible by their dashes.
DASHES = ("-", (0, (6, 1.5)), (0, (2.5, 1.2)), (0, (9, 1.5, 2, 1.5)))


def curves(runs: Runs) -> Figure | None:
    """Training loss, test accuracy, learning rate and gradient norm side by side.

    A line is the mean over seeds, its band goes from the lowest to the highest.
    """
    panels = (
        ("train_loss", "training loss"),
        ("test_accuracy", "test accuracy"),
        ("lr", "learning rate"),
        ("gradient_norm", "gradient norm"),
    )
    lines = {
        title: {name: per_epoch(records, curve) for name, records in runs.items()}
        for curve, title in panels
    }
    lines = {title: part for title, part in lines.items() if any(map(_any_finite, part.values()))}
    if not lines:
        return None
    lines_of_legend = -(-len(runs) // 4)
    figure = Figure(figsize=(3.0 * len(lines), 2.9 + 0.25 * lines_of_legend), layout="constrained")
    for axes, (title, part) in zip(_row(figure, len(lines)), lines.items(), strict=True):
        _curve_panel(axes, title, part)
    handles = figure.axes[0].get_legend_handles_labels()[0]
    figure.legend(handles, _labels(runs), loc="outside lower left", ncols=4)
    return figure


def _curve_panel(axes: Axes, title: str, lines: Mapping[str, Array]) -> None:
    log = title != "test accuracy" and _wants_log(list(lines.values()))
    for number, values in enumerate(lines.values()):
        values = np.where(values > 0, values, np.nan) if log else values
        colour = COLOURS[number % len(COLOURS)]
        epochs = np.arange(1, values.shape[1] + 1)
        marker = "o" if len(epochs) <= 5 else ""  # a line through one point is no line
        dash = DASHES[number % len(DASHES)]
        mean = mean_over_seeds(values)
        axes.plot(epochs, mean, color=colour, linestyle=dash, marker=marker, ms=3.5, label=title)
        if len(values) > 1:
            band = range_over_seeds(values)
            axes.fill_between(epochs, *band, color=colour, alpha=1 / (3 + len(lines)), lw=0)
    axes.set_title(title)
    axes.set_xlabel("epoch")
    longest = max(values.shape[1] for values in lines.values())
    axes.set_xlim(1 - 0.05 * longest, 1.05 * longest)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    if log:
        _log_axis(axes)
    elif title == "learning rate":
        axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter("{x:g}")


def _log_axis(axes: Axes) -> None:
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    # Over a few decades powers of ten alone would leave one or two ticks.
    few = high / low < 200
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=8))
    if few:
        axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def _wants_log(parts: Sequence[Array]) -> bool:
    positive = np.concatenate([part[part > 0] for part in parts])
    return bool(positive.size and positive.max() > 10 * positive.min())


def gradient_flow(runs: Runs) -> Figure | None:
    """Gradient norms of deep networks: over training at both ends, and layer by layer.

    Left, the first layer's weights (solid) and the last one's (dashed), epoch by epoch. Right, all
    weights from input to output, at equal distances, mean over epochs. Both mean over seeds.
    """
    found = {name: _weights(records) for name, records in runs.items()}
    found = {name: part for name, part in found.items() if len(part) >= DEEP}
    if not found:
        return None
    figure = Figure(figsize=(9.2, 3.4), layout="constrained")
    ends, profile = _row(figure, 2)
    vanished = False
    for name, layers in found.items():
        colour = COLOURS[list(runs).index(name) % len(COLOURS)]
        means = [mean_over_seeds(values) for values in layers.values()]
        for mean, dash in ((means[0], "-"), (means[-1], (0, (3, 1.5)))):
            ends.plot(range(1, len(mean) + 1), _positive(mean), color=colour, linestyle=dash)
            vanished |= _mark_zeros(ends, mean, colour)
        heights = _positive(np.array([mean_over_seeds(mean[:, None])[0] for mean in means]))
        profile.plot(np.linspace(0, 1, len(heights)), heights, color=colour, lw=1.2, label=name)
    ends.set_title("first (solid) and last (dashed) layer" + "; × then 0" * vanished)
    ends.set_xlabel("epoch")
    ends.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    ends.set_ylabel("gradient norm")
    profile.set_title("every layer, mean over training")
    profile.set_xlabel("from input (0) to output (1)")
    for axes in (ends, profile):
        _log_axis(axes)
    figure.legend(*profile.get_legend_handles_labels(), loc="outside lower left", ncols=4)
    return figure


def _mark_zeros(axes: Axes, mean: Array, colour: str) -> bool:
    """A cross where a line breaks off since the next epoch's norms are exactly 0 in every seed.

    Returns whether there is one.
    """
    last = [i for i in range(len(mean) - 1) if mean[i] > 0 and mean[i + 1] == 0]
    if last:
        axes.plot([i + 1 for i in last], mean[last], color=colour, marker="x", ls="none")
    return bool(last)


def _weights(records: Sequence[Record]) -> dict[str, Array]:
    """Each weight's gradient norms, (seeds, epochs), in the network's order.

    Batch norm's scales are parameters called weight too, but no layer's weights: they follow
    on a convolution's and are told by being called like a norm.
    """
    layers = by_layer(records, "gradient_norms")
    return {
        name: values
        for name, values in layers.items()
        if name.endswith("weight") and not _is_norm(name, layers)
    }


def _is_norm(name: str, layers: Mapping[str, Array]) -> bool:
    """Whether a weight is a batch norm's scale, by its name: `bn1.weight`, `downsample.1.weight`.

    In a VGG the norm of convolution N is N + 1, which no convolution or linear layer ever is: a
    ReLU at least lies between two of those.
    """
    module = name.removesuffix(".weight")
    parent, _, last = module.rpartition(".")
    if last.startswith(("bn", "norm")):
        return True
    before = f"{parent}.{int(last) - 1}.weight" if last.isdigit() else ""
    return before in layers


def _positive(values: Array) -> Array:
    return np.where(values > 0, values, np.nan)


def activations(runs: Runs) -> Figure | None:
    """Histograms of each layer's activations after the last epoch, one line a seed."""
    found = {name: histograms(records) for name, records in runs.items()}
    found = {name: part for name, part in found.items() if part}
    layers = list(dict.fromkeys(layer for part in found.values() for layer in part))
    if not layers:
        return None
    size = (max(5.6, 3.9 * len(layers)), 0.7 + 1.65 * len(found))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(found), len(layers), squeeze=False, sharey=True)
    for number, (name, part) in enumerate(found.items()):
        colour = COLOURS[list(runs).index(name) % len(COLOURS)]
        for axes, layer in zip(grid[number], layers, strict=True):
            for edges, shares in part.get(layer, []):
                axes.stairs(shares, edges, color=colour, fill=True, alpha=0.12)
                axes.stairs(shares, edges, color=colour, lw=1.0)
            axes.set_title(f"{name}, {layer}", parse_math=False)
        grid[number][0].set_ylabel("share of\nactivations")
    for axes in grid[-1]:
        axes.set_xlabel("activation")
    # Dead units pile up in one bin: on a linear scale nothing else would be seen.
    grid[0][0].set_yscale("log")
    grid[0][0].set_ylim(1e-5, 1.5)
    grid[0][0].yaxis.set_major_locator(LogLocator(numticks=4))
    return figure


def dead_units(runs: Runs) -> Figure | None:
    """Heat maps, layer × epoch: the share of activations ≤ 0, and of dead units; mean over seeds.

    The number at the end of each line is that of the last epoch.
    """
    definitions = (("non_positive", "activations ≤ 0"), ("dead", "dead units"))
    found = {
        title: {name: by_layer(records, probe) for name, records in runs.items()}
        for probe, title in definitions
    }
    found = {title: part for title, part in found.items() if any(part.values())}
    names = [name for name in runs if any(part[name] for part in found.values())]
    if not names:
        return None
    depth = max(len(part[name]) for part in found.values() for name in names)
    size = (1.3 + 2.9 * len(names), 1.0 + len(found) * (0.55 + 0.3 * depth))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(found), len(names), squeeze=False)
    for line, (title, part) in zip(grid, found.items(), strict=True):
        for axes, name in zip(line, names, strict=True):
            _heat_panel(axes, f"{name}: {title}", part[name])
            if axes is not line[0] and list(part[name]) == list(part[names[0]]):
                axes.set_yticklabels([])
    for axes in grid[-1]:
        axes.set_xlabel("epoch")
    images = [axes.images[0] for axes in grid.flat if axes.images]
    bar = figure.colorbar(images[0], ax=grid, shrink=0.9, aspect=12, ticks=[0, 0.5, 1])
    bar.set_label("share")
    return figure


def _heat_panel(axes: Axes, title: str, layers: Mapping[str, Array]) -> None:
    axes.set_title(title, parse_math=False, fontsize=10)
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


def boundary(runs: Runs) -> Figure | None:
    """P(class 1) over the plane, mean over seeds; each seed's own boundary is a thin line."""
    found = {name: boundaries(records) for name, records in runs.items()}
    found = {name: part for name, part in found.items() if len(part[0])}
    if not found:
        return None
    columns = min(4, len(found))
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(0.9 + 2.7 * columns, 0.5 + 2.75 * rows), layout="constrained")
    panels = [figure.add_subplot(rows, columns, number + 1) for number in range(len(found))]
    colours = LinearSegmentedColormap.from_list("", [COLOURS[0], "#FFFFFF", COLOURS[4]])
    for axes, (name, (grids, extent)) in zip(panels, found.items(), strict=True):
        x = np.linspace(extent[0], extent[1], grids.shape[2])
        y = np.linspace(extent[2], extent[3], grids.shape[1])
        shades = axes.contourf(x, y, grids.mean(axis=0), np.linspace(0, 1, 11), cmap=colours)
        for grid in grids:
            if grid.min() < 0.5 < grid.max():  # a net that prefers one class everywhere has none
                axes.contour(x, y, grid, [0.5], colors="black", linewidths=0.8)
        axes.set_aspect("equal")
        axes.grid(False)
        axes.set_title(_accuracy(name, runs[name]), parse_math=False)
    bar = figure.colorbar(shades, ax=panels, shrink=0.8, ticks=[0, 0.5, 1])
    classes = DATASETS[next(iter(runs.values()))[0].recipe.data].classes
    bar.set_label(f"P({classes[1] if len(classes) > 1 else 'class 1'})")
    return figure


def _accuracy(name: str, records: Sequence[Record]) -> str:
    accuracy = per_epoch(records, "test_accuracy")
    last = [line[np.isfinite(line)][-1] for line in accuracy if _any_finite(line)]
    return f"{name}\ntest accuracy {np.mean(last):.3f}" if last else name


def _labels(runs: Runs) -> list[str]:
    """The legend: names, with what the title cannot say for all of them."""
    uneven = len({len(records) for records in runs.values()}) > 1
    labels = []
    for name, records in runs.items():
        diverged = sum(record.status == "diverged" for record in records)
        notes = [f"{len(records)} seed" + "s" * (len(records) != 1)] if uneven else []
        notes += [f"{diverged} of {len(records)} diverged"] if diverged else []
        labels.append(f"{name} ({', '.join(notes)})" if notes else name)
    return labels


def _row(figure: Figure, columns: int) -> Sequence[Axes]:
    axes: Sequence[Axes] = figure.subplots(1, columns, squeeze=False)[0]
    return axes


def _any_finite(values: Array) -> bool:
    return bool(np.isfinite(values).any())


KINDS: Mapping[str, Callable[[Runs], Figure | None]] = {
    "curves": curves,
    "gradient-flow": gradient_flow,
    "activations": activations,
    "dead-units": dead_units,
    "boundary": boundary,
}
