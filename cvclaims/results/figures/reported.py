"""Where a reported number belongs in a picture.

A row holds what the report states and what was measured, but not what that is a measure of. The
records tell: where the measured numbers are, run by run, a curve's own values at some place, the
reported number belongs to that curve and that place. Where they are not, it is in another unit,
and is not drawn.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import fmean
from typing import TypeAlias

import numpy as np

from cvclaims.records.record import Record
from cvclaims.results.figures.groups import Reported, Runs
from cvclaims.results.figures.probes import Array, by_class, curve_of

# A run's curve, one value an epoch; None where it has none.
Curve: TypeAlias = Callable[[Record], Array | None]
# A run's curve, and what was measured of the run.
Pair: TypeAlias = tuple[Array, float]

# Rows and records keep seven digits.
_CLOSE = 2e-6
# Reports count epochs to an accuracy that is a multiple of 5 %, or to 95 % of a run's own best.
_THRESHOLDS = tuple(round(0.05 * n, 2) for n in range(1, 20))
_OF_BEST = 0.95
# All sets of so many classes can be tried.
MOST_CLASSES = 10


@dataclass(frozen=True)
class Mark:
    """A reported number as a point beside a curve.

    `runs` are the points of the report's own runs where it states several; `where` says in words
    which epoch the number is of.
    """

    arm: str
    epoch: float
    value: float
    where: str
    runs: tuple[tuple[float, float], ...] = ()

    def at(self, x: float) -> "Mark":
        """The same number in another place along the axis."""
        return replace(self, epoch=x, runs=tuple((x, y) for _, y in self.runs))


def class_marks(reported: Sequence[Reported], runs: Runs) -> list[Mark]:
    """The reported accuracies of single classes; the place of each is the class's number."""
    found = []
    for part in reported:
        pairs = _pairs(part, runs, lambda record: np.array(record.class_accuracy))
        if not pairs or all(measured == int(measured) for _, measured in pairs):
            continue
        shortest = min(len(line) for line, _ in pairs)
        agree = [np.isclose(line[:shortest], m, rtol=_CLOSE, atol=0) for line, m in pairs]
        hits = np.flatnonzero(np.all(agree, axis=0))
        found += [_mark(part, float(number), "last epoch") for number in hits[:1]]
    return list(dict.fromkeys(found))


def class_means(reported: Sequence[Reported], runs: Runs) -> list[tuple[str, float, list[str]]]:
    """The reported means over some classes, but not all: arm, number, and those classes.

    Two runs could agree by chance with a mean of other classes; where three or more do, it is so.
    """
    found = []
    for part in reported:
        records = [r for r in runs.get(part.arm, ()) if part.measured.get(r.key) is not None]
        kinds = {record.class_names for record in records}
        if len(records) < 3 or len(kinds) != 1 or len(names := kinds.pop()) > MOST_CLASSES:
            continue
        shares = by_class(records)
        if shares.shape != (len(records), len(names)):
            continue
        measured = np.array([part.measured[record.key] for record in records], dtype=np.float64)
        sets = np.array(list(itertools.product((False, True), repeat=len(names)))[1:])
        sizes = sets.sum(axis=1)
        sets = sets[(sizes > 1) & (sizes < len(names))]
        means = shares @ sets.T / sets.sum(axis=1)
        agree = np.isclose(means, measured[:, None], rtol=_CLOSE, atol=0).all(axis=0)
        if agree.sum() == 1:
            chosen = sets[agree.argmax()]
            of = [name for name, is_in in zip(names, chosen, strict=True) if is_in]
            found.append((part.arm, part.mean, of))
    return found


def marks(reported: Sequence[Reported], runs: Runs, curve: str | Curve) -> list[Mark]:
    """The reported numbers that belong to a curve, each once.

    A number of epochs belongs to the accuracy that takes so many to reach a threshold.
    """
    of = curve if callable(curve) else curve_of(curve)
    found: list[Mark] = []
    for _, same in groupby(reported, lambda part: part.row):
        parts = [(part, _pairs(part, runs, of)) for part in same]
        parts = [(part, pairs) for part, pairs in parts if pairs]
        values = [_at_value(part, pairs, runs, of) for part, pairs in parts]
        found += filter(None, values)
        if isinstance(curve, str) and curve.endswith("_accuracy"):
            found += _at_epochs(parts)
    return list(dict.fromkeys(found))


def _pairs(part: Reported, runs: Runs, of: Curve) -> list[Pair]:
    """The curve of each run that was measured, beside what came out; numbers alone."""
    pairs = []
    for record in runs.get(part.arm, ()):
        line, measured = of(record), part.measured.get(record.key)
        if line is not None and measured is not None:
            pairs.append((line, measured))
    return pairs


def _at_value(part: Reported, pairs: Sequence[Pair], runs: Runs, of: Curve) -> Mark | None:
    """The mark of a number that is a value of the curve, or a mean of such."""
    if all(measured == int(measured) for _, measured in pairs):
        return None  # counts: 0 and 1 are met by every second curve
    shortest = min(len(line) for line, _ in pairs)
    places = [_places(line) for line, _ in pairs]
    for place in _PLACES:
        agree = [
            np.isclose(found[place][:shortest], measured, rtol=_CLOSE, atol=0)
            for found, (_, measured) in zip(places, pairs, strict=True)
        ]
        hits = np.flatnonzero(np.all(agree, axis=0))
        if hits.size:
            lines = [line for record in runs[part.arm] if (line := of(record)) is not None]
            epoch, where = _PLACES[place](int(hits[0]) + 1, lines)
            return _mark(part, epoch, where)
    return None


def _mark(part: Reported, epoch: float, where: str) -> Mark:
    points = tuple((epoch, number) for number in part.numbers)
    return Mark(part.arm, epoch, part.mean, where, points if len(points) > 1 else ())


def _places(line: Array) -> dict[str, Array]:
    """By place, the curve's value at the n-th such place: the mean of its last n epochs, ..."""
    epochs = np.arange(1, len(line) + 1)
    back = line[::-1]
    known = line[np.isfinite(line)]
    return {
        "last": np.cumsum(back) / epochs,
        "first": np.cumsum(line) / epochs,
        "epoch": line,
        "best": known.max(initial=-np.inf)[None],
        "lowest": np.minimum.accumulate(back),
    }


def _last(n: int, lines: Sequence[Array]) -> tuple[float, str]:
    last = float(np.mean([len(line) for line in lines]))
    return last - (n - 1) / 2, "last epoch" if n == 1 else f"mean of the last {n} epochs"


def _first(n: int, lines: Sequence[Array]) -> tuple[float, str]:
    return (1 + n) / 2, "first epoch" if n == 1 else f"mean of the first {n} epochs"


def _single(n: int, lines: Sequence[Array]) -> tuple[float, str]:
    return float(n), f"epoch {n}"


def _best(n: int, lines: Sequence[Array]) -> tuple[float, str]:
    known = [line for line in lines if np.isfinite(line).any()]
    return float(np.mean([np.nanargmax(line) + 1 for line in known])), "best epoch"


def _lowest(n: int, lines: Sequence[Array]) -> tuple[float, str]:
    last = float(np.mean([len(line) for line in lines]))
    return last - n + 1, f"lowest of the last {n} epochs or more"


# In the order of preference, where several agree: how to say which epoch the n-th of each is.
_PLACES: Mapping[str, Callable[[int, Sequence[Array]], tuple[float, str]]] = {
    "last": _last,
    "first": _first,
    "epoch": _single,
    "best": _best,
    "lowest": _lowest,
}


def _at_epochs(parts: Sequence[tuple[Reported, Sequence[Pair]]]) -> list[Mark]:
    """The marks of numbers of epochs, where every run reaches one threshold in those measured."""
    pairs = [pair for _, pairs in parts for pair in pairs]
    if not all(measured == int(measured) >= 1 for _, measured in pairs):
        return []
    best = {id(line): float(np.nanmax(line)) for line, _ in pairs if np.isfinite(line).any()}
    if len(best) < len(pairs):
        return []
    if all(_reaches(line, measured, _OF_BEST * best[id(line)]) for line, measured in pairs):
        heights = [_OF_BEST * fmean(best[id(line)] for line, _ in found) for _, found in parts]
    else:
        fit = [t for t in _THRESHOLDS if all(_reaches(*pair, t) for pair in pairs)]
        if not fit:
            return []
        heights = [fit[0]] * len(parts)
    found = []
    for (part, _), height in zip(parts, heights, strict=True):
        points = tuple((number, height) for number in part.numbers)
        where = "the epoch that reaches it"
        runs = points if len(points) > 1 else ()
        found.append(Mark(part.arm, part.mean, height, where, runs))
    return found


def _reaches(line: Array, epoch: float, threshold: float) -> bool:
    """Whether the curve is at the threshold in this epoch first; any past the last is never."""
    reached = np.flatnonzero(line >= threshold)
    return bool(epoch == reached[0] + 1 if reached.size else epoch > len(line))
