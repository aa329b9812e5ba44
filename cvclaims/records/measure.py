"""Numbers read off a record: each function here gives a function from a record to a number.

A series is one of the record ("test_accuracy") or a probe by its path ("gradient_norm",
"non_positive.layer1"); epochs are counted from 1. A number that a diverged run cannot give is
NaN, which no rule takes for evidence.
"""

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

from cvclaims.catalogue import known
from cvclaims.records.record import Record

Measure = Callable[[Record], float]

_SHARES: "WeakSet[Measure]" = WeakSet()
_LEVELS: "WeakKeyDictionary[Measure, str]" = WeakKeyDictionary()
_TO_THRESHOLDS: "WeakSet[Measure]" = WeakSet()

SMALLEST: Final = 2.0**-126
"""The smallest positive normal float32, as in `verdict.rules`: what an underflow is taken for."""


def is_share(measure: Measure) -> bool:
    """Whether a measure is known to give numbers within 0 and 1, or differences of such."""
    return measure in _SHARES


def level_of(measure: Measure) -> str:
    """The series whose value a measure gives, as "test_accuracy"; empty where none is known.

    A spread or a fall of a series is no value of it.
    """
    return _LEVELS.get(measure, "")


def is_to_a_threshold(measure: Measure) -> bool:
    """Whether a measure counts the epochs to a value fixed beforehand, as `epochs_to` does."""
    return measure in _TO_THRESHOLDS


def _share(measure: Measure) -> Measure:
    """Note that a measure gives shares."""
    _SHARES.add(measure)
    return measure


def _like(name: str, measure: Measure) -> Measure:
    """A measure in the unit of a series, which for an accuracy is a share."""
    return _share(measure) if name.rpartition("_")[2] == "accuracy" else measure


def _level(name: str, measure: Measure) -> Measure:
    """Note that a measure gives a series' value in one epoch, or a mean or an extreme of some."""
    _LEVELS[measure] = name
    return _like(name, measure)


def series(record: Record, name: str) -> Sequence[float]:
    """A series or probe of a record, one value an epoch; KeyError names what is there."""
    if name in record.series:
        return record.series[name]
    probe: Any = record.probes
    rest = name
    while rest and isinstance(probe, dict):
        # Parameters have dots in their names: the whole rest may be one name.
        part = rest if rest in probe else rest.partition(".")[0]
        if part not in probe:
            break
        probe, rest = probe[part], rest[len(part) + 1 :]
    if rest or not name:
        raise KeyError(
            f"no series {name!r} in this record: it has "
            f"{', '.join((*record.series, *record.probes)) or 'none'}; "
            "a recipe's `probes` and `metrics` ask for more"
        )
    if not isinstance(probe, list):
        raise KeyError(f"{name!r} is no series but holds several: {', '.join(probe)}")
    return [math.nan if value is None else value for value in probe]


def number(name: str) -> Measure:
    """A number of the run by name: a metric, what a training of one's own returns, `parameters`.

    A series' last value where no number has the name. "seconds" are those of the whole run. Times
    and memory of a run that trained in a stack with others are no run's own: UnmeasuredError.
    """

    def measure(record: Record) -> float:
        if name in ALONE and record.origin.stacked > 1:
            raise UnmeasuredError(
                f"{name} of a run cannot be told from a stack, in which {record.origin.stacked} "
                "trained side by side; time recipes by the `timer` fixture"
            )
        if name in record.numbers:
            return record.numbers[name]
        if name == "peak_bytes":
            raise UnmeasuredError("peak_bytes is counted on GPUs alone")
        values = series(record, name)
        return math.fsum(values) if name == "seconds" else values[-1] if values else math.nan

    return _level(name, measure)


# What only a run that trained alone has of its own.
ALONE = ("seconds", "images_per_second", "peak_bytes")


class UnmeasuredError(ValueError):
    """What a record cannot tell; the message says why."""


def final(name: str) -> Measure:
    """The value after the last epoch."""
    return _level(name, lambda record: series(record, name)[-1])


def first(name: str) -> Measure:
    """The value after the first epoch."""
    return _level(name, lambda record: series(record, name)[0])


def best(name: str) -> Measure:
    """The largest value of any epoch; what is not a number is passed over."""
    return _level(name, lambda record: _largest(series(record, name)))


def mean_of(name: str, start: int, stop: int | None = None) -> Measure:
    """The mean over epochs `start` to `stop`, both included; None: to the last.

    A negative `start` counts from the end: -10 is the last ten epochs of the recipe.
    """
    return _level(name, lambda record: statistics.fmean(_window(record, name, start, stop)))


def std_of(name: str, start: int, stop: int | None = None) -> Measure:
    """The sample standard deviation over epochs, which are as in `mean_of`."""

    def measure(record: Record) -> float:
        window = _window(record, name, start, stop)
        # Python 3.11's stdev does not return NaN for one but raises AttributeError.
        finite = len(window) > 1 and all(map(math.isfinite, window))
        return statistics.stdev(window) if finite else math.nan

    return _like(name, measure)


def variation_of(name: str) -> Measure:
    """The coefficient of variation over all epochs: standard deviation over mean."""

    def measure(record: Record) -> float:
        mean = mean_of(name, 1)(record)
        return std_of(name, 1)(record) / mean if mean else math.nan

    return measure


def drop(name: str, start: int, stop: int) -> Measure:
    """How far a series falls from epoch `start` to epoch `stop`; NaN in a shorter recipe."""

    def measure(record: Record) -> float:
        window = _window(record, name, start, stop)
        whole = len(window) == stop - start + 1
        return window[0] - window[-1] if whole else math.nan

    return _like(name, measure)


def min_of(name: str, start: int, stop: int | None = None) -> Measure:
    """The smallest value over epochs, which are as in `mean_of`; NaN in a shorter recipe."""

    def measure(record: Record) -> float:
        window = _window(record, name, start, stop)
        last = record.most_epochs if stop is None else stop
        whole = start < 0 or len(window) == last - start + 1
        return min(window) if whole and all(map(math.isfinite, window)) else math.nan

    return _level(name, measure)


def mean_log_of(name: str, start: int = 1, stop: int | None = None) -> Measure:
    """The mean natural logarithm over epochs, which are as in `mean_of`; a zero is `SMALLEST`."""

    def measure(record: Record) -> float:
        window = _window(record, name, start, stop)
        if not all(value >= 0 for value in window):  # NaN is not
            return math.nan
        return statistics.fmean(math.log(max(value, SMALLEST)) for value in window)

    return measure


def ratio_of_means(above: str, below: str) -> Measure:
    """The mean of one series over all epochs, over that of another; both are 0 or more.

    A mean that underflowed to 0 is taken for `SMALLEST`, so that a vanished gradient gives a
    ratio, however large, and no division by 0.
    """

    def measure(record: Record) -> float:
        first, second = (mean_of(name, 1)(record) for name in (above, below))
        if not (first >= 0 and second >= 0):
            return math.nan
        return max(first, SMALLEST) / max(second, SMALLEST)

    return measure


def at_lowest(name: str, by: str) -> Measure:
    """The value in the epoch in which another series is at its lowest, the first such one.

    `at_lowest("test_accuracy", "test_loss")` is the accuracy that early stopping keeps.
    """

    def measure(record: Record) -> float:
        pairs = zip(series(record, by), series(record, name), strict=True)
        known_ones = [pair for pair in pairs if not math.isnan(pair[0])]
        return min(known_ones, key=lambda pair: pair[0])[1] if known_ones else math.nan

    return _level(name, measure)


def never_above(name: str, threshold: float) -> Measure:
    """1 where no epoch comes above the threshold, else 0: a run that failed to train."""
    return _share(lambda record: float(not best(name)(record) > threshold))


@_share
def train_test_gap(record: Record) -> float:
    """Training accuracy minus test accuracy after the last epoch: how far it overfits."""
    return final("train_accuracy")(record) - final("test_accuracy")(record)


@_share
def evaluated_gap(record: Record) -> float:
    """Accuracy on the training images as they are, in evaluation mode, minus test accuracy.

    Both of the network that training ends with, or goes back to where it has patience; needs the
    probe "evaluated_train_accuracy". Neither augmentation nor dropout enters the gap, as they enter
    `train_test_gap`.
    """
    evaluated: float | None = record.probes["evaluated_train_accuracy"]
    kept, monitor = final("test_accuracy"), record.recipe.monitor
    if record.recipe.patience is not None:
        kept = at_lowest("test_accuracy", by=monitor)
    return math.nan if evaluated is None else evaluated - kept(record)


def jitter_of(name: str, start: int = 1, stop: int | None = None) -> Measure:
    """The sample standard deviation of a series' second differences; epochs as in `mean_of`.

    x[t + 1] - 2 x[t] + x[t - 1] is 0 on any straight line: what is left is unsteadiness, not trend.
    """

    def measure(record: Record) -> float:
        window = _window(record, name, start, stop)
        if len(window) < 4 or not all(map(math.isfinite, window)):
            return math.nan
        triples = zip(window, window[1:], window[2:], strict=False)
        return statistics.stdev(after - 2 * now + before for before, now, after in triples)

    return measure


def step_std_of(name: str, start: int = 1, stop: int | None = None) -> Measure:
    """The sample standard deviation of a series' steps from epoch to epoch, as in `mean_of`."""

    def measure(record: Record) -> float:
        window = _window(record, name, start, stop)
        if len(window) < 3 or not all(map(math.isfinite, window)):
            return math.nan
        return statistics.stdev(b - a for a, b in itertools.pairwise(window))

    return measure


def at_epoch(name: str, epoch: int) -> Measure:
    """The value after one epoch, counted from 1; NaN in a run that ended before."""
    return mean_of(name, epoch, epoch)


@_share
def diverged(record: Record) -> float:
    """1 where the loss stopped being finite, else 0."""
    return float(record.status == "diverged")


def ends_at_best(name: str) -> Measure:
    """1 where no epoch is above the last, else 0."""
    return _share(lambda record: float(final(name)(record) == best(name)(record)))


@_share
def first_gradient_is_zero(record: Record) -> float:
    """1 where the first parameter's gradient was exactly 0 in all of the last epoch, else 0."""
    norms: Mapping[str, Sequence[float | None]] = record.probes["gradient_norms"]
    return float(next(iter(norms.values()))[-1] == 0)


def near_ends(margin: float) -> Measure:
    """The share of activations within `margin` of 0 or of 1: where a sigmoid is saturated.

    The mean over hidden layers, after the last epoch; needs the probe "units". A bin of the
    histogram that lies within by a part counts by that part.
    """

    def measure(record: Record) -> float:
        layers = record.probes["histograms"].values()
        shares = [_within(layer, 0, margin) + _within(layer, 1 - margin, 1) for layer in layers]
        return statistics.fmean(shares) if shares else math.nan

    return _share(measure)


def _within(histogram: Mapping[str, Sequence[float]], low: float, high: float) -> float:
    """The share of a histogram between two values."""
    edges = histogram["edges"]
    total = 0.0
    for left, right, count in zip(edges, edges[1:], histogram["counts"], strict=False):
        overlap = min(right, high) - max(left, low)
        total += count * max(0.0, overlap) / (right - left)
    return total


def epochs_to_share_of_best(name: str, share: float) -> Measure:
    """The first epoch at `share` of the run's own best, which is not negative."""

    def measure(record: Record) -> float:
        values = series(record, name)
        threshold = share * _largest(values)
        reached = (i for i, value in enumerate(values, 1) if value >= threshold)
        return float(next(reached, math.nan))

    return measure


def epochs_to(name: str, threshold: float) -> Measure:
    """The first epoch at `threshold` or above; one more than the recipe's epochs if none is."""

    def measure(record: Record) -> float:
        reached = (i for i, value in enumerate(series(record, name), 1) if value >= threshold)
        return float(next(reached, record.most_epochs + 1))

    _TO_THRESHOLDS.add(measure)
    return measure


def mean_over_layers(name: str) -> Measure:
    """The last epoch's value of a per-layer probe, averaged over the layers."""

    def measure(record: Record) -> float:
        layers = record.probes[name]
        return statistics.fmean(final(f"{name}.{layer}")(record) for layer in layers)

    return measure


def dead_units(record: Record) -> int:
    """How many hidden units had no output and no gradient in the last epoch, all layers."""
    widths = record.recipe.model_args["hidden"]
    shares = [final(f"dead.{layer}")(record) for layer in record.probes["dead"]]
    return sum(round(share * width) for share, width in zip(shares, widths, strict=True))


def class_accuracy(*names: str) -> Measure:
    """The mean test accuracy of the named classes, after the last epoch."""

    def measure(record: Record) -> float:
        indices = [_index(record, name) for name in names]
        return statistics.fmean(record.class_accuracy[index] for index in indices)

    return _share(measure)


def lowest_class(record: Record) -> float:
    """The index in `recipe.class_names` of the class with the lowest test accuracy.

    NaN where two share the last place, or where a class has no accuracy: then none is the lowest.
    """
    shares = record.class_accuracy
    lowest = min(shares, default=math.nan)
    clear = not any(map(math.isnan, shares)) and list(shares).count(lowest) == 1
    return float(list(shares).index(lowest)) if clear else math.nan


def is_lowest_class(name: str) -> Measure:
    """1 where the named class has the lowest test accuracy, 0 where another; see `lowest_class`."""

    def measure(record: Record) -> float:
        index, lowest = _index(record, name), lowest_class(record)
        return lowest if math.isnan(lowest) else float(lowest == index)

    return _share(measure)


def _index(record: Record, name: str) -> int:
    classes = record.recipe.class_names
    return classes.index(known("class", name, classes))


def _largest(values: Sequence[float]) -> float:
    # max() alone would depend on where a NaN stands.
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def _window(record: Record, name: str, start: int, stop: int | None) -> list[float]:
    if start == 0:
        raise ValueError("epochs are counted from 1; there is no epoch 0")
    values = list(series(record, name))
    epochs = record.most_epochs
    # A run that diverged lacks its last epochs: what it would have shown there is not a number.
    values += [math.nan] * (epochs - len(values))
    stop = epochs if stop is None else stop
    start = max(1, epochs + 1 + start) if start < 0 else start
    return values[start - 1 : stop] or [math.nan]
