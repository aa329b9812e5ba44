"""Locks among real processes, what a waiter is told, and every way in which one cannot be had."""

import errno
import os
import platform
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import SoftFileLock

from cvclaims import locks
from cvclaims.locks import Lock, LockError

HOLD = """
import sys
from pathlib import Path
from cvclaims.locks import Lock
with Lock(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "a.lock"


@pytest.fixture
def holder(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that has the lock until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a waiter is told, at once."""
    lines: list[str] = []
    monkeypatch.setattr(locks, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(locks, "tell", lines.append)
    return lines


def test_one_at_a_time(path: Path) -> None:
    first, second = Lock(path, "it"), Lock(path, "it")
    assert first.acquire()
    assert not second.acquire(blocking=False)
    assert not second.acquire(timeout=0.1)
    first.release()
    assert second.acquire(blocking=False)
    second.release()
    second.release()  # what was not taken need not be let go
    with first, pytest.raises(RuntimeError, match="would wait for itself"):
        first.acquire()
    assert first.acquire(timeout=0)
    first.release()


def test_a_failure_lets_go(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Lock(path, "it"):
        raise ZeroDivisionError
    assert Lock(path, "it").acquire(blocking=False)


def test_another_thread_lets_go(path: Path) -> None:
    lock = Lock(path, "it")
    lock.acquire()
    thread = threading.Thread(target=lock.release)
    thread.start()
    thread.join()
    assert Lock(path, "it").acquire(blocking=False)


def test_another_process_and_its_death(path: Path, holder: "subprocess.Popen[str]") -> None:
    lock = Lock(path, "it")
    assert not lock.acquire(blocking=False)
    holder.kill()
    holder.wait()
    assert lock.acquire(blocking=False)
    lock.release()


def test_a_wait_says_once_for_whom_and_how_to_end_it(
    path: Path, holder: "subprocess.Popen[str]", told: list[str]
) -> None:
    assert not Lock(path, "the results folder").acquire(timeout=0.3)
    (line,) = told
    host = re.escape(re.sub(r"[^\w.-]", "_", platform.node(), flags=re.ASCII))
    assert re.fullmatch(
        rf"for \d+ s waiting for the results folder, which process {holder.pid} on {host} since "
        rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d has \(lock file {re.escape(str(path))}\): end that "
        r"process, or wait",
        line,
    )


def test_a_short_wait_says_nothing(
    path: Path, holder: "subprocess.Popen[str]", told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "TELL_SECONDS", 10.0)
    assert not Lock(path, "it").acquire(timeout=0.2)
    assert not Lock(path, "it").acquire(blocking=False)
    assert told == []


def test_without_a_plugin_it_is_said_on_stderr(path: Path, holder: "subprocess.Popen[str]") -> None:
    code = (
        "import sys; from pathlib import Path; from cvclaims import locks; locks.TELL_SECONDS = 0\n"
        "print(locks.Lock(Path(sys.argv[1]), 'it').acquire(timeout=0.2))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
    assert re.fullmatch(r"cvclaims: for 0 s waiting for it, .*\n", done.stderr)


@pytest.mark.parametrize(
    "text",
    ["", "4711\nnode7\n", "\0\x1b[31mprocess 1", "\0process 1 on a since\x1b[31m", "\0" * 99],
)
def test_what_others_wrote_into_the_file_is_not_repeated(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    assert Lock(path, "it").holder() == "another process"


def test_ctrl_c_ends_a_wait(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with Lock(path, "it"):
        monkeypatch.setattr(time, "sleep", interrupted)
        waiting = Lock(path, "it")
        with pytest.raises(KeyboardInterrupt):
            waiting.acquire()
    assert waiting.acquire(blocking=False)
    waiting.release()


@pytest.mark.skipif(os.name == "nt", reason="on Windows an open file cannot be removed")
def test_a_lock_file_that_is_removed_while_one_waits(path: Path) -> None:
    first, second = Lock(path, "it"), Lock(path, "it")
    first.acquire()
    path.unlink()
    assert second.acquire(timeout=5)  # on the new file, which the next one finds
    assert not Lock(path, "it").acquire(blocking=False)
    first.release()
    second.release()


def test_a_soft_lock_of_another_host_holds_nobody_up(path: Path) -> None:
    path.parent.mkdir()
    SoftFileLock(path).acquire()
    path.write_text("4711\nanother-host\n")
    with Lock(path, "it") as lock:
        assert lock.holder().startswith(f"process {os.getpid()} on ")


def fails(path: Path) -> str:
    """The one line of the error with which a lock cannot be had."""
    lines = []
    for blocking in (True, False):
        with pytest.raises(LockError) as caught:
            Lock(path, "the lock of a run").acquire(blocking=blocking)
        lines.append(str(caught.value))
    (line,) = set(lines)
    assert line.startswith("the lock of a run: ")
    assert str(path) in line
    assert "\n" not in line
    return line


def folder_in_its_place(path: Path) -> None:
    path.mkdir(parents=True)


def link_in_its_place(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path.parent / "elsewhere")


def pipe_in_its_place(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such things")
@pytest.mark.parametrize("make", [folder_in_its_place, link_in_its_place, pipe_in_its_place])
def test_something_else_in_place_of_the_file(path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    assert "no plain file stands in place of" in fails(path)
    assert fails(path).endswith("; move it away")
    assert path.is_symlink() or path.exists()


@pytest.mark.parametrize("link", [False, True])
def test_something_else_in_place_of_the_folder(tmp_path: Path, link: bool) -> None:
    blocking = tmp_path / "locks"
    blocking.symlink_to(tmp_path / "nowhere") if link else blocking.write_text("of a person")
    for path in (blocking / "a.lock", blocking / "deeper" / "a.lock"):
        assert fails(path).endswith(f"as {blocking} is no folder; move that away")
    assert link or blocking.read_text() == "of a person"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_without_locks(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(fcntl, "flock", refused)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    assert fails(path).endswith(
        f"({os.strerror(number)}); choose another folder, on a file system that has locks"
    )
    assert not before or len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC])
def test_a_lock_file_that_one_may_not_write(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(os, "open", refused)
    assert fails(path).endswith(
        f"({os.strerror(number)}); make it writable, or choose another folder"
    )


def test_a_folder_that_one_may_not_make(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path.parent))

    monkeypatch.setattr(Path, "mkdir", refused)
    assert fails(path).endswith(
        "(Permission denied); make its folder writable, or choose another folder"
    )
