"""The judge of one claim: asks for runs while the claim is open, and decides by one rule.

    verdict.greater(runs.cross_entropy.test_accuracy, runs.mse.test_accuracy)

`runs.<name>` is an arm: one of the claim's recipes, to be trained over seeds. A measure of an arm
is a sample: a number for each seed, known only once the judge asks for it.
"""

import dataclasses
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cvclaims.claim import Claim
from cvclaims.engines import Engine, NotEvaluated
from cvclaims.plan import Run, runs_of
from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.records import measure as measures
from cvclaims.records.record import rounded
from cvclaims.verdict import rules
from cvclaims.verdict.rules import Decision, Verdict


@dataclass(frozen=True)
class Arm:
    """One recipe of a claim, by its name there."""

    name: str
    recipe: Recipe

    def measure(self, function: measures.Measure, label: str = "") -> "Sample":
        """Any number read off each run's record, such as those of `records.measure`."""
        return Sample(label or self.name, (self,), lambda records: function(records[0]))

    @property
    def test_accuracy(self) -> "Sample":
        """Test accuracy after the last epoch, 0 to 1."""
        return self.measure(measures.final("test_accuracy"))

    @property
    def train_loss(self) -> "Sample":
        """Training loss of the last epoch."""
        return self.measure(measures.final("train_loss"))


@dataclass(frozen=True)
class Sample:
    """A number for each seed, from the records of one arm or, for a difference, of two."""

    label: str
    arms: tuple[Arm, ...]
    combine: Callable[[Sequence[Record]], float]

    def __sub__(self, other: "Sample") -> "Sample":
        """The difference seed by seed: both arms share a seed's order of samples."""
        n = len(self.arms)
        return Sample(
            f"{self.label} − {other.label}",
            self.arms + other.arms,
            lambda records: self.combine(records[:n]) - other.combine(records[n:]),
        )


@dataclass(frozen=True)
class Computed:
    """A number for each seed that needs no training: `function(seed)`, such as a gradient's norm.

    It rests on no records, so it is computed anew in every session and never replayed.
    """

    label: str
    function: Callable[[int], float]
    arms: tuple[Arm, ...] = ()


AnySample: TypeAlias = Sample | Computed


class Runs(Mapping[str, Arm]):
    """The arms of a claim: `runs.mse` or `runs["mse"]`."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._arms = {name: Arm(name, recipe) for name, recipe in claim.recipes.items()}

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
class Judgment:
    """A verdict with all that it rests on; see `report.rows.Row` for the fields."""

    verdict: Verdict
    rule: str
    reason: str
    measured: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Sequence[str]] = field(default_factory=dict)
    device: str = ""
    data: str = ""


class Judge:
    """Gives one verdict on one claim; a second call raises RuntimeError.

    Every method takes samples, in the claim's own order, and stores a `Judgment`. Rules and
    bounds are those of `verdict.rules`. At smoke scale, and on stand-in data, the runs are
    carried out and nothing is judged; a level of accuracy is judged at full scale alone.
    """

    def __init__(self, claim: Claim, scale: str, engine: Engine, looks: Sequence[int]) -> None:
        self.claim = claim
        self.scale = scale
        self.engine = engine
        self.looks = (1,) if scale == "smoke" else tuple(looks)
        self.rule: str | None = None
        self.judgment: Judgment | None = None

    def greater(self, a: AnySample, b: AnySample, margin: float = 0.0) -> None:
        """A is larger than B by more than `margin`."""
        self._look(f"greater({margin:g})", [a, b], lambda x, y: rules.greater(x, y, margin))

    def not_worse(self, a: AnySample, b: AnySample, delta: float) -> None:
        """A is not smaller than B by `delta` or more."""
        self._look(f"not_worse({delta:g})", [a, b], lambda x, y: rules.not_worse(x, y, delta))

    def ratio(self, a: AnySample, b: AnySample, factor: float = 1.0) -> None:
        """A is more than `factor` times B, in the geometric mean."""
        self._look(f"ratio({factor:g})", [a, b], lambda x, y: rules.ratio(x, y, factor))

    def sooner(self, a: AnySample, b: AnySample) -> None:
        """A takes fewer epochs than B."""
        self._look("sooner", [a, b], rules.sooner)

    def order(self, *samples: AnySample) -> None:
        """The samples stand in descending order."""
        self._look("order", samples, lambda *groups: rules.order(groups))

    def level(self, sample: AnySample, value: float, delta: float) -> None:
        """The mean lies within `delta` of `value`."""
        rule = f"level({value:g}, {delta:g})"
        self._look(rule, [sample], lambda x: rules.level(x, value, delta), a_level=True)

    def above(self, sample: AnySample, bound: float) -> None:
        """The mean lies above `bound`."""
        rule = f"level(> {bound:g})"
        self._look(rule, [sample], lambda x: rules.above(x, bound), a_level=True)

    def below(self, sample: AnySample, bound: float) -> None:
        """The mean lies below `bound`."""
        rule = f"level(< {bound:g})"
        self._look(rule, [sample], lambda x: rules.below(x, bound), a_level=True)

    def exact(
        self,
        measured: object,
        reported: object,
        *,
        within: float | None = None,
        counted: Mapping[str, float] | None = None,
    ) -> None:
        """Integers, words, or sequences of them are equal; a sample: in every seed.

        Args:
            measured: what was counted.
            reported: what it has to equal.
            within: for a report's "about": the two are single numbers, and may differ by this
                share of the reported one.
            counted: the numbers by name behind words or a sequence, for the table.
        """
        if isinstance(measured, AnySample):
            if within is not None or counted is not None:
                raise TypeError("a sample's numbers are shown, and equal or not, as they are")
            self._look("exact", [measured], lambda x: _exact(x, reported), once=True)
            return
        if within is None:
            self._begin("exact")
            decision = rules.exact(measured, reported)
        else:
            self._begin(f"exact to {100 * within:g} %")
            decision = _about(measured, reported, within)
        if counted is None:
            counted = {"counted": measured} if isinstance(measured, int | float) else {}
        shown = {
            name: {"mean": float(number), "std": None, "n": 1, "values": [float(number)]}
            for name, number in counted.items()  # every digit of a count, so not `rounded`
        }
        assert self.rule is not None
        self.judgment = Judgment(decision.verdict, self.rule, decision.reason, shown)

    def _begin(self, rule: str) -> None:
        if self.rule is not None:
            raise RuntimeError(
                f"claim {self.claim.id}: one test gives one verdict; give the second its own test "
                "with the same id and another `case`"
            )
        self.rule = rule

    def _look(
        self,
        rule: str,
        samples: Sequence[AnySample],
        decide: Callable[..., Decision],
        *,
        a_level: bool = False,
        once: bool = False,
    ) -> None:
        """Look after each number of seeds in turn, until one decides."""
        self._begin(rule)
        labels = [sample.label for sample in samples]
        if len(set(labels)) != len(labels):
            raise RuntimeError(f"claim {self.claim.id}: samples need different labels: {labels}")
        looks = self.looks[:1] if once else self.looks
        for look, seeds in enumerate(looks):
            try:
                records = self._records(samples, seeds)
            except NotEvaluated as why:
                if look == 0:
                    raise
                self._note(f"no more than {looks[look - 1]} seeds: {why}")
                return
            values = [self._values(sample, records, seeds) for sample in samples]
            decision = self._unjudged(records, a_level) or decide(*values)
            self.judgment = self._judgment(rule, samples, values, records, decision)
            if decision.verdict is not Verdict.INCONCLUSIVE:
                return

    def _records(self, samples: Sequence[AnySample], seeds: int) -> dict[Run, Record]:
        runs: dict[Run, None] = {}
        for sample in samples:
            for arm in sample.arms:
                runs.update(dict.fromkeys(runs_of(arm.recipe, self.scale, range(seeds))))
        found = dict(zip(runs, self.engine.records(list(runs)), strict=True))
        return {run: found[run] for run in runs}

    def _values(self, sample: AnySample, records: Mapping[Run, Record], seeds: int) -> list[float]:
        """A sample's number for each seed."""
        if isinstance(sample, Computed):
            return [float(sample.function(seed)) for seed in range(seeds)]
        by_arm = [runs_of(arm.recipe, self.scale, range(seeds)) for arm in sample.arms]
        return [
            float(sample.combine([records[run] for run in runs]))
            for runs in zip(*by_arm, strict=True)
        ]

    def _unjudged(self, records: Mapping[Run, Record], a_level: bool) -> Decision | None:
        """Why this scale or data judges nothing, or None where it does."""
        if any(record.origin.stand_in for record in records.values()):
            return Decision(Verdict.RAN, "generated stand-in data judges nothing")
        if any(run.scale == "smoke" for run in records):
            return Decision(Verdict.RAN, "smoke scale judges nothing")
        if a_level and any(run.scale != "full" for run in records):
            return Decision(Verdict.RAN, "a level is a statement about the full protocol")
        prints = {r.origin.fingerprint for r in records.values()}
        if len(prints) > len({run.recipe.data for run in records}):
            raise RuntimeError(f"claim {self.claim.id}: its records come from different data")
        return None

    def _judgment(
        self,
        rule: str,
        samples: Sequence[AnySample],
        values: Sequence[Sequence[float]],
        records: Mapping[Run, Record],
        decision: Decision,
    ) -> Judgment:
        evidence: dict[str, list[str]] = {}
        for arm in dict.fromkeys(arm for sample in samples for arm in sample.arms):
            mine = set(runs_of(arm.recipe, self.scale, range(max(self.looks))))
            evidence[arm.name] = [r.key for run, r in records.items() if run in mine]
        return Judgment(
            verdict=decision.verdict,
            rule=rule,
            reason=decision.reason,
            measured={s.label: _summary(v) for s, v in zip(samples, values, strict=True)},
            evidence=evidence,
            device=_list(record.origin.device for record in records.values()),
            data=_list(record.origin.data for record in records.values()),
        )

    def _note(self, note: str) -> None:
        assert self.judgment is not None
        reason = f"{self.judgment.reason}; {note}"
        self.judgment = dataclasses.replace(self.judgment, reason=reason)


def _exact(values: Sequence[float], reported: object) -> Decision:
    """Every seed's number is `reported`; what is no whole number is left for the rule to refuse."""
    if odd := sum(not math.isfinite(value) for value in values):
        reason = f"{odd} of {len(values)} values not finite"
        return Decision(Verdict.INCONCLUSIVE, reason)
    whole = [int(value) if value == int(value) else value for value in values]
    return rules.exact(whole, [reported] * len(whole))


def _about(measured: object, reported: object, within: float) -> Decision:
    """The two numbers differ by no more than a share `within` of the reported one."""
    for number in (measured, reported):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise TypeError(f"only numbers can be about equal, not {number!r}")
    assert isinstance(measured, int | float)
    assert isinstance(reported, int | float)
    if not (math.isfinite(measured) and math.isfinite(reported)) or reported == 0 or within <= 0:
        raise ValueError(f"{measured} cannot lie within {within} of {reported}")
    off = abs(measured - reported) / abs(reported)
    sign = "above" if measured > reported else "below"
    reason = f"measured {measured:,}, {100 * off:.1f} % {sign} the reported {reported:,}"
    return Decision(Verdict.SUPPORTED if off <= within else Verdict.REFUTED, reason)


def _summary(values: Sequence[float]) -> dict[str, Any]:
    """See `report.rows.Measured`; what is not finite is None."""
    finite = all(map(math.isfinite, values))
    return {
        "mean": rounded(float(statistics.fmean(values))) if finite else None,
        "std": rounded(float(statistics.stdev(values))) if finite and len(values) > 1 else None,
        "n": len(values),
        "values": rounded([float(value) for value in values]),
    }


def _list(names: Any) -> str:
    return "; ".join(dict.fromkeys(names))
