"""Training what is missing and no more, and what goes wrong."""

import os
import platform
import time

import pytest
import torch
from filelock import Timeout

import cvclaims
from cvclaims.data.load import load
from cvclaims.engines import NotEvaluated, Refusing, RunFailed, inline
from cvclaims.engines.inline import describe, device_name
from cvclaims.plan import Run, runs_of
from cvclaims.records import Store, StoreError
from cvclaims.records.record import SCHEMA, TRAINING_REVISION
from cvclaims.training.loop import Trained, train
from tests.engines.standin import (
    FASTER,
    GARMENTS,
    LONGER,
    Trainer,
    engine,
    key,
    path,
    stored,
    texts,
)
from tests.engines.workers import CPU, TINY, runs


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
