"""What a report found: the claim, its source, and the numbers it gives.

    from cvclaims import Report, claim

    HW3 = Report(5, "losses-activations-optimizers", "Computer Vision HW3")

    @claim("5.04", "Cross-entropy is more accurate than MSE on Digits",
           source=HW3.at("Experiment A"), recipes={"cross_entropy": CE, "mse": MSE},
           reported={"cross_entropy": 0.9833, "mse": 0.9694})
    def test_cross_entropy_is_more_accurate(runs, verdict):
        verdict.greater(runs.cross_entropy.test_accuracy, runs.mse.test_accuracy)

`reported`, `recipes`, `disputed` and `case` may each be a function of the test's parameters,
which it names as its own, so that one parametrised test holds a whole table of a report; so may
`about_failing`. Where `recipes` also names `scale`, it is given the scale, and may train fewer of
them at a smaller one.
"""

import inspect
import keyword
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from cvclaims.catalogue import SCALES
from cvclaims.trainable import Trainable, is_trainable

if TYPE_CHECKING:
    import pytest

# No number of a report comes near; the rows are read back with the same bound.
LARGEST = 1e300

# In what a claim's numbers are given: "" as they are measured, "%" as percentages of shares.
UNITS = ("", "%")

# What a report gives for a name: one number, or one for each run that it publishes.
Reported: TypeAlias = float | Sequence[float]

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

    def __post_init__(self) -> None:
        if isinstance(self.number, bool) or not isinstance(self.number, int):
            raise ValueError(f"a report's number is a whole one such as 7, not {self.number!r}")
        if not 0 <= self.number < 10**9:
            raise ValueError("a report's number is a whole one from 0 to 999,999,999, such as 7")
        if not _says_something(self.slug):
            raise ValueError(f"a report's slug is a word such as 'paper', not {self.slug!r}")
        for name in ("title", "note"):
            if not isinstance(text := getattr(self, name), str):
                raise ValueError(f"report {self.slug}: its {name} is a text, not {text!r}")

    def at(self, where: str) -> "Source":
        """A place in this report."""
        return Source(self, where)


@dataclass(frozen=True)
class Source:
    """Where a claim stands: the report, and the section, table or figure in it."""

    report: Report
    where: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.report, Report):
            raise ValueError(f"a place is one in a Report, not in {self.report!r}")
        if not isinstance(self.where, str):
            raise ValueError(
                f"report {self.report.slug}: a place in it is a text such as 'Table 1', "
                f"not {self.where!r}"
            )


@dataclass(frozen=True)
class Claim:
    """One statement of a report, for one case of the test that judges it.

    `reported` holds the report's numbers by name: one, or one for each run that it publishes, in
    the unit that is measured, or in percent where `unit` is "%"; numbers in hand are given in the
    same unit. `recipes` names what is trained. `disputed` says why the report's own numbers or
    arithmetic contradict the statement; then REFUTED is the expected outcome. `about_failing` names
    the recipes of which the statement says that they fail to train, or is True for all of them; the
    guards against networks that never trained (`verdict.validity`) leave these alone.
    """

    id: str
    title: str
    source: Source
    reported: Mapping[str, Reported] = field(default_factory=dict)
    recipes: Mapping[str, Trainable] = field(default_factory=dict)
    disputed: str | None = None
    case: str = ""
    about_failing: bool | Iterable[str] = ()
    unit: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not self.id or any(c.isspace() for c in self.id):
            raise ValueError(f"a claim's id is a word such as '5.04', not {self.id!r}")
        if not _says_something(self.title):
            raise self._wrong("the title is empty; write what the report states")
        if not isinstance(self.source, Source):
            raise self._wrong(f"its source is a place such as HW3.at('Table 1'), not {self.source}")
        for name, value in self.reported.items():
            if not _says_something(name):
                raise self._wrong(f"what is reported has a name, not {name!r}")
            self._check_reported(name, value)
        if self.unit not in UNITS:
            raise self._wrong(f"`unit` is '%' or left out, not {self.unit!r}")
        for name, recipe in self.recipes.items():
            if not _names_an_arm(name):
                raise self._wrong(f"{name!r} cannot name a recipe in `runs.{name}`")
            if not is_trainable(recipe):
                raise self._wrong(f"{name!r} is no Recipe, Training or logged runs: {recipe!r}")
        if self.disputed is not None and not _says_something(self.disputed):
            raise self._wrong("`disputed` has to say why")
        if not isinstance(self.case, str):
            raise self._wrong(f"`case` is a word or two, not {self.case!r}")
        if self.about_failing is not True:
            object.__setattr__(self, "about_failing", self._failing(self.about_failing))

    def _failing(self, names: object) -> tuple[str, ...]:
        """The names that `about_failing` gives; each has to be a recipe's."""
        if isinstance(names, str | bool) or not isinstance(names, Iterable):
            raise self._wrong(
                f"`about_failing` is True or names some of its recipes, not {names!r}"
            )
        found = tuple(names)
        for name in found:
            if name not in self.recipes:
                near = get_close_matches(str(name), self.recipes, n=1)
                listed = ", ".join(self.recipes) or "none"
                mend = f"did you mean {near[0]!r}?" if near else f"its recipes: {listed}"
                raise self._wrong(
                    f"`about_failing` names {name!r}, which is no recipe of it; {mend}"
                )
        return found

    def fails(self, arm: str) -> bool:
        """Whether the statement says of a recipe that it fails to train."""
        if isinstance(self.about_failing, bool):
            return self.about_failing
        return arm in self.about_failing

    def _check_reported(self, name: str, value: object) -> None:
        runs = value if isinstance(value, list | tuple) else (value,)
        for number in runs:
            if not _is_number(number):
                of = f"{number!r} among its runs" if runs is value else f"{number!r}"
                raise self._wrong(f"reported {name!r} is not a number: {of}")
            if abs(number) >= LARGEST:
                raise self._wrong(f"reported {name!r} is too large: {LARGEST:g} or more")
        if runs is value and len(runs) < 2:
            raise self._wrong(
                f"reported {name!r} lists {len(runs)} runs; write a number for one, two or more "
                "in a list"
            )
        if runs is value and {abs(n) > 1 for n in runs if n} == {True, False}:
            far = max(runs, key=abs) / min((n for n in runs if n), key=abs)
            if abs(far) >= 20:
                raise self._wrong(
                    f"reported {name!r} mixes shares and percentages: {min(runs):g} and "
                    f"{max(runs):g} are runs of one"
                )

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"claim {self.id}: {what}")


def shares_of(percentages: Sequence[float]) -> tuple[float, ...]:
    """Percentages as shares: 83.33 as 0.8333 and not its neighbour; ValueError beyond ±100."""
    for number in percentages:
        if abs(number) > 100:
            raise ValueError(f"{number:g} is no percentage of -100 to 100, as `unit` has it")
    return tuple(float(f"{number / 100:.15g}") for number in percentages)


def mean_reported(value: Reported) -> float:
    """A reported number; of several runs their mean."""
    return float(value) if isinstance(value, int | float) else math.fsum(value) / len(value)


def _is_number(value: object) -> bool:
    """Whether it is a number; neither True nor NaN is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


def _says_something(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip())


def _names_an_arm(name: object) -> bool:
    """Whether `runs.<name>` can stand in a test, and is not one of a mapping's own methods."""
    if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
        return False
    return not keyword.iskeyword(name) and name not in ("get", "items", "keys", "values")


@dataclass(frozen=True)
class ClaimMark:
    """What `@claim` puts on a test: a claim whose parts may still depend on parameters."""

    id: str
    title: str
    source: Source
    reported: PerCase[Mapping[str, Reported]]
    recipes: PerCase[Mapping[str, Trainable]]
    disputed: PerCase[str | None]
    case: PerCase[str | None]
    about_failing: PerCase[bool | Iterable[str]] = ()
    unit: str = ""

    def at_scales(self, params: Mapping[str, Any], case_id: str = "") -> dict[str, Claim]:
        """The claim for one case at each scale; see `claim`."""
        full = self.claim(params, case_id)
        if self._asks_for_scale:
            return {s: full if s == "full" else self.claim(params, case_id, s) for s in SCALES}
        return dict.fromkeys(SCALES, full)

    @property
    def _asks_for_scale(self) -> bool:
        return callable(self.recipes) and "scale" in inspect.signature(self.recipes).parameters

    def claim(self, params: Mapping[str, Any], case_id: str = "", scale: str = "full") -> Claim:
        """The claim for one case. `case_id` is pytest's name of it, used where `case` is None."""
        case = _for_case(self, "case", self.case, params)
        known = {"scale": scale, **params} if self._asks_for_scale else params
        about: PerCase[Any] = self.about_failing
        reported = _named(self, "reported", _for_case(self, "reported", self.reported, params))
        found = Claim(
            id=self.id,
            title=self.title,
            source=self.source,
            reported=reported,
            recipes=_named(self, "recipes", _for_case(self, "recipes", self.recipes, known)),
            disputed=_for_case(self, "disputed", self.disputed, params),
            case=case_id if case is None else case,
            about_failing=_for_case(self, "about_failing", about, known),
            unit=self.unit,
        )
        return found if self.unit != "%" else replace(found, reported=_of_percent(found))


def _of_percent(claim: Claim) -> dict[str, Reported]:
    """The reported numbers as the shares that are measured."""
    found: dict[str, Reported] = {}
    for name, value in claim.reported.items():
        runs = value if isinstance(value, Sequence) else (value,)
        try:
            shares = shares_of(runs)
        except ValueError as why:
            raise ValueError(f"claim {claim.id}: reported {name!r}: {why}") from None
        found[name] = shares if runs is value else shares[0]
    return found


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
    try:
        return value(**{p: params[p] for p in wanted})
    except Exception as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ValueError(f"claim {mark.id}: `{name}` failed for {params}: {what}") from error


def _named(mark: ClaimMark, name: str, value: Mapping[str, T]) -> dict[str, T]:
    if not isinstance(value, Mapping):
        raise ValueError(f"claim {mark.id}: `{name}` has to be a mapping of names, not {value!r}")
    return dict(value)


def claim(
    id: str,
    title: str,
    *,
    source: Source,
    reported: PerCase[Mapping[str, Reported]] | None = None,
    recipes: PerCase[Mapping[str, Trainable]] | None = None,
    disputed: PerCase[str | None] = None,
    case: PerCase[str | None] = None,
    about_failing: PerCase[bool | Iterable[str]] = (),
    unit: str = "",
) -> "pytest.MarkDecorator":
    """Mark a test as the judge of one claim; see the module's example.

    The test either asks the `verdict` fixture for one verdict, or is a Hypothesis property: then
    a counterexample refutes the claim. `case` names the row where a claim has several tests; a
    parametrised test takes pytest's own id of the case when it is left out. `about_failing` names
    the recipes of which the statement says that they fail to train, or is True for all. With
    `unit="%"` the reported numbers, and numbers in hand, are percentages of what is measured and
    shown as shares of 0 to 1; a rule's bounds are shares.
    """
    import pytest

    return pytest.mark.claim(
        ClaimMark(
            id,
            title,
            source,
            reported or {},
            recipes or {},
            disputed,
            case,
            about_failing,
            unit,
        )
    )
