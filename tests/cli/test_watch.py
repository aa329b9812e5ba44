"""`cvclaims watch`: another terminal's view of a session."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cvclaims.cli import main, watch
from cvclaims.events import FOLDER, Journal, Progress

RUN = Progress("mlp on digits, seed 0", "aa11", 0, 3, 9, {"accuracy": 0.98}, 1_000.0, 7.0)
OLD, NEW = "20261126-120000-0123abcd", "20261127-120000-0123abcd"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store of a project, which is the working directory; two sessions have trained there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.01)
    store = tmp_path / "results" / "records"
    for session in (OLD, NEW):
        journal = Journal(store, session, "gw0", 4)
        journal.progress("1.1", RUN)
        journal.close()
    os.utime(store / FOLDER / f"{OLD}.jsonl", (1, 1))
    return store


@pytest.mark.usefixtures("store")
def test_the_newest_session_or_the_one_that_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--once"]) == 0
    assert capsys.readouterr().out.startswith(f"session {NEW}: 0 of 4 claims judged, 0 runs")
    assert main(["watch", "--session", OLD[:8]]) == 0
    assert capsys.readouterr().out.startswith(f"session {OLD}: ")
    assert main(["watch", "--json"]) == 0
    assert capsys.readouterr().out.count('"event"') == 3


@pytest.mark.parametrize("options", [[], ["--session", "2025"]])
def test_no_session_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["watch", *options]) == 2
    err = capsys.readouterr().err
    assert "has trained anything in results/records, " in err
    assert err.count("\n") == 1


def test_it_follows_until_the_session_ends(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal(store, "20261128-120000-0123abcd", "gw0", 4)
    journal.progress("1.1", RUN)

    def go_on() -> None:
        time.sleep(0.1)
        journal.progress("1.1", Progress(RUN.what, RUN.key, done="finished"))
        journal.close()

    threading.Thread(target=go_on).start()
    assert main(["watch"]) == 0
    out = capsys.readouterr().out
    assert "claim 1.1: mlp on digits, seed 0: epoch 3/9" in out
    assert out.rstrip().endswith("1 runs trained, 0 s so far, ended")


def test_a_session_that_was_killed_is_dead(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from cvclaims.events import Journal\n"
        "from tests.cli.test_watch import RUN\n"
        f"Journal(Path({str(store)!r}), '20261128-120000-0123abcd', 'gw0').progress('1', RUN)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root)
    assert done.returncode == -signal.SIGKILL
    assert main(["watch"]) == 1
    assert "its processes are gone" in capsys.readouterr().out
