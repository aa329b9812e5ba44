"""The lock of a device, among real processes: who waits for whom, and what a death leaves."""

import errno
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from cvclaims import locks
from cvclaims.engines import device
from cvclaims.locks import LockError
from tests.engines.device_users import CPU, meet, use

# Processes are made of one that has imported torch.
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["cvclaims.engines.inline", "cvclaims.engines.device"])


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited a minute in vain"
        time.sleep(0.01)


class Users:
    """Processes that use the processor, and the log of their coming and going."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        self.started: dict[str, tuple[BaseProcess, Event]] = {}

    def start(self, way: str, name: str) -> None:
        leave = context.Event()
        process = context.Process(target=use, args=(way, name, self.folder, self.log, leave))
        process.start()
        self.started[name] = (process, leave)

    def comes(self, way: str, name: str) -> None:
        self.start(way, name)
        wait_for(lambda: f"{name} in" in self.lines)

    def let_go(self, name: str) -> None:
        self.started[name][1].set()

    def kill(self, name: str) -> None:
        process, _ = self.started.pop(name)
        process.kill()
        process.join()

    def end(self) -> None:
        for process, leave in self.started.values():
            leave.set()
            process.join(60)
            assert process.exitcode == 0

    @property
    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    @property
    def gate_is_shut(self) -> bool:
        gate = device._lock("cpu", "gate")
        free = gate.acquire(blocking=False)
        gate.release()
        return not free


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Users]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Users(tmp_path)
    yield made
    for process, _ in made.started.values():
        process.kill()
        process.join()
        process.close()


def test_those_that_share_are_there_together(tmp_path: Path) -> None:
    both = context.Barrier(2)
    processes = [context.Process(target=meet, args=(tmp_path, both)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
        process.close()


def test_one_alone_waits_for_those_that_share_and_lets_no_new_one_past(users: Users) -> None:
    users.comes("shared", "training")
    users.start("exclusive", "timing")
    wait_for(lambda: users.gate_is_shut)
    users.start("shared", "late")
    time.sleep(0.2)  # either of the two would come in, if it could
    assert users.lines == ["training in"]
    users.let_go("training")
    wait_for(lambda: "timing in" in users.lines)
    time.sleep(0.2)
    assert users.lines == ["training in", "training out", "timing in"]
    users.let_go("timing")
    wait_for(lambda: "late in" in users.lines)
    users.end()
    assert users.lines[3:] == ["timing out", "late in", "late out"]
    assert list(device._folder().glob("*.use")) == []


def test_two_alone_take_turns(users: Users) -> None:
    users.comes("exclusive", "one")
    users.start("exclusive", "two")
    time.sleep(0.2)
    assert users.lines == ["one in"]
    users.let_go("one")
    wait_for(lambda: "two in" in users.lines)
    users.end()
    assert users.lines == ["one in", "one out", "two in", "two out"]


@pytest.mark.parametrize("way", ["shared", "exclusive"])
def test_a_process_that_dies_lets_go(users: Users, way: str) -> None:
    users.comes(way, "victim")
    users.kill("victim")
    with device.exclusive(CPU):
        pass
    with device.shared(CPU):
        pass
    assert list(device._folder().glob("*.use")) == []


@pytest.mark.usefixtures("users")
@pytest.mark.parametrize("first", [device.shared, device.exclusive])
@pytest.mark.parametrize("second", [device.shared, device.exclusive])
def test_a_process_does_not_wait_for_itself(
    first: Callable[..., object], second: Callable[..., object]
) -> None:
    with first(CPU):  # type: ignore[attr-defined]
        with pytest.raises(RuntimeError, match="cpu already"), second(CPU):  # type: ignore[attr-defined]
            pass
        assert "cpu" in device._held
    with second(CPU):  # type: ignore[attr-defined]
        pass


@pytest.mark.usefixtures("users")
def test_a_failure_lets_go() -> None:
    for way in (device.shared, device.exclusive):
        with pytest.raises(ZeroDivisionError), way(CPU):
            raise ZeroDivisionError
    with device.exclusive(CPU):
        pass


def test_what_dead_processes_left_goes_with_the_next_one_that_shares(users: Users) -> None:
    users.comes("shared", "victim")
    users.comes("shared", "alive")
    users.kill("victim")
    assert len(list(device._folder().glob("*.use"))) == 2
    with device.shared(CPU):
        assert len(list(device._folder().glob("*.use"))) == 2
    assert len(list(device._folder().glob("*.use"))) == 1
    users.end()


@pytest.mark.parametrize(("first", "then"), [("shared", "exclusive"), ("exclusive", "shared")])
def test_a_wait_says_for_whom(
    users: Users, monkeypatch: pytest.MonkeyPatch, first: str, then: str
) -> None:
    def tell(line: str) -> None:
        lines.append(line)
        users.let_go("other")

    lines: list[str] = []
    monkeypatch.setattr(locks, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(locks, "tell", tell)
    users.comes(first, "other")
    with getattr(device, then)(CPU):
        pass
    process, _ = users.started["other"]
    assert f"waiting for the device cpu, which process {process.pid} on " in lines[0]


@pytest.mark.usefixtures("users")
def test_the_folder_is_the_users_own() -> None:
    with device.shared(CPU):
        assert device._folder().stat().st_mode & 0o077 == 0


def folder_of(temporary: Path) -> Path:
    return temporary / f"cvclaims.{os.getuid()}.devices"


def a_file(temporary: Path) -> None:
    folder_of(temporary).write_text("of a person")


def a_link(temporary: Path) -> None:
    (temporary / "elsewhere").mkdir()
    folder_of(temporary).symlink_to(temporary / "elsewhere")


def a_dead_link(temporary: Path) -> None:
    folder_of(temporary).symlink_to(temporary / "nowhere")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such users and links")
@pytest.mark.parametrize("put", [a_file, a_link, a_dead_link])
@pytest.mark.parametrize("way", [device.shared, device.exclusive])
def test_what_is_no_folder_of_this_user(
    users: Users, put: Callable[[Path], None], way: Callable[..., AbstractContextManager[None]]
) -> None:
    put(users.folder)
    with pytest.raises(
        LockError, match=r"not a folder of this user's own; move .* set TMPDIR"
    ) as e:
        way(CPU).__enter__()
    assert str(folder_of(users.folder)) in str(e.value)
    assert "\n" not in str(e.value)
    assert not (users.folder / "nowhere").exists()
    assert device._held == set()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such users")
@pytest.mark.usefixtures("users")
def test_a_folder_of_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(LockError, match="not a folder of this user's own"):
        device.shared(CPU).__enter__()


def test_no_folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for temporary in (tmp_path / "missing", tmp_path / "file"):
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        with pytest.raises(LockError, match=r"devices for the devices' locks cannot be .*TMPDIR"):
            device.shared(CPU).__enter__()

    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(LockError, match=r"\(No usable temporary directory found\); set TMPDIR"):
        device.shared(CPU).__enter__()


@pytest.mark.usefixtures("users")
def test_something_else_in_place_of_the_gate() -> None:
    (device._folder() / "cpu.gate").mkdir()
    with pytest.raises(LockError, match=r"the device cpu: .*cpu\.gate; move it away"):
        device.shared(CPU).__enter__()
    assert os.listdir(device._folder()) == ["cpu.gate"]


@pytest.mark.usefixtures("users")
def test_a_folder_for_temporary_files_without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(pytest.importorskip("fcntl"), "flock", refused)
    with pytest.raises(
        LockError, match=r"No locks available.*set TMPDIR .*, on a file system that"
    ):
        device.exclusive(CPU).__enter__()


def test_a_gpu_has_the_same_name_under_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda of: SimpleNamespace(uuid=f"uuid of {of}")
    )
    assert device.device_id(torch.device("cuda:1")) == "cuda-uuid of cuda:1"
    assert device.device_id(CPU) == "cpu"


def test_long_work_lets_pass_who_waits_for_the_device_alone(users: Users) -> None:
    with device.shared(CPU) as share:
        assert share.give_way() == 0
        assert users.lines == []
        users.start("exclusive", "timed")
        wait_for(lambda: users.gate_is_shut)
        users.let_go("timed")
        assert share.give_way() > 0
        assert users.lines == ["timed in", "timed out"]
        assert share.give_way() == 0
        users.start("exclusive", "later")
        wait_for(lambda: users.gate_is_shut)
        assert "later in" not in users.lines, "it has its place again"
        users.let_go("later")
