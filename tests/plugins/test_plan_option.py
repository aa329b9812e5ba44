"""--claims-plan: what is printed, what the estimate goes by, and that nothing is trained."""

from typing import Any

import pytest

from cvclaims.plan import Run
from cvclaims.plugins.plan import Estimate, duration
from cvclaims.recipe import Recipe
from cvclaims.records import Record, Store
from tests.plugins.project import Project
from tests.records.factory import origin, record

CLAIMS = """
@about("1", recipes=BOTH)
def test_both(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)

@about("2", recipes={"good": GOOD})
def test_one(runs, verdict):
    verdict.above(runs.good.test_accuracy, 0.5)

@about("3")
def test_count(verdict):
    verdict.exact(1, 1)

@about("4", recipes={"good": GOOD})
@pytest.mark.timing
def test_timed(runs, verdict, timer):
    raise AssertionError("nothing runs")

def test_no_claim():
    raise AssertionError("nothing runs")
"""
GOOD = Recipe(
    data="digits",
    train_size=200,
    test_size=60,
    model_args={"hidden": (8,)},
    lr=0.5,
    epochs=3,
    batch_size=50,
)


def planned(project: Project, *options: str) -> list[str]:
    """What is printed below the plan's line."""
    ran = project.run("--claims-plan", *options)
    assert ran.result.ret == 0
    assert ran.rows == {}
    start = next(i for i, line in enumerate(ran.lines) if line.strip("=") == " plan ")
    shown = [line.rstrip() for line in ran.lines[start + 1 :]]
    return shown[:-1] if "=" in shown[-1] else shown


def test_a_plan_of_nothing_measured(project: Project) -> None:
    project.write(CLAIMS)
    assert planned(project) == [
        "4 claim tests: 2 train at full scale; 1 time their recipes; 1 train nothing",
        "first look: 6 runs, 3 of them shared between claims; 0 in the store, 6 left: not "
        "estimated, as nothing like them was measured",
        "worst case, no look deciding before the last: 16 runs, 8 of them shared between claims; 0 "
        "in the store, 16 left: not estimated, as nothing like them was measured",
        "0 have their first look in the store; the others, cheapest first, each",
        "with what those above it leave to train:",
        "",
        "claim    case    scale      runs    to train  time",
        "-------  ------  -------  ------  ----------  -------------",
        "2                full          3           3  not estimated",
        "1                full          6           3  not estimated",
    ]
    assert not (project.path / "results").exists()


def test_what_would_steer_a_terminal_is_shown_as_what_it_is(project: Project) -> None:
    project.write(CLAIMS.replace('"2"', '"2\\x1b[31m"'))
    lines = planned(project, "-k", "test_one")
    assert lines[-1].startswith(r"2\x1b[31m")
    assert "\x1b" not in "".join(lines)


def stored(project: Project, *seeds: int) -> None:
    """Records of GOOD at 6 images a second: 600 images take 100 s."""
    store = Store(project.results / "records")
    for seed in seeds:
        store.put(record(GOOD, seed, images_per_second=6.0))


def test_a_plan_beside_records(project: Project) -> None:
    project.write(CLAIMS)
    stored(project, 0, 1, 2)
    lines = planned(project, "-k", "not timed", "--claims-seeds=5")
    assert lines[1:4] == [
        "first look: 6 runs, 3 of them shared between claims; 3 in the store, 3 left: about 5 min",
        "worst case, no look deciding before the last: 10 runs, 5 of them shared between claims; 3 "
        "in the store, 7 left: about 12 min",
        "times as measured on CPU, some processor, 2 cores, run after run",
    ]
    assert lines[4].startswith("1 have their first look in the store;")
    assert [line.split() for line in lines[9:]] == [["1", "full", "6", "3", "about", "5", "min"]]
    assert len(project.records()) == 3


def test_a_rerun_plans_what_is_stored_too(project: Project) -> None:
    project.write(CLAIMS)
    stored(project, 0, 1, 2)
    assert (
        "0 in the store, 3 left: about 5 min" in planned(project, "-k", "one", "--claims-rerun")[1]
    )


def test_a_plan_that_needs_nothing(project: Project) -> None:
    project.write(CLAIMS)
    stored(project, 0, 1, 2)
    lines = planned(project, "-k", "one", "--claims-seeds=3")
    assert lines[1].endswith("3 in the store, 0 left: nothing to train")
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("chosen", "told"),
    [("no_claim", "no claims were selected"), ("count", "1 claim test: 1 train nothing")],
)
def test_a_plan_without_training(project: Project, chosen: str, told: str) -> None:
    project.write(CLAIMS)
    (line,) = planned(project, "-k", chosen)
    assert line == told


def test_few_words(project: Project) -> None:
    project.write(CLAIMS)
    assert len(planned(project, "-qq")) == 3


def test_claims_that_want_a_gpu_are_planned_for_one(project: Project) -> None:
    project.write(CLAIMS.replace('@about("1"', '@pytest.mark.gpu\n@about("1"'))
    project.ini("claims_plan = true")
    lines = planned(project, "-k", "both", "--claims-scale=full")
    assert "1 train at full scale; 1 cannot run here: it wants a GPU" in lines[0]
    assert len(lines) == 9


def test_it_is_printed_once_with_workers_and_imports_no_torch(project: Project) -> None:
    project.write(CLAIMS)
    project.forbid("torch", "numpy", "scipy")
    ran = project.run_alone("--claims-plan", "-n2")
    assert (ran.result.ret, ran.errors) == (0, "")
    assert ran.text.count("first look: ") == 1
    assert ran.rows == {}


def test_nothing_is_planned_of_tests_that_cannot_be_collected(project: Project) -> None:
    project.write("1 / 0")
    assert project.run("--claims-plan").result.ret == pytest.ExitCode.INTERRUPTED


def test_a_claim_that_cannot_be_one_is_named(project: Project) -> None:
    project.write(CLAIMS + "@about('2')\ndef test_again(verdict): ...\n")
    assert planned(project)[-1].startswith("problem: claim 2 is judged by ")


def test_a_replay_has_no_plan(project: Project) -> None:
    ran = project.run("--claims-plan", "--claims-replay")
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    ran.result.stderr.fnmatch_lines(["ERROR: --claims-replay trains nothing that could be *"])


VGG = Recipe(
    data="cifar10",
    model="vgg",
    model_args={"depth": 11},
    lr=0.01,
    epochs=10,
    batch_size=128,
    precision="bf16",
)
DEEP = VGG.but(model_args={"depth": 19})


def on_gpu(recipe: Recipe, seed: int = 0, **changes: Any) -> Record:
    return record(recipe, seed, origin=origin(device="some GPU"), **changes)


def seconds(wanted: Recipe, *measured: Any, gpu: bool = True) -> float | None:
    estimate = Estimate(measured, lambda run: gpu)
    return estimate.seconds(Run(wanted, 0, "full"))


class TestEstimate:
    def test_the_same_recipe_goes_before_others(self) -> None:
        same = [
            on_gpu(VGG, seed, images_per_second=rate)
            for seed, rate in enumerate((1000.0, 2000.0, 9000.0))
        ]
        other = on_gpu(VGG.but(batch_size=256), images_per_second=5.0)
        assert seconds(VGG, other, *same) == pytest.approx(500_000 / 2000)

    def test_another_kind_of_device_says_nothing(self) -> None:
        measured = on_gpu(VGG, images_per_second=1000.0)
        assert seconds(VGG, measured, gpu=False) is None
        assert seconds(VGG, record(VGG, images_per_second=1000.0)) is None

    def test_another_model_says_nothing(self) -> None:
        assert seconds(VGG, on_gpu(VGG.but(model="resnet", model_args={}))) is None

    def test_neither_do_smoke_and_a_run_without_a_rate(self) -> None:
        assert seconds(VGG, on_gpu(VGG, scale="smoke")) is None
        assert seconds(VGG, on_gpu(VGG, images_per_second=0.0)) is None

    def test_another_depth_is_scaled_by_its_work(self) -> None:
        measured = on_gpu(VGG, images_per_second=1000.0)
        assert seconds(DEEP, measured) == pytest.approx(500 * 418 / 172)

    def test_the_nearest_batch_size_is_taken_and_a_step_never_quicker(self) -> None:
        far = on_gpu(VGG.but(batch_size=1024), images_per_second=9000.0)
        near = on_gpu(VGG, images_per_second=1000.0)
        assert seconds(VGG.but(batch_size=32), far, near) == pytest.approx(4 * 500)
        assert seconds(VGG.but(batch_size=256), far, near) == pytest.approx(500)

    def test_with_patience_it_ends_where_measured_runs_did(self) -> None:
        patient = VGG.but(patience=3)
        short = on_gpu(patient, accuracy=[0.5] * 4, loss=[0.5] * 4, images_per_second=1e3)
        assert seconds(patient, short) == pytest.approx(200)
        assert seconds(patient.but(patience=5), short) == pytest.approx(500)

    def test_what_is_known_and_what_not_are_told_apart(self) -> None:
        estimate = Estimate([on_gpu(VGG, images_per_second=1000.0)], lambda run: True)
        runs = [Run(VGG, 0, "full"), Run(VGG, 1, "full"), Run(GOOD, 0, "full")]
        assert estimate.told(runs) == (
            "about 17 min, and 1 not estimated, as nothing like them was measured"
        )
        assert estimate.devices == {"some GPU"}


@pytest.mark.parametrize(
    ("taken", "told"), [(0, "0 s"), (89, "89 s"), (600, "10 min"), (7200, "2.0 h")]
)
def test_duration(taken: float, told: str) -> None:
    assert duration(taken) == told
