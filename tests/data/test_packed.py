"""The cache: what it holds, when it is made anew, and what happens without one."""

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cvclaims
from cvclaims.data.cifar10 import MEAN, STD, cifar10
from cvclaims.data.dataset import Dataset, fingerprint, from_arrays
from cvclaims.data.packed import KEPT, PARTS, cache_folder, packed

Plant = Callable[..., Path]


class Build:
    """Builds a small set of random pixels, and counts how often."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.count = 0

    def __call__(self) -> Dataset:
        self.count += 1
        generator = np.random.default_rng(self.seed)
        x = generator.integers(0, 256, (50, 3, 4, 4), dtype=np.uint8)
        y = np.arange(50) % 10
        return from_arrays(
            "cifar10", (x[:30], y[:30]), (x[30:], y[30:]), mean=MEAN, std=STD, source="a source"
        )


def same(one: Dataset, other: Dataset) -> bool:
    return all(torch.equal(getattr(one, p), getattr(other, p)) for p in PARTS) and all(
        getattr(one, name) == getattr(other, name)
        for name in ("name", "classes", "mean", "std", "source", "stand_in", "fingerprint")
    )


def entries(cache: Path) -> list[Path]:
    return sorted(cache.glob("cifar10-*"))


def test_is_built_once_and_the_same_from_the_cache(cache: Path) -> None:
    build = Build()
    first, second = packed("cifar10", "key", build), packed("cifar10", "key", build)
    assert build.count == 1
    assert same(first, second)
    assert same(second, Build()())
    tensors = [getattr(second, part) for part in PARTS]
    assert fingerprint(tensors, second.mean, second.std) == second.fingerprint
    assert len(entries(cache)) == 1
    assert sorted(path.name for path in cache.iterdir() if path.is_file()) == ["cifar10.lock"]


def test_is_mapped_and_writing_to_it_stays_here() -> None:
    build = Build()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as torch's, of arrays that are not writable
        first = packed("cifar10", "key", build)
    first.train_x.zero_()
    assert same(packed("cifar10", "key", build), Build()())
    assert build.count == 1


def test_another_key_or_name_is_another_set() -> None:
    builds = [Build(seed) for seed in range(3)]
    asked = [("cifar10", "key"), ("cifar10", "other"), ("else", "key")]
    sets = [packed(*ask, build) for ask, build in zip(asked, builds, strict=True)]
    assert len({dataset.fingerprint for dataset in sets}) == 3
    again = [packed(*ask, build) for ask, build in zip(asked, builds, strict=True)]
    assert all(map(same, sets, again))
    assert [build.count for build in builds] == [1, 1, 1]


@settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(name=st.sampled_from([*(f"{part}.npy" for part in PARTS), "facts.json"]), data=st.data())
def test_any_damage_is_noticed_and_mended(cache: Path, name: str, data: st.DataObject) -> None:
    build = Build()
    packed("cifar10", "key", build)
    [entry] = entries(cache)
    content = bytearray((entry / name).read_bytes())
    where = data.draw(st.integers(0, len(content) - 1))
    kind = data.draw(st.sampled_from(["bit", "cut", "more", "gone"]))
    (entry / name).unlink()  # mapped files must not be cut under those who mapped them
    if kind == "bit":
        content[where] ^= 1 << data.draw(st.integers(0, 7))
    damaged = content[:where] if kind == "cut" else content + b"x" * (kind == "more")
    if kind != "gone":
        (entry / name).write_bytes(damaged)
    before = build.count
    assert same(packed("cifar10", "key", build), Build()())
    assert build.count == before + 1
    packed("cifar10", "key", build)
    assert build.count == before + 1


def test_a_file_in_the_place_of_a_set_is_worked_around(cache: Path) -> None:
    build = Build()
    packed("cifar10", "key", build)
    [entry] = entries(cache)
    for path in entry.iterdir():
        path.unlink()
    entry.rmdir()
    entry.touch()
    assert same(packed("cifar10", "key", build), Build()())
    assert entry.is_file()
    assert entries(cache) == [entry]


def test_only_the_newest_sets_are_kept(cache: Path) -> None:
    for key in range(KEPT + 2):
        packed("cifar10", key, Build(key))
        for age, entry in enumerate(entries(cache)):
            if entry.stat().st_mtime > time.time() - 1000:
                os.utime(entry, (0, time.time() - 10_000 + 100 * key + age))
    build = Build()
    assert len(entries(cache)) == KEPT
    for key in range(2, KEPT + 2):
        packed("cifar10", key, build)
    assert build.count == 0


def test_what_a_killed_process_left_is_deleted(cache: Path) -> None:
    left = cache / f".cifar10-{'0' * 24}-{'1' * 16}"
    left.mkdir(parents=True)
    (left / "train_x.npy").touch()
    packed("cifar10", "key", Build())
    assert not left.exists()


def test_what_another_put_into_the_cache_is_not_touched(cache: Path) -> None:
    names = ["cifar10-mine", f"cifar10-{'0' * 25}", f"cifar10-2-{'0' * 24}", ".cifar10-mine-old"]
    for name in names:
        (cache / name).mkdir(parents=True)
        (cache / name / "images").touch()
        os.utime(cache / name, (0, 0))
    for key in range(KEPT + 1):
        packed("cifar10", key, Build(key))
    assert all((cache / name / "images").exists() for name in names)


def test_a_failing_build_leaves_nothing(cache: Path) -> None:
    def build() -> Dataset:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        packed("cifar10", "key", build)
    assert entries(cache) == []
    assert packed("cifar10", "key", Build()).source == "a source"  # the lock is free


def test_a_cache_that_cannot_be_made_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not by chmod: root may write everywhere.
    (tmp_path / "file").touch()
    monkeypatch.setenv("CVCLAIMS_CACHE", str(tmp_path / "file" / "cache"))
    build = Build()
    for count in (1, 2):
        assert same(packed("cifar10", "key", build), Build()())
        assert build.count == count


@pytest.mark.parametrize("refused", ["flock", "mkdir"])
def test_what_the_cache_cannot_do_is_done_without(
    cache: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    def fails(*_: object) -> None:
        raise OSError(37, "No locks available")

    if refused == "flock":
        monkeypatch.setattr(pytest.importorskip("fcntl"), "flock", fails)
    else:
        cache.mkdir()
        monkeypatch.setattr(os, "mkdir", fails)
    assert same(packed("cifar10", "key", Build()), Build()())
    assert [path.name for path in cache.iterdir()] == ["cifar10.lock"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_set_can_be_read_by_whom_the_umask_allows(cache: Path) -> None:
    before = os.umask(0o027)
    try:
        packed("cifar10", "key", Build())
    finally:
        os.umask(before)
    [entry] = entries(cache)
    assert entry.stat().st_mode & 0o777 == 0o750


def test_a_full_disk_is_done_without(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert same(packed("cifar10", "key", Build()), Build()())
    assert [path.name for path in cache.iterdir()] == ["cifar10.lock"]


def test_the_folder_is_the_variable_then_xdg_then_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.setenv("CVCLAIMS_CACHE", "~/here")
    assert cache_folder() == Path("/home/someone/here")
    monkeypatch.setenv("CVCLAIMS_CACHE", "")
    assert cache_folder() == Path("/xdg/cvclaims")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path("/home/someone/.cache/cvclaims")


def test_without_a_home_there_is_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("CVCLAIMS_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    build = Build()
    packed("cifar10", "key", build)
    packed("cifar10", "key", build)
    assert build.count == 2


RACER = """
import sys, time
from pathlib import Path
import numpy as np
from cvclaims.data.dataset import from_arrays
from cvclaims.data.packed import packed

def build():
    with open(sys.argv[1], "a") as file:
        print("built", file=file)
    time.sleep(1)
    part = np.zeros((2, 3, 4, 4), np.uint8), np.zeros(2)
    return from_arrays("cifar10", part, part)

print(packed("cifar10", "key", build).fingerprint)
"""


def test_two_processes_at_once_build_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACER, str(tmp_path / "builds")]
    root = Path(cvclaims.__file__).parents[1]
    racers = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) for _ in range(2)]
    prints = [racer.communicate()[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    assert prints[0] == prints[1] != b""
    assert (tmp_path / "builds").read_text() == "built\n"


def edited(tree: Path) -> None:
    path = tree / "train" / "cat" / "0001.png"
    other = tree / "train" / "dog" / "0001.png"
    path.write_bytes(other.read_bytes())


def edited_in_secret(tree: Path) -> None:
    """Size and time of the change as they were: `cp -p` of another image can do that."""
    path = tree / "train" / "cat" / "0001.bmp"
    stat = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def exchanged(tree: Path) -> None:
    cat, dog = tree / "test" / "cat", tree / "test" / "dog"
    cat.rename(tree / "other")
    dog.rename(cat)
    (tree / "other").rename(dog)


@pytest.mark.parametrize("change", [edited, edited_in_secret, exchanged])
def test_a_changed_folder_is_noticed(
    tmp_path: Path, plant: Plant, cache: Path, change: Callable[[Path], None]
) -> None:
    tree = plant(tmp_path, "bmp" if change is edited_in_secret else "png")
    before = cifar10(tmp_path, (3, 2))
    assert cifar10(tmp_path, (3, 2)).fingerprint == before.fingerprint
    assert len(entries(cache)) == 1
    change(tree)
    assert cifar10(tmp_path, (3, 2)).fingerprint != before.fingerprint
    assert len(entries(cache)) == 2


def test_an_image_that_vanished_is_not_covered_by_the_cache(tmp_path: Path, plant: Plant) -> None:
    tree = plant(tmp_path)
    cifar10(tmp_path, (3, 2))
    (tree / "train" / "cat" / "0001.png").unlink()
    with pytest.raises(RuntimeError, match="train/cat holds 2 images instead of 3"):
        cifar10(tmp_path, (3, 2))
