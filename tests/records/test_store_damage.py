"""The store trusts nothing that it did not write, and loses nothing that it does not trust."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cvclaims.recipe import digest_of_form as digest_of
from cvclaims.records import Record, Store, StoreError
from cvclaims.records.record import SCHEMA, TRAINING_REVISION
from tests.records.factory import RECIPE, record
from tests.records.stored import files, get, one_line, spoil, text_of


class TestDamage:
    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (record().to_json()[:500], "not JSON, perhaps cut off ("),
            ("", "not JSON, perhaps cut off ("),
            ("{}", "no record of cvclaims: it has no schema number"),
            (record().to_json().replace('"seed": 0', '"seed": 1'), "its key does not belong to "),
            (b"\xff\xfe\x00", "not JSON, perhaps cut off ("),
            (record(seed=5).to_json(), "it holds another run than its name says"),
        ],
    )
    def test_a_damaged_file_is_set_aside_when_its_run_is_trained_anew(
        self, store: Store, content: str | bytes, why: str
    ) -> None:
        of = record()
        path = spoil(store, of, content)
        before = path.read_bytes()
        assert list(store) == []
        assert get(store, of) is None
        assert files(store) == [f"full/digits/{path.name}"], "to look is not to touch"
        store.put(of)
        ignored, problem = store.problems
        assert ignored.startswith(f"{path}: {why}")
        assert ignored.endswith("; ignored")
        assert problem.startswith(f"{path}: {why}")
        assert problem.endswith(f"; set aside as {path.name}.damaged, it was run again")
        assert path.with_name(f"{path.name}.damaged").read_bytes() == before
        assert text_of(get(store, of)) == of.to_json()
        assert len(files(store)) == 2

    def test_a_second_one_does_not_take_the_firsts_place(self, store: Store) -> None:
        for content in ("first", "second"):
            spoil(store, record(), content)
            store.put(record())
        kept = [store.root / name for name in files(store) if name.endswith(".damaged")]
        assert sorted(path.read_text() for path in kept) == ["first", "second"]

    def test_a_file_system_without_second_names_loses_nothing_either(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def not_offered(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", not_offered)
        for content in ("first", "second"):
            spoil(store, record(), content)
            store.put(record())
        kept = [store.root / name for name in files(store) if name.endswith(".damaged")]
        assert sorted(path.read_text() for path in kept) == ["first", "second"]
        assert text_of(get(store, record())) == record().to_json()

    def test_what_another_has_mended_meanwhile_is_not_set_aside(self, store: Store) -> None:
        spoil(store, record(), "{")
        assert get(store, record()) is None
        Store(store.root).put(record(accuracy=0.9))
        store.put(record(accuracy=0.7))
        assert len(files(store)) == 2  # the record, and what was damaged, once

    def test_one_among_good_ones(self, store: Store) -> None:
        for seed in range(3):
            store.put(record(seed=seed))
        spoil(store, record(seed=1), "{")
        assert [r.seed for r in store.of(RECIPE)] == [0, 2]
        assert len(store.problems) == 1

    def test_what_cannot_be_set_aside_is_not_overwritten(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = spoil(store, record(), "{")

        def forbidden(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "link", forbidden)
        monkeypatch.setattr(os, "replace", forbidden)
        with pytest.raises(StoreError, match=r"cannot be set aside \(Permission denied\): move it"):
            store.put(record())
        assert path.read_text() == "{"


def of_another_version(of: Record, what: str) -> str:
    """A sound record that this installation does not understand."""
    form = json.loads(of.to_json())
    if what == "schema":
        form["schema"] = SCHEMA + 1
    elif what == "origin":
        form["origin"]["colour"] = "red"
    elif what == "field":
        form["recipe"]["colour"] = "red"
    else:
        form["recipe"]["model"] = "tomorrow"
    parts = [digest_of(form["recipe"]), of.seed, "f" * 64, TRAINING_REVISION]
    form["key"] = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    form["digest"] = digest_of({k: v for k, v in form.items() if k != "digest"})
    return json.dumps(form)


class TestLeftAlone:
    @pytest.mark.parametrize("what", ["schema", "origin", "field", "model"])
    def test_what_another_installation_knows(self, store: Store, what: str) -> None:
        text = of_another_version(record(), what)
        path = store.path("full", "digits", json.loads(text)["key"])
        path.parent.mkdir(parents=True)
        path.write_text(text)
        for _ in range(2):
            assert list(store) == []
        (problem,) = store.problems
        assert problem.startswith(f"{path}: ")
        assert problem.endswith("; ignored")
        assert store.evidence({"it": [json.loads(text)["key"]]}) == {"it": []}
        if what in ("schema", "origin"):  # the run that it is the record of can be asked for
            with pytest.raises(StoreError, match="choose another store"):
                get(store, record())
        assert path.read_text() == text
        assert files(store) == [f"full/digits/{path.name}"]

    def test_what_was_altered_keeps_its_place(self, store: Store) -> None:
        text = record().to_json().replace('"test_accuracy": [0.5', '"test_accuracy": [0.9')
        path = spoil(store, record(), text)
        assert list(store) == []
        with pytest.raises(StoreError, match="was altered; restore it"):
            get(store, record())
        assert path.read_text() == text

    @pytest.mark.parametrize(
        "error",
        [
            PermissionError(13, "Permission denied"),
            OSError(24, "Too many open files"),
            OSError(5, "Input/output error"),
        ],
    )
    def test_what_cannot_be_read_now(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, error: OSError
    ) -> None:
        path = store.put(record())

        def failing(*_: object, **__: object) -> bytes:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr("cvclaims.records.store.read_plain", failing)
            assert list(store) == []
            with pytest.raises(StoreError) as caught:
                get(store, record())
        assert one_line(caught) == (
            f"{path}: unreadable now ({error.strerror}): free it, or choose another store"
        )
        assert text_of(get(store, record())) == record().to_json()

    def test_a_folder_that_cannot_be_read(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.put(record())
        plain = os.scandir

        def closed(path: Path) -> Any:
            if path.name == "digits":
                raise PermissionError(13, "Permission denied")
            return plain(path)

        monkeypatch.setattr(os, "scandir", closed)
        assert list(store) == []
        (problem,) = store.problems
        assert problem == (
            f"{store.root}/full/digits: unreadable now (Permission denied): free it; ignored"
        )

    def test_a_pipe_in_the_place_of_a_record_is_not_waited_for(self, store: Store) -> None:
        path = store.path("full", "digits", record().key)
        path.parent.mkdir(parents=True)
        os.mkfifo(path)
        assert list(store) == []
        assert len(store.problems) == 1
        with pytest.raises(StoreError, match="is no plain file"):
            get(store, record())

    def test_a_folder_in_the_place_of_a_record(self, store: Store) -> None:
        path = store.path("full", "digits", record().key)
        path.mkdir(parents=True)
        assert list(store) == []
        with pytest.raises(StoreError, match="unreadable now"):
            get(store, record())
        assert path.is_dir()

    def test_a_linked_folder(self, store: Store) -> None:
        store.put(record())
        (store.root / "full" / "moons").symlink_to(store.root / "full" / "digits")
        assert [r.key for r in store] == [record().key]
        (problem,) = store.problems
        assert problem.endswith("it belongs into full/digits: move it there; ignored")
        assert len(files(store)) == 1

    def test_a_store_that_is_a_link(self, store: Store, tmp_path: Path) -> None:
        store.put(record())
        (tmp_path / "link").symlink_to(store.root)
        assert [r.key for r in Store(tmp_path / "link")] == [record().key]

    @pytest.mark.parametrize("name", ["copy.json", "package.json", ".json", "0123.json"])
    def test_files_of_other_names_are_none_of_ours(self, store: Store, name: str) -> None:
        path = store.put(record())
        path.with_name(name).write_text("{")
        assert len(list(store)) == 1
        assert store.problems == []
        assert set(files(store)) == {f"full/digits/{path.name}", f"full/digits/{name}"}

    @pytest.mark.parametrize(
        "key", ["../../../../**/*", "*", "", "?" * 64, "[0-9a-f]" * 8, "A" * 64, "/etc/passwd"]
    )
    def test_a_key_is_no_pattern(self, store: Store, tmp_path: Path, key: str) -> None:
        store.put(record())
        (tmp_path / "package.json").write_text("{")
        assert store.evidence({"a": [key, key + "\n", record().key + "\n"]}) == {"a": []}
        assert store.problems == []
        assert (tmp_path / "package.json").read_text() == "{"
        assert len(files(store)) == 1
