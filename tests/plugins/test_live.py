"""The live line: on a terminal, in a log, and from workers; never in pytest's own output."""

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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from cvclaims.plugins import live
from cvclaims.plugins.live import Drawn, Line, Noted, Told, Watch, fitted
from cvclaims.plugins.notes import Notes
from tests.plugins.project import Project

ERASE = "\x1b[J"


class Listed(Line):
    """A line that keeps what it showed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def show(self, texts: Sequence[str]) -> None:
        self.seen += texts

    def clear(self) -> None:
        self.seen.append("")


@pytest.fixture
def screen() -> Iterator[tuple[int, Callable[[], str]]]:
    """A terminal to write to, and what was written since last asked."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)

    def read() -> str:
        with contextlib.suppress(BlockingIOError):
            return os.read(ours, 10_000).decode()
        return ""

    yield theirs, read
    os.close(ours)
    os.close(theirs)


def test_a_line_is_drawn_below_and_erased(screen: tuple[int, Callable[[], str]]) -> None:
    terminal, read = screen
    line = Drawn(terminal)
    line.clear()
    assert read() == ""  # nothing was drawn
    line.show(["what trains"])
    # Down and up make room, save and restore bring the cursor back to where pytest writes.
    assert read() == "\x1bD\x1b[A\x1b7\x1b[B\r\x1b[2Kwhat trains\x1b8"
    line.clear()
    line.clear()
    assert read() == ERASE
    line.show([])
    assert read() == ""


def test_a_claim_id_cannot_steer_the_terminal() -> None:
    line = Listed()
    line.claim = "1\x1b[31m"
    line.tell("mlp on digits\x1b]0;x\x07")
    assert line.seen == [r"claim 1\x1b[31m: mlp on digits\x1b]0;x\x07"]


def test_a_terminal_that_is_gone_is_no_error() -> None:
    ours, theirs = pty.openpty()
    line = Drawn(theirs)
    line.show(["what trains"])
    os.close(theirs)
    os.close(ours)
    line.show(["what trains"])
    line.clear()


def test_each_worker_has_its_turn(
    screen: tuple[int, Callable[[], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal, read = screen
    line = Drawn(terminal)
    for now, shown in ((10.0, "b"), (12.0, "a"), (14.0, "b")):
        monkeypatch.setattr(live, "time", SimpleNamespace(monotonic=lambda now=now: now))
        line.show(["a", "b"])
        assert f"\x1b[2K{shown}\x1b8" in read()


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (80, "claim 1: mlp on digits, seed 0: epoch 3/9, 5 s left"),
        (51, "claim 1: mlp on digits, seed 0: epoch 3/9, 5 s left"),
        (40, "claim 1: mlp on dig… epoch 3/9, 5 s left"),
        (20, "… epoch 3/9, 5 s lef"),
        (0, ""),
        (-1, ""),
    ],
)
def test_what_changes_is_cut_last(width: int, expected: str) -> None:
    text = fitted("claim 1: mlp on digits, seed 0: epoch 3/9, 5 s left", width)
    assert text == expected
    assert len(text) <= max(0, width)


def test_wide_letters_are_cut_by_their_columns() -> None:
    text = fitted(f"claim 1: {'模型' * 20}, seed 0: epoch 3/9, 5 s left", 40)
    assert text == "claim 1: 模型模型模… epoch 3/9, 5 s left"


def test_it_changes_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(live, "time", SimpleNamespace(monotonic=lambda: now))
    line = Listed()
    line.every, line.claim = 30.0, "5.04"
    for now in (101.0, 129.0, 130.0, 131.0, 159.0, 161.0):
        line.tell(f"at {now:g}")
    assert line.seen == ["claim 5.04: at 130", "claim 5.04: at 161"]


class Failing:
    """An engine that cannot."""

    def records(self, runs: object) -> list[object]:
        raise KeyError(runs)


def test_the_line_goes_when_training_ends_however_it_does() -> None:
    line = Listed()
    with pytest.raises(KeyError):
        Told(Failing, line, "5.04").records([])  # type: ignore[arg-type]
    assert (line.claim, line.seen) == ("5.04", [""])


def test_notes_come_and_go(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes")
    assert notes.read("live-*") == []
    line = Noted(notes, "gw1")
    line.show(["one"])
    line.show(["two"])
    Noted(notes, "gw0").show(["zero"])
    notes.leave("cases-gw0", {"a": 1})
    assert notes.read("live-*") == ["zero", "two"]
    (notes.folder / "live-gw0.json").write_text('"cut')
    assert notes.read("live-*") == ["two"]
    line.clear()
    line.clear()
    assert notes.read("live-*") == []
    notes.remove()
    notes.remove()
    assert not notes.folder.exists()


def test_notes_that_cannot_be_left_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    notes = Notes(tmp_path / "file" / "below")
    notes.leave("live-gw0", "text")
    notes.withdraw("live-gw0")
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


def test_the_watch_shows_notes_and_makes_way_for_pytest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    notes, line = Notes(tmp_path / "notes"), Listed()
    notes.leave("live-gw0", "training")

    def write(text: str, **markup: bool) -> None:
        line.seen.append(text)

    writer = SimpleNamespace(write=write)
    watch = Watch(line, notes, writer)
    watch.start()
    wait_for(lambda: "training" in line.seen)
    writer.write("F", red=True)
    at = line.seen.index("F")
    assert line.seen[at - 1] == ""  # erased first, with nothing in between
    watch.stop()
    assert not watch.is_alive()
    assert line.seen[-1] == ""
    assert writer.write is write


def test_the_watch_waits_until_pytest_is_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(live, "IDLE_SECONDS", 60.0)
    notes, line = Notes(tmp_path / "notes"), Listed()
    notes.leave("live-gw0", "training")
    watch = Watch(line, notes, SimpleNamespace(write=lambda text: None))
    watch.start()
    time.sleep(0.1)
    watch.stop()
    assert line.seen == [""]


SLOW = """
@about("1", recipes={{"slow": GOOD.but(epochs={epochs})}})
def test_slow(runs, verdict):
    print("printed by the test")
    verdict.above(runs.slow.test_accuracy, 0.5)
"""
TOLD = r"claim 1: mlp on digits, sgd lr 0\.5, .*epoch \d+/\d+, accuracy 0\.\d+, .* left"


def test_plain_lines_in_a_log(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.Printed, "every", 0.05)
    project.write(SLOW.format(epochs=300))
    ran = project.run()
    told = [number for number, line in enumerate(ran.lines) if re.fullmatch(TOLD, line)]
    assert told
    assert ran.lines[told[0] - 1] == "test_paper.py "
    assert "printed by the test" not in ran.text


def test_a_plain_line_is_a_line_and_is_not_captured(pytestconfig: pytest.Config) -> None:
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
    line = live.Printed(config, reporter)  # type: ignore[arg-type]
    line.show(["one", "two"])
    assert out.getvalue() == "<\none\ntwo\n>\n"
    line.capture = None
    reporter.write("...")  # as workers' results are written
    line.show(["three"])
    reporter.write_ensure_prefix("test_paper.py ")  # as a test's path is
    line.show(["four"])
    assert out.getvalue()[12:] == "...\nthree\n\ntest_paper.py \nfour\n"


@pytest.mark.parametrize("options", [("-q",), ("-p", "no:terminal"), ("--claims-replay",)])
def test_when_there_is_no_line(
    project: Project, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setattr(live.Printed, "every", 0.0)
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


def test_a_worker_seen_on_a_terminal(project: Project) -> None:
    project.write(SLOW.format(epochs=300) + "def test_more():\n    pass\n")
    (project.path / "conftest.py").write_text(
        "from cvclaims.plugins import live\n"
        "live.LOOK_SECONDS, live.IDLE_SECONDS, live.Noted.every, live.Drawn.every = 0.02, 0, 0, 0\n"
    )
    options = ("-n1", "--claims-seeds=1", "-pno:cacheprovider", "-pno:cvclaims-results")
    written = on_a_terminal(sys.executable, "-mpytest", *options)
    before, *after = re.split(f"\x1bD.*?\x1b.2K({TOLD})\x1b8", written)
    assert after
    for follows in after[1::2]:
        assert follows == "" or follows.startswith(ERASE)
    assert "claim 1:" not in before + "".join(after[1::2])
    assert "1 passed, 1 inconclusive" in after[-1]
