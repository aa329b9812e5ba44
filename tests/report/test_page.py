"""The results folder as a whole."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cvclaims.report import figures, files, page
from cvclaims.report.page import ReportError, Written, compose, write_results
from cvclaims.report.rows import Row
from tests.report.synthetic import CE, MSE, SHORT, Shelf, judged, row

LOSSES = {"ce": CE, "mse": MSE}
ROWS = [
    judged("5.04", LOSSES, assumed=["batch_size"]),
    judged("5.10", {"relu": SHORT}, case="moons", data="Moons", disputed="a tie | of both"),
    row("5.11", verdict="not evaluated", measured={}, reason="no GPU here", rule=None),
    row("1.01", report="nets", report_number=1, report_title="Nets", report_note="Mind this."),
]


def shelf() -> Shelf:
    return Shelf(CE, MSE, SHORT)


def content(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that two sessions wrote one after the other."""
    folder = tmp_path_factory.mktemp("results")
    write_results(folder, ROWS[:2], shelf())
    write_results(folder, ROWS[2:], shelf())
    return folder


def test_two_sessions_and_one_write_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    done = write_results(tmp_path, ROWS, shelf())
    assert done.problems == []
    assert content(tmp_path) == content(folder)


def test_everything_is_written_that_the_page_shows(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    links = set(re.findall(r"\]\((.*?)\)", text))
    anchors = {f"#{anchor}" for anchor in re.findall(r'<a id="(.*?)">', text)}
    assert {link for link in links if link.startswith("#")} == anchors
    shown = links - anchors
    assert shown == {path for path in content(folder) if path.endswith(".png")} | {"claims.json"}
    assert len([path for path in shown if path.endswith(".png")]) == 5
    rows = json.loads((folder / "claims.json").read_text())["claims"]
    assert [r["id"] for r in rows] == ["1.01", "5.04", "5.10", "5.11"]


def test_the_page_reads_from_the_overview_to_each_report(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert heads == [
        "# Results",
        "## Overview",
        "## 1. Nets",
        "## 5. Computer Vision HW3",
        "### Figures of Computer Vision HW3",
    ]
    for part in (
        "> Mind this.",
        "Assumed, as the report does not say: batch_size (5.04).",
        "- **5.10** (moons): a tie \\| of both",
        "<sub>no GPU here</sub>",
        "- **5.11**: Experiment A; no rule was reached",
        "- **5.10** (moons): Experiment A; rule greater(0); [figures](#5.10-moons)",
        '<a id="5.10-moons"></a>**5.10** (moons): Moons · full scale · 3 seeds',
        "![dead units of relu](figures/losses/5.10-moons-dead-units.png)",
    ):
        assert part in text
    assert text.endswith(")\n")


def test_an_unchanged_session_writes_and_draws_nothing(folder: Path) -> None:
    before, asked = content(folder), shelf()
    done = write_results(folder, ROWS, asked)
    assert (done.written, done.removed, asked.asked) == ([], [], 0)
    assert content(folder) == before


def test_a_smaller_scale_leaves_the_page_as_it_is(folder: Path) -> None:
    before = content(folder)
    done = write_results(folder, [judged("5.04", LOSSES, scale="smoke", verdict="ran")], shelf())
    assert done.written == []
    assert content(folder) == before
    assert len(done.rows) == len(ROWS)


def test_a_damaged_file_keeps_its_sound_rows(tmp_path: Path) -> None:
    write_results(tmp_path, [row("5.04"), row("5.05")], shelf())
    path = tmp_path / "claims.json"
    damaged = path.read_text().replace('"verdict": "supported"', '"verdict": "maybe"', 1)
    path.write_text(damaged)
    done = write_results(tmp_path, [row("5.06")], shelf())
    assert [r.id for r in done.rows] == ["5.05", "5.06"]
    assert len(done.problems) == 1
    assert (tmp_path / "claims.json.damaged").read_text() == damaged


def test_a_newer_file_stops_the_session_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "claims.json").write_text('{"schema": 99}')
    with pytest.raises(ReportError, match="upgrade"):
        write_results(tmp_path, ROWS, shelf())
    assert content(tmp_path) == {"claims.json": b'{"schema": 99}'}


def test_a_file_in_the_folders_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        write_results(tmp_path / "results", ROWS, shelf())


def test_two_sessions_that_end_at_once_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner: list[Written] = []
    monkeypatch.setattr(page, "_LOCK_SECONDS", 0.01)

    def records(of: Row) -> dict[str, list[object]]:
        with pytest.raises(ReportError, match="another session"):
            inner.append(write_results(tmp_path, [], shelf()))
        return {}

    write_results(tmp_path, ROWS[:1], records)  # type: ignore[arg-type]
    assert inner == []


def test_the_numbers_are_safe_before_the_first_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ReportError("the disk is full")

    monkeypatch.setattr(page, "draw_figures", full)
    with pytest.raises(ReportError, match="disk"):
        write_results(tmp_path, ROWS, shelf())
    assert len(files.read_rows(tmp_path)[0]) == len(ROWS)


def test_a_page_without_rows_is_a_page() -> None:
    assert "| **all** | 0 | 0 |" in compose([], [])


def test_the_page_says_what_every_kind_of_figure_shows() -> None:
    from cvclaims.report import panels

    assert list(figures.KINDS) == list(panels.KINDS)


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = "import sys, cvclaims.report.page, cvclaims.report.overview; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib", "tabulate", "numpy", "torch", "PIL"} & set(out.stdout.split())
