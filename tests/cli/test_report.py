"""`cvclaims report` writes what people read anew, and judges nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from cvclaims.cli import main
from cvclaims.results.claims_json import to_json
from tests.results.synthetic import row

ROWS = [row("5.04"), row("5.05", case="ä, ≤", verdict="refuted")]
SECTION = """
def pytest_claims_sections():
    from cvclaims import Section

    class Own(Section):
        def markdown(self, name, views, files):
            return f"### Of {name}: {len(views)} rows\\n"

    return [Own("losses")]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "claims.json").write_bytes(to_json(ROWS))
    return folder


def test_all_is_written_once_and_then_stands(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(folder)]) == 0
    assert capsys.readouterr().err == ""
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    assert files >= {"README.md", "claims/5.04.md", "claims/5.05.md", "tables/losses.csv"}
    (folder / "claims" / "5.05.md").write_text("by hand")
    assert main(["report", str(folder)]) == 0
    assert "1 files written, 0 removed" in capsys.readouterr().out


def test_a_reports_own_section_is_found_from_any_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = claims\n")
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "conftest.py").write_text(SECTION)
    command = [sys.executable, "-m", "cvclaims", "report", str(folder)]
    ran = subprocess.run(command, cwd=tmp_path.parent, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    assert "### Of Computer Vision HW3: 2 rows\n" in (folder / "README.md").read_text()
    (tmp_path / "claims" / "conftest.py").write_text("import nowhere\n")
    ran = subprocess.run(command, cwd=tmp_path.parent, capture_output=True, text=True)
    assert ran.returncode == 1
    assert "no report has its own section (" in ran.stderr
    assert "nowhere" in ran.stderr


def test_damage_is_told_and_kept_aside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = to_json(ROWS).decode().replace('"verdict": "supported"', '"verdict": "maybe"')
    (folder / "claims.json").write_text(text)
    assert main(["report", str(folder)]) == 1
    assert "1 of 2 rows unsound" in capsys.readouterr().err
    assert (folder / "claims.json.damaged").read_text() == text
    assert "5.05" in (folder / "README.md").read_text()


@pytest.mark.parametrize("content", [None, '{"schema": 99}'])
def test_what_cannot_be_read_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    (folder / "claims.json").unlink()
    if content is not None:
        (folder / "claims.json").write_text(content)
    assert main(["report", str(folder)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("cvclaims report: ")
    assert err.count("\n") == 1
