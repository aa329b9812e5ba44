"""The --claims-* options: what they say of themselves, their ini twins, values that cannot be."""

import itertools
import os
import re
from pathlib import Path

import pytest

from tests.plugins.project import Project, Ran, matches

CLAIM = """
@about("1", recipes=BOTH)
def test_one(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)
"""

HELP = """\
claims of computer vision reports (cvclaims):
  --claims-scale=SCALE  auto, smoke, reduced or full (default auto: full where
                        there is a GPU or the claim takes seconds on a CPU; the
                        others are not evaluated)
  --claims-seeds=N      train at most N seeds, 1 to 20 (a verdict is looked for
                        at 3, 5, 8; 13, 20)
  --claims-data=FOLDER  the folder of the data sets (default: CVCLAIMS_DATA,
                        else ./data)
  --claims-results=FOLDER
                        where tables and figures are written (default:
                        .cvclaims/results)
  --claims-store=FOLDER
                        where records are kept (default: records in the results
                        folder)
  --claims-engine=ENGINE
                        where runs are carried out (default inline: in this
                        process)
  --claims-live=TOOLS   tell tensorboard, trackio or wandb of every run, too
                        (names, with commas)
  --claims-device=DEVICE
                        auto, cpu, cuda, cuda:N or mps (default auto: a GPU
                        where there is one)
  --claims-replay       judge from stored records alone, training nothing
  --claims-rerun        train again what the store already holds
  --claims-strict       fail claims whose verdict is inconclusive
  --claims-plan         print what the selected claims would train, and an
                        estimate of the time, instead
  --claims-table        print every claim of this session, as -v does
  --claims-id=IDS       run the claims with these ids alone, such as 5.10,3.*
                        (patterns, with commas)
"""
MARKERS = """\
@pytest.mark.claim(...): a report's claim, judged by this test; made by cvclaims.claim.claim

@pytest.mark.gpu: the full protocol of this claim wants a GPU

@pytest.mark.timing: this claim measures time, so it takes the device alone
"""


def test_help(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = project.run("--help").text
    assert HELP in text
    for name in [
        "scale",
        "seeds",
        "data",
        "results",
        "store",
        "live",
        "device",
        "replay",
        "rerun",
        "strict",
        "plan",
        "table",
    ]:
        assert f"claims_{name}" in text.partition("[pytest] configuration options")[2]


def test_markers(project: Project) -> None:
    assert MARKERS in project.run("--markers").text


BAD = [
    ("scale", "medium", "--claims-scale: 'medium' is none of auto, smoke, reduced, full"),
    ("seeds", "0", "--claims-seeds: '0' is no number from 1 to 20; the rules' bounds hold for *"),
    ("seeds", "21", "--claims-seeds: '21' is no number from 1 to 20; *"),
    ("seeds", "-1", "--claims-seeds: '-1' is no number from 1 to 20; *"),
    ("seeds", "three", "--claims-seeds: 'three' is no number from 1 to 20; *"),
    ("data", "a-file", "*a-file is a file: *claims?data has to name a folder"),
    ("data", "nope", "*nope does not exist: *claims?data has to name the folder of the sets; *"),
    ("results", "a-file", "--claims-results: *a-file is a file; name a folder"),
    ("results", "a-file/below", "--claims-results: *a-file is a file; name a folder"),
    ("store", "a-file", "--claims-store: *a-file is a file; the store needs a folder"),
    ("store", "a-file/below", "--claims-store: *a-file/below cannot be written (*); choose *"),
    ("engine", "ray", "--claims-engine: unknown engine 'ray': did you mean 'replay'? known are *"),
    ("device", "tpu", "--claims-device: 'tpu' is none of auto, cpu, cuda, cuda:N, mps"),
    ("device", "cuda:x", "--claims-device: 'cuda:x' is none of *"),
    ("seeds", "1" * 5000, "--claims-seeds: '1111*…' is no number from 1 to 20; *"),
    ("device", f"cuda:{'1' * 5000}", "--claims-device: 'cuda:111*…' is none of *"),
    ("results", "a-file/\x1b[31m", "--claims-results: *a-file is a file; name a folder"),
    ("store", "a-file/\x1b[31m", r"--claims-store: *a-file/\x1b[31m cannot be written (*); *"),
    ("scale", "\x1b[31m", r"--claims-scale: '*x1b[31m' is none of *"),
    *(
        (name, value, f"--claims-{name}: *cannot be * ({why})*")
        for name in ("results", "store")
        for value, why in {
            "~nobodyhere/x": "Could not determine home directory.",
            "loop/x": "*",
            "a" * 300: "File name too long",
        }.items()
    ),
]


def refused(project: Project, *options: str) -> str:
    """The one line that pytest refuses with."""
    ran = project.run(*options)
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    assert ran.rows == {}
    assert "collected" not in ran.text
    (line,) = filter(None, ran.errors.splitlines())
    return line


@pytest.mark.parametrize(("name", "value", "error"), BAD)
@pytest.mark.parametrize("ini", [False, True], ids=["option", "ini"])
def test_a_bad_value(project: Project, name: str, value: str, error: str, ini: bool) -> None:
    project.write(CLAIM)
    (project.path / "a-file").touch()
    (project.path / "loop").symlink_to("loop")
    if ini:
        project.ini(f"claims_{name} = {value}")
    line = refused(project, *([] if ini else [f"--claims-{name}={value}"]))
    assert matches(line, f"ERROR: {error}")


@pytest.mark.parametrize("name", ["replay", "rerun", "strict"])
def test_a_bad_flag(project: Project, name: str) -> None:
    project.ini(f"claims_{name} = perhaps")
    assert matches(refused(project), f"ERROR: claims_{name}: *'perhaps'*")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--claims-replay", "--claims-rerun"), "*trains nothing and --claims-rerun all: choose *"),
        (("--claims-replay", "--claims-scale=smoke"), "*smoke records judge nothing"),
        (("--claims-scale",), "*--claims-scale: expected one argument*"),
    ],
)
def test_options_that_contradict(project: Project, options: tuple[str, ...], error: str) -> None:
    ran = project.run(*options)
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    ran.result.stderr.fnmatch_lines([f"ERROR: {error}"] if "replay" in options[0] else [error])


def test_a_bad_value_with_workers(project: Project) -> None:
    project.write(CLAIM)
    assert "'medium'" in refused(project, "-n2", "--claims-scale=medium")


def test_a_data_folder_that_is_a_file_by_the_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(CLAIM)
    (project.path / "a-file").touch()
    monkeypatch.setenv("CVCLAIMS_DATA", "a-file")
    ran = project.run()
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    ran.result.stderr.fnmatch_lines(["ERROR: a-file is a file: CVCLAIMS_DATA has to name a folder"])
    ran = project.run("-n1")
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    ran.result.stderr.fnmatch_lines(["ERROR: a-file is a file: CVCLAIMS_DATA has to name a folder"])
    assert ran.summary == []


@pytest.mark.parametrize(("seeds", "trained"), [("1", 1), ("2", 2), ("3", 3), ("4", 3), ("8", 3)])
def test_seeds(project: Project, seeds: str, trained: int) -> None:
    project.write(CLAIM)
    ran = project.run("--claims-seeds", seeds)
    assert ran.rows["1"]["measured"]["good"]["n"] == trained
    assert len(project.records()) == 2 * trained


def header(ran: Ran) -> str:
    """The settings, which may stand on several lines, without the session's name."""
    first = next(n for n, line in enumerate(ran.lines) if line.startswith("claims: "))
    more = itertools.takewhile(lambda line: line.startswith("  "), ran.lines[first + 1 :])
    told, _, name = " ".join(" ".join([ran.lines[first], *more]).split()).rpartition(", session ")
    assert re.fullmatch(r"\d{8}-\d{6}-\w{8}", name)
    return told


def test_header(project: Project) -> None:
    (project.path / "sets" / "cifar10").mkdir(parents=True)
    ran = project.run("--claims-data=sets", "--claims-device=cpu", "--claims-scale=reduced")
    assert header(ran) == (
        "claims: scale reduced, device cpu, data: sets (CIFAR-10), store: .cvclaims/results/records"
    )
    ran = project.run("--claims-replay", "--claims-results=elsewhere")
    assert header(ran) == (
        "claims: scale auto, replay, device auto (no GPU), data: no folder (scikit-learn's sets "
        "only), store: elsewhere/records"
    )


def test_the_header_names_what_stands_in(project: Project) -> None:
    (project.path / "sets" / "cifar10").mkdir(parents=True)
    ran = project.run("--claims-data=sets", "--claims-scale=smoke")
    assert "data: sets (CIFAR-10), generated stand-ins for Fashion-MNIST, store:" in header(ran)


@pytest.mark.parametrize("quiet", [(), ("-q",), ("-v",)])
def test_the_settings_are_told_once(project: Project, quiet: tuple[str, ...]) -> None:
    project.write(CLAIM)
    for options in ((), ("--claims-seeds=3",)):
        assert project.run(*quiet, *options).text.count("claims: scale auto") == 1


def test_ini_twins(project: Project) -> None:
    project.write(CLAIM)
    (project.path / "sets" / "cifar10").mkdir(parents=True)
    below = project.path / "below"
    below.mkdir()
    project.ini(
        "claims_scale = smoke",
        "claims_seeds = 1",
        "claims_data = sets",
        "claims_results = tables",
        "claims_store = evidence",
        "claims_device = cpu",
        "claims_rerun = true",
        "claims_strict = true",
    )
    # An ini value is meant from its file, an option from where one stands, and the option wins.
    project.enter(below)
    ran = project.run("..", "--claims-results=mine", "--claims-scale=full")
    assert header(ran) == (
        f"claims: scale full, rerun, device cpu, data: {project.path / 'sets'} (CIFAR-10), "
        f"store: {project.path / 'evidence'}"
    )
    assert (below / "mine" / "claims.json").exists()
    assert len(list((project.path / "evidence").glob("full/*/*.json"))) == 2


def test_results_that_cannot_be_written(project: Project) -> None:
    project.write(CLAIM.replace("verdict.greater", "open('tables', 'w').close(); verdict.greater"))
    ran = project.run("--claims-store=store", "--claims-results=tables")
    assert ran.counts == {"passed": 1}
    assert ran.result.ret == pytest.ExitCode.TESTS_FAILED
    told = " ".join(" ".join(ran.summary).split())
    assert matches(told, "*no page was written: *tables cannot be written (*); choose *")
    assert len(list(Path("store").glob("full/*/*.json"))) == 6


def kept(folder: Path) -> dict[Path, bytes]:
    """All that a results folder holds, but for locks."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in found if ".locks" not in path.parts}


@pytest.mark.parametrize(
    ("device", "error", "mode"),
    [
        ("cuda", "--claims-device: torch *; --claims-device cpu trains on the CPU", ()),
        ("cuda:7", "--claims-device: torch *; --claims-device cpu trains on the CPU", ("-n2",)),
        ("mps", "--claims-device: torch has no mps here; --claims-device cpu trains on *", ()),
    ],
)
def test_a_device_that_is_not_there_is_refused_before_anything_trains(
    project: Project, device: str, error: str, mode: tuple[str, ...]
) -> None:
    project.write(CLAIM)
    project.run()
    before = kept(project.results)
    for options in ((), ("--claims-rerun",)):
        ran = project.run(*mode, "--claims-device", device, *options)
        assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
        (line,) = filter(None, ran.errors.splitlines())
        assert matches(line, f"ERROR: {error}")
    assert kept(project.results) == before


@pytest.mark.parametrize("option", ["--collect-only", "--claims-plan", "--claims-replay"])
def test_a_device_that_is_not_there_matters_only_to_training(project: Project, option: str) -> None:
    project.write(CLAIM)
    assert project.run("--claims-device=mps", option).result.ret == 0


def test_without_claims_torch_is_not_asked_for_a_device(project: Project) -> None:
    (project.path / "test_things.py").write_text("def test_fine():\n    pass\n")
    project.forbid("torch")
    assert project.run_alone("--claims-device=cuda").counts == {"passed": 1}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may enter all")
@pytest.mark.parametrize("name", ["results", "store"])
def test_a_folder_below_one_that_may_not_be_entered(project: Project, name: str) -> None:
    closed = project.path / "closed"
    closed.mkdir(mode=0)
    line = refused(project, f"--claims-{name}=closed/below")
    closed.chmod(0o700)
    assert "(Permission denied)" in line
    assert "\n" not in line


def test_the_other_plugins_work_without_the_one_that_has_the_options(project: Project) -> None:
    (project.path / "test_things.py").write_text(
        "def test_fine(device, data):\n    assert device.type == 'cpu'\n    assert data('digits')\n"
    )
    assert project.run("-pno:cvclaims").counts == {"passed": 1}


COUNT = """
@about("1")
def test_one(verdict):
    verdict.exact(1, 1)
"""


@pytest.mark.parametrize("tests", [CLAIM, COUNT], ids=["trained", "counted"])
@pytest.mark.parametrize("options", [(), ("--claims-seeds=3",)])
def test_git_passes_over_the_folder_that_nobody_named(
    project: Project, tests: str, options: tuple[str, ...]
) -> None:
    project.write(tests)
    ours = project.path / ".cvclaims"
    for nothing in ("--collect-only", "--claims-plan"):
        project.run(*options, nothing)
        assert not ours.exists()
    project.run(*options)
    assert (ours / ".gitignore").read_text() == "# Made by cvclaims.\n*\n"
    # Whoever takes it away, or had the folder before, keeps what is there.
    (ours / ".gitignore").unlink()
    project.run(*options)
    assert not (ours / ".gitignore").exists()


def test_a_folder_that_was_named_is_left_to_git(project: Project) -> None:
    project.write(COUNT)
    project.run("--claims-results=named")
    assert (project.path / "named" / "claims.json").exists()
    assert not list(project.path.rglob("named/**/.gitignore"))
    assert not (project.path / ".cvclaims").exists()
