"""Report 2's section of the page, its figures and its file; and claims on half a grid."""

import dataclasses
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from claims.vgg_batch_size.grid import Grid as ClaimsGrid
from claims.vgg_batch_size.protocol import BATCHES, FEWER_BATCHES, VGG_BATCH_SIZE, cell, cells
from claims.vgg_batch_size.section import FILE, BatchSizes, table
from claims.vgg_batch_size.sweeps import Sweep, from_json, sweeps_of, to_json
from claims.vgg_batch_size.sweeps_figure import batch_sizes
from cvclaims.claim import Claim
from cvclaims.engines import NotEvaluated
from cvclaims.plan import Run, scaled_arms
from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.results import writing
from cvclaims.results.figures import drawing
from cvclaims.results.figures.axes import COLOURS
from cvclaims.results.figures.index import draw_figures, read_index
from cvclaims.results.view import ClaimView
from cvclaims.results.writing import Written
from cvclaims.verdict.judge import Judge, Runs
from tests.records.factory import origin, record
from tests.results.synthetic import judged

RAW, BATCH_NORM = ("vgg11", "raw"), ("vgg19", "batch_norm")


def run(recipe: Recipe, seed: int = 0, *, best: float = 0.8, **changes: Any) -> Record:
    """A run that is most accurate in its third epoch, and lowest in loss in its second."""
    fields: dict[str, Any] = {"origin": origin(data="CIFAR-10")} | changes
    curve = [best / 2, best - 0.01, best, best / 3]
    return record(recipe, seed, accuracy=curve, loss=[2.0, 1.0, 1.5, 1.6], **fields)


def held_out(recipe: Recipe, seed: int = 0) -> Record:
    return run(recipe, seed, probes={"held_out_loss": [2.0, 1.8, 1.1, 1.6]})


def row(stopping: str = "test loss", **changes: Any) -> ClaimView:
    """A row of a claim on 16 cells that could not be judged."""
    recipes = cells(RAW, BATCH_NORM, stopping=stopping)
    given: dict[str, Any] = {"evidence": {}, "verdict": "not evaluated", "case": stopping}
    return judged("2.10", recipes, report="vgg", report_title="VGG", **given | changes)


def cell_of(line: tuple[str, str], batch: int, stopping: str = "test loss") -> Recipe:
    return cell(*line, batch, stopping)


HALF = [
    run(cell_of(RAW, 8), best=0.15),
    run(cell_of(RAW, 8), 1, best=0.10),
    run(cell_of(RAW, 64), best=0.70),
    run(cell_of(RAW, 64), 1, best=0.72),
    run(cell_of(RAW, 64), 2, best=0.12),
    run(cell_of(BATCH_NORM, 64), best=0.85),
    held_out(cell_of(RAW, 8, "held-out")),
    held_out(cell_of(RAW, 1024, "held-out")),
]
TABLE = """\
| batch | VGG11<br>raw | VGG19<br>batch norm |
|--:|--:|--:|
| 8 | <sub>2/2 failed</sub> | — |
| 64 | 70.0 ± 1.4<br><sub>1/3 failed</sub> | 84.0<br><sub>0/1 failed</sub> |
""".replace(" ± ", "\u00a0±\u00a0").replace(" failed", "\u00a0failed")


def of(*records: Record, rows: Sequence[ClaimView] = ()) -> list[Sweep]:
    return sweeps_of("vgg", rows or [row(), row("held-out")], records)


class TestTable:
    def test_half_a_grid_shows_what_is_there_at_the_epoch_that_is_kept(self) -> None:
        one, other = of(*HALF)
        assert table(one) == TABLE
        assert one.title == "CIFAR-10 · full scale · stopped on the test loss, a leak · 6 runs"
        assert other.title.endswith("stopped on 5,000 training images held out · 2 runs")
        assert [c.accuracy for c in other.cells] == [[0.8], [0.8]]

    def test_training_without_stopping_counts_its_last_epoch(self) -> None:
        recipes = {f"b{b}": cell_of(RAW, b).but(patience=None, epochs=4) for b in BATCHES}
        (one,) = of(*map(run, recipes.values()), rows=[judged("1", recipes, report="vgg")])
        assert one.stopping == "4 epochs"
        assert {accuracy for c in one.cells for accuracy in c.accuracy} == {0.2666667}

    def test_a_single_batch_size_is_no_sweep(self) -> None:
        assert of() == []
        assert of(run(cell_of(RAW, 8)), run(cell_of(BATCH_NORM, 8))) == []

    @pytest.mark.parametrize(
        "changes",
        [
            {"scale": "smoke"},
            {"status": "failed"},
            {"origin": origin(stand_in=True)},
            {"origin": origin(revision=99)},
            {"origin": origin(data="CIFAR-10", fingerprint="0" * 64)},
        ],
        ids=["smoke", "failed", "stand-in", "revision", "other data"],
    )
    def test_what_is_no_evidence_of_the_same_kind_stays_out(self, changes: Any) -> None:
        (one,) = of(run(cell_of(RAW, 8)), run(cell_of(RAW, 16)), run(cell_of(RAW, 32), **changes))
        assert one.batches == [8, 16]

    def test_other_recipes_stay_out(self) -> None:
        (one,) = of(
            *(run(r) for b in (8, 16) for r in (cell_of(RAW, b), cell_of(RAW, b).but(lr=1)))
        )
        assert [c.runs for c in one.cells] == [1, 1]


class TestFile:
    def test_it_comes_back_as_it_was_written(self) -> None:
        sweeps = of(*HALF)
        assert from_json(to_json(sweeps).encode()) == sweeps

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"grids": [{}]}', b'{"grids": 1}'])
    def test_a_damaged_one_is_refused(self, content: bytes) -> None:
        with pytest.raises((ValueError, TypeError, KeyError)):
            from_json(content)

    @pytest.mark.parametrize(
        "change",
        [
            {"batch": 0},
            {"batch": 1 << 50},
            {"batch": "8"},
            {"runs": 0},
            {"accuracy": [float("nan")]},
            {"accuracy": [2]},
            {"accuracy": [0.5] * 9},
            {"treatment": "magic"},
            {"net": "VGG\x1b"},
            {"more": 1},
        ],
    )
    def test_no_cell_that_it_would_not_make(self, change: dict[str, object]) -> None:
        form = json.loads(to_json(of(*HALF)))
        form["grids"][0]["cells"][0] |= change
        with pytest.raises((ValueError, TypeError)):
            from_json(json.dumps(form).encode())


class Held:
    """A store in memory that counts how often it was read."""

    def __init__(self, *records: Record) -> None:
        self.records, self.asked = records, 0

    def __call__(self) -> Iterable[Record]:
        self.asked += 1
        return self.records


def write_results(folder: Path, rows: list[ClaimView], held: Any) -> Written:
    """What a session writes, with a section made anew."""
    return writing.write_results(folder, rows, lambda _: {}, held, [BatchSizes("vgg")])


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles of sweeps that would have been drawn."""
    titles: list[str] = []

    def draw(_: object, title: str) -> bytes:
        titles.append(title)
        return title.encode()

    monkeypatch.setattr(drawing, "svg", draw)
    return titles


def test_the_page_shows_grids_and_a_session_of_other_claims_keeps_them(
    tmp_path: Path, undrawn: list[str]
) -> None:
    held = Held(*HALF)
    rows = [row(), row("held-out")]
    write_results(tmp_path, rows, held)
    page = (tmp_path / "README.md").read_text()
    assert "### Batch sizes of VGG\n" in page
    assert TABLE in page
    for stopping in ("test-loss", "held-out"):
        file = f"figures/vgg/grid-full-{stopping}.svg"
        assert f"]({file})" in page
        assert (tmp_path / file).exists()
        assert file in read_index(tmp_path, [BatchSizes("vgg")])[0]
    other = judged("1", {"a": HALF[0].recipe}, report="other", evidence={})
    write_results(tmp_path, [other], held)
    write_results(tmp_path, rows, held)
    assert held.asked == 2
    assert len(undrawn) == 2
    assert TABLE in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize("in_place", [False, True], ids=["damaged", "a folder"])
def test_an_odd_file_is_named_and_made_anew_by_a_session_of_other_claims(
    tmp_path: Path, undrawn: list[str], in_place: bool
) -> None:
    held = Held(*HALF)
    write_results(tmp_path, [row()], held)
    path = tmp_path / FILE
    sound = path.read_bytes()
    path.unlink()
    path.mkdir() if in_place else path.write_text("{")
    other = judged("1", {"a": HALF[0].recipe}, report="other", evidence={})
    done = write_results(tmp_path, [other], held)
    assert [line.startswith(f"{path}") for line in done.problems] == [True]
    assert TABLE in (tmp_path / "README.md").read_text()
    if not in_place:
        assert path.read_bytes() == sound
        assert path.with_name("grids.json.damaged").read_text() == "{"


def test_an_empty_grid_is_absent(tmp_path: Path, undrawn: list[str]) -> None:
    write_results(tmp_path, [row()], Held())
    assert "Batch sizes" not in (tmp_path / "README.md").read_text()
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("held", [[], HALF[2:3], HALF[:1] + HALF[2:5], HALF[1:5]])
def test_a_store_that_holds_less_takes_nothing_away(
    tmp_path: Path, undrawn: list[str], held: list[Record]
) -> None:
    rows = [row(), row("held-out")]
    write_results(tmp_path, rows, Held(*HALF))
    before = (tmp_path / FILE).read_bytes()
    done = write_results(tmp_path, rows, Held(*held))
    assert (done.written, done.removed, done.problems) == ([], [], [])
    assert (tmp_path / FILE).read_bytes() == before
    assert TABLE in (tmp_path / "README.md").read_text()


def test_what_another_store_holds_joins_what_stands(tmp_path: Path, undrawn: list[str]) -> None:
    write_results(tmp_path, [row()], Held(*HALF[:4]))
    more = [*HALF[2:6], run(cell_of(BATCH_NORM, 8))]
    write_results(tmp_path, [row()], Held(*more))
    assert from_json((tmp_path / FILE).read_bytes()) == of(*HALF[:6], more[-1])


@pytest.mark.parametrize("change", ["recipes", "revision"])
def test_a_sweep_of_other_recipes_or_training_code_begins_anew(
    tmp_path: Path, undrawn: list[str], change: str
) -> None:
    write_results(tmp_path, [row()], Held(*HALF))
    fewer = dict(list(row().recipes["full"].items())[:-1])
    changes: dict[str, Any] = {"recipes": {"full": fewer}, "revision": 99}
    done = write_results(tmp_path, [row(**{change: changes[change]})], Held())
    gone = {path.relative_to(tmp_path).as_posix() for path in done.removed}
    assert gone == {FILE, "figures/vgg/grid-full-test-loss.svg"}
    assert "Batch sizes" not in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize("name", [FILE, "claims.json"])
def test_damage_removes_no_grid(tmp_path: Path, undrawn: list[str], name: str) -> None:
    write_results(tmp_path, [row()], Held(*HALF))
    before = (tmp_path / FILE).read_bytes()
    (tmp_path / name).write_text("<<<<<<< ours")
    for _ in range(2):
        other = judged("1", {"a": HALF[0].recipe}, report="other", evidence={})
        done = write_results(tmp_path, [other], Held())
        assert tmp_path / "figures/vgg/grid-full-test-loss.svg" not in done.removed
        if name == FILE:
            return
        assert (tmp_path / FILE).read_bytes() == before


def test_a_grid_that_cannot_be_drawn_keeps_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "svg", lambda *_: 1 / 0)
    done = write_results(tmp_path, [row()], Held(*HALF))
    assert done.problems == ["grid-full-test-loss: not drawn (ZeroDivisionError: division by zero)"]
    page = (tmp_path / "README.md").read_text()
    assert TABLE in page
    assert "grid-full" not in page


def test_two_sweeps_of_one_kind_have_a_file_each(tmp_path: Path, undrawn: list[str]) -> None:
    (one,) = of(*HALF[:6])
    again = dataclasses.replace(one, data="CIFAR-10, JPEG re-encoded")
    section = BatchSizes("vgg")
    section.sweeps = [one, again]
    files = draw_figures(tmp_path, [], lambda _: {}, [section]).own[section]
    assert files == ["figures/vgg/grid-full-test-loss.svg", "figures/vgg/grid-full-test-loss-2.svg"]


@pytest.mark.parametrize("records", [HALF[:6], HALF[:4]], ids=["two networks", "one"])
def test_the_figure(records: list[Record]) -> None:
    (one,) = of(*records)
    content = drawing.svg(lambda: batch_sizes(one), one.title)
    assert content is not None
    assert content == drawing.svg(lambda: batch_sizes(one), one.title)
    assert b"batch size" in content


def bars_of(one: Sweep) -> dict[tuple[str, str], float]:
    """Means over batch sizes as the figure shows them, by colour and network."""
    part = batch_sizes(one).axes[-1]
    names = [text.get_text() for text in part.get_xticklabels()]
    bars = [bar for bar in part.patches if isinstance(bar, Rectangle)]
    nets = [names[round(bar.get_x() + bar.get_width() / 2)] for bar in bars]
    return {
        (to_hex(bar.get_facecolor()).upper(), net): float(bar.get_height())
        for bar, net in zip(bars, nets, strict=True)
    }


def test_the_figure_has_the_mean_of_each_treatment_over_all_batch_sizes_and_runs() -> None:
    (one,) = of(*HALF[:6])
    assert [value for c in one.cells for value in c.failing] == pytest.approx([0.14, 0.09, 0.11])
    raw = ((0.14 + 0.09) / 2 + (0.69 + 0.71 + 0.11) / 3) / 2
    means = {(COLOURS[0], "VGG11"): raw, (COLOURS[2], "VGG19"): 0.84}
    assert bars_of(one) == pytest.approx(means)
    texts = [text.get_text() for text in batch_sizes(one).axes[-1].texts]
    assert texts == ["0.31", "0.84\n1/2"]


def test_a_grid_of_before_has_no_mean_where_runs_failed() -> None:
    (one,) = of(*HALF[:6])
    cells = [dataclasses.replace(c, failing=[]) for c in one.cells]
    assert list(bars_of(dataclasses.replace(one, cells=cells)).values()) == pytest.approx([0.84])


def test_a_run_that_diverged_at_once_counts_with_what_it_reached() -> None:
    lost = run(cell_of(RAW, 8))
    curves = {**lost.series, "test_loss": [math.nan] * 4, "test_accuracy": [0.1] * 4}
    lost = dataclasses.replace(lost, status="diverged", series=curves)
    (one,) = of(lost, run(cell_of(RAW, 64)))
    assert [c.reached for c in one.cells] == [[0.1], pytest.approx([0.79])]


class Stored:
    """An engine that has some batch sizes of every line."""

    def __init__(self, *batches: int) -> None:
        self.batches = batches

    def records(self, runs: Sequence[Run]) -> list[Record]:
        if any(r.recipe.batch_size not in self.batches or r.seed > 2 for r in runs):
            raise NotEvaluated("not there")
        return [run(r.recipe, r.seed, best=0.1 if r.recipe.batch_size == 8 else 0.7) for r in runs]


def claims_grid(*batches: int, scale: str = "full") -> tuple[ClaimsGrid, Judge]:
    recipes = cells(RAW, BATCH_NORM, stopping="test loss", scale=scale)
    claim = Claim("2.02", "Half of it", VGG_BATCH_SIZE.at("nowhere"), recipes=recipes)
    judge = Judge(claim, scale, Stored(*batches), (3, 5, 8))
    return ClaimsGrid(Runs(claim, scaled_arms(claim, scale)), judge), judge


class TestClaimsOnHalfAGrid:
    def test_it_is_judged_on_what_is_there_and_names_it(self) -> None:
        half, judge = claims_grid(8, 16, 64, 512)
        batches = half.there(RAW, BATCH_NORM)
        assert batches == (8, 16, 64, 512)
        judge.share_above(half.failing(RAW, batches), 0.01)
        assert judge.judgment is not None
        (label,) = judge.judgment.measured
        assert label == "VGG11 raw fails, batch 8, 16, 64, 512"
        assert judge.judgment.measured[label]["values"] == [1.0, 0.0, 0.0, 0.0] * 3
        assert set(judge.judgment.evidence) == {f"vgg11_raw_{batch}" for batch in batches}

    @pytest.mark.parametrize("whole", [False, True])
    def test_less_than_it_needs_names_what_lacks(self, whole: bool) -> None:
        few, _ = claims_grid(*(BATCHES[:-1] if whole else BATCHES[:3]))
        lacks = "batch 1024" if whole else "batch 64–1024"
        with pytest.raises(NotEvaluated) as caught:
            few.there(RAW, BATCH_NORM, whole=whole)
        assert str(caught.value) == (
            f"the grid lacks VGG11 raw, {lacks}; VGG19 batch norm, {lacks}: run without "
            "--claims-replay to train them"
        )

    def test_below_full_scale_the_whole_grid_is_smaller(self) -> None:
        small, judge = claims_grid(*FEWER_BATCHES, scale="reduced")
        assert small.there(RAW, BATCH_NORM, whole=True) == FEWER_BATCHES
        assert small.there(RAW, batches=BATCHES[:2]) == (8,)
        judge.share_above(small.failing(RAW, FEWER_BATCHES), 0.01)
        assert judge.judgment is not None
        assert list(judge.judgment.measured) == ["VGG11 raw fails, batch 8, 32, 128, 1024"]

    def test_where_nothing_is_there_the_judge_says_why(self) -> None:
        none, judge = claims_grid()
        assert none.there(RAW) == BATCHES
        with pytest.raises(NotEvaluated, match=r"^not there$"):
            judge.share_above(none.failing(RAW, BATCHES), 0.5)
        assert judge.rule == "share(> 0.5)"

    def test_numbers_of_a_seed(self) -> None:
        all_, _ = claims_grid(*BATCHES)
        records = all_._verdict.engine.records(
            [Run(cell_of(line, b), 0, "full") for b in (8, 16) for line in (BATCH_NORM, RAW)]
        )
        gain = all_.gain(BATCH_NORM, RAW, (8, 16))
        assert gain.label == "VGG19 batch norm − VGG11 raw, batch 8, 16"
        assert gain.combine(records) == 0.0
        assert str(gain.combine(records[:2])) == "nan"
        smallest = all_.smallest_that_trains(RAW)
        assert smallest.combine([records[1], *[records[3]] * 7]) == 4.0
        assert smallest.combine([records[1]] * 8) == 11.0
        few, _ = claims_grid(*FEWER_BATCHES, scale="reduced")
        assert few.smallest_that_trains(RAW).combine([records[1], *[records[3]] * 3]) == 5.0
        assert all_.accuracy(RAW, (8, 16)).combine(records[1::2]) == pytest.approx(
            (0.69 + 0.09) / 2
        )
