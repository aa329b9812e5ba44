"""A collected test that judges a claim: its claim, its scale, and why it may not run here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.claim import Claim, ClaimMark
from cvclaims.data.folder import DataError, DataMissing
from cvclaims.logs import Logged, same_seeds
from cvclaims.plan import Scaled, effective_scale, scaled_arms
from cvclaims.plugins.identity import origin, own_parameters
from cvclaims.plugins.properties import is_property, mistake
from cvclaims.plugins.settings import Settings, gpu_present, refusal
from cvclaims.recipe import Recipe
from cvclaims.records.record import TRAINING_REVISION

if TYPE_CHECKING:
    from cvclaims.records import Store
    from cvclaims.verdict.judge import Judge


# Why runs cannot be had here: facts, as they stand on the page; `plugins.summary` has the advice.
WANTS_GPU = "it wants a GPU"
HEAVY = "it takes more than seconds on a CPU"
NO_RECORDS = "it rests on no records"


@dataclass
class Case:
    """One test of one claim.

    Attributes:
        digests: of its recipes, by name, at each scale.
        refusal: why its runs cannot be had here; None where they can.
        is_timed: its recipes are timed, and not trained to the end.
        judge: set once the test asks for the `verdict` fixture.
        runs_now: its test is between setup and teardown.
        failed_parts: what failed inside the test and did not end it, such as subtests.
    """

    claim: Claim
    nodeid: str
    scale: str
    digests: Mapping[str, Mapping[str, str]]
    refusal: str | None
    is_property: bool
    is_timed: bool = False
    judge: "Judge | None" = None
    runs_now: bool = False
    failed_parts: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Forget what an earlier try of the same test left."""
        self.judge, self.runs_now, self.failed_parts = None, False, []

    @cached_property
    def arms(self) -> dict[str, Scaled]:
        """Its recipes as they are at its scale, by name."""
        return scaled_arms(self.claim, self.scale)

    @property
    def cost(self) -> float:
        """The work of one seed of every recipe."""
        if self.refusal is not None:
            return 0.0
        return sum(arm.trained.work for arm in self.arms.values())

    @property
    def is_heavy(self) -> bool:
        """Whether a run of it may take more than minutes."""
        light = self.scale == "smoke" or all(r.light for r in self.claim.recipes.values())
        return self.refusal is None and not light

    def heading(self) -> dict[str, Any]:
        """What a row says of the claim before anything is measured; JSON types."""
        claim, report = self.claim, self.claim.source.report
        assumed = [name for recipe in claim.recipes.values() for name in recipe.assumed]
        return {
            "id": claim.id,
            "title": claim.title,
            "report": report.slug,
            "disputed": claim.disputed,
            "scale": self.scale,
            "reported": {
                name: list(value) if isinstance(value, Sequence) else value
                for name, value in claim.reported.items()
            },
            "case": claim.case,
            "report_number": report.number,
            "report_title": report.title,
            "report_note": report.note,
            "source": claim.source.where,
            "assumed": sorted(set(assumed)),
            "recipes": self.digests,
            "revision": TRAINING_REVISION,
            "about_failing": claim.about_failing,
        }


def cases_of(
    items: Iterable[pytest.Item], settings: Settings, store: "Store"
) -> tuple[dict[str, Case], dict[str, str]]:
    """The cases among collected tests, and why others cannot be one, both by node id.

    Copies of one test, which another plugin made, are one case: that of the first.
    """
    cases: dict[str, Case] = {}
    problems: dict[str, str] = {}
    places: dict[tuple[str, str, str], pytest.Item] = {}
    for item in items:
        marker = item.get_closest_marker("claim")
        if marker is None:
            continue
        try:
            case = _case(item, marker, settings, store)
        except ValueError as error:
            problems[item.nodeid] = str(error)
            continue
        place = (case.claim.source.report.slug, case.claim.id, case.claim.case)
        first = places.setdefault(place, item)
        if first is item and item.nodeid in cases:
            raise refusal(
                f"two claims' tests are {item.nodeid!r} to pytest, as they lie outside its root "
                f"{item.config.rootpath}: name a folder above both with --rootdir"
            )
        if first is item:
            cases[item.nodeid] = case
        elif origin(first) != origin(item):
            problems[item.nodeid] = (
                f"claim {case.claim.id} is judged by {first.nodeid} too; give one of the two "
                "its own `case`"
            )
    return cases, problems


def _case(item: pytest.Item, marker: pytest.Mark, settings: Settings, store: "Store") -> Case:
    if len(marker.args) != 1 or not isinstance(marker.args[0], ClaimMark):
        raise ValueError("mark it with `cvclaims.claim.claim(...)`, which makes this marker")
    if item.get_closest_marker("xfail") is not None:
        raise ValueError('a claim is expected to fail by its `disputed="why"`, not by xfail')
    if is_property(item) and (wrong := mistake(item)):
        raise ValueError(f"claim {marker.args[0].id}: {wrong}")
    at = marker.args[0].at_scales(*own_parameters(item))
    gpu_test = item.get_closest_marker("gpu") is not None
    try:
        _refuse_alike(at["reduced"])
        scale, refusal = _scale(at, gpu_test, settings, store)
        digests = _digests(at)
        same_seeds({n: r for n, r in at[scale].recipes.items() if isinstance(r, Logged)})
    except DataError as why:
        if not isinstance(why, DataMissing):
            raise ValueError(f"claim {at['full'].id}: {why}") from None
        # Nobody knows how large its recipes are.
        scale, refusal, digests = "full", str(why), {}
    # Smoke judges nothing, be it as small already; and a scale that leaves nothing to train has
    # nothing to be as large as another.
    if digests and scale != "smoke" and (at[scale].recipes or not at["full"].recipes):
        scale = effective_scale(scaled_arms(at[scale], scale), scale)
    return Case(
        claim=at[scale],
        nodeid=item.nodeid,
        scale=scale,
        digests=digests,
        refusal=refusal,
        is_property=is_property(item),
        is_timed=item.get_closest_marker("timing") is not None,
    )


def _refuse_alike(claim: Claim) -> None:
    """Refuse a reduced scale of a claim's own that makes one network of two that it compares."""
    for (a, first), (b, second) in combinations(claim.recipes.items(), 2):
        own = any(isinstance(r, Recipe) and r.reduced for r in (first, second))
        if own and first != second and first.at("reduced") == second.at("reduced"):
            raise ValueError(
                f"claim {claim.id}: {a!r} and {b!r} are the same at their own reduced scale; take "
                "what they differ in out of `reduced`"
            )


def _scale(
    at: Mapping[str, Claim], gpu_test: bool, settings: Settings, store: "Store"
) -> tuple[str, str | None]:
    """The scale to run a claim at, and why it cannot run here."""
    if settings.replay:
        if not at["full"].recipes:
            return "full", NO_RECORDS
        scale = _evidence_scale(at, store) if settings.scale == "auto" else settings.scale
        return scale, None
    gpu = settings.device not in ("cpu", "auto") or (settings.device == "auto" and gpu_present())
    # Who names the CPU has it train what wants a GPU.
    wants_gpu = gpu_test and not gpu and settings.device != "cpu"
    if settings.scale in ("auto", "full") and wants_gpu:
        return "full", WANTS_GPU
    if settings.scale != "auto":
        refusals = (r.refusal(settings.scale) for r in at["full"].recipes.values())
        return settings.scale, next(filter(None, refusals), None)
    light = all(recipe.light for recipe in at["full"].recipes.values())
    return "full", None if gpu or light else HEAVY


def _evidence_scale(at: Mapping[str, Claim], store: "Store") -> str:
    """The largest scale that the store has every recipe of; "full" where it has none."""
    for scale in ("full", "reduced"):
        if all(store.of(recipe.at(scale)) for recipe in at[scale].recipes.values()):
            return scale
    return "full"


def _digests(at: Mapping[str, Claim]) -> dict[str, dict[str, str]]:
    return {
        scale: {name: r.at(scale).digest[:16] for name, r in claim.recipes.items()}
        for scale, claim in at.items()
        if claim.recipes
    }
