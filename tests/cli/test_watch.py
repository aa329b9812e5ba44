"""`cvclaims watch`: another terminal's view of a session."""

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cvclaims.cli import main
from cvclaims.events import FOLDER, Journal
from tests.test_events import DONE, tell

OLD, NEW, GOING = (f"202611{day}-120000-0123abcd" for day in (26, 27, 28))
ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store of a project, which is the working directory; two sessions have trained there."""
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "results" / "records"
    for session in (OLD, NEW):
        journal = Journal(store, session, "gw0")
        tell(journal)
        journal.close()
    os.utime(store / FOLDER / f"{OLD}.jsonl", (1, 1))
    return store


def going(store: Path, monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]) -> None:
    """A session that goes on; `then` happens, and it ends, once it was looked at."""
    journal = Journal(store, GOING, "gw0")
    tell(journal)

    def end(_: float) -> None:
        if journal.begun:
            journal.begun = False
            then()
            tell_end(journal)

    monkeypatch.setattr(time, "sleep", end)


def tell_end(journal: Journal) -> None:
    journal.progress("1.1", "ours", 100.0, True, DONE)
    journal.close()


@pytest.mark.usefixtures("store")
def test_the_newest_session_or_the_one_that_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--once"]) == 0
    assert capsys.readouterr().out.startswith(f"session {NEW}: 0 of 9 claims judged, 0 of 4 ")
    for folder in ("results", "results/records"):
        assert main(["watch", folder, "--session", OLD[:8]]) == 0
        assert capsys.readouterr().out.startswith(f"session {OLD}: ")
    assert main(["watch", "--all"]) == 0  # none goes on: the newest
    assert capsys.readouterr().out.startswith(f"session {NEW}: ")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "no session has trained anything in results/records, "),
        (["--session", "2025\x1b[2J"], r"no session called '2025\x1b[2J' has trained anything in"),
        (["nowhere"], "nowhere is no folder: name a results folder, or a store"),
    ],
)
def test_no_session_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["watch", *options]) == 2
    err = capsys.readouterr().err
    assert told in err.replace(r"\\", "\\")
    assert err.count("\n") == 1


def test_it_follows_until_the_session_ends(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    going(store, monkeypatch, lambda: None)
    assert main(["watch"]) == 0
    out = capsys.readouterr().out
    assert "claim 1.1: ours: mlp on digits, seed 0: epoch 3/9" in out
    assert out.rstrip().endswith("1 of 4 runs (1 trained), 0 s so far, ended")


def test_all_that_go_on(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As two processes of `cvclaims evidence` are."""
    other = Journal(store, "20261129-120000-0123abcd", "gw0")
    tell(other)
    going(store, monkeypatch, other.close)
    assert main(["watch", "--all"]) == 0
    out = capsys.readouterr().out
    assert [out.count(f"session {name}") for name in (NEW, GOING, other.path.stem)] == [0, 2, 2]


def test_events_as_json_while_they_come(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (store / FOLDER / f"{NEW}.jsonl").open("a") as file:
        file.write('torn {\n{"event": "claim", "id": "\x9b2J", "case": "ä"}\n')
    assert main(["watch", "--json", "--session", NEW]) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    found = [json.loads(line) for line in out.splitlines()]
    assert [one["event"] for one in found] == ["begin", "epoch", "end", "claim"]
    assert {one["session"] for one in found} == {NEW}
    going(store, monkeypatch, lambda: None)
    assert main(["watch", "--json", "--once"]) == 0
    assert capsys.readouterr().out.count("\n") == 2
    assert main(["watch", "--json"]) == 0
    assert capsys.readouterr().out.count("\n") == 4


def killed(store: Path) -> None:
    """A session whose process was killed."""
    code = (
        "import os, signal; from pathlib import Path\n"
        "from cvclaims.events import Journal\n"
        "from tests.test_events import tell\n"
        f"tell(Journal(Path({str(store)!r}), {GOING!r}, 'gw0'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL


def test_a_session_that_was_killed_is_dead(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    killed(store)
    assert main(["watch"]) == 1
    out = capsys.readouterr().out
    assert "no sign of life for " in out
    assert "its processes are gone" in out
    assert "claim 1.1: ours: mlp on digits" in out  # what it was at


def test_a_reader_who_has_had_enough_ends_it(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(Journal(store, GOING, "gw0"))  # goes on for as long as this process does
    code = "import sys; from cvclaims.cli import main; sys.exit(main(['watch', '--json']))"
    command = [sys.executable, "-c", f"import os; os.chdir({str(store.parents[1])!r})\n{code}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    watcher = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert watcher.stdout is not None
    assert b"begin" in watcher.stdout.readline()
    watcher.stdout.close()
    journal = Journal(store, GOING, "main")
    journal.write("problem", text="something to write")
    assert watcher.wait(60) == 0


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_on_a_terminal_a_table_is_drawn_and_goes(store: Path, encoding: str) -> None:
    journal = Journal(store, GOING, "gw0")
    tell(journal)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-c", "from cvclaims.cli import main; main(['watch', '--all'])"]
    environment["PYTHONPATH"] = str(ROOT)
    process = subprocess.Popen(
        command, stdout=theirs, stderr=theirs, env=environment, cwd=store.parents[1]
    )
    os.close(theirs)
    written = ""
    with contextlib.suppress(OSError):  # how a terminal ends on Linux
        while piece := os.read(ours, 10_000):
            written += piece.decode()
            if "3/9" in written and journal.begun:
                journal.begun = False
                threading.Thread(target=tell_end, args=(journal,)).start()
    os.close(ours)
    assert process.wait(60) == 0
    assert "Traceback" not in written
    assert "what trains" in written
    assert "(1 trained)" in written.rpartition("session")[2]


def test_a_folder_that_cannot_be_read_is_one_line(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert main(["watch"]) == 2
    assert "cannot be read (Permission denied)" in capsys.readouterr().err
