"""Writing whole files: what a reader sees, what stays behind, and what is no failure."""

import errno
import os
import socket
import stat
import threading
import time
from pathlib import Path

import pytest

from cvclaims import files
from cvclaims.files import check_writable, read_plain, write_atomically


def refuse(
    monkeypatch: pytest.MonkeyPatch, function: str, number: int, *, named: str = ""
) -> list[object]:
    """Let a function of `os` fail with an error number; returns what it was called with."""
    calls: list[object] = []

    def fails(*args: object, **_: object) -> None:
        calls.append(args)
        raise OSError(number, os.strerror(number), named or None)

    monkeypatch.setattr(os, function, fails)
    return calls


def test_a_file_is_made_with_its_folder_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    write_atomically(path, b"one")
    assert path.read_bytes() == b"one"
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("length", [1, 255])
def test_any_name_that_a_file_may_have(tmp_path: Path, length: int) -> None:
    path = tmp_path / ("n" * length)
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_who_may_read_it_is_what_the_umask_says(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "file", b"content")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("function", ["chmod", "fchmod", "utime", "chown", "link"])
def test_the_only_courtesy_asked_for_is_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    if not hasattr(os, function):
        pytest.skip(f"no os.{function} here")
    calls = refuse(monkeypatch, function, errno.EPERM)
    check_writable(tmp_path)
    write_atomically(tmp_path / "file", b"content")
    assert calls == []


@pytest.mark.parametrize(
    "name", ["EPERM", "EACCES", "EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EROFS"]
)
def test_a_courtesy_that_fails_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    calls = refuse(monkeypatch, "fsync", getattr(errno, name))
    check_writable(tmp_path)
    write_atomically(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"
    assert len(calls) == 2


@pytest.mark.parametrize("name", ["ENOSPC", "EIO"])
def test_content_that_did_not_reach_the_disk_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "file").write_bytes(b"before")
    refuse(monkeypatch, "fsync", getattr(errno, name))
    with pytest.raises(OSError, match=os.strerror(getattr(errno, name))):
        write_atomically(tmp_path / "file", b"content")
    with pytest.raises(OSError, match=os.strerror(getattr(errno, name))):
        check_writable(tmp_path)
    assert (tmp_path / "file").read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("function", ["replace", "fsync"])
def test_what_writing_needs_the_check_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    refuse(monkeypatch, function, errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        check_writable(tmp_path)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        write_atomically(tmp_path / "file", b"content")
    assert os.listdir(tmp_path) == []


def test_ctrl_c_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", b"content")
    assert os.listdir(tmp_path) == []


def test_a_file_in_the_folders_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="file"):
            check_writable(folder)
        with pytest.raises(OSError, match="file"):
            write_atomically(folder / "name", b"content")
    assert (tmp_path / "file").read_bytes() == b"before"


def test_a_folder_in_the_files_place(tmp_path: Path) -> None:
    (tmp_path / "folder" / "kept").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write_atomically(tmp_path / "folder", b"content")
    assert os.listdir(tmp_path) == ["folder"]
    assert os.listdir(tmp_path / "folder") == ["kept"]


def test_a_reader_sees_all_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([number]) * 100_000 for number in range(20)]
    write_atomically(path, contents[0])
    seen: set[bytes] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for content in contents:
        write_atomically(path, content)
    done.set()
    reader.join()
    assert seen <= set(contents)


def test_the_check_makes_the_folder_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "folder")
    assert os.listdir(tmp_path / "new" / "folder") == []


def test_the_check_removes_what_killed_processes_left_and_nothing_else(tmp_path: Path) -> None:
    old, young = ".draft-0123456789abcdef", ".draft-fedcba9876543210"
    others = [".draft-", ".draft-mine", f"{old}.txt", "a.draft-0123456789abcdef", ".draft-0123"]
    for name in (old, young, *others):
        (tmp_path / name).write_text("content")
    folder = tmp_path / ".draft-00000000000000ff"
    folder.mkdir()
    long_ago = time.time() - files.STALE_SECONDS - 60
    for name in (old, *others, folder.name):
        os.utime(tmp_path / name, (long_ago, long_ago))
    check_writable(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([young, *others, folder.name])


@pytest.mark.parametrize("below", ["full", "full/moons"])
def test_the_check_looks_into_the_folders_of_records(tmp_path: Path, below: str) -> None:
    folder = tmp_path / below
    folder.mkdir(parents=True)
    long_ago = time.time() - files.STALE_SECONDS - 60
    for name in (".draft-0123456789abcdef", "record.json"):
        (folder / name).write_text("content")
        os.utime(folder / name, (long_ago, long_ago))
    check_writable(tmp_path)
    assert os.listdir(folder) == ["record.json"]


def test_no_draft_is_committed() -> None:
    text = (Path(__file__).parents[1] / ".gitignore").read_text()
    assert ".draft-*" in text.splitlines()


def test_the_age_of_a_draft_is_not_measured_by_our_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".draft-0123456789abcdef").write_text("being written")
    monkeypatch.setattr(time, "time", lambda: 1e12)
    check_writable(tmp_path)
    assert os.listdir(tmp_path) == [".draft-0123456789abcdef"]


def test_a_plain_file_is_read_whole_also_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"one\r\n\x1a two" * 10_000)
    (tmp_path / "link").symlink_to("file")
    assert read_plain(tmp_path / "file") == b"one\r\n\x1a two" * 10_000
    assert read_plain(tmp_path / "link") == b"one\r\n\x1a two" * 10_000
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "none")


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "socket", "loop"])
def test_what_is_no_plain_file_is_refused_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket may not be long
    path = Path("path")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as there:
            there.bind(str(path))
    else:
        path.symlink_to(path)
    with pytest.raises(OSError, match="path"):
        read_plain(path)
