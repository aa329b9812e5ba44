"""--claims-plan: what is printed, what the estimate goes by, and that nothing is trained."""

import re

import pytest
import torch

from cvclaims.engines.provenance import device_name
from cvclaims.recipe import Recipe
from cvclaims.records import Store
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


# Times differ from machine to machine.
TIME = r"about \d+(\.\d)? (s|min|h)"
DEVICE = re.escape(f"{device_name(torch.device('cpu'))}, 1 thread a run")


def matched(lines: list[str], *patterns: str) -> None:
    """Each line is what its pattern says."""
    assert len(lines) == len(patterns)
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), line


def test_a_plan_of_nothing_measured(project: Project) -> None:
    project.write(CLAIMS)
    matched(
        planned(project),
        "4 claim tests: 2 train at full scale; 1 time their recipes; 1 train nothing",
        r"timing a few steps of 1 kind of network \.\.\.",
        f"first look: 6 runs, 3 of them shared between claims; 0 in the store, 6 left: {TIME}",
        "worst case, no look deciding before the last: 40 runs, 20 of them shared between claims; "
        f"0 in the store, 40 left: {TIME}",
        f"times are estimates, run after run, for {DEVICE}, by a few steps of 1 kind of network on "
        "random data",
        "0 have their first look in the store; the others, cheapest first, each",
        "with what those above it leave to train:",
        "",
        "claim    case    scale      runs    to train  time",
        "-------  ------  -------  ------  ----------  ---------",
        rf"2                full          3           3  {TIME}",
        rf"1                full          6           3  {TIME}",
    )
    assert not (project.path / "results").exists()


EVERYWHERE = """
RICH = dict(lr=0.01, epochs=40, precision="bf16", augment=("crop", "flip"))
CIFAR = Recipe(data="cifar10", model="conv4", **RICH)

@pytest.mark.gpu
@about("1", recipes={
    "one": CIFAR,
    "patient": CIFAR.but(patience=3, monitor="held_out_loss", held_out=5_000),
    "probed": CIFAR.but(batch_size=16, probes=("evaluated_train_accuracy",)),
    "garments": Recipe(data="fashion_mnist", lr=0.1, epochs=10),
    "points": Recipe(data="moons", lr=0.1, epochs=10, batch_size=None, probes=("units",)),
})
def test_all(runs, verdict): ...
"""


@pytest.mark.parametrize("scale", ["smoke", "reduced", "full"])
def test_every_run_has_an_estimate_without_data_or_gpu(project: Project, scale: str) -> None:
    project.write(EVERYWHERE)
    lines = planned(project, f"--claims-scale={scale}")
    text = "\n".join(lines)
    assert "not estimated" not in text
    assert len(re.findall(TIME, text)) == 3
    refused = "what cannot run here is counted as if it could" in lines
    assert refused == (scale == "full")
    early = "runs that may stop early are taken to their last epoch" in text
    assert early


def test_a_device_that_is_not_there_has_no_times(project: Project) -> None:
    project.write(CLAIMS)
    lines = planned(project, "--claims-device=cuda", "-k", "one")
    assert lines[1].endswith("3 left: not estimated")
    assert lines[3].startswith("times cannot be estimated: torch ")


def test_what_would_steer_a_terminal_is_shown_as_what_it_is(project: Project) -> None:
    project.write(CLAIMS.replace('"2"', '"2\\x1b[31m"'))
    lines = planned(project, "-k", "test_one")
    assert lines[-1].startswith(r"2\x1b[31m")
    assert "\x1b" not in "".join(lines)


def stored(project: Project, *seeds: int) -> None:
    """Records of GOOD from this device at 6 images a second: 600 images take 100 s."""
    store = Store(project.results / "records")
    here = origin(device=device_name(torch.device("cpu")), threads=torch.get_num_threads())
    for seed in seeds:
        store.put(record(GOOD, seed, images_per_second=6.0, origin=here))


def test_a_plan_beside_records(project: Project) -> None:
    project.write(CLAIMS)
    stored(project, 0, 1, 2)
    lines = planned(project, "-k", "not timed", "--claims-seeds=5")
    matched(
        lines[1:4],
        "first look: 6 runs, 3 of them shared between claims; 3 in the store, 3 left: about 5 min",
        "worst case, no look deciding before the last: 10 runs, 5 of them shared between claims; 3 "
        "in the store, 7 left: about 12 min",
        f"times are estimates, run after run, for {DEVICE}, by records of this device",
    )
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
    assert len(planned(project, "-qq")) == 5


def test_claims_that_want_a_gpu_are_planned_as_if_they_could_run(project: Project) -> None:
    project.write(CLAIMS.replace('@about("1"', '@pytest.mark.gpu\n@about("1"'))
    project.ini("claims_plan = true")
    lines = planned(project, "-k", "both", "--claims-scale=full")
    assert "1 train at full scale; 1 cannot run here: it wants a GPU" in lines[0]
    assert lines[5] == "what cannot run here is counted as if it could"
    assert len(lines) == 12


def test_it_is_printed_once_and_imports_torch_only_then(project: Project) -> None:
    project.write(CLAIMS)
    # Which looks as the session finishes, just before the plan is printed.
    project.forbid("torch", "numpy", "scipy")
    ran = project.run_alone("--claims-plan", "-n2")
    assert (ran.result.ret, ran.errors) == (0, "")
    assert ran.text.count("first look: ") == 1
    assert "times are estimates, shared evenly among 2 workers as fast as one, for " in ran.text
    assert ran.rows == {}


def test_a_plan_with_nothing_left_to_train_imports_no_torch(project: Project) -> None:
    project.write(CLAIMS)
    stored(project, 0, 1, 2)
    project.forbid("torch")
    text = (project.path / "conftest.py").read_text().replace("sessionfinish", "unconfigure")
    (project.path / "conftest.py").write_text(text)
    ran = project.run_alone("--claims-plan", "-k", "one", "--claims-seeds=3")
    assert (ran.result.ret, ran.errors) == (0, "")
    assert "0 left: nothing to train" in ran.text


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
