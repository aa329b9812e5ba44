"""The judge of one claim: asks for runs while the claim is open, and decides by one rule.

    verdict.greater(runs.cross_entropy.test_accuracy, runs.mse.test_accuracy)

What it judges are samples: see `verdict.samples`.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from numbers import Real
from typing import Any

from cvclaims.claim import LARGEST, Claim
from cvclaims.engines import Evidence, NotEvaluated
from cvclaims.plan import Run
from cvclaims.plan import looks as looks_at
from cvclaims.records import Origin, Record
from cvclaims.records.measure import UnmeasuredError
from cvclaims.verdict import beside, equal, rules
from cvclaims.verdict.decision import Decision, Verdict
from cvclaims.verdict.guards import Level, Look, Outcome, Question, epochs_of
from cvclaims.verdict.judgment import Judgment as Judgment
from cvclaims.verdict.judgment import numbers, summary
from cvclaims.verdict.reported import check_names, check_shares
from cvclaims.verdict.samples import (
    AnySample,
    Arm,
    Computed,
    Given,
    Judged,
    Pooled,
    Runs,
    Sample,
    Timed,
    Timing,
    as_samples,
    combined,
    pooled,
)

# What a claim's test needs besides its fixtures comes from here as well.
__all__ = [
    "AnySample",
    "Arm",
    "Computed",
    "Given",
    "Judge",
    "Judgment",
    "Pooled",
    "Runs",
    "Sample",
    "Timed",
    "Timing",
    "combined",
    "pooled",
]


class Judge:
    """Gives one verdict on one claim; a second call raises RuntimeError.

    Every method takes samples, in the claim's own order, and stores a `Judgment`. Rules and
    bounds are those of `verdict.rules`. At smoke scale, and on stand-in data, the runs are
    carried out and nothing is judged; a level of accuracy is judged at full scale alone. Which
    records may speak is up to the guards: see `verdict.guards`.
    """

    def __init__(self, claim: Claim, scale: str, engine: Evidence, looks: Sequence[int]) -> None:
        self.claim = claim
        self.scale = scale
        self.engine = engine
        self.looks = (1,) if scale == "smoke" else tuple(looks)
        self.rule: str | None = None
        self._shown: tuple[Sample, ...] = ()
        self.judgment: Judgment | None = None

    def greater(
        self, a: Judged, b: Judged, margin: float = 0.0, shown: Sequence[Sample] = ()
    ) -> None:
        """A is larger than B by more than `margin`.

        `shown` are samples of the same arms that are told beside the two and decide nothing.
        """
        self._shown = tuple(shown)
        self._look(
            Question(
                f"greater({margin:g})",
                partial(rules.greater, margin=margin),
                "difference",
                compares=True,
            ),
            [a, b],
            margin=margin,
        )

    def not_worse(self, a: Judged, b: Judged, delta: float) -> None:
        """A is not smaller than B by `delta` or more."""
        self._look(
            Question(
                f"not_worse({delta:g})",
                partial(rules.not_worse, delta=delta),
                "difference",
                compares=True,
            ),
            [a, b],
            delta=delta,
        )

    def ratio(self, a: Judged, b: Judged, factor: float = 1.0) -> None:
        """A is more than `factor` times B, in the geometric mean."""
        decide = partial(rules.ratio, factor=factor)
        self._look(Question(f"ratio({factor:g})", decide, "difference"), [a, b])

    def sooner(self, a: Judged, b: Judged) -> None:
        """A takes fewer epochs than B; one more than the recipe's stands for "never".

        Where most runs of an arm never arrive it is `rate` on how many do (V3). Epochs to a value
        fixed beforehand are a matter of the full protocol, those to a share of its own best of
        any.
        """
        samples = as_samples([a, b])
        fixed = any(leaf.to_a_threshold for sample in samples for leaf in sample.leaves)
        level: Level = "a threshold" if fixed else ""
        self._look(Question("sooner", rules.sooner, "difference", level), samples)
        assert self.judgment is not None
        arms = [arm for sample in samples for arm in sample.arms]
        epochs = [epochs_of(arm) for arm in arms]
        counts = [count for told in self.judgment.measured.values() for count in told["values"]]
        if max(epochs, default=0) and max(epochs) + 1 in counts:
            self._note(f"{max(epochs) + 1} epochs stand for: not within {max(epochs)}")

    def order(self, *samples: Judged) -> None:
        """The samples stand in descending order."""
        self._all_pairs("order", rules.order, *samples)

    def greatest(self, sample: Judged, *others: Judged) -> None:
        """The first sample is larger than each of the others, all of it in one verdict."""
        self._all_pairs("greatest", rules.greatest, sample, *others)

    def least(self, sample: Judged, *others: Judged) -> None:
        """The first sample is smaller than each of the others, all of it in one verdict."""
        self._all_pairs("least", rules.least, sample, *others)

    def _all_pairs(self, name: str, rule: Callable[..., Decision], *samples: Judged) -> None:
        def decide(*groups: Sequence[float], alpha: float) -> Decision:
            return rule(groups, alpha)

        self._look(Question(name, decide, "difference", compares=True), samples)

    def level(self, sample: Judged, value: float, delta: float) -> None:
        """The mean lies within `delta` of `value`."""
        rule = f"level({value:g}, {delta:g})"
        decide = partial(rules.level, value=value, delta=delta)
        self._look(
            Question(rule, decide, "one mean", _kind(sample)), [sample], value=value, delta=delta
        )

    def above(self, sample: Judged, bound: float) -> None:
        """The mean lies above `bound`."""
        rule = f"level(> {bound:g})"
        decide = partial(rules.above, bound=bound)
        self._look(Question(rule, decide, "one mean", _kind(sample)), [sample], bound=bound)

    def below(self, sample: Judged, bound: float) -> None:
        """The mean lies below `bound`."""
        rule = f"level(< {bound:g})"
        decide = partial(rules.below, bound=bound)
        self._look(Question(rule, decide, "one mean", _kind(sample)), [sample], bound=bound)

    def spread_below(self, sample: Judged, bound: float) -> None:
        """The standard deviation over seeds lies below `bound`."""
        rule = f"spread(< {bound:g})"
        decide = partial(rules.spread_below, bound=bound)
        self._look(Question(rule, decide, "deviation", "a spread"), [sample], bound=bound)

    def paired(self, sample: Judged, margin: float = 0.0) -> None:
        """A difference taken pair by pair, such as `a - b`, is more than `margin` in the mean.

        A comparison, as `greater` is, and judged at the same scales.
        """
        rule = f"greater({margin:g}), paired"
        question = Question(rule, partial(rules.above, bound=margin), "one mean", compares=True)
        self._look(question, [sample], margin=margin)

    def rate(self, a: Judged, b: Judged) -> None:
        """Of A's runs a larger share are 1 than of B's; every value is 0 or 1."""
        self._look(Question("rate", rules.rate, "rate"), [a, b])

    def share_above(self, sample: Judged, share: float) -> None:
        """More than `share` of the runs are 1; every value is 0 or 1."""
        decide = partial(rules.share_above, share=share)
        self._look(Question(f"share(> {share:g})", decide, "share"), [sample])

    def times(self, sample: Judged, factor: float = 1.0, on_cpu: str = "") -> None:
        """The times' ratio, from the `timer` fixture, is more than `factor`.

        `on_cpu` is said beside the row where a processor was timed, as of a statement whose reason
        lies in GPUs.
        """
        decide = partial(rules.ratio_above, factor=factor)
        self._look(Question(f"ratio({factor:g}), timed", decide, "one mean"), [sample])
        assert self.judgment is not None
        if on_cpu and self.judgment.device.startswith("CPU"):
            self._note(on_cpu)

    def times_within(self, sample: Judged, share: float) -> None:
        """The times' ratio, from the `timer` fixture, lies inside 1 ± `share`."""
        rule = f"ratio(1 ± {share:g}), timed"
        decide = partial(rules.ratio_within, share=share)
        self._look(Question(rule, decide, "one mean"), [sample])

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

        Two sides that hold nothing are a ValueError: they are equal whatever was measured.
        """
        if isinstance(measured, AnySample):
            if within is not None or counted is not None:
                raise TypeError("a sample's numbers are shown, and equal or not, as they are")
            decide = partial(equal.in_every_run, reported=reported)
            self._look(Question("exact", decide, None, exempt=True), [measured])
            return
        if within is None:
            self._begin("exact")
            decision = rules.exact(measured, reported)
            if equal.is_empty(measured) and equal.is_empty(reported):
                raise ValueError(
                    f"claim {self.claim.id}: both sides are empty, and equal whatever was "
                    "measured; compare how many there are, as in exact(len(found), 0)"
                )
        else:
            self._begin(f"exact to {100 * within:g} %")
            decision = equal.about(measured, reported, within)
        if counted is None:
            counted = {"counted": measured} if isinstance(measured, int | float) else {}
        check_names(self.claim, counted)
        shown = {name: self._counted(name, number) for name, number in counted.items()}
        assert self.rule is not None
        self.judgment = Judgment(decision.verdict, self.rule, decision.reason, shown)

    def available(self, arm: Arm) -> bool:
        """Whether an arm's first look is there or can be trained."""
        try:
            self.engine.records(arm.runs(range(self.looks[0])))
        except NotEvaluated:
            return False
        return True

    def _counted(self, name: str, number: Any) -> dict[str, Any]:
        """A single number as `results.view.Measured`, with every digit: so not `rounded`."""
        real = isinstance(number, Real) and not isinstance(number, bool)
        if not real or not abs(number) < LARGEST:
            raise ValueError(f"claim {self.claim.id}: counted {name!r} is no finite number")
        value = float(number)
        return {"mean": value, "std": None, "n": 1, "values": [value]}

    def _begin(self, rule: str) -> None:
        if self.rule is not None:
            raise RuntimeError(
                f"claim {self.claim.id}: one test gives one verdict; give the second its own test "
                "with the same id and another `case`"
            )
        self.rule = rule

    def _look(
        self,
        question: Question,
        judged: Sequence[Judged],
        **bounds: float,
    ) -> None:
        """Look after each number of seeds in turn, until one decides; at numbers in hand once.

        `bounds` are the rule's numbers in the samples' own unit, by name.
        """
        self._begin(question.rule)
        samples = as_samples(judged, self.claim.unit)
        labels = [sample.label for sample in (*samples, *self._shown)]
        if len(set(labels)) != len(labels):
            raise RuntimeError(f"claim {self.claim.id}: samples need different labels: {labels}")
        asked = {arm.name for sample in samples for arm in sample.arms}
        for sample in self._shown:
            if others := {arm.name for arm in sample.arms} - asked:
                raise RuntimeError(
                    f"claim {self.claim.id}: {sample.label!r} is shown but of {min(others)!r}, "
                    "which is not compared"
                )
        check_shares(self.claim, [*samples, *self._shown], bounds)
        timed = any(isinstance(sample, Timed) for sample in samples)
        if not timed:  # what is shown beside times is known once they are taken
            check_names(self.claim, labels)
        if not question.test or _in_hand(samples):
            self.looks = self.looks[:1]
        looks = self.looks
        for look, seeds in enumerate(looks):
            try:
                records = self._records(samples, seeds)
            except NotEvaluated as why:
                if look == 0:
                    raise
                self._note(f"no more than {looks[look - 1]} seeds: {why}")
                return
            timings = _timings(samples, seeds)
            try:
                values = [self._values(sample, records, seeds) for sample in samples]
            except UnmeasuredError as why:
                raise NotEvaluated(str(why)) from None
            outcome = self._outcome(question, samples, values, records, timings, seeds)
            self.rule = outcome.rule
            self.judgment = self._judgment(samples, values, records, timings, outcome, question)
            if timed:
                check_names(self.claim, self.judgment.measured)
            if outcome.final or outcome.decision.verdict is not Verdict.INCONCLUSIVE:
                return

    def _outcome(
        self,
        question: Question,
        samples: Sequence[AnySample],
        values: Sequence[Sequence[float]],
        records: Mapping[Run, Record],
        timings: Sequence[Timing],
        seeds: int,
    ) -> Outcome:
        """What the rule says of the samples, as far as scale, data and guards let it."""
        if unjudged := self._unjudged(records, timings, question.level):
            return Outcome(unjudged, question.rule)

        def values_of(other: Mapping[Run, Record]) -> list[list[float]]:
            return [self._values(sample, other, seeds) for sample in samples]

        at = (self.scale, seeds, len(self.looks))
        look = Look(self.claim, samples, records, values, values_of, *at)
        return look.judge(question)

    def _records(self, samples: Sequence[AnySample], seeds: int) -> dict[Run, Record]:
        runs: dict[Run, None] = {}
        for sample in samples:
            for arm in sample.arms:
                runs.update(dict.fromkeys(arm.runs(range(seeds))))
        found = dict(zip(runs, self.engine.records(list(runs)), strict=True))
        return {run: found[run] for run in runs}

    def _values(self, sample: AnySample, records: Mapping[Run, Record], seeds: int) -> list[float]:
        """A sample's number for each seed; a pooled sample's numbers."""
        if isinstance(sample, Pooled):
            parts = [self._values(part, records, seeds) for part in sample.samples]
            values = [value for of_seed in zip(*parts, strict=True) for value in of_seed]
            if sample.drop_missing:  # one value that is none where nothing is left to judge
                values = [v for v in values if not math.isnan(v)] or [math.nan]
            return values
        if isinstance(sample, Timed):
            return [float(sample.take(seed).ratio) for seed in range(seeds)]
        if isinstance(sample, Given):
            return list(sample.values)
        if isinstance(sample, Computed):
            return [float(sample.function(seed)) for seed in range(seeds)]
        by_arm = [arm.runs(range(seeds)) for arm in sample.arms]
        return [
            float(sample.combine([records[run] for run in runs]))
            for runs in zip(*by_arm, strict=True)
        ]

    def _beside(self, records: Mapping[Run, Record]) -> dict[str, dict[str, Any]]:
        """What is told beside the samples, of the same runs."""
        seeds = len({run.seed for run in records})
        return {
            sample.label: summary(self._values(sample, records, seeds)) for sample in self._shown
        }

    def _unjudged(
        self, records: Mapping[Run, Record], timings: Sequence[Timing], level: Level
    ) -> Decision | None:
        """Why this scale or data judges nothing, or None where it does."""
        stand_ins = [record.origin.stand_in for record in records.values()]
        if any(stand_ins) or any(timing.stand_in for timing in timings):
            return Decision(Verdict.RAN, "generated stand-in data judges nothing")
        if self.scale == "smoke":
            return Decision(Verdict.RAN, "smoke scale judges nothing")
        if level and any(run.scale != "full" for run in records):
            what = "how soon a value is reached" if level == "a threshold" else "a level"
            return Decision(Verdict.RAN, f"{what} is a statement about the full protocol")
        prints = {r.origin.fingerprint for r in records.values()}
        if len(prints) > len({run.trained.folder for run in records}):
            raise RuntimeError(f"claim {self.claim.id}: its records come from different data")
        return None

    def _judgment(
        self,
        samples: Sequence[AnySample],
        values: Sequence[Sequence[float]],
        records: Mapping[Run, Record],
        timings: Sequence[Timing],
        outcome: Outcome,
        question: Question,
    ) -> Judgment:
        decision, reported = outcome.decision, self.claim.reported
        asked = replace(question, rule=outcome.rule)
        looks = (1,) if _in_hand(samples) else looks_at(self.claim)
        full = self.scale != "smoke" and all(run.scale == "full" for run in records)
        places: list[Origin | Timing] = [record.origin for record in records.values()]
        places += timings
        evidence: dict[str, list[str]] = {}
        for arm in dict.fromkeys(arm for sample in samples for arm in sample.arms):
            if arm.trained.available is not None:
                continue  # its file's hash stands for it, as its data
            mine = set(arm.runs(range(max(self.looks))))
            evidence[arm.name] = [r.key for run, r in records.items() if run in mine]
        return Judgment(
            verdict=decision.verdict,
            rule=outcome.rule,
            reason=decision.reason,
            measured={s.label: summary(v) for s, v in zip(samples, values, strict=True)}
            | self._beside(records)
            | _beside(timings),
            evidence=evidence,
            device=_list(place.device for place in places),
            data=_list(place.data for place in places),
            guards=outcome.guards,
            decision=numbers(decision),
            size=beside.size(asked, samples, reported, decision) if full else "",
            own_runs=beside.own_runs(question, samples, reported),
            rule_digest=beside.rule_digest(question, looks),
        )

    def _note(self, note: str) -> None:
        assert self.judgment is not None
        reason = f"{self.judgment.reason}; {note}"
        self.judgment = replace(self.judgment, reason=reason)


def _kind(judged: Judged) -> Level:
    """A level of one arm is absolute; that of a difference of two is the size of a gap."""
    (sample,) = as_samples([judged])
    return "absolute" if len({arm.name for arm in sample.arms}) == 1 else "a gap"


def _in_hand(samples: Sequence[AnySample]) -> bool:
    """Whether numbers in hand are judged, which are all that there is.

    Raises TypeError where they stand beside what is trained, which would be looked at once with
    them.
    """
    given = [isinstance(sample, Given) for sample in samples]
    if any(given) and not all(given):
        raise TypeError(
            "numbers in hand are compared with numbers in hand; what is trained here is held "
            "against a report's by `reported`, level() or above()"
        )
    return any(given)


def _timings(samples: Sequence[AnySample], seeds: int) -> list[Timing]:
    """What was timed for these seeds."""
    timed = [sample for sample in samples if isinstance(sample, Timed)]
    return [sample.take(seed) for sample in timed for seed in range(seeds)]


def _beside(timings: Sequence[Timing]) -> dict[str, dict[str, Any]]:
    """What is shown with times, over seeds."""
    names = dict.fromkeys(name for timing in timings for name in timing.beside)
    return {name: summary([t.beside[name] for t in timings if name in t.beside]) for name in names}


def _list(names: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(names))
