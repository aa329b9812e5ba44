"""Guards from records to table, terminal and page, in a project that only replays."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

import pytest

from cvclaims.recipe import Recipe
from cvclaims.records import Store
from cvclaims.scales import scaled
from tests.plugins.project import Project
from tests.records.factory import origin, record

DEEP = Recipe(data="cifar10", model="vgg", lr=0.1, epochs=50, batch_size=64)
SHALLOW = DEEP.but(model_args={"depth": 11})
CLAIM = """
DEEP = Recipe(data="cifar10", model="vgg", lr=0.1, epochs=50, batch_size=64)
NETS = {{"deep": DEEP, "shallow": DEEP.but(model_args={{"depth": 11}})}}

@about("1", recipes=NETS, reported={{"deep": 0.9}}, about_failing={failing})
def test_one(runs, verdict):
    verdict.greater(runs.deep.test_accuracy, runs.shallow.test_accuracy)
"""
REPLAY = ("--claims-replay", "--claims-scale", "reduced")


def keep(project: Project, accuracies: Mapping[str, Sequence[float]]) -> None:
    """Put records of reduced runs into the project's store, one a seed."""
    store = Store(project.results / "records")
    for name, values in accuracies.items():
        recipe = scaled({"deep": DEEP, "shallow": SHALLOW}[name], "reduced")
        for seed, accuracy in enumerate(values):
            # In a session that replays, any data will do; the records say which they were.
            store.put(record(recipe, seed, accuracy=accuracy, scale="reduced", origin=origin()))


@pytest.mark.parametrize(
    ("shallow", "failing", "verdict", "guards"),
    [
        ([0.10, 0.11, 0.12], "()", "ran", ["V1", "V2"]),
        ([0.40, 0.41, 0.42], "()", "ran", ["V2"]),
        ([0.10, 0.11, 0.12], '["shallow"]', "supported", None),
        ([0.70, 0.71, 0.72], "()", "supported", None),
    ],
)
def test_from_records_to_the_row(
    project: Project, shallow: list[float], failing: str, verdict: str, guards: list[str] | None
) -> None:
    project.write(CLAIM.format(failing=failing))
    keep(project, {"deep": [0.80, 0.81, 0.82], "shallow": shallow})
    ran = project.run(*REPLAY, "--junitxml=junit.xml")
    assert ran.rows["1"]["verdict"] == verdict
    assert ran.rows["1"].get("guards") == guards
    assert ran.rows["1"].get("about_failing") == (["shallow"] if failing != "()" else None)
    properties = ElementTree.parse(project.path / "junit.xml").iter("property")
    told = {part.get("name"): part.get("value") for part in properties}
    assert told.get("claim_guards") == (", ".join(guards) if guards else None)
    assert ran.told() == ("1 not comparable" if guards else "1 supported")


def test_a_guard_withdraws_a_verdict_on_the_same_records_and_the_page_counts_it(
    project: Project,
) -> None:
    project.write(CLAIM.format(failing="True"))
    keep(project, {"deep": [0.80, 0.81, 0.82], "shallow": [0.10, 0.11, 0.12]})
    assert project.run(*REPLAY).rows["1"]["verdict"] == "supported"
    project.write(CLAIM.format(failing="()"))
    ran = project.run(*REPLAY)
    assert ran.rows["1"]["verdict"] == "ran"
    assert "3 of 3 runs of `shallow` never left chance" in ran.reason("1")
    page = (project.results / "README.md").read_text()
    assert "1 by V1 (networks that never left chance)" in page


def test_a_name_that_is_no_recipe_is_one_line(project: Project) -> None:
    project.write(CLAIM.format(failing='["shalow"]'))
    ran = project.run(*REPLAY)
    why = (
        "claim 1: `about_failing` names 'shalow', which is no recipe of it; did you mean 'shallow'?"
    )
    assert [line for line in ran.lines if why in line]
