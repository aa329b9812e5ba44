"""Figures are shared, drawn only when their evidence changed, and removed when it went."""

import ast
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cvclaims.results.figures import drawing, index
from cvclaims.results.figures.groups import Subject
from cvclaims.results.figures.index import draw_figures, read_index
from tests.results.synthetic import CE, MSE, SHORT, Shelf, judged

ROOT = Path(__file__).parents[2]
LOSSES = {"ce": CE, "mse": MSE}
CURVES = "figures/losses/5.04-ce-mse-curves.svg"
Drawings = list[tuple[str, dict[str, list[int]], str]]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawings:
    """What was drawn: kind, seeds by name, title. No pixels, which take a second each."""
    calls: Drawings = []

    def draw(kind: str, subject: Subject) -> bytes | None:
        runs = subject.runs
        has_units = any("histograms" in r.probes for part in runs.values() for r in part)
        if kind in ("dots", "close-up", "classes", "gradient-flow", "cost") or not (
            kind == "curves" or has_units
        ):
            return None  # these networks are shallow, and soon trained
        seeds = {name: [r.seed for r in part] for name, part in runs.items()}
        calls.append((kind, seeds, subject.title))
        return json.dumps(calls[-1]).encode()

    monkeypatch.setattr(drawing, "draw", draw)
    return calls


def test_claims_with_the_same_recipes_share_a_figure_with_all_their_seeds(
    tmp_path: Path, drawn: Drawings
) -> None:
    rows = [
        judged("5.04", LOSSES, seeds=3),
        judged("5.06", {"cross": CE, "mse": MSE}, seeds=5),
        judged("5.08", {"mse": MSE}, seeds=3),
    ]
    done = draw_figures(tmp_path, rows, Shelf(CE, MSE, seeds=8))
    seeds = {"ce": [0, 1, 2, 3, 4], "mse": [0, 1, 2, 3, 4]}
    assert drawn == [("curves", seeds, "Digits · full scale · 5 seeds")]
    (picture,) = done.pictures
    assert picture.file == CURVES
    assert [r.id for r in picture.group.rows] == ["5.04", "5.06", "5.08"]


def test_unchanged_evidence_draws_nothing_and_opens_no_record(
    tmp_path: Path, drawn: Drawings
) -> None:
    rows = [judged("5.04", LOSSES), judged("5.10", {"relu": SHORT})]
    shelf = Shelf(CE, MSE, SHORT)
    first = draw_figures(tmp_path, rows, shelf)
    kinds = [picture.kind for picture in first.pictures]
    assert kinds == ["curves", "curves", "activations", "dead-units", "boundary"]
    drawn.clear()
    shelf.asked = 0
    second = draw_figures(tmp_path, rows, shelf)
    assert (drawn, shelf.asked) == ([], 0)
    assert second.pictures == first.pictures
    assert (second.written, second.removed, second.problems) == ([], [], [])


def test_new_evidence_is_drawn_and_only_that(tmp_path: Path, drawn: Drawings) -> None:
    old = judged("5.10", {"relu": SHORT})
    shelf = Shelf(CE, MSE, SHORT, seeds=5)
    draw_figures(tmp_path, [judged("5.04", LOSSES), old], shelf)
    drawn.clear()
    done = draw_figures(tmp_path, [judged("5.04", LOSSES, 5), old], shelf)
    assert [(kind, title) for kind, _, title in drawn] == [
        ("curves", "Digits · full scale · 5 seeds")
    ]
    assert done.written == [tmp_path / CURVES, tmp_path / index.INDEX]


@pytest.mark.parametrize("lost", [CURVES, index.INDEX])
def test_what_was_lost_is_drawn_again(tmp_path: Path, drawn: Drawings, lost: str) -> None:
    rows, shelf = [judged("5.04", LOSSES)], Shelf(CE, MSE)
    draw_figures(tmp_path, rows, shelf)
    (tmp_path / lost).unlink()
    assert tmp_path / lost in draw_figures(tmp_path, rows, shelf).written
    assert len(drawn) == 2


def test_another_way_of_drawing_draws_everything_anew(
    tmp_path: Path, drawn: Drawings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, shelf = [judged("5.04", LOSSES)], Shelf(CE, MSE)
    draw_figures(tmp_path, rows, shelf)
    monkeypatch.setattr(index, "VERSION", index.VERSION + 1)
    draw_figures(tmp_path, rows, shelf)
    assert len(drawn) == 2


def test_figures_that_went_are_removed_and_strangers_stay(tmp_path: Path, drawn: Drawings) -> None:
    shelf = Shelf(CE, MSE, SHORT)
    draw_figures(tmp_path, [judged("5.04", LOSSES), judged("5.10", {"relu": SHORT})], shelf)
    stranger = tmp_path / "figures" / "losses" / "mine.svg"
    stranger.write_bytes(b"drawn by hand")
    done = draw_figures(tmp_path, [judged("5.10", {"relu": SHORT})], shelf)
    assert done.removed == [tmp_path / CURVES]
    assert not (tmp_path / CURVES).exists()
    assert stranger.exists()
    assert len(read_index(tmp_path)[0]) == 4


def test_the_index_leads_to_figures_alone(tmp_path: Path, drawn: Drawings) -> None:
    own = ("victim.svg", "figures/victim.svg", "figures/a/mine.svg", "figures/a/mine-curves.jpg")
    for name in own:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"mine")
    paths = ("figures/../victim.svg", "figures/a/../../victim.svg", str(tmp_path / own[0]))
    listed = tmp_path / index.INDEX
    evil: dict[str, object] = dict.fromkeys([*own, *paths], "0" * 64)
    evil |= {
        "figures/a/b-curves.svg": 3,
        "figures/a/c-curves.svg": "0",
        "figures/*/*-curves.svg": "0" * 64,
    }
    listed.write_text(json.dumps(evil))
    assert read_index(tmp_path) == ({}, "10 of 10 entries name no figure")
    done = draw_figures(tmp_path, [], Shelf())
    assert done.problems == [f"{listed}: 10 of 10 entries name no figure; written anew"]
    assert [(tmp_path / name).read_bytes() for name in own] == [b"mine"] * 4


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "[" * 5000, '{"figures/a": 1}', "\ud800"])
def test_a_damaged_index_is_named_and_written_anew(
    tmp_path: Path, drawn: Drawings, text: str
) -> None:
    listed = tmp_path / index.INDEX
    listed.parent.mkdir()
    listed.write_text(text, errors="surrogatepass")
    done = draw_figures(tmp_path, [judged("5.04", LOSSES)], Shelf(CE, MSE))
    assert [line.startswith(f"{listed}: ") for line in done.problems] == [True]
    assert list(read_index(tmp_path)[0]) == [CURVES]


@pytest.mark.parametrize("blocked", [index.INDEX, CURVES, "figures"])
def test_what_cannot_be_written_is_one_problem(
    tmp_path: Path, drawn: Drawings, blocked: str
) -> None:
    if blocked == "figures":
        (tmp_path / blocked).write_text("a file in the folder's place")
    else:
        (tmp_path / blocked).mkdir(parents=True)
    rows = [judged("5.04", LOSSES), judged("5.10", {"relu": SHORT})]
    done = draw_figures(tmp_path, rows, Shelf(CE, MSE, SHORT))
    assert [line.startswith(f"{tmp_path / blocked}") for line in done.problems] == [True]
    assert (tmp_path / blocked).exists()


def test_records_that_are_elsewhere_leave_a_figure_out_and_are_named(
    tmp_path: Path, drawn: Drawings
) -> None:
    done = draw_figures(tmp_path, [judged("5.04", LOSSES)], Shelf())
    assert (done.pictures, drawn) == ([], [])
    assert done.problems == [
        "figures/losses/5.04-ce-mse: not drawn, for its records are not in this store"
    ]


def test_a_figure_of_some_records_says_how_many_and_is_tried_again(
    tmp_path: Path, drawn: Drawings
) -> None:
    rows = [judged("5.04", LOSSES, 5)]
    done = draw_figures(tmp_path, rows, Shelf(CE, MSE, seeds=3))
    assert done.pictures[0].group.title == "Digits · full scale · 3 seeds"
    draw_figures(tmp_path, rows, Shelf(CE, MSE, seeds=5))
    assert [title for _, _, title in drawn] == [
        "Digits · full scale · 3 seeds",
        "Digits · full scale · 5 seeds",
    ]


def test_figures_that_fail_are_one_problem_and_cost_none_that_stood(
    tmp_path: Path, drawn: Drawings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise RuntimeError("no ink")

    shelf = Shelf(CE, MSE, SHORT, seeds=5)
    draw_figures(tmp_path, [judged("5.04", LOSSES), judged("5.10", {"relu": SHORT})], shelf)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.svg")}
    monkeypatch.setattr(drawing, "draw", fail)
    more = [judged("5.04", LOSSES, 5), judged("5.10", {"relu": SHORT}, 5)]
    done = draw_figures(tmp_path, more, shelf)
    assert (done.pictures, done.removed) == ([], [])
    assert done.problems == [
        "figures/losses/5.04-ce-mse and 1 more: not drawn (RuntimeError: no ink)"
    ]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.svg")} == before


HOSTILE = {
    "a backend of notebooks": {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
    "a backend that is none": {"MPLBACKEND": "nonsense"},
    "settings that are none": {"MATPLOTLIBRC": "{folder}/rc"},
    "no folder to write": {"MPLCONFIGDIR": "{folder}/rc/x", "HOME": "/dev/null"},
}


@pytest.mark.parametrize(
    ("setting", "processes"), [*((setting, 1) for setting in HOSTILE), (next(iter(HOSTILE)), 2)]
)
def test_no_setting_of_matplotlib_takes_the_page_along(
    tmp_path: Path, setting: str, processes: int
) -> None:
    (tmp_path / "rc").write_bytes(b"\xff: \xfe")
    code = f"""
        import pathlib, sys
        from cvclaims.results.figures import drawers
        from cvclaims.results.writing import write_results
        from tests.results.synthetic import CE, MSE, Shelf, judged
        drawers._processors, drawers.LEAST_EACH = (lambda: {processes}), 1
        rows = [judged("5.04", {{"ce": CE}}), judged("5.05", {{"mse": MSE}})]
        print(write_results(pathlib.Path("results"), rows, Shelf(CE, MSE)).problems)
    """
    env = {name: text.format(folder=tmp_path) for name, text in HOSTILE[setting].items()}
    path = os.pathsep.join([str(ROOT), *sys.path])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, **env},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    problems = ast.literal_eval(done.stdout)
    pages = [path.read_text() for path in (tmp_path / "results" / "claims").iterdir()]
    if setting == "settings that are none":
        (problem,) = problems
        assert "5.04-ce and 1 more: not drawn (UnicodeDecodeError" in problem
    else:
        assert problems == []
    assert sum("-curves.svg)" in page for page in pages) == 2 - 2 * len(problems)


def test_another_reported_number_draws_the_figure_anew(tmp_path: Path, drawn: Drawings) -> None:
    shelf = Shelf(CE, MSE)
    draw_figures(tmp_path, [judged("5.04", LOSSES)], shelf)
    draw_figures(tmp_path, [judged("5.04", LOSSES, reported={"ce": 0.5, "mse": 0.4})], shelf)
    assert len(drawn) == 2
