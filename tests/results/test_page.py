"""The results folder as a whole."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cvclaims import locks
from cvclaims.results import writing
from cvclaims.results.claims_json import read_claims, to_json
from cvclaims.results.figures import index
from cvclaims.results.output import ResultsError
from cvclaims.results.page import compose
from cvclaims.results.view import ClaimView
from cvclaims.results.writing import Written, write_results
from tests.results.synthetic import CE, MSE, SHORT, Shelf, judged, row

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


def test_every_link_leads_to_a_file_and_every_file_is_linked(folder: Path) -> None:
    files = {path for path in content(folder) if not path.endswith("index.json")}
    linked = {"README.md"}
    for page in [path for path in files if path.endswith(".md")]:
        for link in re.findall(r"\]\((.*?)\)", (folder / page).read_text()):
            file = (folder / page).parent / link
            assert file.is_file(), f"{page}: {link}"
            linked.add(file.resolve().relative_to(folder.resolve()).as_posix())
    assert linked == files
    assert len(pngs(folder)) == 7
    rows = json.loads((folder / "claims.json").read_text())["claims"]
    assert [r["id"] for r in rows] == ["1.01", "5.04", "5.10", "5.11"]


def test_the_page_reads_from_the_whole_to_each_report(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert heads == ["# Results", "## 1. Nets", "## 5. Computer Vision HW3"]
    for part in (
        "**3 of 4 rows are judged** (3 supported, 0 refuted, 0 inconclusive)",
        "> Mind this.",
        "| [**5.10**](claims/5.10.md)<br>moons | ",
        "Not evaluated so far: [5.11](claims/5.11.md).",
        "[CSV](tables/losses.csv) and [LaTeX](tables/losses.tex)",
    ):
        assert part in text
    assert "| **5.11**" not in text


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
    assert write_results(tmp_path, [row("5.06")], shelf()).problems == []


CONFLICT = "<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n"


@pytest.mark.parametrize("damage", [CONFLICT, '{"schema": 1, "claims": [{}]}', ""])
def test_damage_removes_no_figure(folder: Path, tmp_path: Path, damage: str) -> None:
    copy = tmp_path / "results"
    shutil.copytree(folder, copy)
    figures_before = pngs(copy)
    assert len(figures_before) == 7
    (copy / "claims.json").write_text(damage)
    done = write_results(copy, [row("5.06")], shelf())
    assert done.removed == []
    assert pngs(copy) == figures_before
    write_results(copy, ROWS, shelf())
    assert pngs(copy) == figures_before


def pngs(folder: Path) -> dict[str, bytes]:
    return {name: text for name, text in content(folder).items() if name.endswith(".svg")}


def test_a_field_of_a_newer_cvclaims_stops_the_session_before_anything_is_written(
    folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "results"
    shutil.copytree(folder, copy)
    path = copy / "claims.json"
    path.write_text(path.read_text().replace('"title"', '"certainty": 1, "title"', 1))
    before = content(copy)
    with pytest.raises(ResultsError, match="a field 'certainty' that this cvclaims does not know"):
        write_results(copy, ROWS, shelf())
    assert content(copy) == before


def test_a_newer_file_stops_the_session_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "claims.json").write_text('{"schema": 99}')
    with pytest.raises(ResultsError, match="upgrade"):
        write_results(tmp_path, ROWS, shelf())
    assert content(tmp_path) == {"claims.json": b'{"schema": 99}'}


def test_a_file_in_the_folders_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(
        ResultsError, match=r"cannot be written \(.*results is no folder; move that"
    ):
        write_results(tmp_path / "results", ROWS, shelf())
    assert (tmp_path / "results").read_text() == ""


def test_two_sessions_that_end_at_once_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner: list[Written] = []
    told: list[str] = []
    monkeypatch.setattr(writing, "_LOCK_SECONDS", 0.1)
    monkeypatch.setattr(locks, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(locks, "tell", told.append)

    def records(of: ClaimView) -> dict[str, list[object]]:
        with pytest.raises(ResultsError, match=rf"another session, process {os.getpid()} on"):
            inner.append(write_results(tmp_path, [], shelf()))
        return {}

    write_results(tmp_path, ROWS[:1], records)  # type: ignore[arg-type]
    assert inner == []
    assert f"waiting for the results folder, which process {os.getpid()} on" in told[0]


@pytest.mark.parametrize(
    "error", [ResultsError("the disk is full"), MemoryError(), ImportError("x\ny")]
)
def test_whatever_drawing_raises_costs_neither_table_nor_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    write_results(tmp_path, ROWS[:1], shelf())
    before = content(tmp_path)
    monkeypatch.setattr(writing, "draw_figures", fail)
    done = write_results(tmp_path, ROWS, shelf())
    (problem,) = done.problems
    assert problem.startswith(f"{tmp_path}: no figure is drawn ({type(error).__name__}: ")
    assert "\n" not in problem
    assert done.claims.read_bytes() == to_json(done.rows)
    text = done.page.read_text()
    assert all(f"](claims/{r.id}.md)" in text for r in ROWS)
    # The figure whose evidence is what it was stays, in the folder and on the page.
    assert [path for path in content(tmp_path) if path.endswith(".svg")] == [
        path for path in before if path.endswith(".svg")
    ]
    assert (
        "](../figures/losses/5.04-ce-mse-curves.svg)"
        in content(tmp_path)["claims/5.04.md"].decode()
    )
    assert [r.place for r in done.before] == [ROWS[0].place]


NASTY = "a\x1b[2J\x00\nb|<b>\udc80\u202e![x](http://a.b)"


def test_no_text_from_outside_loses_the_table_or_gets_out_raw(tmp_path: Path) -> None:
    folder = tmp_path / "r\x1b[2J\udc80"
    texts: dict[str, Any] = dict.fromkeys(
        ["report", "report_title", "report_note", "title", "case", "data"], NASTY
    )
    texts |= dict.fromkeys(["device", "source", "reason", "disputed", "failure", "rule"], NASTY)
    nasty = judged(f"1{NASTY}", LOSSES, assumed=[NASTY], **texts)
    done = write_results(folder, [nasty, *ROWS], shelf())
    assert done.problems == []
    assert len(read_claims(done.claims)[0]) == len(done.rows) == len(ROWS) + 1
    for text in (done.claims.read_text(), done.page.read_text()):
        assert all(char.isprintable() or char in "\n\u00a0" for char in text)
    assert "![x]" not in done.page.read_text()
    assert "<b>" not in done.page.read_text()
    assert all(re.fullmatch(r"[\w./-]+", name, re.ASCII) for name in content(folder))
    done.claims.write_text("{")
    (problem,) = write_results(folder, [nasty], shelf()).problems
    assert problem.isprintable()


def test_a_page_without_rows_is_a_page() -> None:
    assert "No claim is judged so far." in compose([])


def test_only_pages_with_news_are_written_anew(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "results"
    shutil.copytree(folder, copy)
    (copy / "claims" / "5.04.md").unlink()
    (copy / "claims" / "5.10.md").write_text("as it was")
    news = row("5.11", verdict="refuted", measured={})
    done = write_results(copy, [*ROWS[:2], news, ROWS[3]], shelf())
    pages = {path.name for path in done.written if path.parent.name == "claims"}
    assert pages == {"5.04.md", "5.11.md"}
    anew = write_results(copy, [], shelf(), anew=True)
    assert [path.name for path in anew.written] == ["5.10.md"]


def test_the_page_says_what_every_kind_of_figure_shows() -> None:
    from cvclaims.results.figures import panels

    assert list(index.KINDS) == list(panels.KINDS)


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = "import sys, cvclaims.results.writing, cvclaims.results.folder; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib", "tabulate", "numpy", "torch", "PIL"} & set(out.stdout.split())


def test_both_kinds_of_device_show_on_the_page() -> None:
    timed = {"rule": "ratio(1), timed", "measured": {}, "case": "7×7"}
    devices = ("CPU, 2 cores", "NVIDIA H200")
    text = compose([row("5.06", device=device, verdict="refuted", **timed) for device in devices])
    assert text.count("[**5.06**](claims/5.06.md)<br>7×7, on a ") == 2
    assert "on a CPU" in text
    assert "on a GPU" in text
