"""`cvclaims new`: a folder in which `pytest` works at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cvclaims.cli import main


def test_pytest_in_it_judges_the_claim_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "my-paper"
    assert main(["new", str(folder)]) == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout
    assert "1 passed" in told.stdout
    rows = json.loads((folder / "results" / "claims.json").read_text())["claims"]
    assert [(row["id"], row["report"], row["verdict"]) for row in rows] == [
        ("1.1", "my-paper", "supported")
    ]
    assert list((folder / "results" / "records").rglob("*.json"))
    # Whatever else tools leave is no matter of git's.
    ignored = {line.strip("/") for line in (folder / ".gitignore").read_text().splitlines()}
    there = {path.name for path in folder.iterdir()} - ignored
    assert there == {"test_my_paper.py", "pytest.ini", ".gitignore", "results"}


def test_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", str(tmp_path / "a-1")]) == 0
    told = capsys.readouterr().out
    assert told == f"{tmp_path / 'a-1'} is made: change test_a_1.py, then run `pytest` in it\n"


@pytest.mark.parametrize("name", ["My Paper", "paper_", "-a", "a--b", "논문", "a'b", ".", "a\nb"])
def test_a_name_that_could_not_stand_in_tables_is_refused(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "--", name]) == 2
    told = capsys.readouterr().err
    assert "cannot name a paper" in told
    assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").touch()
    assert main(["new", str(tmp_path / "mine")]) == 2
    assert "is there and not empty: choose another name" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes"]


def test_a_file_in_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").touch()
    assert main(["new", str(tmp_path / "mine")]) == 2
    assert capsys.readouterr().err.startswith("cvclaims new: ")
