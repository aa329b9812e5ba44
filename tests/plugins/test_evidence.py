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


@pytest.mark.parametrize("mode", ["-n0", "-n1"])
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
    warning = f"problem: {damaged}: not JSON, perhaps cut off"
    told = [line.rpartition("; ")[2] for line in ran.lines if warning in line]
    assert told == ["ignored", f"set aside as {damaged.name}.damaged, it was run again"]

    replayed = project.run(mode, "--claims-replay")
    assert replayed.rows == first.rows
    assert "problem:" not in replayed.text
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
    assert ran.reason("3") == "it rests on no records"
    assert "1 claim rests on no records: run without --claims-replay" in ran.summary
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
    # The page may show it: what to do about it stands on the terminal alone.
    assert ran.reason("1") == "no record of seed 2 at full scale"
    advice = "2 claims were not trained so far: run without --claims-replay to train them"
    assert advice in ran.summary


def test_a_changed_recipe_has_no_evidence(project: Project) -> None:
    project.write(TWO)
    project.run()
    project.write(TWO.replace("recipes=BOTH", 'recipes={**BOTH, "good": GOOD.but(lr=0.4)}', 1))
    ran = project.run("--claims-replay")
    # The row that stood there told of the old recipe: it must not outlive it.
    assert ran.verdicts() == {"1": "not evaluated", "2": "refuted"}
    assert "no record of seed 0" in ran.reason("1")


def files(project: Project) -> dict[Path, bytes]:
    """The results, without records and locks."""
    found = (path for path in project.results.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in found if "records" not in path.parts}


def test_smoke_after_full_leaves_the_results_alone(project: Project) -> None:
    project.write(TWO)
    project.run()
    before = files(project)
    ran = project.run("--claims-scale", "smoke")
    assert files(project) == before
    assert ran.told() == "2 ran (nothing judged)"
    assert "no page was written: smoke judged nothing" in ran.summary
    assert ran.counts == {"ran": 2}
    assert {path.parts[-3] for path in project.records()} == {"smoke", "full"}


def test_a_session_that_judged_nothing_leaves_the_results_alone(project: Project) -> None:
    project.write(TWO)
    project.run()
    before = files(project)
    project.write(TWO.replace("verdict.greater", "pytest.skip('no time'); verdict.greater"))
    ran = project.run()
    assert files(project) == before
    assert ran.told() == "2 not evaluated"
    assert "2 claims not evaluated: no time" in ran.summary
    assert "no page was written: this session judged nothing" in ran.summary


STOPPED = """
@about("3")
def test_three(verdict):
    {stop}
"""


@pytest.mark.parametrize("stop", ["raise KeyboardInterrupt", "pytest.exit('enough')"])
def test_an_interrupted_session_keeps_its_records_and_says_so(project: Project, stop: str) -> None:
    project.write(TWO + STOPPED.format(stop=stop))
    ran = project.run_alone()
    assert ran.result.ret == pytest.ExitCode.INTERRUPTED
    assert files(project) == {}
    assert (
        "interrupted: the records of 6 finished runs are kept; the same command goes on; "
        "--claims-replay writes the tables from what is there"
    ) in " ".join(" ".join(ran.summary).split())
    assert project.run("--claims-replay", "-k", "one or two").told() == "1 supported, 1 refuted"
    assert (project.results / "README.md").exists()


def test_stopping_at_the_first_failure_is_no_interruption(project: Project) -> None:
    project.write(TWO)
    for mode in ("-n0", "-n1"):
        assert "page: .cvclaims/results/README.md" in project.run(mode, "-x").summary


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
    (project.path / "sets" / "cifar10").mkdir(parents=True)
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
        ((), "not evaluated", "full", "it wants a GPU"),
        (("--claims-scale", "smoke"), "ran", "smoke", "smoke scale judges nothing"),
        (("--claims-scale", "full"), "not evaluated", "full", "it wants a GPU"),
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


HEAVY = """
NET = Recipe(data="fashion_mnist", lr=0.1, epochs=1)

@about("1", recipes={"net": NET})
def test_one(runs, verdict):
    verdict.above(runs.net.test_accuracy, 0.5)

@about("2", recipes={"net": NET})
def test_two(runs, verdict):
    verdict.above(runs.net.test_accuracy, 0.6)
"""


@pytest.mark.parametrize("options", [(), ("--claims-device", "cpu"), ("-n1",)])
def test_by_default_nothing_is_trained_that_takes_long(
    project: Project, options: tuple[str, ...]
) -> None:
    project.write(HEAVY)
    ran = project.run(*options)
    assert ran.verdicts() == dict.fromkeys("12", "not evaluated")
    assert ran.reason("1") == "it takes more than seconds on a CPU"
    assert [line for line in ran.summary if "seconds" in line] == [
        "2 claims take more than seconds on a CPU: --claims-scale full trains them"
    ]
    assert ran.result.ret == 0
    assert project.records() == []
