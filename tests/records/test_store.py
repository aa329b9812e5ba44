"""The store: all of a record or none."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cvclaims
from cvclaims.recipe import CURVES
from cvclaims.records import Record, Store, StoreError, UnwrittenError
from cvclaims.records.record import TRAINING_REVISION
from tests.records.factory import RECIPE, origin, record
from tests.records.stored import files, get, one_line, spoil, text_of

PROJECT = Path(cvclaims.__file__).parents[1]
FULL_DISK = OSError(28, "No space left on device")


class TestPut:
    def test_what_was_put_is_got(self, store: Store) -> None:
        of = record()
        assert get(store, of) is None
        path = store.put(of)
        assert path == store.root / "full" / "digits" / f"{of.key[:24]}.json"
        assert text_of(get(store, of)) == of.to_json() == path.read_text()
        assert files(store) == [f"full/digits/{path.name}"]
        assert store.problems == []

    def test_everyone_may_read_it(self, store: Store) -> None:
        assert store.put(record()).stat().st_mode & 0o777 == 0o644

    def test_a_run_that_is_put_again_replaces_its_record(self, store: Store) -> None:
        store.put(record(accuracy=0.1))
        store.put(record(accuracy=0.9))
        assert text_of(get(store, record())) == record(accuracy=0.9).to_json()
        assert len(files(store)) == 1

    def test_scales_and_data_sets_have_folders_of_their_own(self, store: Store) -> None:
        store.put(record(scale="smoke"))
        store.put(record(RECIPE.but(data="moons")))
        assert [name.rpartition("/")[0] for name in files(store)] == ["full/moons", "smoke/digits"]

    @pytest.mark.parametrize("step", ["replace", "fsync"])
    def test_a_full_disk_leaves_what_was_there_and_no_draft(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        before = record(accuracy=0.1)
        path = store.put(before)

        def full(*_: object, **__: object) -> None:
            raise FULL_DISK

        with monkeypatch.context() as patch:
            patch.setattr(os, step, full)
            with pytest.raises(UnwrittenError) as caught:
                store.put(record(accuracy=0.9))
        assert one_line(caught) == (
            f"{path} cannot be written (No space left on device): free it and run again; "
            "what was written before is kept"
        )
        assert path.read_text() == before.to_json()
        assert files(store) == [f"full/digits/{path.name}"]

    def test_an_interrupt_leaves_no_draft_either(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", interrupt)
            with pytest.raises(KeyboardInterrupt):
                store.put(record())
        assert files(store) == []

    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_a_killed_writer_leaves_the_old_file_or_none(
        self, store: Store, tmp_path: Path, step: str
    ) -> None:
        of = record(accuracy=0.9)
        (tmp_path / "text").write_text(of.to_json())
        code = (
            "import os, signal, sys; from pathlib import Path\n"
            "from cvclaims.records import Record, Store\n"
            f"os.{step} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
            "Store(Path(sys.argv[1])).put(Record.from_json(Path(sys.argv[2]).read_text()))\n"
        )
        command = [sys.executable, "-c", code, str(store.root), str(tmp_path / "text")]
        for before in (None, record(accuracy=0.1)):
            if before is not None:
                store.put(before)
            done = subprocess.run(command, cwd=PROJECT)
            assert done.returncode == -signal.SIGKILL
            kept = get(store, of)
            assert (kept and kept.to_json()) == (before and before.to_json())
            assert [r.to_json() for r in store] == ([before.to_json()] if before else [])
        assert store.problems == []

    def test_a_folder_that_cannot_be_made(self, store: Store) -> None:
        store.root.mkdir()
        (store.root / "full").write_text("a file")
        with pytest.raises(StoreError, match=r"cannot be written \(.*\): free it and run again; "):
            store.put(record())


def crashed(seed: int = 0) -> Record:
    empty: dict[str, list[float]] = {name: [] for name in CURVES}
    return record(seed=seed, status="failed", error="no", series=empty, class_accuracy=[])


class TestCrashes:
    def test_a_crash_is_kept_until_the_run_finishes(self, store: Store) -> None:
        store.put(crashed())
        assert text_of(get(store, record())) == crashed().to_json()
        store.put(record())
        assert text_of(get(store, record())) == record().to_json()

    def test_a_crash_takes_no_finished_runs_place(self, store: Store) -> None:
        path = store.put(record())
        assert store.put(crashed()) == path
        assert path.read_text() == record().to_json()

    @pytest.mark.parametrize("change", ['"schema": 2', '"session": ""'])
    def test_nor_that_of_what_cannot_be_read_here(self, store: Store, change: str) -> None:
        strange = record().to_json().replace(change, change.replace("2", "9").replace('""', "1"))
        path = spoil(store, record(), strange)
        store.put(crashed())
        assert path.read_text() == strange


class TestReadOnly:
    def test_nothing_is_renamed_or_made(self, store: Store) -> None:
        path = spoil(store, record(), "{")
        reader = Store(store.root, read_only=True)
        reader.check()
        before = files(store)
        assert get(reader, record()) is None
        assert list(reader) == []
        assert reader.evidence({"it": [record().key]}) == {"it": []}
        assert files(store) == before == [f"full/digits/{path.name}"]
        assert all(problem.endswith("; ignored") for problem in reader.problems)
        assert len(reader.problems) == 1

    def test_a_folder_that_is_not_there_is_empty(self, tmp_path: Path) -> None:
        reader = Store(tmp_path / "nowhere", read_only=True)
        reader.check()
        assert list(reader) == []
        assert reader.of(RECIPE) == []
        assert not reader.root.exists()


class TestCheck:
    def test_a_new_folder_is_made_and_left_empty(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "a" / "b")
        store.check()
        assert files(store) == []

    @pytest.mark.parametrize("read_only", [False, True])
    def test_a_file(self, tmp_path: Path, read_only: bool) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StoreError) as caught:
            Store(tmp_path / "file", read_only=read_only).check()
        assert one_line(caught) == f"{tmp_path / 'file'} is a file; the store needs a folder"

    def test_a_folder_in_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StoreError) as caught:
            Store(tmp_path / "file" / "records").check()
        assert one_line(caught) == (
            f"{tmp_path / 'file' / 'records'} cannot be written (Not a directory); "
            "choose another folder"
        )

    @pytest.mark.parametrize(
        ("where", "what"), [(Path, "mkdir"), (Path, "exists"), (os, "replace")]
    )
    def test_a_folder_that_cannot_be_written(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, where: Any, what: str
    ) -> None:
        def forbidden(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(where, what, forbidden)
        with pytest.raises(StoreError) as caught:
            store.check()
        assert one_line(caught) == (
            f"{store.root} cannot be written (Permission denied); choose another folder"
        )


class TestFinding:
    def test_of_a_recipe_by_seed(self, store: Store) -> None:
        for seed in (10, 2, 1):
            store.put(record(seed=seed))
        store.put(record(RECIPE.but(lr=0.2)))
        assert [r.seed for r in store.of(RECIPE.but(assumed=("lr",)))] == [1, 2, 10]
        assert store.of(RECIPE.but(lr=0.3)) == []

    def test_only_the_present_training_code_counts(self, store: Store) -> None:
        store.put(record(seed=1, origin=origin(revision=TRAINING_REVISION - 1)))
        store.put(record(seed=2))
        store.put(record(seed=3, origin=origin(revision=TRAINING_REVISION + 1)))
        assert [r.seed for r in store.of(RECIPE)] == [2]
        assert len(list(store)) == 3

    def test_what_is_put_later_is_found_too(self, store: Store) -> None:
        store.put(record(seed=1))
        assert len(store.of(RECIPE)) == 1
        store.put(record(seed=2))
        assert len(store.of(RECIPE)) == 2

    def test_the_folder_is_read_once_however_many_ask(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.put(record())
        read: list[Path] = []

        def counted(path: Path) -> bytes:
            read.append(path)
            return path.read_bytes()

        monkeypatch.setattr("cvclaims.records.store.read_plain", counted)
        for _ in range(3):
            store.of(RECIPE)
        assert len(read) == 1

    def test_in_a_fixed_order(self, store: Store) -> None:
        moons = RECIPE.but(data="moons")
        for of in (
            record(scale="full"),
            record(moons, scale="smoke"),
            record(scale="smoke"),
            record(scale="reduced"),
        ):
            store.put(of)
        found = [(r.scale, r.recipe.data) for r in store]
        assert found == [
            ("smoke", "digits"),
            ("smoke", "moons"),
            ("reduced", "digits"),
            ("full", "digits"),
        ]

    def test_evidence_is_what_a_row_names(self, store: Store) -> None:
        old = record(seed=7, origin=origin(revision=TRAINING_REVISION - 1))
        for of in (record(seed=2), record(seed=0), record(seed=1), old):
            store.put(of)
        keys = {"a": [record(seed=2).key, record(seed=0).key, "0" * 64], "b": [old.key], "c": []}
        found = store.evidence(keys)
        assert {name: [r.seed for r in of] for name, of in found.items()} == {
            "a": [0, 2],
            "b": [7],
            "c": [],
        }


class TestLock:
    def test_each_run_has_one_of_its_own(self, store: Store) -> None:
        first, second = store.lock("a" * 64), store.lock("a" * 64)
        with first:
            assert not second.acquire(blocking=False)
            with store.lock("b" * 64):
                pass  # another run is free
        with second:
            pass

    def test_locks_are_no_records(self, store: Store) -> None:
        with store.lock(record().key):
            assert list(store) == []
        assert store.problems == []

    def test_a_store_that_cannot_be_locked_is_found_out_at_once(self, store: Store) -> None:
        store.root.mkdir()
        (store.root / ".locks").touch()
        with pytest.raises(StoreError, match=r"\.locks is no folder; move that away"):
            store.check()
