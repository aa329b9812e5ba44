"""What ends a session badly costs no evidence, and the next one goes on where it was."""

import json
from pathlib import Path

import pytest

from tests.plugins.project import Project

TWO = """
@about("1", recipes=BOTH)
def test_one(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)

@about("2", recipes={"good": GOOD.but(epochs=4), "bad": BAD.but(epochs=4)})
def test_two(runs, verdict):
    verdict.greater(runs.bad.test_accuracy, runs.good.test_accuracy)
"""
# What a session of its own runs under: a store that holds so many more records.
ROOM = """
from cvclaims.records import store

left = [{room}]
plain = store.write_atomically

def write(path, content):
    if path.name.endswith(".json"):
        if left[0] == 0:
            raise OSError(28, "No space left on device")
        left[0] -= 1
    plain(path, content)

store.write_atomically = write
"""
AT_THE_END = """

import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    left[0] = 100
"""
CRASH = """
import cvclaims.engines.work as work

def crash(*_, **__):
    raise ValueError("it crashed")

work.train = crash
"""


def sessions(project: Project) -> dict[Path, str]:
    """Which session trained what."""
    return {p: json.loads(p.read_text())["origin"]["session"] for p in project.records()}


def under(project: Project, conftest: str) -> None:
    (project.path / "conftest.py").write_text(conftest)


def test_a_full_disk_ends_the_session(project: Project) -> None:
    project.write(TWO)
    under(project, ROOM.format(room=4))
    ran = project.run_alone("-n1")
    assert ran.result.ret != 0
    assert len(project.records()) == 4, "what fits is kept"
    assert "No space left on device" in ran.text
    assert "2 finished runs are lost: " in ran.text
    # The second claim's runs would have been lost as well.
    assert list(ran.verdicts().values()) == ["error"]
    assert "Traceback" not in ran.text
    under(project, "")
    again = project.run()
    assert again.verdicts() == {"1": "supported", "2": "refuted"}
    assert "4 runs read, 8 trained" in again.text


def test_what_did_not_fit_is_written_at_the_end_if_it_fits_then(project: Project) -> None:
    project.write(TWO)
    under(project, ROOM.format(room=4) + AT_THE_END)
    ran = project.run_alone()
    assert len(project.records()) == 6
    assert "the records of 2 runs that could not be written at first are written now" in ran.text


def test_a_crash_costs_neither_record_nor_verdict(project: Project) -> None:
    project.write(TWO)
    first = project.run()
    before = {path: path.read_bytes() for path in project.records()}
    under(project, CRASH)
    ran = project.run_alone("--claims-rerun")
    assert {path: path.read_bytes() for path in project.records()} == before
    assert ran.verdicts() == first.verdicts()
    assert "it crashed" in ran.rows["1"]["failure"]
    under(project, "")
    assert "failure" not in project.run().rows["1"]


def test_a_rerun_that_was_killed_goes_on_where_it_was(project: Project) -> None:
    project.write(TWO)
    project.run()
    first = set(sessions(project).values())
    assert len(first) == 1
    project.write(TWO.replace("verdict.greater(runs.bad", "import os; os._exit(9); (runs.bad"))
    project.run_alone("--claims-rerun")
    project.write(TWO)
    killed = set(sessions(project).values()) - first
    assert len(killed) == 1
    kept = {path for path, session in sessions(project).items() if session in killed}
    before = {path: path.stat().st_mtime_ns for path in kept}
    assert len(before) == 6
    ran = project.run("-n1", "--claims-rerun")
    assert "6 runs read, 6 trained" in ran.text
    assert set(sessions(project).values()) == killed
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    # It is done: the next one begins anew.
    again = project.run("--claims-rerun")
    assert "0 runs read, 12 trained" in again.text
    assert set(sessions(project).values()).isdisjoint(first | killed)


LOST = """
import cvclaims.engines.work as work

plain, gone = work.train, []

def train(runs, *rest, **named):
    if runs[0][0].epochs == 4:
        gone.append("CUDA error: device-side assert triggered")
        raise RuntimeError(gone[0])
    return plain(runs, *rest, **named)

work.train, work.broken = train, lambda device: gone[0] if gone else ""
"""


def test_a_lost_device_ends_its_worker_and_no_other(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    under(project, LOST)
    project.write(TWO)
    ran = project.run("-n1")  # of two the other may come to it first, as work of the plan
    assert ran.rows["1"]["verdict"] == "supported"
    assert "cpu no longer works for this process (CUDA error: device-side" in capfd.readouterr().err
    assert "crashed while running" in ran.reason("2")
    assert len(project.records()) > 0
    assert all(json.loads(p.read_text())["status"] == "finished" for p in project.records())


def test_a_lost_device_ends_a_session_of_one_process(project: Project) -> None:
    under(project, LOST)
    project.write(TWO)
    ran = project.run()
    told = "cpu no longer works for this process (CUDA error: device-side assert triggered)"
    assert told in ran.text
    assert "the same command goes on from there" in ran.text
    assert len(project.records()) > 0
    assert all(json.loads(p.read_text())["status"] == "finished" for p in project.records())
