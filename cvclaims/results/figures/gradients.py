"""Figures of gradients' norms; as `panels`, which lists them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import MaxNLocator

from cvclaims.records.record import Record
from cvclaims.results.figures.axes import colour, epoch_axis, legend, log_axis
from cvclaims.results.figures.curves import positive
from cvclaims.results.figures.groups import Subject
from cvclaims.results.figures.probes import Array, by_layer, mean_over_seeds

# With fewer layers there is no flow to look at.
DEEP = 6
# The gradients that report 3 follows over training: of the first layer, of block 5 or a module half
# way, and of the last layer. A network has those of one family.
NAMED = (
    ("features.0.weight", "features.24.bias", "classifier.6.bias"),
    ("features.0.weight", "features.78.bias", "classifier.6.bias"),
    ("conv2d.1.conv.weight", "inception_layer.4.branch.3.1.conv.bias", "linear.bias"),
)
NAMED_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)))


def gradient_flow(subject: Subject) -> Figure | None:
    """Gradient norms of deep networks: over training at both ends, and layer by layer.

    Left, the first layer's weights (solid) and the last one's (dashed), epoch by epoch. Right, all
    weights from input to output, at equal distances, mean over epochs. Below, every layer by epoch
    as a heat map, and three gradients by name, for each network that has them. All mean over seeds.
    """
    found = {name: _weights(records) for name, records in subject.runs.items()}
    found = {name: part for name, part in found.items() if len(part) >= DEEP}
    if not found:
        return None
    named = {name: part for name in found if (part := _named(subject.runs[name]))}
    flows = -(-len(found) // 2)
    rows = 1 + flows + -(-len(named) // 2)
    figure = Figure(figsize=(9.6, 3.1 * rows), layout="constrained")
    grid = figure.add_gridspec(rows, 2)
    ends, profile = (figure.add_subplot(grid[0, n]) for n in (0, 1))
    vanished = False
    for name, layers in found.items():
        shade = colour(subject, name)
        means = [mean_over_seeds(values) for values in layers.values()]
        for mean, dash in ((means[0], "-"), (means[-1], (0, (3, 1.5)))):
            _gradient_line(ends, mean, shade, dash)
            vanished |= _mark_zeros(ends, mean, shade)
        heights = positive(np.array([mean_over_seeds(mean[:, None])[0] for mean in means]))
        profile.plot(np.linspace(0, 1, len(heights)), heights, color=shade, lw=1.2, label=name)
    ends.set_title("first (solid) and last (dashed) layer" + "; × then 0" * vanished)
    epoch_axis(ends, 1, max(v.shape[1] for part in found.values() for v in part.values()))
    ends.set_ylabel("gradient norm (L2)")
    profile.set_title("every layer, mean over training")
    profile.set_xlabel("from input (0) to output (1)")
    for axes in (ends, profile):
        log_axis(axes)
    _flow_panels(figure, grid, found)
    if named:
        _named_panels(figure, grid, subject, named, 1 + flows)
    legend(figure, subject, {})
    return figure


def _flow_panels(figure: Figure, grid: GridSpec, found: Mapping[str, Mapping[str, Array]]) -> None:
    """A heat map for each network, layer by epoch, all in one logarithmic scale."""
    maps = {
        name: positive(np.array([mean_over_seeds(values) for values in layers.values()]))
        for name, layers in found.items()
    }
    known = np.concatenate([part[np.isfinite(part)] for part in maps.values()])
    if not known.size:
        return
    norm = LogNorm(known.min(), max(known.max(), known.min() * 1.01))
    panels = []
    for number, (name, part) in enumerate(maps.items()):
        axes = figure.add_subplot(grid[1 + number // 2, number % 2])
        layers, epochs = part.shape
        extent = (0.5, epochs + 0.5, layers + 0.5, 0.5)
        shown = axes.imshow(
            part, aspect="auto", cmap="cividis", norm=norm, extent=extent, interpolation="nearest"
        )
        axes.set_title(f"{name}: every layer", parse_math=False)
        axes.set_ylabel("layer, from the input")
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.grid(False)
        epoch_axis(axes, 1, epochs)
        axes.set_xlim(0.5, epochs + 0.5)
        panels.append(axes)
    figure.colorbar(shown, ax=panels, label="gradient norm (L2)")


def _gradient_line(axes: Axes, mean: Array, shade: str, dash: Any, label: str = "") -> None:
    marker = "o" if len(mean) <= 5 else ""  # a line through one point is no line
    epochs = range(1, len(mean) + 1)
    axes.plot(epochs, positive(mean), color=shade, ls=dash, marker=marker, ms=3.5, label=label)


def _named(records: Sequence[Record]) -> dict[str, Array]:
    """The gradients of `NAMED` that a network has, shape (seeds, epochs)."""
    norms = by_layer(records, "gradient_norms")
    names = next((trio for trio in NAMED if all(name in norms for name in trio)), ())
    return {name: norms[name] for name in names}


def _named_panels(
    figure: Figure,
    grid: GridSpec,
    subject: Subject,
    named: Mapping[str, Mapping[str, Array]],
    row: int,
) -> None:
    """A panel for each network, on one axis: three lines, told apart by dashes."""
    first: Axes | None = None
    for number, (name, layers) in enumerate(named.items()):
        axes = figure.add_subplot(grid[row + number // 2, number % 2], sharey=first)
        for (layer, values), dash in zip(layers.items(), NAMED_DASHES, strict=True):
            mean = mean_over_seeds(values)
            _gradient_line(axes, mean, colour(subject, name), dash, layer)
            _mark_zeros(axes, mean, colour(subject, name))
        axes.set_title(name, parse_math=False)
        epoch_axis(axes, 1, max(values.shape[1] for values in layers.values()))
        if first is None:
            first = axes
            axes.set_ylabel("gradient norm (L2)")
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.26), fontsize=8, handlelength=2.6)
    assert first is not None
    log_axis(first)


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
