"""Samples: a number for each seed, known only once the judge asks for it.

`runs.<name>` is an arm: one of the claim's recipes, to be trained over seeds. A measure of an arm
is a sample; `combined` and `pooled` make one of several arms.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from cvclaims.claim import LARGEST, Claim, shares_of
from cvclaims.plan import Scaled, scaled_arms
from cvclaims.records import Record
from cvclaims.records import measure as measures

PLACES = ("first", "second", "third", "fourth", "fifth", "sixth")


@dataclass(frozen=True)
class Arm(Scaled):
    """One recipe of a claim, or training, or logged runs, at its scale, by its name there."""

    name: str

    def __getitem__(self, name: str) -> "Sample":
        """A number by name: a metric, what a training of one's own logs or returns, a series' end.

        `runs.ours["f1"]`; of a series the value after the last epoch.
        """
        return self.measure(measures.number(name))

    def measure(self, function: measures.Measure, label: str = "") -> "Sample":
        """Any number read off each run's record, such as those of `records.measure`."""
        return Sample(
            label or self.name,
            (self,),
            lambda records: function(records[0]),
            share=measures.is_share(function),
            series=measures.level_of(function),
            to_a_threshold=measures.is_to_a_threshold(function),
        )

    @property
    def test_accuracy(self) -> "Sample":
        """Test accuracy after the last epoch, 0 to 1."""
        return self.measure(measures.final("test_accuracy"))

    @property
    def train_loss(self) -> "Sample":
        """Training loss of the last epoch."""
        return self.measure(measures.final("train_loss"))


class Runs(Mapping[str, Arm]):
    """The arms of a claim: `runs.mse` or `runs["mse"]`."""

    def __init__(self, claim: Claim, arms: Mapping[str, Scaled] | None = None) -> None:
        self._claim = claim
        arms = scaled_arms(claim, "full") if arms is None else arms
        self._arms = {name: Arm(arm.trained, arm.scale, name) for name, arm in arms.items()}

    def __getattr__(self, name: str) -> Arm:
        try:
            return self._arms[name]
        except KeyError:
            named = ", ".join(self._arms) or "none"
            raise AttributeError(
                f"claim {self._claim.id} has no recipe {name!r}; its recipes: {named}"
            ) from None

    def __getitem__(self, name: str) -> Arm:
        return self._arms[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arms)

    def __len__(self) -> int:
        return len(self._arms)


@dataclass(frozen=True)
class Sample:
    """A number for each seed, from the records that each of its arms has of that seed.

    Attributes:
        share: it is known to lie within 0 and 1, or to be the difference of two that do.
        series: the series whose value it is, such as "test_accuracy"; empty where none is known.
        to_a_threshold: it counts epochs to a value fixed beforehand.
        parts: the two that it is the difference of.
    """

    label: str
    arms: tuple[Arm, ...]
    combine: Callable[[Sequence[Record]], float]
    share: bool = False
    series: str = ""
    to_a_threshold: bool = False
    parts: "tuple[Sample, ...]" = ()

    @property
    def leaves(self) -> "tuple[Sample, ...]":
        """The samples that it is made of, itself where it is no difference."""
        return tuple(leaf for part in self.parts for leaf in part.leaves) or (self,)

    def __sub__(self, other: "Sample") -> "Sample":
        """The difference seed by seed: both arms share a seed's order of samples."""
        n = len(self.arms)
        return Sample(
            f"{self.label} − {other.label}",
            self.arms + other.arms,
            lambda records: self.combine(records[:n]) - other.combine(records[n:]),
            share=self.share and other.share,
            parts=(self, other),
        )


@dataclass(frozen=True)
class Pooled:
    """Every number of several samples: n seeds of k samples are n · k numbers; see `pooled`."""

    label: str
    samples: tuple[Sample, ...]
    drop_missing: bool = False

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms of all its samples."""
        return tuple(arm for sample in self.samples for arm in sample.arms)

    @property
    def share(self) -> bool:
        """Whether all its numbers are shares."""
        return all(sample.share for sample in self.samples)

    @property
    def leaves(self) -> tuple[Sample, ...]:
        """The samples that it is made of."""
        return tuple(leaf for sample in self.samples for leaf in sample.leaves)


@dataclass(frozen=True)
class Computed:
    """A number for each seed that needs no training: `function(seed)`, such as a gradient's norm.

    It rests on no records, so it is computed anew in every session and never replayed.
    """

    label: str
    function: Callable[[int], float]
    arms: tuple[Arm, ...] = ()
    share: bool = field(default=False, init=False)
    leaves: tuple[Sample, ...] = field(default=(), init=False)


@dataclass(frozen=True)
class Given:
    """Numbers in hand, one for each run that somebody made elsewhere; nothing trains for them.

    There may be any number, and they are judged at one look; `share` where all are of 0 to 1.
    Raises ValueError for what is no finite number, and for fewer than two.
    """

    label: str
    values: tuple[float, ...]
    share: bool = False
    arms: tuple[Arm, ...] = field(default=(), init=False)
    leaves: tuple[Sample, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        for value in self.values:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not abs(value) < LARGEST:
                raise ValueError(f"numbers in hand, {self.label!r}: {value!r} is no finite number")
        if len(self.values) < 2:
            raise ValueError(
                f"numbers in hand, {self.label!r}: {len(self.values)} of them; a verdict needs "
                "two or more"
            )
        object.__setattr__(self, "values", tuple(map(float, self.values)))


@dataclass(frozen=True)
class Timing:
    """What timing two arms side by side gave for one seed.

    Attributes:
        ratio: an epoch's time of the first over that of the second.
        beside: what is shown with it, by name, such as each arm's seconds per epoch.
        device: where it was taken, as tables name it.
        data: the data's source.
        stand_in: whether that was generated data, which judges nothing.
    """

    ratio: float
    beside: Mapping[str, float]
    device: str
    data: str
    stand_in: bool = False


@dataclass(frozen=True)
class Timed:
    """A ratio of two arms' times for each seed, taken anew in every session and never replayed.

    `take(seed)` is called once for each seed, however often the judge looks at it.
    """

    label: str
    take: Callable[[int], Timing]
    # The names of the two arms, as what is shown beside the times has them.
    of: tuple[str, ...] = ()
    # It trains no records, so it has no arms that the engine could be asked for.
    arms: tuple[Arm, ...] = field(default=(), init=False)
    share: bool = field(default=False, init=False)
    leaves: tuple[Sample, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "take", cache(self.take))


AnySample: TypeAlias = Sample | Pooled | Computed | Given | Timed
# What a rule takes: a sample, or numbers in hand.
Judged: TypeAlias = AnySample | Sequence[float]


def as_samples(judged: Sequence[Judged], unit: str = "") -> list[AnySample]:
    """The samples, with numbers in hand among them as such: by their place "first", "second".

    Numbers in hand in "%" become shares. Raises TypeError for what is neither, ValueError for what
    is no percentage.
    """
    found: list[AnySample] = []
    for place, sample in enumerate(judged, 1):
        if isinstance(sample, list | tuple):
            named = PLACES[place - 1] if place <= len(PLACES) else f"{place}th"
            sample = Given(named, tuple(sample))
        if not isinstance(sample, AnySample):
            raise TypeError(
                f"a rule takes samples, such as runs.sgd.test_accuracy, or a list of numbers, "
                f"not {sample!r}"
            )
        if isinstance(sample, Given) and unit == "%":
            sample = Given(sample.label, shares_of(sample.values), share=True)
        found.append(sample)
    return found


def pooled(label: str, *samples: Sample, drop_missing: bool = False) -> Pooled:
    """One sample of the numbers of several, such as failing runs over all batch sizes.

    All samples' numbers for the first seed come first, in their order, then those for the second.
    The rules take them for independent, so pool what is alike but for chance, or what fails or not.
    With `drop_missing` what is not a number belongs to no run that is meant, and is left out.
    """
    if not samples:
        raise ValueError(f"{label!r} pools no samples")
    return Pooled(label, samples, drop_missing)


def combined(
    label: str, arms: Sequence[Arm], function: Callable[[Sequence[Record]], float]
) -> Sample:
    """A number for each seed from that seed's records of several arms, in the arms' order."""
    if not arms:
        raise ValueError(f"{label!r} combines no arms")
    return Sample(label, tuple(arms), function)
