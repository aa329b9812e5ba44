"""What a report found: the claim, its source, and the numbers it gives.

    from cvclaims.claim import Report, claim

    HW3 = Report(5, "losses-activations-optimizers", "Computer Vision HW3")

    @claim("5.04", "Cross-entropy is more accurate than MSE on Digits",
           source=HW3.at("Experiment A"), recipes={"cross_entropy": CE, "mse": MSE},
           reported={"cross_entropy": 0.9833, "mse": 0.9694})
    def test_cross_entropy_is_more_accurate(runs, verdict):
        verdict.greater(runs.cross_entropy.test_accuracy, runs.mse.test_accuracy)

`reported`, `recipes`, `disputed` and `case` may each be a function of the test's parameters,
which it names as its own, so that one parametrised test holds a whole table of a report.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from cvclaims.recipe import Recipe

if TYPE_CHECKING:
    import pytest

T = TypeVar("T")
# A value, or a function of the test's parameters that gives it.
PerCase: TypeAlias = T | Callable[..., T]


@dataclass(frozen=True)
class Report:
    """A report whose claims are tested; `slug` names it in tables and folders."""

    number: int
    slug: str
    title: str
    # Shown above its table: anything a reader has to know before trusting the numbers.
    note: str = ""

    def at(self, where: str) -> "Source":
        """A place in this report."""
        return Source(self, where)


@dataclass(frozen=True)
class Source:
    """Where a claim stands: the report, and the section, table or figure in it."""

    report: Report
    where: str = ""


@dataclass(frozen=True)
class Claim:
    """One statement of a report, for one case of the test that judges it.

    `reported` holds the report's numbers by name, in the unit that is measured. `recipes` names
    what is trained. `disputed` says why the report's own numbers or arithmetic contradict the
    statement; then REFUTED is the expected outcome.
    """

    id: str
    title: str
    source: Source
    reported: Mapping[str, float] = field(default_factory=dict)
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    disputed: str | None = None
    case: str = ""

    def __post_init__(self) -> None:
        if not self.id or any(c.isspace() for c in self.id):
            raise ValueError(f"a claim's id is a word such as '5.04', not {self.id!r}")
        if not self.title.strip():
            raise ValueError(f"claim {self.id}: the title is empty; write what the report states")
        for name, value in self.reported.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"claim {self.id}: reported {name!r} is not a number: {value!r}")
        for name, recipe in self.recipes.items():
            if not name.isidentifier() or name.startswith("_"):
                raise ValueError(f"claim {self.id}: {name!r} cannot name a recipe in `runs.{name}`")
            if not isinstance(recipe, Recipe):
                raise ValueError(f"claim {self.id}: {name!r} is no Recipe: {recipe!r}")
        if self.disputed is not None and not self.disputed.strip():
            raise ValueError(f"claim {self.id}: `disputed` has to say why")


@dataclass(frozen=True)
class ClaimMark:
    """What `@claim` puts on a test: a claim whose parts may still depend on parameters."""

    id: str
    title: str
    source: Source
    reported: PerCase[Mapping[str, float]]
    recipes: PerCase[Mapping[str, Recipe]]
    disputed: PerCase[str | None]
    case: PerCase[str | None]

    def claim(self, params: Mapping[str, Any], case_id: str = "") -> Claim:
        """The claim for one case. `case_id` is pytest's name of it, used where `case` is None."""
        case = _for_case(self, "case", self.case, params)
        return Claim(
            id=self.id,
            title=self.title,
            source=self.source,
            reported=dict(_for_case(self, "reported", self.reported, params)),
            recipes=dict(_for_case(self, "recipes", self.recipes, params)),
            disputed=_for_case(self, "disputed", self.disputed, params),
            case=case_id if case is None else case,
        )


def _for_case(mark: ClaimMark, name: str, value: PerCase[T], params: Mapping[str, Any]) -> T:
    if not callable(value):
        return value
    wanted = list(inspect.signature(value).parameters)
    missing = [p for p in wanted if p not in params]
    if missing:
        raise ValueError(
            f"claim {mark.id}: `{name}` asks for {', '.join(missing)}, which is no parameter of "
            f"its test (it has: {', '.join(params) or 'none'})"
        )
    return value(**{p: params[p] for p in wanted})


def claim(
    id: str,
    title: str,
    *,
    source: Source,
    reported: PerCase[Mapping[str, float]] | None = None,
    recipes: PerCase[Mapping[str, Recipe]] | None = None,
    disputed: PerCase[str | None] = None,
    case: PerCase[str | None] = None,
) -> "pytest.MarkDecorator":
    """Mark a test as the judge of one claim; see the module's example.

    The test either asks the `verdict` fixture for one verdict, or is a Hypothesis property: then
    a counterexample refutes the claim. `case` names the row where a claim has several tests; a
    parametrised test takes pytest's own id of the case when it is left out.
    """
    import pytest

    return pytest.mark.claim(
        ClaimMark(id, title, source, reported or {}, recipes or {}, disputed, case)
    )
