"""What a session plans to train."""

from types import SimpleNamespace

import pytest

from cvclaims.claim import Claim, Report
from cvclaims.plugins.cases import Case
from cvclaims.plugins.suite import Suite
from cvclaims.recipe import Recipe

RECIPE = Recipe(data="digits", lr=0.1, epochs=2)
REPORT = Report(1, "a-report", "A report")


def case(id: str, recipe: Recipe, *, is_timed: bool = False, refusal: str | None = None) -> Case:
    return Case(
        claim=Claim(id, "A claim", REPORT.at("Table 1"), recipes={"arm": recipe}),
        nodeid=id,
        scale="full",
        digests={},
        refusal=refusal,
        is_property=False,
        is_timed=is_timed,
    )


def suite_of_cases(pytestconfig: pytest.Config, *cases: Case) -> Suite:
    suite = Suite(pytestconfig)
    suite.__dict__["settings"] = SimpleNamespace(seeds=1)
    suite.cases = {case.nodeid: case for case in cases}
    return suite


def plan(pytestconfig: pytest.Config, *cases: Case) -> list[Recipe]:
    return [run.recipe for run in suite_of_cases(pytestconfig, *cases).plan()]


def test_the_longest_work_comes_first(pytestconfig: pytest.Config) -> None:
    longer = RECIPE.but(epochs=9)
    assert plan(pytestconfig, case("1", RECIPE), case("2", longer)) == [longer, RECIPE]


HEAVY = RECIPE.but(data="fashion_mnist")


def test_in_a_long_session_the_least_training_comes_first(pytestconfig: pytest.Config) -> None:
    longer, other = HEAVY.but(epochs=9), HEAVY.but(epochs=4)
    assert plan(pytestconfig, case("1", longer), case("2", HEAVY), case("3", other)) == [
        *(HEAVY, other, longer),
    ]


def test_what_others_train_costs_nothing_more(pytestconfig: pytest.Config) -> None:
    costly = HEAVY.but(epochs=9)
    suite = suite_of_cases(pytestconfig, case("1", costly), case("2", HEAVY), case("3", costly))
    assert suite.order() == ["2", "1", "3"]
    suite = suite_of_cases(pytestconfig, case("1", HEAVY, is_timed=True), case("2", costly))
    assert suite.order() == ["2", "1"], "timed claims come last"


def test_what_is_only_timed_is_not_planned(pytestconfig: pytest.Config) -> None:
    timed = case("2", RECIPE.but(lr=0.2), is_timed=True)
    assert plan(pytestconfig, case("1", RECIPE), timed) == [RECIPE]


def test_what_cannot_run_here_is_not_planned(pytestconfig: pytest.Config) -> None:
    refused = case("2", RECIPE.but(lr=0.2), refusal="it wants a GPU")
    assert plan(pytestconfig, case("1", RECIPE), refused) == [RECIPE]
