"""`cvclaims report` prints a results folder and leaves it as it is."""

import csv
from pathlib import Path

import pytest

from cvclaims.cli import main
from cvclaims.results.claims_json import to_json
from tests.results.synthetic import row

ROWS = [row("5.04"), row("5.05", case="ä, ≤", verdict="refuted")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "claims.json").write_bytes(to_json(ROWS))
    return tmp_path


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("table", "claim    statement"),
        ("markdown", "# Results\n"),
        ("csv", "report,id,case"),
        ("latex", "% Computer Vision HW3\n\\begin{tabular}"),
    ],
)
def test_every_format(
    folder: Path, capsys: pytest.CaptureFixture[str], form: str, begins: str
) -> None:
    assert main(["report", str(folder), "--format", form]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(begins)
    assert err == ""
    assert [path.name for path in folder.iterdir()] == ["claims.json"]
    if form == "csv":
        read = list(csv.DictReader(out.splitlines()))
        assert {line["case"] for line in read if line["id"] == "5.05"} == {"ä, ≤"}


def test_damage_is_told_and_the_rest_is_printed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = to_json(ROWS).decode().replace('"verdict": "supported"', '"verdict": "maybe"')
    (folder / "claims.json").write_text(text)
    assert main(["report", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert "5.05" in out
    assert "5.04" not in out
    assert "1 of 2 rows unsound" in err
    assert (folder / "claims.json").read_text() == text


def test_what_cannot_be_read_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "claims.json").write_text('{"schema": 99}')
    assert main(["report", str(folder)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("cvclaims report: ")
    assert err.count("\n") == 1
