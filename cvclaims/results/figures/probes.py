"""What figures need of records, as arrays.

A record's probes are JSON that nobody has checked, and other recipes have other probes: whatever
is missing or has another shape is left out here, so that drawing need not ask.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from cvclaims.records.record import Record

Array: TypeAlias = npt.NDArray[np.float64]


def per_epoch(records: Iterable[Record], name: str) -> Array:
    """A curve or a probe with one number per epoch, shape (seeds, epochs).

    NaN where a run had ended or its number was not finite; seeds without the curve are left out.
    """
    return _padded([line for r in records if (line := curve_of(name)(r)) is not None])


def curve_of(name: str) -> Callable[[Record], Array | None]:
    """How to read a curve off a record, or a probe with one number per epoch; None without it."""
    return lambda record: _vector(record.series.get(name, record.probes.get(name)))


def layer_of(probe: str, layer: str) -> Callable[[Record], Array | None]:
    """How to read one layer's curve off a record."""
    return lambda record: _vector(_table(record.probes.get(probe)).get(layer))


def layers_mean(probe: str) -> Callable[[Record], Array | None]:
    """How to read the mean over layers, epoch by epoch, off a record."""

    def curve(record: Record) -> Array | None:
        lines = list(map(_vector, _table(record.probes.get(probe)).values()))
        known = [line for line in lines if line is not None]
        even = len({len(line) for line in known}) == 1 and len(known) == len(lines)
        return np.mean(known, axis=0) if even else None

    return curve


def by_class(records: Iterable[Record]) -> Array:
    """Test accuracy of each class after the last epoch, shape (seeds, classes).

    Seeds that lack a class are left out.
    """
    lines = [_vector(list(r.class_accuracy)) for r in records if _has_classes(r)]
    return _padded([line for line in lines if line is not None])


def _has_classes(record: Record) -> bool:
    return len(record.class_accuracy) == len(record.class_names) > 0


def by_layer(records: Iterable[Record], name: str) -> dict[str, Array]:
    """A probe with one number per layer and epoch: layer -> shape (seeds, epochs)."""
    lines: dict[str, list[Array]] = {}
    for record in records:
        for layer, values in _table(record.probes.get(name)).items():
            line = _vector(values)
            if line is not None:
                lines.setdefault(layer, []).append(line)
    return {layer: _padded(found) for layer, found in lines.items()}


def histograms(records: Iterable[Record]) -> dict[str, list[tuple[Array, Array]]]:
    """Layer -> (edges, shares) of each seed, the shares summing to 1."""
    found: dict[str, list[tuple[Array, Array]]] = {}
    for record in records:
        for layer, histogram in _table(record.probes.get("histograms")).items():
            edges = _vector(_table(histogram).get("edges"))
            shares = _vector(_table(histogram).get("counts"))
            if edges is None or shares is None or len(edges) != len(shares) + 1:
                continue
            if np.isfinite(edges).all() and np.isfinite(shares).all():
                found.setdefault(layer, []).append((edges, shares))
    return found


def boundaries(records: Iterable[Record]) -> tuple[Array, tuple[float, ...]]:
    """P(class 1) over the grid, shape (seeds, y, x), and its (left, right, bottom, top).

    All seeds share the data, so they share the grid; one that does not is left out.
    """
    grids: list[Array] = []
    extent: tuple[float, ...] = ()
    for record in records:
        probe = _table(record.probes.get("boundary"))
        x, y, grid = (_array(probe.get(name)) for name in ("x", "y", "probability"))
        if x is None or y is None or grid is None or x.shape != (2,) or y.shape != (2,):
            continue
        here = (*x.tolist(), *y.tolist())
        wanted = grids[0].shape if grids else grid.shape
        if grid.ndim == 2 and min(grid.shape) > 1 and grid.shape == wanted:
            if not np.isfinite([*here, *grid.flat]).all() or (extent and extent != here):
                continue
            extent = here
            grids.append(grid)
    return np.array(grids), extent


def mean_over_seeds(values: Array) -> Array:
    """Mean of the finite numbers along the first axis; NaN where there are none."""
    mean: Array = np.ma.masked_invalid(values).mean(axis=0).filled(np.nan)
    return mean


def range_over_seeds(values: Array) -> tuple[Array, Array]:
    """Lowest and highest of the finite numbers along the first axis; NaN where there are none."""
    masked = np.ma.masked_invalid(values)
    return masked.min(axis=0).filled(np.nan), masked.max(axis=0).filled(np.nan)


def _padded(lines: Sequence[Array]) -> Array:
    longest = max(map(len, lines), default=0)
    padded = np.full((len(lines), longest), np.nan)
    for row, line in zip(padded, lines, strict=True):
        row[: len(line)] = line
    return padded


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _vector(value: Any) -> Array | None:
    array = _array(value)
    return array if array is not None and array.ndim == 1 and array.size else None


def _array(value: Any) -> Array | None:
    """Numbers as float64, with NaN for None and infinities; None for anything else."""
    try:
        array = np.array(value, dtype=np.float64)  # None, as JSON writes NaN, becomes NaN
    except (TypeError, ValueError):
        return None
    return np.where(np.isfinite(array), array, np.nan)
