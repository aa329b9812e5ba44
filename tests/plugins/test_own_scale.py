"""A report's own reduced scale: declared with its recipes, obeyed by `--claims-scale reduced`."""

import json

from tests.plugins.project import Project

CLAIMS = """
OWN = GOOD.but(epochs=6, reduced={"epochs": 2, "train_size": 100, "model_args": {"hidden": (4,)}})

@about("1", recipes={"good": OWN, "bad": OWN.but(lr=1e-4)})
def test_one(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)
"""


def trained(project: Project) -> set[tuple[str, int, int, tuple[int, ...]]]:
    """Scale, epochs, training samples and layers of the stored runs."""
    forms = [json.loads(path.read_text()) for path in project.records()]
    recipes = [(form["scale"], form["recipe"]) for form in forms]
    return {
        (scale, recipe["epochs"], recipe["train_size"], tuple(recipe["model_args"]["hidden"]))
        for scale, recipe in recipes
    }


def test_it_is_what_is_trained_and_judged(project: Project) -> None:
    project.write(CLAIMS)
    ran = project.run("--claims-scale=reduced", "--claims-seeds=3")
    assert trained(project) == {("reduced", 2, 100, (4,))}
    assert ran.rows["1"]["scale"] == "reduced"
    assert len(project.records()) == 6
    replayed = project.run("--claims-replay", "--claims-seeds=3")
    assert replayed.rows == ran.rows


def test_the_whole_protocol_is_another_run(project: Project) -> None:
    project.write(CLAIMS)
    ran = project.run("--claims-seeds=3")
    assert trained(project) == {("full", 6, 200, (8,))}
    assert ran.rows["1"]["scale"] == "full"


def test_a_plan_counts_it(project: Project) -> None:
    project.write(CLAIMS)
    ran = project.run("--claims-plan", "--claims-scale=reduced")
    assert "1 claim test: 1 train at reduced scale" in ran.text


def test_one_that_makes_a_comparison_of_a_network_with_itself_is_refused(project: Project) -> None:
    project.write(CLAIMS.replace('"epochs": 2', '"lr": 0.1'))
    ran = project.run("--claims-scale=reduced")
    assert (
        "claim 1: 'good' and 'bad' are the same at their own reduced scale; take what they differ "
        "in out of `reduced`"
    ) in ran.lines
    assert project.records() == []


def test_one_that_is_none_is_named_as_the_file_is_read(project: Project) -> None:
    project.write(CLAIMS.replace('"epochs": 2', '"epoch": 2'))
    ran = project.run("--claims-scale=reduced")
    assert ran.result.ret == 2
    line = "ValueError: unknown recipe field in `reduced` 'epoch': did you mean 'epochs'?"
    assert line in ran.text
