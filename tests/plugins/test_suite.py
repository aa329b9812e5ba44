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
        refusal=refusal,
        is_property=False,
        is_timed=is_timed,
    )


def plan(pytestconfig: pytest.Config, *cases: Case) -> list[Recipe]:
    suite = Suite(pytestconfig)
    suite.__dict__["settings"] = SimpleNamespace(seeds=1)
    suite.cases = {case.nodeid: case for case in cases}
    return [run.recipe for run in suite.plan()]


def test_the_longest_work_comes_first(pytestconfig: pytest.Config) -> None:
    longer = RECIPE.but(epochs=9)
    assert plan(pytestconfig, case("1", RECIPE), case("2", longer)) == [longer, RECIPE]


def test_what_is_only_timed_is_not_planned(pytestconfig: pytest.Config) -> None:
    timed = case("2", RECIPE.but(lr=0.2), is_timed=True)
    assert plan(pytestconfig, case("1", RECIPE), timed) == [RECIPE]


def test_what_cannot_run_here_is_not_planned(pytestconfig: pytest.Config) -> None:
    refused = case("2", RECIPE.but(lr=0.2), refusal="it wants a GPU")
    assert plan(pytestconfig, case("1", RECIPE), refused) == [RECIPE]
