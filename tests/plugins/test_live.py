"""What is shown while claims train: on a terminal, in a log, and from workers; never in pytest's
own output. And what tools of other people's are told.
"""

import contextlib
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from cvclaims import events
from cvclaims.events import Follower, Journal, Progress, State
from cvclaims.plugins import live, trackers
from cvclaims.plugins.live import Display, Drawn, Known, Live, Told, Watch
from cvclaims.plugins.notes import Notes
from cvclaims.watching import lines
from tests.plugins.project import Project

SESSION = "20261127-120000-0123abcd"
RUN = Progress("mlp on digits", "55", 0, "aa11", 0, 3, 9, {"accuracy": 0.98}, 1_000.0, 7.0)


class Listed(Display):
    """A display that keeps what it showed."""

    every = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def show(self, state: State) -> None:
        self.seen += lines(state)

    def clear(self) -> None:
        self.seen.append("")


def live_in(folder: Path, display: Display, worker: str = "gw0") -> Live:
    return Live(Journal(folder, SESSION, worker), display, known=lambda: Known(claims=2))


def a_state(folder: Path, *workers: str) -> State:
    for worker in workers:
        live_in(folder, Display(), worker).tell(RUN)
    made = live_in(folder, Display(), "main")
    made.look()
    return made.state


@pytest.fixture
def screen() -> Iterator[tuple[int, Callable[[], str]]]:
    """A terminal to write to, and what was written since last asked."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    os.set_blocking(ours, False)

    def read() -> str:
        with contextlib.suppress(BlockingIOError):
            return os.read(ours, 10_000).decode()
        return ""

    yield theirs, read
    os.close(ours)
    os.close(theirs)


def test_a_table_is_drawn_below_and_erased(
    screen: tuple[int, Callable[[], str]], tmp_path: Path
) -> None:
    terminal, read = screen
    display = Drawn(terminal)
    display.clear()
    assert read() == ""  # nothing was drawn
    display.show(a_state(tmp_path, "gw0", "gw1"))
    drawn = read()
    # Heads, two runs, the whole: room below is made, and the cursor comes back to pytest's place.
    assert drawn.startswith("\x1b[J" + "\x1bD" * 4 + "\x1b[4A\x1b7\x1b[B\r\x1b[2K")
    assert drawn.endswith("\x1b8")
    assert drawn.count("mlp on digits") == 2
    assert "0 of 2 claims judged" in drawn
    display.clear()
    display.clear()
    assert read() == "\x1b[J"
    display.show(State())
    assert read() == ""


def test_a_terminal_that_is_gone_is_no_error(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    display = Drawn(theirs)
    state = a_state(tmp_path, "gw0")
    display.show(state)
    os.close(theirs)
    os.close(ours)
    display.show(state)
    display.clear()


def test_it_changes_only_so_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    display = Listed()
    display.every, shown = 30.0, live_in(tmp_path, display)
    for step, now in enumerate((101.0, 129.0, 130.0, 131.0, 159.0, 161.0)):  # noqa: B007
        shown.tell(replace(RUN, step=step, numbers={}, rate=0.0, left=None))
    one, other = (f"claim : mlp on digits, seed 0: epoch {step}/9" for step in (2, 5))
    assert display.seen == [one, other]


def heard(project: Project) -> State:
    """What the newest session of a project told."""
    (*_, path) = events.journals([project.results / "records"])
    state = State()
    Follower(path).into(state)
    return state


@pytest.mark.parametrize("options", [(), ("-n2",)])
def test_a_session_tells_the_same_with_and_without_xdist(
    project: Project, options: tuple[str, ...]
) -> None:
    project.write(
        """
        @about("1", recipes=BOTH)
        def test_both(runs, verdict):
            verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)

        from cvclaims import Training, training

        @training
        def crash(run):
            run.log(f1=0.5)
            raise ValueError("as meant")

        @about("2", case="own", recipes={"crash": Training(crash, light=True)})
        def test_crash(runs, verdict):
            verdict.above(runs.crash["f1"], 0.5)
        """
    )
    project.run("-q", *options)
    state = heard(project)
    assert (state.claims, state.runs, state.trained) == (2, 9, 6)
    assert state.judged == {"1 ": "supported", "2 own": "error"}
    assert len(state.held) == 6
    assert state.failed >= 1
    assert (state.active, state.ended) == ({}, True)


def test_a_journal_that_cannot_be_written_is_one_problem(project: Project) -> None:
    project.write(SLOW.format(epochs=2))
    store = project.results / "records"
    store.mkdir(parents=True)
    (store / events.FOLDER).touch()
    ran = project.run()
    assert ran.verdicts() == {"1": "supported"}
    assert ran.text.count("nobody can watch this session") == 1


class Failing:
    """An engine that cannot."""

    def records(self, runs: object) -> list[object]:
        raise KeyError(runs)


def test_the_display_goes_when_training_ends_however_it_does(tmp_path: Path) -> None:
    display = Listed()
    shown = live_in(tmp_path, display)
    with pytest.raises(KeyError):
        Told(Failing, shown, "5.04").records([])  # type: ignore[arg-type]
    assert (shown.claim, display.seen) == ("5.04", [""])


def test_notes_that_cannot_be_left_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    notes = Notes(tmp_path / "file" / "below")
    notes.leave("cases-gw0", "text")
    assert notes.read("*") == []


def test_fresh_notes_write_nothing_and_share_no_folder() -> None:
    one, other = Notes.fresh(), Notes.fresh()
    assert one.folder != other.folder
    assert not one.folder.exists()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_watch_shows_workers_and_makes_way_for_pytest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    display = Listed()
    live_in(tmp_path, Display(), "gw1").tell(RUN)

    def write(text: str, **markup: bool) -> None:
        display.seen.append(text)

    writer = SimpleNamespace(write=write)
    watch = Watch(live_in(tmp_path, display, "main"), writer)
    watch.start()
    wait_for(lambda: any("mlp on digits" in text for text in display.seen))
    writer.write("F", red=True)
    at = display.seen.index("F")
    assert display.seen[at - 1] == ""  # erased first, with nothing in between
    watch.stop()
    assert not watch.is_alive()
    assert display.seen[-1] == ""
    assert writer.write is write


def test_the_watch_waits_until_pytest_is_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(live, "IDLE_SECONDS", 60.0)
    display = Listed()
    live_in(tmp_path, Display(), "gw1").tell(RUN)
    watch = Watch(live_in(tmp_path, display, "main"), SimpleNamespace(write=lambda text: None))
    watch.start()
    time.sleep(0.1)
    watch.stop()
    assert display.seen == [""]


SLOW = """
@about("1", recipes={{"slow": GOOD.but(epochs={epochs})}})
def test_slow(runs, verdict):
    print("printed by the test")
    verdict.above(runs.slow.test_accuracy, 0.5)
"""
TOLD = r"claim 1: slow: mlp on digits, sgd lr 0\.5, .*epoch \d+/\d+, accuracy 0\.\d+, .* left"


def test_plain_lines_in_a_log(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.Printed, "every", 0.0)
    monkeypatch.setattr(events, "EVERY_SECONDS", 0.0)
    project.write(SLOW.format(epochs=20))
    ran = project.run()
    begun = next(n for n, line in enumerate(ran.lines) if line.startswith("claim 1: slow: mlp"))
    assert ran.lines[begun - 1] == "test_paper.py "
    assert ran.lines[begun].endswith("seed 0 (+2 beside it): epoch 0/20")
    assert ran.lines[begun + 1].startswith("claims: 0 of 1 claims judged, 0 of 3 runs (0 trained)")
    assert sum(re.fullmatch(TOLD, line) is not None for line in ran.lines) == 20
    assert "printed by the test" not in ran.text


def test_plain_lines_are_lines_and_not_captured(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    out = io.StringIO()
    reporter = pytest.TerminalReporter(pytestconfig, out)
    writer = reporter._tw

    @contextlib.contextmanager
    def disabled() -> Iterator[None]:
        writer.line("<")
        yield
        writer.line(">")

    capture = SimpleNamespace(global_and_fixture_disabled=disabled)
    manager = SimpleNamespace(getplugin={"capturemanager": capture}.get)
    config = SimpleNamespace(get_terminal_writer=lambda: writer, pluginmanager=manager)
    display = live.Printed(config, reporter)  # type: ignore[arg-type]
    state = a_state(tmp_path, "gw0")
    told = f"{lines(state)[0]}\nclaims: "
    display.show(state)
    assert re.fullmatch(rf"<\n{re.escape(told)}.*\n>\n", out.getvalue())
    display.capture = None
    reporter.write("...")  # as workers' results are written
    display.show(state)
    reporter.write_ensure_prefix("test_paper.py ")  # as a test's path is
    display.show(state)
    assert f"...\n{told}" in out.getvalue()
    assert f"\ntest_paper.py \n{told}" in out.getvalue()
    display.show(State())
    assert out.getvalue().count("claims: ") == 3


@pytest.mark.parametrize("options", [("-q",), ("-p", "no:terminal"), ("--claims-replay",)])
def test_when_there_is_no_line(
    project: Project, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setattr(live.Printed, "every", 0.0)
    monkeypatch.setattr(events, "EVERY_SECONDS", 0.0)
    project.write(SLOW.format(epochs=20))
    assert re.search(TOLD, project.run().text)
    for path in project.records():
        if "replay" not in options[0]:
            path.unlink()
    ran = project.run(*options)
    assert not re.search(TOLD, ran.text)
    assert ran.verdicts() == {"1": "supported"}


def on_a_terminal(*command: str) -> str:
    """All that a command writes to a terminal of 120 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 120, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    pieces = []
    with contextlib.suppress(OSError):  # how a terminal ends on Linux
        while piece := os.read(ours, 10_000):
            pieces.append(piece)
    os.close(ours)
    assert process.wait(60) == 0
    return b"".join(pieces).decode()


@pytest.mark.parametrize("options", [("-pno:xdist",), ("-n2", "-v")])
def test_training_seen_on_a_terminal(project: Project, options: tuple[str, ...]) -> None:
    project.write(SLOW.format(epochs=60) + "def test_more():\n    pass\n")
    (project.path / "conftest.py").write_text(
        "from cvclaims import events\n"
        "from cvclaims.plugins import live\n"
        "live.LOOK_SECONDS, live.IDLE_SECONDS, live.Drawn.every = 0.02, 0, 0\n"
        "events.EVERY_SECONDS = 0\n"
    )
    more = ("--claims-seeds=1", "-pno:cacheprovider", "-pno:cvclaims-results")
    written = on_a_terminal(sys.executable, "-mpytest", *options, *more)
    pieces = re.split("\x1b\\[J(?:\x1bD)+\x1b\\[\\d+A\x1b7(.*?)\x1b8", written)
    drawn, own = pieces[1::2], pieces[::2]
    assert any(re.search(r"mlp on digits, sgd lr 0\.5.*\d+/60", text, re.S) for text in drawn)
    assert "mlp on digits" not in "".join(own)  # pytest's own output is as it was
    assert "1 passed, 1 inconclusive" in own[-1]


ONE = Progress("mlp", "55", 0, "aa", steps=2)
OTHER = replace(ONE, recipe="66", key="bb")


class TestTrackers:
    def runs(self, tracker: trackers.Tracker) -> None:
        for step in (1, 2):
            numbers = {"accuracy": step / 2}
            tracker.take("5.04 a", replace(ONE, step=step, numbers=numbers, rate=10.0))
        for seed in (0, 1):  # the other of its stack was not told of before
            tracker.take("5.04 a", replace(ONE, seed=seed, done="finished"))
        tracker.take("5.05", replace(OTHER, step=1, numbers={"accuracy": 0.25}))
        tracker.close()

    def test_tensorboards_files_hold_every_epoch(self, tmp_path: Path) -> None:
        accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
        (tracker,) = trackers.trackers(("tensorboard",), SESSION, tmp_path)
        self.runs(tracker)
        first, second = sorted((tmp_path / "tensorboard" / SESSION).iterdir())
        assert (first.name, second.name) == ("5.04_a_mlp_seed_0_aa", "5.05_mlp_seed_0_bb")
        found = accumulator.EventAccumulator(str(first)).Reload()
        assert [(e.step, e.value) for e in found.Scalars("accuracy")] == [(1, 0.5), (2, 1.0)]
        assert {e.value for e in found.Scalars("images_per_second")} == {10.0}

    @pytest.mark.parametrize("name", ["wandb", "trackio"])
    def test_the_others_are_called_as_they_say(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[tuple[str, Any]] = []

        def call(what: str) -> Callable[..., Any]:
            def told(*values: Any, **named: Any) -> Any:
                calls.append((what, values or named.get("name")))
                return SimpleNamespace(log=call("log"), finish=call("finish"))

            return told

        module = ModuleType(name)
        vars(module).update({part: call(part) for part in ("init", "log", "finish")})
        monkeypatch.setitem(sys.modules, name, module)
        (tracker,) = trackers.trackers((name,), SESSION, tmp_path)
        self.runs(tracker)
        assert [what for what, _ in calls] == [
            *("init", "log", "log", "finish"),
            *("init", "log", "finish"),
        ]
        assert calls[0][1] == "5.04 a: mlp, seed 0, aa"
        assert calls[2][1] == ({"accuracy": 1.0, "images_per_second": 10.0},)

    @pytest.mark.parametrize("failing", ["begin", "log", "end"])
    def test_one_that_fails_costs_no_run(
        self, failing: str, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise ConnectionError("no network\nat all")

        pytest.importorskip("tensorboard")
        monkeypatch.setattr(trackers.TensorBoard, failing, fail)
        project.write(SLOW.format(epochs=2))
        ran = project.run("--claims-live", "tensorboard")
        assert ran.verdicts() == {"1": "supported"}
        told = "problem: --claims-live tensorboard ended (ConnectionError: no network)"
        assert ran.text.count(told) == 1

    def test_a_sessions_epochs_arrive(self, project: Project) -> None:
        accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
        project.write(SLOW.format(epochs=3))
        project.ini("claims_live = tensorboard")
        project.run()
        (place,) = (project.path / ".cvclaims" / "tensorboard").glob("*/*")
        found = accumulator.EventAccumulator(str(place)).Reload()
        assert [scalar.step for scalar in found.Scalars("accuracy")] == [1, 2, 3]
        assert place.name.startswith("1_slow_mlp_on_digits")

    def test_one_that_is_missing_or_unknown_is_one_line(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "wandb", None)
        project.write(SLOW.format(epochs=2))
        ran = project.run("--claims-live", "wandb")
        assert "pip install cvclaims[wandb]" in ran.result.stderr.str()
        ran = project.run("--claims-live", "tensorbord")
        assert "'tensorbord' is none of tensorboard, trackio, wandb" in ran.result.stderr.str()
        assert project.records() == []
