"""`cvclaims evidence` in a small repository of its own: what it trains, skips, keeps and says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cvclaims
from cvclaims.locks import Lock
from tests.plugins.project import PRELUDE

PACKAGE = Path(cvclaims.__file__).parents[1]
CLAIMS = f"""{PRELUDE}
@about("1.1", recipes=BOTH)
def test_one(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)

@about("1.2", recipes={{"bad": BAD, "good": GOOD}})
def test_two(runs, verdict):
    verdict.greater(runs.bad.test_accuracy, runs.good.test_accuracy)
"""
QUEUE = """
[[step]]
what = "two rates"
claims = ["1.1", "1.2"]
scale = "full"
hours = 0.1
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "test_claims.py").write_text(CLAIMS, encoding="utf-8")
    (tmp_path / "claims" / "evidence.toml").write_text(QUEUE, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nclaims_results = results\npython_files = test_*.py\n", encoding="utf-8"
    )
    (tmp_path / ".gitignore").write_text(".cvclaims/\n", encoding="utf-8")
    git(tmp_path, "init", "-q")
    commit(tmp_path, "claims")
    return tmp_path


def git(where: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=where, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(where: Path, message: str) -> None:
    git(where, "add", "-A")
    git(where, "commit", "-qm", message)


def evidence(where: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    # The devices' locks lie among temporary files: whoever else trains here is not waited for.
    alone = where / ".cvclaims" / "tmp"
    alone.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "cvclaims", "evidence", *options],
        cwd=where,
        env=os.environ | {"PYTHONPATH": str(PACKAGE), "TMPDIR": str(alone)},
        capture_output=True,
        text=True,
        check=False,
    )


def all_rows(where: Path) -> list[dict[str, Any]]:
    table = json.loads((where / "results" / "claims.json").read_text(encoding="utf-8"))
    return list(table["claims"])


def rows(where: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in all_rows(where)}


def test_it_trains_from_a_checkout_and_renews_the_results(repository: Path) -> None:
    clean = git(repository, "rev-parse", "HEAD")
    # An edit that is not committed reaches no training.
    claims = repository / "claims" / "test_claims.py"
    claims.write_text(CLAIMS.replace("lr=0.5", "lr=0.4"), encoding="utf-8")
    done = evidence(repository, "--workers", "2", "--nice", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"the working tree has changes; trained is commit {clean[:12]}" in done.stdout
    assert "step 1, two rates, full: first looks of 1.1, 1.2" in done.stdout
    records = list((repository / ".cvclaims" / "evidence" / "records").rglob("full/digits/*.json"))
    trained = [json.loads(path.read_text(encoding="utf-8")) for path in records]
    assert len(trained) == 6, "two recipes, three seeds: each run once"
    assert {record["recipe"]["lr"] for record in trained} == {0.5, 1e-4}
    assert {record["origin"]["claims"] for record in trained} == {clean[:7]}
    # The claims of the working tree have a recipe without records: nothing is judged, or written.
    assert not (repository / "results" / "claims.json").exists()

    claims.write_text(CLAIMS, encoding="utf-8")
    assert evidence(repository, "--renew").returncode == 0
    found = rows(repository)
    assert (found["1.1"]["verdict"], found["1.2"]["verdict"]) == ("supported", "refuted")
    assert len(list((repository / "results" / "records").rglob("full/digits/*.json"))) == 6
    status = evidence(repository, "--status")
    assert (
        status.stdout == "step 1, two rates (full, planned 0.1 h): done, or judged at full scale\n"
    )


def test_what_it_cannot_use_is_told_in_one_line(repository: Path) -> None:
    queue = repository / "claims" / "evidence.toml"
    for text, told in (
        (QUEUE.replace("1.2", "1.9"), "step 1: no claim is called '1.9'; the nearest are 1.2, 1.1"),
        (QUEUE.replace("full", "fall"), "step 1: unknown scale 'fall': did you mean 'full'?"),
    ):
        queue.write_text(text, encoding="utf-8")
        done = evidence(repository)
        assert done.returncode == 2
        assert done.stderr.startswith(f"cvclaims evidence: claims/evidence.toml: {told}")
        assert len(done.stderr.splitlines()) == 1
    queue.write_text(QUEUE, encoding="utf-8")
    for options, told in (
        (("--steps", "2"), "--steps: '2' is no step from 1 to 1"),
        (("--workers", "0"), "--workers: 0 is no number of 1 or more"),
        (("--nice", "20"), "--nice: 20 is no number from 0 to 19"),
    ):
        done = evidence(repository, *options)
        assert (done.returncode, done.stderr) == (2, f"cvclaims evidence: {told}\n")
    with Lock(repository / ".cvclaims" / "evidence" / "lock", "the queue of long runs"):
        done = evidence(repository)
    assert done.returncode == 2
    assert f"process {os.getpid()} on " in done.stderr
    assert " trains this queue already (lock " in done.stderr


def test_without_a_repository_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "evidence.toml").write_text(QUEUE, encoding="utf-8")
    done = evidence(tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("cvclaims evidence: git rev-parse failed in ")
    assert len(done.stderr.splitlines()) == 1


TIMED = f"""
import pytest
{PRELUDE}
@about("1.1", recipes=BOTH)
def test_trained(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)

@pytest.mark.timing
@about("1.1", recipes=BOTH, case="time")
def test_timed(runs, verdict, timer):
    verdict.times(timer.ratio(runs.good, runs.bad), factor=50)
"""
TIMED_QUEUE = QUEUE.replace('"1.1", "1.2"', '"1.1"')


def test_a_step_times_or_trains_and_its_rows_are_kept(repository: Path) -> None:
    (repository / "claims" / "test_claims.py").write_text(TIMED, encoding="utf-8")
    queue = repository / "claims" / "evidence.toml"
    queue.write_text(TIMED_QUEUE + TIMED_QUEUE + "timed = true\n", encoding="utf-8")
    commit(repository, "one is timed")
    done = evidence(repository, "--steps", "2", "--nice", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = (row for row in all_rows(repository) if (row["rule"] or "").endswith("timed"))
    assert (row["case"], row["verdict"]) == ("time", "refuted"), "no record could be replayed"
    records = repository / ".cvclaims" / "evidence" / "records"
    assert not list(records.rglob("full/*/*.json")), "nothing trains in a step that times"

    done = evidence(repository, "--nice", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "step 1, two rates, full: first looks of 1.1" in done.stdout
    assert "step 2" not in done.stdout, "it is timed already"
    found = {row["case"]: row for row in all_rows(repository)}
    assert found["time"] == row, "a step that trains leaves it alone"
    assert found[""]["verdict"] == "supported"
