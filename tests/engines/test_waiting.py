"""While another process trains what a claim waits for, the rest of the plan is worked on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cvclaims.data.dataset import Dataset
from cvclaims.data.folder import DataError
from cvclaims.data.load import load
from cvclaims.engines import RunFailed, inline, work
from cvclaims.plan import Run
from cvclaims.recipe import Recipe
from cvclaims.records import Record, Store
from cvclaims.records.record import SCHEMA
from tests.engines.standin import GARMENTS, LONGER, MOONS, Trainer, engine, key, path, stored
from tests.engines.workers import TINY, runs


def trained_there(run: Run, store: Store) -> Record:
    """The record that another process would make of a run."""
    work = engine(store).work
    return work._record(run, work.data(run), Trainer.trained(TINY, 99), 1)


@contextmanager
def held_elsewhere(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[float]]:
    """Another process trains a run of TINY: done once this one has waited three times."""
    lock = store.lock(key(run))
    lock.acquire()
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            store.put(trained_there(run, store))
            lock.release()

    monkeypatch.setattr("cvclaims.engines.inline.time.sleep", wait)
    yield waits
    lock.release()


@pytest.fixture
def elsewhere(
    store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[float]]:
    """Another process trains seed 0 of TINY."""
    with held_elsewhere(store, runs(0)[0], monkeypatch) as waits:
        yield waits


def test_for_what_another_process_trains(
    store: Store, trainer: Trainer, elsewhere: list[float]
) -> None:
    (found,) = engine(store).records(runs(0))
    assert found.series["test_accuracy"] == [0.99, 0.99]
    assert elsewhere == [inline.WAIT_SECONDS] * 3
    assert trainer.stacks == []


def test_meanwhile_the_plan_is_worked_on(
    store: Store, trainer: Trainer, elsewhere: list[float]
) -> None:
    plan = [*runs(0, 1), *runs(0, 1, recipe=LONGER), *runs(0, recipe=MOONS)]
    (found,) = engine(store, plan=plan).records(runs(0))
    assert found.series["test_accuracy"] == [0.99, 0.99]
    assert trainer.stacks == [[(TINY, 1)], [(LONGER, 0), (LONGER, 1)], [(MOONS, 0)]]


def test_meanwhile_a_later_look_of_light_recipes_is_worked_on(
    store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = engine(store, plan=[*runs(0), *runs(0, recipe=LONGER)])
    session.records(runs(0))
    session.records(runs(0, recipe=LONGER))
    trainer.stacks.clear()
    with held_elsewhere(store, runs(1)[0], monkeypatch):
        found = session.records(runs(0, 1))
    assert found[1].series["test_accuracy"] == [0.99, 0.99]
    assert trainer.stacks == [[(LONGER, 1)]]


def test_a_later_look_that_crashes_is_not_tried_for_ever(
    store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = engine(store, plan=[*runs(0), *runs(0, recipe=LONGER)])
    session.records([*runs(0), *runs(0, recipe=LONGER)])
    trainer.stacks.clear()
    trainer.crashes = lambda pairs: MemoryError("too big") if pairs[0][0] == LONGER else None
    with held_elsewhere(store, runs(1)[0], monkeypatch):
        session.records(runs(0, 1))
    assert trainer.stacks == [[(LONGER, 1)]]


def test_the_rest_of_the_request_comes_first(
    store: Store, trainer: Trainer, elsewhere: list[float]
) -> None:
    found = engine(store, plan=runs(7, recipe=MOONS)).records([*runs(0), *runs(5)])
    assert [r.seed for r in found] == [0, 5]
    assert trainer.stacks == [[(TINY, 5)], [(MOONS, 7)]]


def test_what_was_finished_before_the_lock_was_had_is_not_trained(
    store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Store.lock
    (run,) = runs(0)
    there = engine(Store(store.root))
    record = trained_there(run, there.store)

    def late(self: Store, key: str, what: str = "") -> Any:
        self.put(record)  # at the last moment, by another
        return plain(self, key, what)

    monkeypatch.setattr(Store, "lock", late)
    (found,) = engine(store).records([run])
    assert found.series["test_accuracy"] == [0.99, 0.99]
    assert trainer.stacks == []
    assert plain(store, key(run)).acquire(blocking=False), "the lock was let go"


def test_what_is_here_is_not_read_again(
    store: Store,
    trainer: Trainer,
    elsewhere: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine(store).records(runs(5))
    read: list[str] = []
    plain = Store.get

    def counted(self: Store, recipe: Recipe, scale: str, key: str) -> Record | None:
        read.append(key)
        return plain(self, recipe, scale, key)

    monkeypatch.setattr(Store, "get", counted)
    engine(store).records([*runs(5), *runs(0)])
    assert read.count(key(runs(5)[0])) == 1


def test_a_planned_run_that_crashes_is_not_this_claims_failure(
    store: Store, trainer: Trainer, elsewhere: list[float]
) -> None:
    trainer.crashes = lambda pairs: MemoryError("too big") if pairs[0][0] == LONGER else None
    plan = [*runs(0, recipe=LONGER), *runs(0, recipe=MOONS)]
    one = engine(store, plan=plan)
    (found,) = one.records(runs(0))
    assert found.status == "finished"
    assert trainer.stacks == [[(LONGER, 0)], [(MOONS, 0)]]  # it is not tried for ever
    assert stored(store, plan[0]).status == "failed"
    with pytest.raises(RunFailed, match="too big"):
        one.records(plan[:1])  # but whoever wants it is told


def test_planned_runs_that_cannot_be_had_stop_nothing(
    store: Store,
    trainer: Trainer,
    elsewhere: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine(store).records(runs(0, recipe=LONGER))
    newer = path(store, runs(0, recipe=LONGER)[0])
    newer.write_text(newer.read_text().replace(f'"schema": {SCHEMA}', '"schema": 99'))

    def damaged(name: Any, *args: Any, **kwargs: Any) -> Dataset:
        if str(name) == "circles":
            raise DataError("a file of it is damaged")
        return load(name, *args, **kwargs)

    monkeypatch.setattr(work, "load", damaged)
    plan = [
        *runs(0, recipe=GARMENTS),  # not here
        *runs(0, recipe=TINY.but(data="circles")),
        *runs(0, recipe=LONGER),
        *runs(0, recipe=MOONS),
    ]
    (found,) = engine(store, plan=plan).records(runs(0))
    assert found.status == "finished"
    assert trainer.stacks[1:] == [[(MOONS, 0)]]
    with pytest.raises(DataError, match="a file of it is damaged"):
        engine(store).records(plan[1:2])


def test_a_companion_of_a_newer_schema_stops_nothing(store: Store, trainer: Trainer) -> None:
    engine(store).records(runs(1))
    newer = path(store, runs(1)[0])
    newer.write_text(newer.read_text().replace(f'"schema": {SCHEMA}', '"schema": 99'))
    engine(store, plan=runs(0, 1, 2)).records(runs(0))
    assert trainer.seeds == [[1], [0, 2]]
