"""Training what is missing and no more: stacks, shares, waiting, and what goes wrong."""

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import Timeout

import cvclaims
from cvclaims.catalogue import DATASETS
from cvclaims.data.dataset import Dataset
from cvclaims.data.folder import DataError
from cvclaims.data.load import load
from cvclaims.engines import NotEvaluated, Refusing, RunFailed, inline
from cvclaims.engines.inline import Inline, describe, device_name
from cvclaims.plan import Run, runs_of
from cvclaims.recipe import Recipe
from cvclaims.records import Record, Store, StoreError, run_key
from cvclaims.records.record import CURVES, SCHEMA, TRAINING_REVISION
from cvclaims.training.loop import Trained, train
from tests.engines.workers import CPU, TINY, runs

FASTER = TINY.but(lr=0.2)  # trains in one stack with TINY
LONGER = TINY.but(epochs=3)  # does not
MOONS = TINY.but(data="moons")
GARMENTS = Recipe(data="fashion_mnist", lr=0.1, epochs=1)
Pairs = Sequence[tuple[Recipe, int]]


class Trainer:
    """Stands in for training: instant, and remembers each stack."""

    def __init__(self) -> None:
        self.stacks: list[list[tuple[Recipe, int]]] = []
        self.crashes: Callable[[Pairs], Exception | None] = lambda pairs: None

    def __call__(
        self, pairs: Pairs, data: Dataset, device: torch.device, progress: object
    ) -> list[Trained]:
        self.stacks.append(list(pairs))
        if (error := self.crashes(pairs)) is not None:
            raise error
        return [self.trained(recipe, len(self.stacks)) for recipe, _ in pairs]

    @staticmethod
    def trained(recipe: Recipe, call: int) -> Trained:
        """An outcome that tells by its accuracy which call gave it."""
        classes = len(DATASETS[recipe.data].classes)
        curves = {name: [call / 100] * recipe.epochs for name in CURVES}
        return Trained("finished", curves, [0.5] * classes, {}, 10, 1000.0)

    @property
    def seeds(self) -> list[list[int]]:
        return [[seed for _, seed in stack] for stack in self.stacks]


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    fake = Trainer()
    monkeypatch.setattr(inline, "train", fake)
    return fake


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "records")


def engine(store: Store, **settings: Any) -> Inline:
    return Inline(store, CPU, None, **settings)


def key(run: Run) -> str:
    return run_key(run.recipe, run.seed, load(run.recipe.data, None).fingerprint)


def path(store: Store, run: Run) -> Path:
    return store.path(run.scale, run.recipe.data, key(run))


def stored(store: Store, run: Run) -> Record:
    found = store.get(run.recipe, run.scale, key(run))
    assert found is not None
    return found


def texts(records: Sequence[Record]) -> list[str]:
    return [record.to_json() for record in records]


class TestTraining:
    def test_what_is_missing_is_trained_and_kept(self, store: Store, trainer: Trainer) -> None:
        wanted = runs(1, 0)
        found = engine(store).records(wanted)
        assert [(r.recipe, r.seed, r.scale) for r in found] == [
            (run.recipe, run.seed, run.scale) for run in wanted
        ]
        assert texts([stored(store, run) for run in wanted]) == texts(found)
        assert trainer.seeds == [[1, 0]]

    def test_what_is_there_is_not_trained_again(self, store: Store, trainer: Trainer) -> None:
        first = engine(store)
        once = first.records(runs(0, 1))
        assert first.trained == 2
        for again in (first, engine(store)):
            assert texts(again.records(runs(0, 1))) == texts(once)
        assert len(trainer.stacks) == 1
        assert again.trained == 0

    def test_requests_share_their_runs(self, store: Store, trainer: Trainer) -> None:
        one = engine(store)
        one.records(runs(0, 1, 2))
        both = one.records([*runs(0, 1, 2), *runs(0, recipe=LONGER), *runs(3, 4)])
        assert trainer.seeds == [[0, 1, 2], [0], [3, 4]]
        assert [r.seed for r in both] == [0, 1, 2, 0, 3, 4]

    def test_a_run_asked_for_twice_is_trained_once(self, store: Store, trainer: Trainer) -> None:
        found = engine(store).records(runs(0, 1, 0))
        assert [r.seed for r in found] == [0, 1, 0]
        assert trainer.seeds == [[0, 1]]

    def test_nothing_asked_nothing_done(self, store: Store, trainer: Trainer) -> None:
        assert engine(store, plan=runs(0)).records([]) == []
        assert trainer.stacks == []

    def test_a_damaged_record_is_trained_again(self, store: Store, trainer: Trainer) -> None:
        engine(store).records(runs(0))
        path(store, runs(0)[0]).write_text("{")
        (found,) = engine(store).records(runs(0))
        assert len(trainer.stacks) == 2
        assert stored(store, runs(0)[0]).to_json() == found.to_json()
        assert len(store.problems) == 1

    def test_a_newer_record_is_left_alone(self, store: Store, trainer: Trainer) -> None:
        engine(store).records(runs(0))
        file = path(store, runs(0)[0])
        newer = file.read_text().replace(f'"schema": {SCHEMA}', f'"schema": {SCHEMA + 1}')
        file.write_text(newer)
        with pytest.raises(StoreError, match="upgrade cvclaims"):
            engine(store).records(runs(0))
        assert file.read_text() == newer
        assert len(trainer.stacks) == 1

    def test_for_real(self, store: Store) -> None:
        lines: list[str] = []
        one = engine(store, report=lines.append)
        found = one.records([*runs(0, 1), *runs(0, recipe=FASTER)])
        (alone,) = train([(TINY, 1)], load("digits", None), CPU)
        assert found[1].curves["train_loss"] == pytest.approx(alone.curves["train_loss"], rel=1e-4)
        assert found[1].parameters == alone.parameters
        assert [r.origin.stacked for r in found] == [3, 3, 3]
        assert one.trained == 3
        assert len(lines) == TINY.epochs
        assert lines[0].startswith(
            "mlp on digits, sgd lr 0.1, cross_entropy, seed 0 (+2 beside it): epoch 1/2, accuracy "
        )
        assert lines[-1].endswith(" images/s, 0 s left")

    def test_where_a_record_came_from(self, store: Store, trainer: Trainer) -> None:
        (found,) = engine(store).records(runs(0))
        origin = found.origin
        assert (origin.cvclaims, origin.torch) == (cvclaims.__version__, torch.__version__)
        assert origin.python == platform.python_version()
        assert origin.threads == torch.get_num_threads()
        assert origin.device == device_name(CPU)
        assert (origin.data, origin.stand_in) == ("Digits (scikit-learn)", False)
        assert origin.fingerprint == load("digits", None).fingerprint
        assert origin.revision == TRAINING_REVISION
        assert found.key == key(runs(0)[0])

    def test_names_for_people(self) -> None:
        assert describe(runs(3)[0]) == "mlp on digits, sgd lr 0.1, cross_entropy, seed 3"
        assert device_name(CPU).startswith("CPU, ")
        assert device_name(CPU).endswith(f", {os.cpu_count()} cores")


class TestStacks:
    def test_seeds_and_rates_train_side_by_side(self, store: Store, trainer: Trainer) -> None:
        engine(store).records([*runs(0, 1), *runs(0, 1, recipe=FASTER), *runs(5, recipe=LONGER)])
        assert trainer.stacks == [
            [(TINY, 0), (TINY, 1), (FASTER, 0), (FASTER, 1)],
            [(LONGER, 5)],
        ]

    def test_planned_runs_that_fit_train_with_a_wanted_one(
        self, store: Store, trainer: Trainer
    ) -> None:
        plan = [*runs(0, 1), *runs(0, recipe=FASTER), *runs(0, recipe=LONGER)]
        one = engine(store, plan=plan)
        found = one.records(runs(0))
        assert len(found) == 1
        assert trainer.stacks == [[(TINY, 0), (TINY, 1), (FASTER, 0)]]
        one.records(runs(0, recipe=FASTER))
        assert len(trainer.stacks) == 1

    def test_wanted_ones_come_first(
        self, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inline, "STACK_PARAMETERS", {"cpu": 3 * parameters(TINY)})
        engine(store, plan=runs(8, 9)).records(runs(0, 1))
        assert trainer.seeds == [[0, 1, 8]]

    def test_a_later_look_takes_light_recipes_of_the_plan_along(
        self, store: Store, trainer: Trainer
    ) -> None:
        first = [*runs(0, 1), *runs_of(FASTER, "full", [0, 1]), *runs_of(LONGER, "full", [0])]
        session = engine(store, plan=first)
        session.records(runs(0, 1))
        session.records(runs(0, 1, 2, 3))
        assert trainer.stacks == [
            [(TINY, 0), (TINY, 1), (FASTER, 0), (FASTER, 1)],
            [(TINY, 2), (TINY, 3), (FASTER, 2), (FASTER, 3)],
        ]
        session.records(runs_of(FASTER, "full", [0, 1, 2, 3]))
        assert len(trainer.stacks) == 2

    def test_a_later_look_is_shared_out_by_itself(self, store: Store, trainer: Trainer) -> None:
        first = [*runs(0, 1), *runs_of(FASTER, "full", [0, 1])]
        with store.lock(key(runs_of(FASTER, "full", [0])[0])):  # another process still trains it
            session = engine(store, plan=first, share=2)
            session.records(runs(0, 1))
            trainer.stacks.clear()
            session.records(runs(0, 1, 2))
        assert trainer.stacks == [[(TINY, 2)]]

    def test_recipes_that_take_minutes_are_not_trained_ahead(
        self, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Recipe, "light", property(lambda recipe: recipe != FASTER))
        session = engine(store, plan=[*runs(0), *runs_of(FASTER, "full", [0])])
        session.records(runs(0))
        session.records(runs(1))
        assert trainer.stacks == [[(TINY, 0), (FASTER, 0)], [(TINY, 1)]]

    def test_what_is_there_already_stays_out(self, store: Store, trainer: Trainer) -> None:
        engine(store).records(runs(1))
        engine(store, plan=runs(0, 1, 2)).records(runs(0))
        assert trainer.seeds == [[1], [0, 2]]

    def test_a_stack_stays_small_enough_for_the_cache(
        self, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inline, "STACK_PARAMETERS", {"cpu": 2 * parameters(TINY) + 1})
        engine(store).records(runs(0, 1, 2, 3, 4))
        assert trainer.seeds == [[0, 1], [2, 3], [4]]

    def test_a_network_beyond_the_cache_trains_alone(
        self, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inline, "STACK_PARAMETERS", {"cpu": 1})
        engine(store).records(runs(0, 1))
        assert trainer.seeds == [[0], [1]]

    @pytest.mark.parametrize(
        ("share", "seeds"),
        [
            (1, [[0, 1, 2, 3, 4, 5]]),
            (2, [[0, 1, 2], [3, 4], [5]]),
            (3, [[0, 1], [2, 3], [4], [5]]),
            (9, [[0], [1], [2], [3], [4], [5]]),
        ],
    )
    def test_processes_leave_each_other_their_share(
        self, store: Store, trainer: Trainer, share: int, seeds: list[list[int]]
    ) -> None:
        engine(store, share=share).records(runs(*range(6)))
        assert trainer.seeds == seeds

    def test_scales_do_not_mix(self, store: Store, trainer: Trainer) -> None:
        engine(store).records([*runs(0), *runs(1, scale="smoke")])
        assert trainer.seeds == [[0], [1]]

    def test_data_sets_do_not_mix(self, store: Store, trainer: Trainer) -> None:
        engine(store, plan=runs(1, recipe=MOONS)).records(runs(0))
        assert trainer.stacks == [[(TINY, 0)]]

    def test_what_another_process_holds_stays_out(self, store: Store, trainer: Trainer) -> None:
        with store.lock(key(runs(1)[0])):
            engine(store, plan=runs(0, 1, 2)).records(runs(0))
        assert trainer.seeds == [[0, 2]]

    def test_every_run_of_a_stack_is_held_while_it_trains(
        self, store: Store, trainer: Trainer
    ) -> None:
        held = []

        def look(pairs: Pairs) -> None:
            for run in runs(0, 1, 2):
                try:
                    store.lock(key(run)).acquire(blocking=False).lock.release()
                except Timeout:
                    held.append(run.seed)

        trainer.crashes = look
        engine(store, plan=runs(0, 1)).records(runs(0))
        assert held == [0, 1]

    def test_every_lock_is_let_go(self, store: Store, trainer: Trainer) -> None:
        engine(store, plan=runs(0, 1, 2)).records(runs(0))
        for run in runs(0, 1, 2):
            with store.lock(key(run)).acquire(blocking=False):
                pass


def parameters(recipe: Recipe) -> int:
    return 64 * 4 + 4 + 4 * 10 + 10 if recipe.data == "digits" else 0


@pytest.fixture
def elsewhere(
    store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[float]]:
    """Another process trains seed 0 of TINY: done once this one has waited three times."""
    (run,) = runs(0)
    lock = store.lock(key(run))
    lock.acquire()
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            engine_there = engine(store)
            data = engine_there.data(run)
            store.put(engine_there._record(run, data, Trainer.trained(TINY, 99), 1))
            lock.release()

    monkeypatch.setattr("cvclaims.engines.inline.time.sleep", wait)
    yield waits
    lock.release()


class TestWaiting:
    def test_for_what_another_process_trains(
        self, store: Store, trainer: Trainer, elsewhere: list[float]
    ) -> None:
        (found,) = engine(store).records(runs(0))
        assert found.curves["test_accuracy"] == [0.99, 0.99]
        assert elsewhere == [inline.WAIT_SECONDS] * 3
        assert trainer.stacks == []

    def test_meanwhile_the_plan_is_worked_on(
        self, store: Store, trainer: Trainer, elsewhere: list[float]
    ) -> None:
        plan = [*runs(0, 1), *runs(0, 1, recipe=LONGER), *runs(0, recipe=MOONS)]
        (found,) = engine(store, plan=plan).records(runs(0))
        assert found.curves["test_accuracy"] == [0.99, 0.99]
        assert trainer.stacks == [[(TINY, 1)], [(LONGER, 0), (LONGER, 1)], [(MOONS, 0)]]

    def test_the_rest_of_the_request_comes_first(
        self, store: Store, trainer: Trainer, elsewhere: list[float]
    ) -> None:
        found = engine(store, plan=runs(7, recipe=MOONS)).records([*runs(0), *runs(5)])
        assert [r.seed for r in found] == [0, 5]
        assert trainer.stacks == [[(TINY, 5)], [(MOONS, 7)]]

    def test_what_was_finished_before_the_lock_was_had_is_not_trained(
        self, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = Store.lock
        (run,) = runs(0)
        there = engine(Store(store.root))
        record = there._record(run, there.data(run), Trainer.trained(TINY, 99), 1)

        def late(self: Store, key: str) -> Any:
            self.put(record)  # at the last moment, by another
            return plain(self, key)

        monkeypatch.setattr(Store, "lock", late)
        (found,) = engine(store).records([run])
        assert found.curves["test_accuracy"] == [0.99, 0.99]
        assert trainer.stacks == []
        with plain(store, key(run)).acquire(blocking=False):
            pass  # and the lock was let go

    def test_what_is_here_is_not_read_again(
        self,
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
        self, store: Store, trainer: Trainer, elsewhere: list[float]
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
        self,
        store: Store,
        trainer: Trainer,
        elsewhere: list[float],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        engine(store).records(runs(0, recipe=LONGER))
        newer = path(store, runs(0, recipe=LONGER)[0])
        newer.write_text(newer.read_text().replace(f'"schema": {SCHEMA}', '"schema": 99'))

        def damaged(name: str, *args: Any, **kwargs: Any) -> Dataset:
            if name == "circles":
                raise DataError("a file of it is damaged")
            return load(name, *args, **kwargs)

        monkeypatch.setattr(inline, "load", damaged)
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

    def test_a_companion_of_a_newer_schema_stops_nothing(
        self, store: Store, trainer: Trainer
    ) -> None:
        engine(store).records(runs(1))
        newer = path(store, runs(1)[0])
        newer.write_text(newer.read_text().replace(f'"schema": {SCHEMA}', '"schema": 99'))
        engine(store, plan=runs(0, 1, 2)).records(runs(0))
        assert trainer.seeds == [[1], [0, 2]]


class TestCrashes:
    def test_a_crash_is_recorded_and_told_in_one_line(self, store: Store, trainer: Trainer) -> None:
        trainer.crashes = lambda pairs: ValueError("no such thing\nand more")
        with pytest.raises(RunFailed) as caught:
            engine(store).records(runs(0, 1))
        assert str(caught.value) == (
            "mlp on digits, sgd lr 0.1, cross_entropy, seed 0 crashed: ValueError: no such thing"
        )
        assert isinstance(caught.value.__cause__, ValueError)
        for run in runs(0, 1):
            record = stored(store, run)
            assert (record.status, record.error) == ("failed", "ValueError: no such thing")
            assert record.epochs == 0

    def test_an_error_without_a_word(self, store: Store, trainer: Trainer) -> None:
        trainer.crashes = lambda pairs: MemoryError()
        with pytest.raises(RunFailed, match=r"crashed: MemoryError$"):
            engine(store).records(runs(0))

    def test_what_failed_is_tried_again(self, store: Store, trainer: Trainer) -> None:
        trainer.crashes = lambda pairs: ValueError("once") if len(trainer.stacks) == 1 else None
        one = engine(store)
        with pytest.raises(RunFailed):
            one.records(runs(0, 1))
        found = one.records(runs(0, 1))
        assert [r.status for r in found] == ["finished", "finished"]
        assert [r.status for r in store] == ["finished", "finished"]

    def test_locks_are_let_go(self, store: Store, trainer: Trainer) -> None:
        trainer.crashes = lambda pairs: ValueError("no")
        with pytest.raises(RunFailed):
            engine(store).records(runs(0, 1))
        for run in runs(0, 1):
            with store.lock(key(run)).acquire(blocking=False):
                pass

    def test_an_interrupt_is_no_failure(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object) -> list[Trained]:
            raise KeyboardInterrupt

        monkeypatch.setattr(inline, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine(store).records(runs(0))
        assert list(store) == []
        try:
            store.lock(key(runs(0)[0])).acquire(blocking=False).lock.release()
        except Timeout:
            pytest.fail("the lock is still held")

    def test_a_full_disk_is_told_as_such(
        self, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine(store).records(runs(0))

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", full)
            with pytest.raises(StoreError, match="No space left on device"):
                engine(store).records(runs(0, 1))
        assert [r.seed for r in store] == [0]


class TestData:
    def test_missing_data_is_not_evaluated(self, store: Store, trainer: Trainer) -> None:
        with pytest.raises(NotEvaluated, match="get it by `python -m cvclaims"):
            engine(store).records(runs(0, recipe=GARMENTS))
        assert trainer.stacks == []

    def test_a_stand_in_serves_at_smoke_scale_alone(self, store: Store, trainer: Trainer) -> None:
        (found,) = engine(store).records(runs_of(GARMENTS, "smoke", [0]))
        assert found.origin.stand_in
        assert found.origin.data == "generated stand-in for Fashion-MNIST"
        for scale in ("reduced", "full"):
            with pytest.raises(NotEvaluated):
                engine(store).records(runs_of(GARMENTS, scale, [0]))

    def test_an_engine_that_refuses(self) -> None:
        with pytest.raises(NotEvaluated, match=r"^it wants a GPU$"):
            Refusing("it wants a GPU").records(runs(0))


class TestRerun:
    def age(self, store: Store, run: Run, seconds: float) -> None:
        then = time.time() - seconds
        os.utime(path(store, run), (then, then))

    def test_what_was_recorded_before_is_trained_again_once(
        self, store: Store, trainer: Trainer
    ) -> None:
        engine(store).records(runs(0, 1))
        self.age(store, runs(0)[0], 1000)
        one = engine(store, since=time.time() - 100)
        for _ in range(2):
            accuracies = [r.curves["test_accuracy"][0] for r in one.records(runs(0, 1))]
            assert accuracies == [0.02, 0.01]  # the second call's, the first's
        assert trainer.seeds == [[0, 1], [0]]

    def test_it_holds_for_companions_too(self, store: Store, trainer: Trainer) -> None:
        engine(store).records(runs(0, 1, 2))
        for run in runs(0, 1):
            self.age(store, run, 1000)
        engine(store, plan=runs(0, 1, 2), since=time.time() - 100).records(runs(0))
        assert trainer.seeds == [[0, 1, 2], [0, 1]]

    def test_without_it_age_does_not_matter(self, store: Store, trainer: Trainer) -> None:
        engine(store).records(runs(0))
        self.age(store, runs(0)[0], 10**9)
        engine(store).records(runs(0))
        assert len(trainer.stacks) == 1
