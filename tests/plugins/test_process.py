"""Schedulers' signals: what finished is kept, the session ends in order, and nothing stays behind;
and waits that are heard while pytest captures.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cvclaims import locks
from cvclaims.plugins import process
from cvclaims.plugins.process import KEPT, Ended, Process
from tests.plugins.project import Project

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")

TRAINING = """
@about("1", recipes=BOTH)
def test_quick(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)

@about("2", recipes={"endless": GOOD.but(epochs=1_000_000)})
def test_endless(runs, verdict):
    verdict.above(runs.endless.test_accuracy, 0.5)
"""
# Two that last, so that every worker has one.
SLEEPING = """
import time
from pathlib import Path

@pytest.mark.parametrize("name", ["one", "two"])
@about("1")
def test_endless(verdict, name):
    Path(name).touch()
    if name == "two":
        while not Path("one").exists():
            time.sleep(0.01)
    Path("busy").touch()
    time.sleep(1000)
"""


class Session:
    """A pytest in a process of its own, and in a group of processes of its own."""

    def __init__(self, project: Project, temporary: Path) -> None:
        self.project, self.temporary = project, temporary
        temporary.mkdir()

    def start(self, *options: str) -> None:
        self.output = (self.project.path / "output").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-mpytest", "--claims-scale=full", *options],
            cwd=self.project.path,
            env={**os.environ, "TMPDIR": str(self.temporary)},
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not condition():
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)

    def is_asleep(self) -> bool:
        return (self.project.path / "busy").exists()

    def is_training(self) -> bool:
        """Whether the quick claim's six runs are kept, and the endless one trains."""
        return len(self.project.records()) == 6 and bool(list(self.temporary.rglob("*.use")))

    @property
    def text(self) -> str:
        return (self.project.path / "output").read_text()

    def workers(self) -> list[int]:
        listed = subprocess.run(["ps", "-Ao", "pid=,ppid="], stdout=subprocess.PIPE, check=True)
        pairs = [line.split() for line in listed.stdout.decode().splitlines()]
        return [int(pid) for pid, parent in pairs if int(parent) == self.process.pid]

    def has_ended_in_order(self) -> None:
        assert self.process.wait(60) == pytest.ExitCode.INTERRUPTED, self.text
        with pytest.raises(ProcessLookupError):  # nobody of the group is left
            os.killpg(self.process.pid, signal.SIGKILL)
        kept = {f"cvclaims.{os.getuid()}.devices", "cpu.gate"}  # for the next one
        left = [path for path in self.temporary.rglob("*") if path.name not in kept]
        for path in left:  # xdist kills who is slow to end: whoever comes next forgets its place
            assert path.suffix == ".use", path
            assert locks.Lock(path, "the device").acquire(blocking=False)
        assert KEPT in self.text
        assert "Traceback" not in self.text
        assert "INTERNALERROR" not in self.text

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.output.close()


@pytest.fixture
def session(project: Project, tmp_path: Path) -> Iterator[Session]:
    made = Session(project, tmp_path / "temporary")
    yield made
    made.end()


def test_what_finished_is_kept_and_not_trained_again(project: Project, session: Session) -> None:
    project.write(TRAINING)
    session.start("-pno:xdist")
    session.wait_until(session.is_training)
    to_the_session(session)
    session.has_ended_in_order()
    before = {path: path.stat().st_mtime_ns for path in project.records()}
    assert len(before) == 6
    assert all(json.loads(path.read_bytes())["status"] == "finished" for path in before)
    ran = project.run("-k", "quick", "--claims-scale=full")
    assert ran.verdicts()["1"] == "supported"
    assert {path: path.stat().st_mtime_ns for path in before} == before


def to_the_session(session: Session) -> None:
    os.kill(session.process.pid, signal.SIGTERM)


def to_all_of_it_and_twice_to_one(session: Session) -> None:
    to_the_session(session)
    os.killpg(session.process.pid, signal.SIGTERM)


def to_a_worker(session: Session) -> None:
    os.kill(session.workers()[0], signal.SIGTERM)


def test_workers_that_train_end_with_the_session(project: Project, session: Session) -> None:
    project.write(TRAINING)
    session.start("-n2")
    session.wait_until(session.is_training)
    to_the_session(session)
    session.has_ended_in_order()
    assert len(project.records()) == 6


@pytest.mark.parametrize("send", [to_all_of_it_and_twice_to_one, to_a_worker])
def test_whomever_a_signal_reaches_all_end(
    project: Project, session: Session, send: Callable[[Session], None]
) -> None:
    project.write(SLEEPING)
    session.start("-n2")
    session.wait_until(session.is_asleep)
    send(session)
    session.has_ended_in_order()


@pytest.fixture
def unattended() -> Iterator[None]:
    """This process without what its own session has changed."""
    before = [signal.signal(number, signal.SIG_DFL) for number in process.SIGNALS]
    yield
    for number, handler in zip(process.SIGNALS, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def attended(unattended: None) -> Iterator[Process]:
    """This process, attended."""
    made = Process()
    yield made
    made.pytest_unconfigure()


@pytest.mark.usefixtures("unattended")
@pytest.mark.parametrize("number", process.SIGNALS)
def test_each_signal_ends_a_process_and_its_handler_goes_again(number: int) -> None:
    attended = Process()
    with pytest.raises(Ended, match=f"{signal.Signals(number).name}: the runs that finished"):
        signal.raise_signal(number)
    signal.raise_signal(number)  # the second one, soon after, does not end the ending
    attended.pytest_unconfigure()
    assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None], ids=["nohup", "others"])
def test_a_signal_that_somebody_handles_is_left_to_him(
    handler: "Callable[..., None] | signal.Handlers",
) -> None:
    before = signal.signal(signal.SIGHUP, handler)
    try:
        Process().pytest_unconfigure()
        assert signal.getsignal(signal.SIGHUP) is handler
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("unattended")
def test_another_thread_takes_no_signals() -> None:
    made: list[Process] = []
    thread = threading.Thread(target=lambda: made.append(Process()))
    thread.start()
    thread.join()
    assert all(signal.getsignal(number) is signal.SIG_DFL for number in process.SIGNALS)
    made[0].pytest_unconfigure()


@pytest.mark.parametrize(("message", "told"), [("SIGTERM: why", "SIGTERM: why"), ("", "Ctrl-C")])
def test_interrupted_at_the_very_end_there_is_no_traceback(
    project: Project, message: str, told: str
) -> None:
    project.write("@about('1')\ndef test_quick(verdict):\n    verdict.exact(1, 1)")
    (project.path / "conftest.py").write_text(
        f"def pytest_sessionfinish():\n    raise KeyboardInterrupt({message!r})\n"
    )
    ran = project.run_alone("-n0")
    assert ran.result.ret == pytest.ExitCode.INTERRUPTED
    assert ran.errors.strip() == f"interrupted: {told}"
    assert "Traceback" not in ran.text


WAITING = """
from cvclaims import locks

@about("1")
def test_waiting(verdict):
    locks.TELL_SECONDS = 0.0
    first, second = (locks.Lock(locks.Path("a.lock"), "something") for _ in range(2))
    with first:
        assert not second.acquire(timeout=0.2)
    verdict.exact(1, 1)
"""


@pytest.mark.parametrize("options", [("-pno:xdist",), ("-n1",), ("-n0", "--capture=sys")])
def test_a_wait_is_heard_through_pytests_capture(
    project: Project, options: tuple[str, ...]
) -> None:
    project.write(WAITING)
    ran = project.run_alone(*options)
    assert ran.verdicts() == {"1": "supported"}
    assert re.search(
        r"(?m)^cvclaims: for 0 s waiting for something, which process \d+ on \S+ since .* has "
        r"\(lock file a\.lock\): end that process, or wait$",
        ran.errors,
    )


def test_a_closed_terminal_is_no_error(attended: Process) -> None:
    os.close(attended._terminal)
    locks.tell("a wait")
    attended._terminal = os.open(os.devnull, os.O_WRONLY)


def test_a_closed_stderr_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_: int) -> int:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(os, "dup", closed)
    attended = Process()
    locks.tell("a wait")
    attended.pytest_unconfigure()


def test_a_session_without_claims_is_left_alone(project: Project) -> None:
    (project.path / "test_other.py").write_text(
        "import signal\n"
        "def test_signals():\n"
        "    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n"
    )
    assert project.run_alone("-n1").counts == {"passed": 1}
