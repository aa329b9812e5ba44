"""Events of a session: what a journal holds, and what it tells."""

import json
import os
import platform
import re
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cvclaims import events
from cvclaims.events import Follower, Journal, Progress, State, journals

SESSION = "20261127-120000-0123abcd"
RUN = Progress("mlp on digits, seed 0", "aa11", 0, 3, 9, {"accuracy": 0.98765}, 12_345.0, 7.2)


def told(path: Path) -> State:
    state = State()
    Follower(path).into(state)
    return state


def event(kind: str, at: float = 100.0, worker: str = "gw0", **facts: Any) -> dict[str, Any]:
    return {"time": at, "worker": worker, "event": kind, **facts}


def begin(worker: str = "gw0", pid: int | None = None, host: str = "") -> dict[str, Any]:
    pid = os.getpid() if pid is None else pid
    return event("begin", worker=worker, pid=pid, host=host or platform.node(), claims=9)


def progress(worker: str = "gw0", claim: str = "1.1", **changes: Any) -> dict[str, Any]:
    return event("progress", worker=worker, claim=claim, **asdict(RUN) | changes)


def state_of(*happened: dict[str, Any]) -> State:
    state = State()
    for one in happened:
        state.take(one)
    return state


def test_progress_in_one_line() -> None:
    assert RUN.told() == (
        "mlp on digits, seed 0: epoch 3/9, accuracy 0.9877, 12,345 images/s, 7 s left"
    )
    own = Progress("fit, seed 1", "bb", 2, 4, 0, {"loss": 0.5})
    assert own.told() == "fit, seed 1 (+2 beside it): loss 0.5"


class TestJournal:
    def test_nothing_is_written_before_something_trains(self, tmp_path: Path) -> None:
        journal = Journal(tmp_path, SESSION, "gw0", 5)
        journal.write("claim", id="1", case="", verdict="supported")
        journal.close()
        assert list(tmp_path.iterdir()) == []

    def test_two_processes_write_one_file(self, tmp_path: Path) -> None:
        one, other = (Journal(tmp_path, SESSION, name, 5) for name in ("gw0", "gw1"))
        controller = Journal(tmp_path, SESSION, "main")
        one.progress("1.1", RUN)
        other.progress("1.2", RUN)
        controller.write("claim", id="1.1", case="moons", verdict="supported")
        state = told(one.path)
        assert (state.claims, set(state.active), state.judged) == (
            5,
            {"gw0", "gw1"},
            {"1.1 moons": "supported"},
        )
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
        for now in (100.0, 100.5, 101.0, 101.2):  # noqa: B007
            journal.progress("1.1", RUN)
        journal.progress("1.1", Progress(RUN.what, RUN.key, done="finished"))
        kinds = [json.loads(line)["event"] for line in journal.path.read_text().splitlines()]
        assert kinds == ["begin", "progress", "progress", "progress"]
        assert told(journal.path).trained == 1

    def test_only_so_many_are_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(events, "KEPT", 3)
        for day in range(1, 6):
            Journal(tmp_path, f"202611{day:02d}-120000-0123abcd", "gw0").progress("1", RUN)
            (tmp_path / events.FOLDER / "mine.jsonl").touch()
        left = sorted(path.name for path in (tmp_path / events.FOLDER).iterdir())
        assert [name[:8] for name in left] == ["20261103", "20261104", "20261105", "mine.jso"]

    def test_what_cannot_be_written_is_told_once_and_stops_nothing(self, tmp_path: Path) -> None:
        (tmp_path / events.FOLDER).touch()
        journal = Journal(tmp_path, SESSION, "gw0")
        for _ in range(3):
            journal.progress("1.1", RUN)
        journal.close()
        assert journal.fault.endswith("nobody can watch")
        assert journal.fault.count("\n") == 0


class TestState:
    def test_a_session_from_its_beginning_to_its_end(self) -> None:
        state = state_of(begin(), begin("gw1"), progress(), progress("gw1", step=4))
        assert state.plan(160.0) == "0 of 9 claims judged, 0 runs trained, 1 min so far"
        assert len(state.lines()) == 2
        state.take(progress("gw1", done="finished"))
        state.take(event("claim", id="1.1", case="", verdict="refuted"))
        state.take(event("end", 150.0))
        assert (state.active, state.trained, state.ended) == ({}, 1, False)
        state.take(event("end", 150.0, "gw1"))
        assert state.plan(160.0).endswith(
            "1 of 9 claims judged, 1 runs trained, 1 min so far, ended"
        )

    def test_a_session_whose_processes_are_gone_is_dead(self) -> None:
        gone = 2**22 + 1  # beyond the largest pid of Linux
        state = state_of(begin(pid=gone), progress())
        assert state.dead(101.0)
        assert "no sign of life for 1 s: its processes are gone" in state.plan(101.0)
        assert not state_of(begin(pid=gone), begin("gw1")).dead(1e9)
        assert not state_of(begin(pid=gone), event("end")).dead(1e9)
        assert not State().dead(1e9)

    def test_of_another_machine_only_silence_tells(self) -> None:
        state = state_of(begin(pid=1, host="elsewhere"), progress())
        assert not state.dead(100.0 + events.SILENCE_SECONDS)
        assert state.dead(101.0 + events.SILENCE_SECONDS)

    @pytest.mark.parametrize(
        "odd",
        [
            {},
            {"time": "now", "worker": "gw0", "event": "progress"},
            event("progress"),
            event("surprise"),
            event("begin", pid="x", host=1, claims=2),
            progress(numbers={"accuracy": "high"}),
            progress(numbers=3),
            progress(rate="fast"),
            progress(left="soon"),
            progress(step={}),
        ],
    )
    def test_what_is_no_event_changes_nothing_that_is_shown(self, odd: dict[str, Any]) -> None:
        state = state_of(begin(), progress())
        before = (state.lines(), dict(state.active), state.trained)
        state.take(odd)
        state.table(time.time())
        assert (state.lines(), dict(state.active), state.trained) == before

    def test_no_text_steers_the_terminal(self) -> None:
        from rich.console import Console

        state = state_of(begin(), progress(claim="1\x1b[2J", what="[red]a\x1b]0;x\x07\nb"))
        assert "\x1b" not in "".join(state.lines())
        console = Console(width=120, color_system=None)
        with console.capture() as shown:
            console.print(state.table(100.0))
        text = shown.get()
        assert "\x1b" not in text
        assert "[red]a" in text  # no markup of rich's

    @pytest.mark.parametrize("width", [20, 40, 80, 120])
    def test_a_table_is_no_wider_than_the_terminal(self, width: int) -> None:
        from cvclaims.plugins.live import rendered
        from cvclaims.text import cells

        state = state_of(begin(), progress(what="모델 " * 40), progress("gw1"))
        lines = rendered(state, width)
        plain = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]
        assert max(map(cells, plain)) <= width
        assert any("3/9" in line for line in plain) or width < 80


def test_torn_and_strange_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / f"{SESSION}.jsonl"
    lines = [json.dumps(begin()), "{", "[1]", "\x00", json.dumps(progress()), '{"time": 1']
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
