"""The results folder is read with distrust and written whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cvclaims.results.claims_json import read_claims, sound, to_json
from cvclaims.results.output import ResultsError, keep_copy, replace
from tests.results.synthetic import CE, judged, row

ROWS = [row("5.04"), judged("5.05", {"ce": CE}, case="ä, ≤", disputed="a tie", assumed=["lr"])]


def claims(folder: Path, text: str | bytes) -> Path:
    path = folder / "claims.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    rows, damage = read_claims(claims(tmp_path, to_json(ROWS)))
    assert [one.to_dict() for one in rows] == [one.to_dict() for one in ROWS]
    assert damage == ""


def test_the_file_keeps_its_contract() -> None:
    text = to_json(ROWS).decode()
    form = json.loads(text)
    assert list(form) == ["schema", "claims"]
    assert form["schema"] == 1
    wanted = "id title report rule verdict disputed scale reported measured device data reason"
    assert list(form["claims"][0])[:12] == wanted.split()
    assert text.endswith("]\n}\n")
    assert json.loads(to_json([]))["claims"] == []


def test_no_file_is_no_rows(tmp_path: Path) -> None:
    assert read_claims(tmp_path / "claims.json") == ([], "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "<<<<<<< HEAD",
        b"\xff\xfe\x00",
        "[]",
        '{"claims": []}',
        '{"schema": true, "claims": []}',
        '{"schema": 1}',
    ],
)
def test_a_damaged_file_is_told_and_left(tmp_path: Path, text: str | bytes) -> None:
    path = claims(tmp_path, text)
    content = path.read_bytes()
    rows, damage = read_claims(path)
    assert rows == []
    assert damage
    assert "\n" not in damage
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["claims.json"]


def test_each_damaged_file_is_kept_once(tmp_path: Path) -> None:
    for text in ("{", "{{", "{{", "{", "{{{"):
        kept = keep_copy(claims(tmp_path, text))
        assert kept.read_text() == text
    texts = {path.name: path.read_text() for path in tmp_path.glob("*.damaged")}
    assert texts == {
        "claims.json.damaged": "{",
        "claims.json.2.damaged": "{{",
        "claims.json.3.damaged": "{{{",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "maybe"},
        {"scale": "huge"},
        {"title": None},
        {"report_number": "5"},
        {"reported": [1]},
        {"reported": {"ce": "0.9"}},
        {"measured": {"ce": {"mean": 1}}},
        {"measured": {"ce": {"mean": "1", "std": None, "n": 1, "values": [1]}}},
        {"evidence": {"ce": "key"}},
        {"evidence": {"ce": ["../../../../**/*"]}},
        {"evidence": {"ce": ["*" * 64]}},
        {"evidence": {"ce": ["A" * 64]}},
        {"evidence": {"ce": ["a" * 65]}},
        {"evidence": {"ce": ["٠" * 64]}},
        {"rule": 0},
        {"disputed": []},
        {"failure": None},
        {"scale": []},
        {"recipes": {"full": ["digest"]}},
        {"assumed": "lr"},
    ],
)
def test_one_unsound_row_costs_no_other(tmp_path: Path, change: dict[str, object]) -> None:
    form = json.loads(to_json(ROWS))
    form["claims"][0] |= change
    rows, damage = read_claims(claims(tmp_path, json.dumps(form)))
    assert rows == ROWS[1:]
    assert "1 of 2 rows unsound" in damage


def test_numbers_that_json_does_not_know_are_unsound(tmp_path: Path) -> None:
    path = claims(tmp_path, to_json(ROWS).replace(b"0.9833", b"NaN"))
    rows, damage = read_claims(path)
    assert rows == []
    assert "2 of 2" in damage


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = claims(tmp_path, '{"schema": 2, "claims": "who knows"}')
    with pytest.raises(
        ResultsError, match=r"claims\.json has schema 2.*upgrade cvclaims"
    ) as caught:
        read_claims(path)
    assert "\n" not in str(caught.value)
    assert path.read_text() == '{"schema": 2, "claims": "who knows"}'


@pytest.mark.parametrize("where", ["row", "quantity", "file"])
def test_a_field_that_only_a_newer_one_can_know_is_refused(tmp_path: Path, where: str) -> None:
    form = json.loads(to_json(ROWS))
    row = form["claims"][1]
    place = {"row": row, "quantity": next(iter(row["measured"].values())), "file": form}[where]
    place["certainty"] = 1
    path = claims(tmp_path, json.dumps(form))
    before = path.read_bytes()
    with pytest.raises(ResultsError) as caught:
        read_claims(path)
    assert str(caught.value) == (
        f"{path} has a field 'certainty' that this cvclaims does not know: upgrade cvclaims, "
        "or choose another folder"
    )
    assert path.read_bytes() == before


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "claims.json").mkdir()
    with pytest.raises(ResultsError, match="cannot be read"):
        read_claims(tmp_path / "claims.json")


def test_a_row_that_is_no_json_names_its_claim() -> None:
    with pytest.raises(ResultsError, match=r"claim 5\.04"):
        to_json([row(reported={"ce": float("nan")})])


def test_the_same_content_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    assert replace(path, b"one")
    before = path.stat()
    assert not replace(path, b"one")
    assert path.stat() == before
    assert replace(path, b"two")
    assert path.read_bytes() == b"two"
    assert [file.name for file in path.parent.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResultsError, match=r"file cannot be written \(No space left"):
        replace(path, b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("file", b"old")]


def test_sound_takes_nothing_but_an_object() -> None:
    with pytest.raises(ValueError, match="object"):
        sound(["not", "a", "row"])


@pytest.mark.parametrize(
    "odd",
    [
        *({"guards": odd} for odd in ("V1", [1], None)),
        *({"about_failing": odd} for odd in (False, "ce", [1], 1)),
    ],
)
def test_odd_guards_are_unsound(odd: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wrong type"):
        sound({**judged("5.04", {"ce": CE}).to_dict(), **odd})


@pytest.mark.parametrize("about", [True, ["ce"], []])
def test_what_a_statement_says_of_failing_is_read_back(about: Any) -> None:
    form = judged("5.04", {"ce": CE}, guards=["V1"], about_failing=about).to_dict()
    assert sound(form).guards == ["V1"]
    assert sound(form).about_failing == (about or ())
