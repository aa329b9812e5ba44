"""Which records may speak for a statement: guards fixed before the runs that they judge.

A comparison of networks that never trained says nothing of trained networks. Each guard is a pure
function of records: it finds nothing, or says in words what it found and what becomes of the row.
`verdict.guards` asks them in their order; what failing to train is (V4) stands in
`verdict.failing`.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cvclaims.catalogue import FRAGILE
from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.records.measure import best
from cvclaims.trainable import OfRecipe, Trainable
from cvclaims.verdict.decision import Verdict

START_SHARE: Final = 1 / 18
"""A run has started beyond this share of the way from chance to 1: .15 with ten classes."""
START_ERRORS: Final = 4
"""... and beyond this many standard errors of an accuracy at chance."""
ENOUGH_SKILL: Final = 3 / 4
"""The share of the reported skill that a reduced network has to have in a comparison."""
RE_ENCODED: Final = "re-encoded"
"""How the source of a data set ends whose images went through a lossy format."""
ROUNDING: Final = 1e-9
"""What is nearer to a threshold lies on it: records keep seven digits."""


@dataclass(frozen=True)
class Group(OfRecipe):
    """The runs of one arm that a look has; `scale` is the one that they really have."""

    arm: str
    trained: Trainable
    scale: str
    records: Sequence[Record]

    @property
    def idle(self) -> int:
        """How many of the runs never started."""
        return sum(not started(record) for record in self.records)


@dataclass(frozen=True)
class Finding:
    """What a guard found.

    Attributes:
        guard: its name in CLAIMS.md, such as "V1".
        why: what it found, in words.
        verdict: what becomes of the row; None where the rule still decides, with `why` beside it.
    """

    guard: str
    why: str
    verdict: Verdict | None = None


def chance(recipe: Recipe) -> tuple[float, int]:
    """The accuracy of always naming the largest class of the test set, and how many samples it has.

    A share of 1 / K where K classes are equally many. A subset of the test set holds each class by
    its share, rounded by largest remainder (see `data.dataset.stratified`).
    """
    facts, every = recipe.dataset, recipe.dataset.class_counts()
    counts = [every[facts.classes.index(name)] for name in recipe.class_names]
    total = sum(counts)
    size = recipe.test_size or total
    quotas = [divmod(size * count, total) for count in counts]
    left = size - sum(quota for quota, _ in quotas)
    rounded_up = sorted(range(len(quotas)), key=lambda i: -quotas[i][1])[:left]
    return max(quota + (i in rounded_up) for i, (quota, _) in enumerate(quotas)) / size, size


def start_limit(share: float, samples: int) -> float:
    """The test accuracy beyond which a run has started.

    `share` is that of the largest class among `samples` test samples, 1 / K for K equal ones.
    """
    error = math.sqrt(share * (1 - share) / samples)
    return share + max((1 - share) * START_SHARE, START_ERRORS * error)


def started(record: Record) -> bool:
    """Whether the best test accuracy of any epoch is more than chance gives.

    A run that keeps no test accuracy has no notion of it: nothing speaks against it.
    """
    if not isinstance(record.trained, Recipe) or "test_accuracy" not in record.series:
        return True
    highest = best("test_accuracy")(record)
    return highest > start_limit(*chance(record.recipe)) + ROUNDING  # NaN is not


def never_started(groups: Sequence[Group]) -> Finding | None:
    """V1: runs of guarded arms that never left chance.

    At reduced scale the row *ran*. At full scale it is judged with a note, and INCONCLUSIVE where
    the arm's initialisation, rate or optimiser is ours.
    """
    idle = [group for group in groups if group.idle]
    if not idle:
        return None
    told = [f"{group.idle} of {len(group.records)} runs of `{group.arm}`" for group in idle]
    why = f"{' and '.join(told)} never left chance"
    if any(group.scale != "full" for group in idle):
        return Finding("V1", why, Verdict.RAN)
    ours = [name for name in FRAGILE if any(name in group.trained.assumed for group in idle)]
    if not ours:
        return Finding("V1", why)
    is_ours = f"{' and '.join(ours)} {'is' if len(ours) == 1 else 'are'} assumed"
    return Finding("V1", f"{why}, and {is_ours}", Verdict.INCONCLUSIVE)


@dataclass(frozen=True)
class Compared:
    """An arm's accuracies in a comparison, one a seed, and what the report gives for them.

    `reported` is None where it gives no number for the arm, nor for one that differs from it in
    nothing but what is compared: see `verdict.guards`.
    """

    group: Group
    accuracies: Sequence[float]
    reported: float | None

    @property
    def skill(self) -> float:
        """The share of the reported way from chance that the mean has come; NaN without one."""
        if not isinstance(self.group.trained, Recipe):
            return math.nan  # nobody knows what chance gives
        share, _ = chance(self.group.recipe)
        if self.reported is None or self.reported <= share + ROUNDING:
            return math.nan  # what is reported to be no better than chance has no skill
        return (statistics.fmean(self.accuracies) - share) / (self.reported - share)


def too_little_skill(compared: Iterable[Compared]) -> Finding | None:
    """V2: arms at reduced scale that are far below what is reported: the row *ran*."""
    told = [
        f"`{arm.group.arm}` has {math.floor(arm.skill * 100) / 100:.2f} of its reported skill"
        for arm in compared
        if arm.group.scale != "full" and arm.skill < ENOUGH_SKILL - ROUNDING
    ]
    if not told:
        return None
    return Finding("V2", f"{' and '.join(told)}, less than {ENOUGH_SKILL:g}", Verdict.RAN)


def reported_for(
    arm: str, arms: Mapping[str, Trainable], compared: Iterable[str], reported: Mapping[str, float]
) -> float | None:
    """The accuracy that the report gives for an arm, or for one that stands for it.

    That is one that differs from it only in what is compared: in fields in which the compared arms
    differ. Of several the one that shares most fields with it; then the least accurate.

    Args:
        arm: the arm's name.
        arms: every recipe of the claim, by name.
        compared: the names of those that are compared.
        reported: the report's accuracies, by arm.
    """
    if arm in reported:
        return reported[arm]
    fields = [_fields(arms[name]) for name in compared]
    varied = set().union(*(_differing(one, other) for one in fields for other in fields))
    own = _fields(arms[arm])
    apart = {name: _differing(own, _fields(arms[name])) for name in reported}
    near = [(len(by), reported[name]) for name, by in apart.items() if by <= varied]
    return min(near)[1] if near else None


def _fields(recipe: Trainable) -> dict[str, object]:
    """What is trained, field by field, the network's arguments among them."""
    form = recipe.canonical()
    parts = {part: form.pop(part, {}) for part in ("model_args", "settings")}
    return form | {f"{part}.{name}": v for part, of in parts.items() for name, v in of.items()}


def _differing(one: Mapping[str, object], other: Mapping[str, object]) -> set[str]:
    """The names of the fields that are not the same."""
    return {name for name in {*one, *other} if one.get(name) != other.get(name)}


def arriving(epochs: Sequence[float], within: int) -> list[float]:
    """1 for each run that reached the threshold within so many epochs, else 0; NaN stays."""
    return [count if math.isnan(count) else float(count <= within) for count in epochs]


def mostly_never(arrived: Sequence[float]) -> bool:
    """V3: whether more than half of these runs never arrive."""
    return 2 * sum(flag == 0 for flag in arrived) > len(arrived)


def level_on_other_bytes(records: Iterable[Record]) -> Finding | None:
    """V5: why these records give no absolute level of accuracy: the row *ran*.

    Images that were re-encoded with loss are real, and networks on them can be compared, but how
    accurate one is on the report's own bytes they do not say.
    """
    others = dict.fromkeys(r.origin.data for r in records if r.origin.data.endswith(RE_ENCODED))
    if not others:
        return None
    why = f"an absolute level on {', '.join(others)}, not the report's own bytes"
    return Finding("V5", why, Verdict.RAN)
