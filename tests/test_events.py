"""Events of a session: what a journal holds, and what it tells."""

import errno
import json
import os
import platform
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from cvclaims import events
from cvclaims.events import Follower, Journal, Progress, State, journals

SESSION = "20261127-120000-0123abcd"
RUN = Progress("mlp on digits", "5555", 0, "aa11", 0, 3, 9, {"accuracy": 0.98765}, 12_345.0, 7.2)
BEGUN, DONE = replace(RUN, step=0), replace(RUN, done="finished")
PLAN: dict[str, Any] = {"claims": 9, "runs": 4, "work": 400.0}
GONE = 2**22 + 1  # beyond the largest pid of Linux


def told(path: Path) -> State:
    state = State()
    Follower(path).into(state)
    return state


def event(kind: str, at: float = 100.0, worker: str = "gw0", **facts: Any) -> dict[str, Any]:
    return {"time": at, "worker": worker, "event": kind, **facts}


def begin(worker: str = "gw0", pid: int | None = None, host: str = "") -> dict[str, Any]:
    pid = os.getpid() if pid is None else pid
    return event("begin", worker=worker, pid=pid, host=host or platform.node(), **PLAN)


def progress(
    worker: str = "gw0", claim: str = "1.1", at: float = 100.0, **changes: Any
) -> dict[str, Any]:
    whose = {"claim": claim, "arm": "ours", "work": 100.0, "planned": True}
    kind = "run ended" if changes.get("done") else "epoch"
    return event(kind, at, worker, **whose | asdict(RUN) | changes)


def state_of(*happened: dict[str, Any]) -> State:
    state = State()
    for one in happened:
        state.take(one)
    return state


def tell(journal: Journal, progress: Progress = RUN) -> None:
    """As a process of a session does."""
    if not journal.begun:
        journal.begin(**PLAN)
    if journal.due(progress):
        journal.progress("1.1", "ours", 100.0, True, progress)


class TestJournal:
    def test_nothing_is_written_before_something_trains(self, tmp_path: Path) -> None:
        journal = Journal(tmp_path, SESSION, "gw0")
        journal.write("claim", id="1", case="", verdict="supported")
        journal.close()
        assert list(tmp_path.iterdir()) == []

    def test_what_happened_before_is_not_lost(self, tmp_path: Path) -> None:
        controller, worker = (Journal(tmp_path, SESSION, name) for name in ("main", "gw0"))
        controller.write("claim", id="1", case="", verdict="supported")
        tell(worker)
        controller.write("claim", id="2", case="", verdict="refuted")
        assert told(worker.path).judged == {"1 ": "supported", "2 ": "refuted"}

    def test_two_processes_write_one_file(self, tmp_path: Path) -> None:
        one, other, controller = (
            Journal(tmp_path, SESSION, name) for name in ("gw0", "gw1", "main")
        )
        tell(one)
        tell(other)
        controller.write("claim", id="1.1", case="moons", verdict="supported")
        state = told(one.path)
        assert (state.claims, state.runs, state.work) == (9, 4, 400.0)
        assert set(state.active) == {"gw0", "gw1"}
        assert state.judged == {"1.1 moons": "supported"}
        for journal in (one, other, controller):
            journal.close()
        assert told(one.path).ended
        assert journals([tmp_path, tmp_path / "none"]) == [one.path]

    def test_epochs_come_once_a_second_and_ends_always(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: now)
        journal = Journal(tmp_path, SESSION, "gw0")
        tell(journal, BEGUN)
        for now in (100.0, 100.5, 101.0, 101.2):  # noqa: B007
            tell(journal)
        tell(journal, DONE)
        kinds = [json.loads(line)["event"] for line in journal.path.read_text().splitlines()]
        assert kinds == ["begin", "run begun", "epoch", "run ended"]
        assert told(journal.path).trained == 1

    def test_only_so_many_are_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(events, "KEPT", 3)
        for day in range(1, 6):
            for worker in ("gw0", "gw1"):  # the second finds it there
                tell(Journal(tmp_path, f"202611{day:02d}-120000-0123abcd", worker))
            (tmp_path / events.FOLDER / "mine.jsonl").touch()
        left = sorted(path.name for path in (tmp_path / events.FOLDER).iterdir())
        assert [name[:8] for name in left] == ["20261103", "20261104", "20261105", "mine.jso"]

    def test_what_cannot_be_written_is_told_once_and_stops_nothing(self, tmp_path: Path) -> None:
        (tmp_path / events.FOLDER).touch()
        journal = Journal(tmp_path, SESSION, "gw0")
        for _ in range(3):
            tell(journal, BEGUN)
        (fault,) = journal.take_faults()
        assert fault.endswith("nobody can watch this session")
        tell(journal, DONE)
        journal.close()
        assert journal.take_faults() == []

    def test_a_full_disk_is_told_once_and_stops_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = Journal(tmp_path, SESSION, "gw0")
        tell(journal)

        def full(*_: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            tell(journal, DONE)
            journal.close()
        (fault,) = journal.take_faults()
        assert "No space left" in fault


class TestState:
    def test_a_session_from_its_beginning_to_its_end(self) -> None:
        state = state_of(begin(), begin("gw1"), progress(), progress("gw1", step=4))
        assert [state.active[name].progress.step for name in ("gw0", "gw1")] == [3, 4]
        state.take(progress("gw1", done="finished"))
        state.take(event("claim", id="1.1", case="", verdict="refuted"))
        state.take(event("problem", text="odd"))
        state.take(event("end", 150.0))
        assert (state.active, state.trained, state.ended) == ({}, 1, False)
        state.take(event("end", 150.0, "gw1"))
        assert (state.ended, state.dead(1e9), list(state.problems)) == (True, False, ["odd"])

    def test_a_run_that_crashed_is_none_that_was_trained(self) -> None:
        state = state_of(begin(), progress(done="failed"))
        assert (state.trained, state.failed, state.held, state.active) == (0, 1, {}, {})

    def test_the_plan_counts_what_was_found_and_what_was_trained(self) -> None:
        state = state_of(begin(), event("held", runs={"5555/0": 100.0, "5555/1": 100.0}))
        state.take(progress(done="finished"))  # the first of them, by another process
        state.take(progress(done="finished", seed=7, planned=False))
        assert (len(state.held), state.trained) == (2, 2)

    def test_what_is_left_goes_by_the_pace_so_far(self) -> None:
        state = state_of(begin(), progress(step=9, steps=9, done="finished", left=None))
        assert state.left() is None  # no time has passed
        state.take(event("held", 120.0, runs={"5555/1": 100.0}))
        # 100 of work in 20 s, and two of four runs left.
        assert state.left() == pytest.approx(40.0)
        state.take(progress(at=120.0, seed=2, step=1, steps=2, left=None))
        assert state.left() == pytest.approx(150 * 20 / 150)
        state.take(progress(at=120.0, seed=2, step=1, steps=2, left=500.0))
        assert state.left() == 500.0  # no session ends before what trains in it

    def test_a_session_whose_processes_are_gone_is_dead(self) -> None:
        assert state_of(begin(pid=GONE), progress()).dead(101.0)
        assert not state_of(begin(pid=GONE), begin("gw1")).dead(1e9)
        assert not state_of(begin(pid=GONE), event("end")).dead(1e9)
        assert not State().dead(1e9)
        for pid in (10**30, 0, -1):
            assert state_of(begin(pid=pid)).dead(101.0)

    def test_of_another_machine_only_silence_tells(self) -> None:
        state = state_of(begin(pid=1, host="elsewhere"), progress())
        assert not state.dead(99.0 + events.SILENCE_SECONDS)
        assert state.dead(101.0 + events.SILENCE_SECONDS)

    @pytest.mark.parametrize(
        "odd",
        [
            {},
            {"time": "now", "worker": "gw0", "event": "epoch"},
            event("epoch"),
            event("surprise"),
            event("begin", pid="x", host=1, claims=2),
            event("begin", pid=1e400, host="h", **PLAN),
            event("held", runs=["a"]),
            event("held", runs={"a": "b"}),
            event("claim", id="1"),
            progress(at=float("nan")),
            progress(numbers={"accuracy": "high"}),
            progress(numbers={"accuracy": float("nan")}),
            progress(numbers=3),
            progress(rate="fast"),
            progress(rate=10**400),
            progress(left="soon"),
            progress(left=float("inf")),
            progress(step={}),
            progress(work=None),
        ],
        ids=repr,
    )
    def test_what_is_no_event_changes_nothing(self, odd: dict[str, Any]) -> None:
        state = state_of(begin(), progress())
        before = asdict(state)
        state.take(odd)
        assert asdict(state) == before


def test_torn_and_strange_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / f"{SESSION}.jsonl"
    deep = "[" * 100_000
    lines = [json.dumps(begin()), "{", "[1]", "\x00", deep, json.dumps(progress()), '{"time": 1']
    path.write_text("\n".join(lines))
    follower, state = Follower(path), State()
    follower.into(state)
    assert set(state.active) == {"gw0"}
    with path.open("a") as file:
        file.write("}\n" + json.dumps(event("end")) + "\n")
    follower.into(state)
    assert (state.ended, state.session) == (True, SESSION)


def test_a_file_that_is_gone_tells_nothing(tmp_path: Path) -> None:
    assert list(Follower(tmp_path / "gone.jsonl").events()) == []
