"""Judging from the store alone: the right record, and none where there is none."""

from pathlib import Path

import pytest

from cvclaims.engines import NotEvaluated
from cvclaims.engines.replay import Replay
from cvclaims.plan import Run
from cvclaims.recipe import CURVES, Recipe
from cvclaims.records import Record, Store
from cvclaims.records.record import TRAINING_REVISION
from tests.records.factory import RECIPE, origin, record

OTHER = RECIPE.but(lr=0.2)
MOONS = RECIPE.but(data="moons")
A, B = "a" * 64, "b" * 64


def shelf(folder: Path, *records: Record) -> Replay:
    store = Store(folder)
    for of in records:
        store.put(of)
    return Replay(Store(folder, read_only=True))


def made(recipe: Recipe = RECIPE, *seeds: int, data: str = A) -> list[Record]:
    return [record(recipe, seed, origin=origin(fingerprint=data)) for seed in seeds]


def failed(recipe: Recipe, seed: int, data: str = A) -> Record:
    empty: dict[str, list[float]] = {name: [] for name in CURVES}
    return record(
        recipe,
        seed,
        status="failed",
        error="crashed",
        series=empty,
        class_accuracy=[],
        origin=origin(fingerprint=data),
    )


def runs(recipe: Recipe, *seeds: int) -> list[Run]:
    return [Run(recipe, seed, "full") for seed in seeds]


def told(of: list[Record]) -> list[tuple[Recipe, int, str]]:
    return [(r.recipe, r.seed, r.origin.fingerprint) for r in of]


def test_the_record_of_each_run_in_order(tmp_path: Path) -> None:
    engine = shelf(tmp_path, *made(RECIPE, 0, 1, 2), *made(OTHER, 0, 1))
    wanted = [*runs(RECIPE, 2, 0), *runs(OTHER, 1), *runs(RECIPE, 2)]
    assert told(engine.records(wanted)) == [(run.recipe, run.seed, A) for run in wanted]


def test_a_missing_seed_is_named(tmp_path: Path) -> None:
    engine = shelf(tmp_path, *made(RECIPE, 0, 1))
    with pytest.raises(NotEvaluated) as caught:
        engine.records(runs(RECIPE, 0, 1, 2))
    assert str(caught.value) == "no record of seed 2 at full scale"


def test_an_empty_store_has_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotEvaluated, match="no record of seed 0"):
        shelf(tmp_path / "nowhere").records(runs(RECIPE, 0))
    assert shelf(tmp_path / "nowhere").records([]) == []


def test_a_recipe_that_changed_has_no_evidence(tmp_path: Path) -> None:
    engine = shelf(tmp_path, *made(RECIPE, 0))
    engine.records(runs(RECIPE.but(assumed=("lr",)), 0))
    with pytest.raises(NotEvaluated):
        engine.records(runs(RECIPE.but(epochs=4), 0))


def test_data_is_never_mixed(tmp_path: Path) -> None:
    engine = shelf(tmp_path, *made(RECIPE, 0, 1, 2, data=A), *made(OTHER, 0, 1, 2, data=B))
    assert told(engine.records(runs(RECIPE, 0, 1))) == [(RECIPE, 0, A), (RECIPE, 1, A)]
    with pytest.raises(NotEvaluated):
        engine.records([*runs(RECIPE, 0), *runs(OTHER, 0)])


def test_the_data_that_has_most_of_these_runs(tmp_path: Path) -> None:
    # Data A has more records of the first recipe, data B has all that this look asks for.
    engine = shelf(
        tmp_path,
        *made(RECIPE, *range(8), data=A),
        *made(RECIPE, 0, 1, 2, data=B),
        *made(OTHER, 0, 1, 2, data=B),
    )
    wanted = [*runs(RECIPE, 0, 1, 2), *runs(OTHER, 0, 1, 2)]
    assert {r.origin.fingerprint for r in engine.records(wanted)} == {B}
    assert {r.origin.fingerprint for r in engine.records(runs(RECIPE, *range(8)))} == {A}


def test_each_data_set_has_data_of_its_own(tmp_path: Path) -> None:
    engine = shelf(tmp_path, *made(RECIPE, 0, 1, data=A), *made(MOONS, 0, 1, data=B))
    found = engine.records([*runs(RECIPE, 0, 1), *runs(MOONS, 0, 1)])
    assert [r.origin.fingerprint for r in found] == [A, A, B, B]


def test_a_run_that_crashed_is_no_evidence(tmp_path: Path) -> None:
    engine = shelf(tmp_path, failed(RECIPE, 0), *made(RECIPE, 1))
    with pytest.raises(NotEvaluated, match="no record of seed 0"):
        engine.records(runs(RECIPE, 0, 1))
    assert told(engine.records(runs(RECIPE, 1))) == [(RECIPE, 1, A)]


def test_crashes_do_not_decide_which_data_counts(tmp_path: Path) -> None:
    crashed = [failed(RECIPE, seed, data=B) for seed in range(3)]
    engine = shelf(tmp_path, *crashed, *made(RECIPE, 0, 1, data=A))
    assert len(engine.records(runs(RECIPE, 0, 1))) == 2


def test_a_diverged_run_is_evidence(tmp_path: Path) -> None:
    lost = record(RECIPE, 0, status="diverged", accuracy=[0.1], loss=[float("nan")])
    (found,) = shelf(tmp_path, lost).records(runs(RECIPE, 0))
    assert found.status == "diverged"


def test_other_training_code_is_none(tmp_path: Path) -> None:
    old = record(RECIPE, 0, origin=origin(revision=TRAINING_REVISION - 1))
    with pytest.raises(NotEvaluated):
        shelf(tmp_path, old).records(runs(RECIPE, 0))


def test_nothing_is_written(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.put(record(RECIPE, 1))
    path.write_text("{")
    before = sorted(tmp_path.rglob("*"))
    engine = Replay(Store(tmp_path, read_only=True))
    with pytest.raises(NotEvaluated):
        engine.records(runs(RECIPE, 1))
    assert sorted(tmp_path.rglob("*")) == before
