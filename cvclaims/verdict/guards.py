"""One look at one row, guarded: which rule decides, and whether the records may speak at all.

The guards are those of `verdict.validity` and `verdict.failing`, in this order: V3 may change the
rule; V1, V2 and V5 may hold the row back; V4 decides it twice where runs are undecided. V6, that
times belong to the kind of device they were taken on, is a matter of rows (`results.merging`).
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeAlias

from cvclaims.claim import Claim
from cvclaims.plan import Run
from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.verdict import rules
from cvclaims.verdict.decision import Decision, Verdict
from cvclaims.verdict.failing import decided, is_undecided
from cvclaims.verdict.levels import Kind, nominal
from cvclaims.verdict.samples import AnySample, Arm, Sample
from cvclaims.verdict.validity import (
    Compared,
    Finding,
    Group,
    arriving,
    level_on_other_bytes,
    mostly_never,
    never_started,
    reported_for,
    too_little_skill,
)

# What a level, if a rule asks for one, is the level of.
Level: TypeAlias = Literal["", "absolute", "a gap", "a spread", "a threshold"]
Records: TypeAlias = Mapping[Run, Record]
Decide: TypeAlias = Callable[..., Decision]

ARRIVING = "rate of arriving"


@dataclass(frozen=True)
class Question:
    """What a test asks of its samples.

    Attributes:
        rule: its name for the row.
        decide: the rule on the samples' values and, but for an exact one, on the look's `alpha`.
        test: by what kind of test, for that level; None for an exact rule.
        level: what kind of level is judged, if any.
        compares: whether samples are compared by their size, so that accuracies may be.
        exempt: whether V1 has no say, as where numbers are exact.
    """

    rule: str
    decide: Decide
    test: Kind | None
    level: Level = ""
    compares: bool = False
    exempt: bool = False


@dataclass(frozen=True)
class Outcome:
    """A decision, the rule that made it, and the guards that had a say.

    `final` where no further seed can change it.
    """

    decision: Decision
    rule: str
    guards: tuple[str, ...] = ()
    final: bool = False


@dataclass(frozen=True)
class Look:
    """What is there after so many seeds, at one of so many looks.

    `values` are the samples' values, `values_of` takes them of other records of the same runs.
    """

    claim: Claim
    samples: Sequence[AnySample]
    records: Records
    values: Sequence[Sequence[float]]
    values_of: Callable[[Records], list[list[float]]]
    scale: str
    seeds: int
    looks: int

    def judge(self, question: Question) -> Outcome:
        """Decide as far as the guards let the records speak."""
        asked, changed = self._asked(question)
        held = [] if question.exempt else self._held(question)
        guards = tuple(found.guard for found in (*changed, *held))
        words = [found.why for found in (*changed, *held)]
        verdicts = {found.verdict for found in held}
        for verdict in (Verdict.RAN, Verdict.INCONCLUSIVE):
            if verdict in verdicts:
                return Outcome(Decision(verdict, "; ".join(words)), asked.rule, guards, True)
        alpha = {"alpha": nominal(asked.test, self.looks)} if asked.test else {}
        decision, undecided = self._decision(partial(asked.decide, **alpha))
        reason = "; ".join([decision.reason, *words])
        return Outcome(replace(decision, reason=reason), asked.rule, guards + undecided)

    def _asked(self, question: Question) -> tuple[Question, list[Finding]]:
        """V3: a `sooner` of which most runs of an arm never arrive is a `rate` of arriving."""
        if question.rule != "sooner":
            return question, []
        within = [max(map(epochs_of, sample.arms), default=0) for sample in self.samples]

        if not all(within):  # nobody knows after how many epochs one is late
            return question, []

        def arrivals(values: Sequence[Sequence[float]]) -> list[list[float]]:
            return [arriving(part, most) for part, most in zip(values, within, strict=True)]

        never = [
            sample.label
            for sample, arrived in zip(self.samples, arrivals(self.values), strict=True)
            if mostly_never(arrived)
        ]
        if not never:
            return question, []
        named = " and ".join(f"`{label}`" for label in never)
        why = f"most runs of {named} never arrive, so how many arrive is compared"

        def decide(*values: Sequence[float], alpha: float) -> Decision:
            first, second = arrivals(values)
            return rules.rate(first, second, alpha)

        return replace(question, rule=ARRIVING, decide=decide, test="rate"), [Finding("V3", why)]

    def _held(self, question: Question) -> list[Finding]:
        """V1, V2 and V5, as far as they found something."""
        found = [never_started([self._group(arm) for arm in self._guarded()])]
        if question.compares:
            found.append(too_little_skill(self._compared()))
        if question.level == "absolute" and self._is_of_accuracy():
            found.append(level_on_other_bytes(self.records.values()))
        return [finding for finding in found if finding is not None]

    def _decision(self, decide: Decide) -> tuple[Decision, tuple[str, ...]]:
        """V4: the rule's decision; open where it hangs on the undecided runs."""
        count = sum(map(is_undecided, self.records.values()))
        if not count:
            return decide(*self.values), ()
        either = [
            self.values_of({run: decided(r, failed=failed) for run, r in self.records.items()})
            for failed in (True, False)
        ]
        if str(either[0]) == str(either[1]):  # not about failing; as text, NaN equals NaN
            return decide(*self.values), ()
        failed, trained = (decide(*values) for values in either)
        if failed.verdict is trained.verdict:
            note = f"the same with {count} undecided runs taken for trained"
            return replace(failed, reason=f"{failed.reason}; {note}"), ()
        reason = (
            f"it hangs on {count} undecided runs: {failed.verdict} with them as failed "
            f"({failed.reason}), {trained.verdict} as trained ({trained.reason})"
        )
        return Decision(Verdict.INCONCLUSIVE, reason), ("V4",)

    def _guarded(self) -> list[Arm]:
        """The arms that were trained, but for those of which the statement says that they fail."""
        arms = dict.fromkeys(arm for sample in self.samples for arm in sample.arms)
        return [arm for arm in arms if not self.claim.fails(arm.name)]

    def _compared(self) -> list[Compared]:
        """The guarded arms whose accuracies are compared, beside the reported ones."""
        labels = {sample.label for sample in self.samples}
        leaves = [leaf for sample in self.samples for leaf in sample.leaves if _is_accuracy(leaf)]
        reported = {}
        for name, number in self.claim.reported.items():
            value = float(number) if isinstance(number, int | float) else statistics.fmean(number)
            if name in self.claim.recipes and name not in labels:
                reported[name] = value
            for leaf in leaves:
                if leaf.label == name:
                    reported[leaf.arms[0].name] = value
        arms = dict.fromkeys(leaf.arms[0].name for leaf in leaves)
        return [
            Compared(
                self._group(leaf.arms[0]),
                [leaf.combine([self.records[run]]) for run in self._runs(leaf.arms[0])],
                reported_for(leaf.arms[0].name, self.claim.recipes, arms, reported),
            )
            for leaf in leaves
            if not self.claim.fails(leaf.arms[0].name)
        ]

    def _is_of_accuracy(self) -> bool:
        """Whether the level is, for all that is known, one of accuracy."""
        series = {leaf.series for sample in self.samples for leaf in sample.leaves}
        return any(not name or name.endswith("accuracy") for name in series)

    def _group(self, arm: Arm) -> Group:
        runs = self._runs(arm)
        records = [self.records[run] for run in runs]
        return Group(arm.name, runs[0].trained, runs[0].scale, records)

    def _runs(self, arm: Arm) -> list[Run]:
        return arm.runs(range(self.seeds))


def epochs_of(arm: Arm) -> int:
    """The epochs of a recipe's protocol; 0 where nobody knows how many there are."""
    return arm.trained.epochs if isinstance(arm.trained, Recipe) else 0


def _is_accuracy(leaf: Sample) -> bool:
    """Whether a sample is known to be a test accuracy of its one arm."""
    return len(leaf.arms) == 1 and leaf.series == "test_accuracy"
