"""Records: trained once, used again, replayed, distrusted."""

import json
from pathlib import Path

import pytest

from tests.plugins.project import Project

TWO = """
@about("1", recipes=BOTH)
def test_one(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)

@about("2", recipes=BOTH)
def test_two(runs, verdict):
    verdict.greater(runs.bad.test_accuracy, runs.good.test_accuracy)
"""
BOTH_VERDICTS = {"1": "supported", "2": "refuted"}


def stamps(project: Project) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in project.records()}


@pytest.mark.parametrize("mode", ["-n0", "-n2"])
def test_a_run_is_trained_once_and_a_damaged_record_again(project: Project, mode: str) -> None:
    project.write(TWO)
    first = project.run()
    assert first.verdicts() == BOTH_VERDICTS
    before = stamps(project)
    assert len(before) == 6
    damaged, *sound = before
    text = damaged.read_text()
    damaged.write_text(text[: len(text) // 2])
    ran = project.run(mode, "-k", "one")
    assert ran.rows == first.rows
    assert {path: stamps(project)[path] for path in sound} == {path: before[path] for path in sound}
    assert (
        json.loads(damaged.read_text())["series"]["test_accuracy"]
        == (json.loads(text)["series"]["test_accuracy"])
    )
    assert damaged.with_name(f"{damaged.name}.damaged").read_text() == text[: len(text) // 2]
    warning = f"damage: {damaged}: not JSON, perhaps cut off"
    assert sum(warning in line for line in ran.lines) == 1

    replayed = project.run(mode, "--claims-replay")
    assert replayed.rows == first.rows
    assert "damage:" not in replayed.text
    assert stamps(project).keys() == before.keys()


def test_rerun_trains_again(project: Project) -> None:
    project.write(TWO)
    first = project.run()
    before = stamps(project)
    assert project.run("--claims-rerun").rows == first.rows
    after = stamps(project)
    assert after.keys() == before.keys()
    assert all(after[path] > before[path] for path in before)


def test_replay_trains_nothing_and_imports_no_torch(project: Project) -> None:
    project.write(TWO + "\n@about('3')\ndef test_three(verdict):\n    verdict.exact(1, 1)\n")
    project.run()
    before = stamps(project)
    (project.results / "claims.json").unlink()
    project.forbid("torch")
    ran = project.run_alone("--claims-replay")
    assert ran.verdicts() == {**BOTH_VERDICTS, "3": "not evaluated"}
    assert ran.reason("3") == "it rests on no records; run without --claims-replay"
    assert ran.told() == "1 supported, 1 refuted, 1 not evaluated"
    assert stamps(project) == before


def test_replay_without_records(project: Project) -> None:
    project.write(TWO)
    project.run()
    (project.results / "claims.json").unlink()
    for path in project.records():
        if json.loads(path.read_text())["seed"] == 2:
            path.unlink()
    ran = project.run("--claims-replay")
    assert ran.verdicts() == dict.fromkeys("12", "not evaluated")
    assert ran.reason("1") == (
        "the store has no record of seed 2 at full scale; run without --claims-replay to train it"
    )


def test_a_changed_recipe_has_no_evidence(project: Project) -> None:
    project.write(TWO)
    project.run()
    project.write(TWO.replace("recipes=BOTH", 'recipes={**BOTH, "good": GOOD.but(lr=0.4)}', 1))
    ran = project.run("--claims-replay")
    # The row that stood there told of the old recipe: it must not outlive it.
    assert ran.verdicts() == {"1": "not evaluated", "2": "refuted"}
    assert "no record of seed 0" in ran.reason("1")


def test_smoke_after_full_leaves_the_table(project: Project) -> None:
    project.write(TWO)
    first = project.run()
    ran = project.run("--claims-scale", "smoke")
    assert ran.rows == first.rows
    assert ran.told() == (
        "2 ran (nothing judged); of 2 the table keeps the verdict of an earlier, larger run"
    )
    assert ran.counts == {"ran": 2}
    assert {path.parts[-3] for path in project.records()} == {"smoke", "full"}


def test_a_record_of_a_newer_schema(project: Project) -> None:
    project.write(
        TWO
        + """
@about("3", recipes={"other": GOOD.but(momentum=0.5), "bad": BAD})
def test_three(runs, verdict):
    verdict.greater(runs.other.test_accuracy, runs.bad.test_accuracy)
"""
    )
    project.run()
    (project.results / "claims.json").unlink()
    newer = next(path for path in project.records() if '"momentum"' in path.read_text())
    form = json.loads(newer.read_text())
    form["schema"] += 1
    newer.write_text(json.dumps(form))
    ran = project.run()
    assert ran.verdicts() == {**BOTH_VERDICTS, "3": "error"}
    assert f"{newer}: schema {form['schema']}, this cvclaims reads" in ran.reason("3")
    assert json.loads(newer.read_text()) == form


def test_data_that_is_missing(project: Project) -> None:
    project.write("""
        NET = Recipe(data="fashion_mnist", lr=0.1, epochs=1)

        @about("1", recipes={"net": NET})
        def test_one(runs, verdict):
            verdict.above(runs.net.test_accuracy, 0.5)
    """)
    ran = project.run("--claims-scale", "full", "--claims-data", "sets")
    assert ran.verdicts() == {"1": "not evaluated"}
    assert "get it by `python -m cvclaims.data fashion_mnist --claims-data sets`" in ran.reason("1")
    assert ran.counts == {"not evaluated": 1}


GPU = """
@about("1", recipes=BOTH)
@pytest.mark.gpu
def test_one(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)
"""


@pytest.mark.parametrize(
    ("options", "verdict", "scale", "reason"),
    [
        ((), "not evaluated", "full", "--claims-scale full --claims-device cpu"),
        (("--claims-scale", "smoke"), "ran", "smoke", "smoke scale judges nothing"),
        (("--claims-scale", "full"), "not evaluated", "full", "--claims-device cpu trains it"),
        (("--claims-scale", "full", "--claims-device", "cpu"), "supported", "full", "difference"),
        (("--claims-device", "cpu"), "supported", "full", "difference"),
    ],
)
def test_a_gpu_claim_where_there_is_none(
    project: Project, options: tuple[str, ...], verdict: str, scale: str, reason: str
) -> None:
    project.write(GPU)
    ran = project.run(*options)
    row = ran.rows["1"]
    assert (row["verdict"], row["scale"]) == (verdict, scale)
    assert reason in row["reason"]


def test_a_gpu_that_torch_cannot_use(project: Project) -> None:
    project.write(GPU)
    ran = project.run("--claims-device", "cuda")
    assert ran.verdicts() == {"1": "error"}
    assert ran.reason("1") == (
        "torch cannot use a GPU here; install a torch for it, or train on the CPU with "
        "--claims-device cpu"
    )
    assert "Traceback" not in ran.text
