"""Training what is missing and no more, and what goes wrong."""

import os
import platform
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import cvclaims
from cvclaims import files
from cvclaims.data.load import load
from cvclaims.engines import NotEvaluated, Refusing, RunFailed, device, inline, work
from cvclaims.engines.provenance import device_name
from cvclaims.engines.work import describe
from cvclaims.events import Progress
from cvclaims.locks import LockError
from cvclaims.recipe import Recipe
from cvclaims.records import Store, StoreError, UnwrittenError
from cvclaims.records.record import SCHEMA, TRAINING_REVISION
from cvclaims.training.loop import Trained, train
from tests.engines.standin import (
    FASTER,
    GARMENTS,
    LONGER,
    Pairs,
    Trainer,
    engine,
    key,
    path,
    runs_at,
    stored,
    texts,
)
from tests.engines.workers import CPU, TINY, runs


def _others_may_use_the_device() -> bool:
    """Whether another process could take a place beside this one; it would wait at the gate."""
    gate = device._lock("cpu", "gate")
    free = gate.acquire(blocking=False)
    if free:
        gate.release()
    return free


class TestTraining:
    def test_what_is_missing_is_trained_and_kept(self, store: Store, trainer: Trainer) -> None:
        wanted = runs(1, 0)
        found = engine(store).records(wanted)
        assert [(r.recipe, r.seed, r.scale) for r in found] == [
            (run.recipe, run.seed, run.scale) for run in wanted
        ]
        assert texts([stored(store, run) for run in wanted]) == texts(found)
        assert trainer.seeds == [[1, 0]]

    def test_a_record_from_memory_is_that_of_the_store(
        self, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = Trainer.trained

        def fine(recipe: Recipe, call: int) -> Trained:
            return replace(plain(recipe, call), class_accuracy=[1 / 3] * 10)

        monkeypatch.setattr(Trainer, "trained", staticmethod(fine))
        (found,) = engine(store).records(runs(0))
        assert found.class_accuracy == stored(store, runs(0)[0]).class_accuracy
        assert found.class_accuracy[0] == 0.3333333

    def test_what_is_there_is_not_trained_again(self, store: Store, trainer: Trainer) -> None:
        first = engine(store)
        once = first.records(runs(0, 1))
        assert len(first.trained) == 2
        for again in (first, engine(store)):
            assert texts(again.records(runs(0, 1))) == texts(once)
        assert len(trainer.stacks) == 1
        assert not again.trained
        assert again.read == {key(run) for run in runs(0, 1)}

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
        assert [problem.rpartition("; ")[2] for problem in store.problems] == [
            "ignored",
            f"set aside as {path(store, runs(0)[0]).name}.damaged, it was run again",
        ]

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
        told: list[Progress] = []
        one = engine(store, report=told.append)
        found = one.records([*runs(0, 1), *runs(0, recipe=FASTER)])
        (alone,) = train([(TINY, 1)], load("digits", None), CPU)
        assert found[1].series["train_loss"] == pytest.approx(alone.curves["train_loss"], rel=1e-4)
        assert found[1].parameters == alone.numbers["parameters"]
        assert [r.origin.stacked for r in found] == [3, 3, 3]
        assert len(one.trained) == 3
        assert [(p.event, p.step) for p in told[:3]] == [
            ("run begun", 0),
            ("epoch", 1),
            ("epoch", 2),
        ]
        assert [(p.key, p.done) for p in told[-3:]] == [(r.key[:12], "finished") for r in found]
        last = told[2]
        assert (last.what, last.seed, last.beside, last.steps, last.left) == (
            "mlp on digits, sgd lr 0.1, cross_entropy",
            *(0, 2, 2, 0.0),
        )
        assert set(last.numbers) == {"accuracy"}

    def test_where_a_record_came_from(self, store: Store, trainer: Trainer) -> None:
        (found,) = engine(store).records(runs(0))
        origin = found.origin
        assert (origin.cvclaims, origin.torch) == (cvclaims.__version__, torch.__version__)
        assert origin.python == platform.python_version()
        assert origin.threads == 1  # it is light
        assert origin.device == device_name(CPU)
        assert (origin.data, origin.stand_in) == ("Digits (scikit-learn)", False)
        assert origin.fingerprint == load("digits", None).fingerprint
        assert origin.revision == TRAINING_REVISION
        assert found.key == key(runs(0)[0])

    def test_small_networks_take_one_thread(
        self, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = torch.get_num_threads()
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        torch.set_num_threads(2)
        try:
            (found,) = engine(store).records(runs(0))
            assert (found.origin.threads, torch.get_num_threads()) == (1, 2)
            monkeypatch.setenv("OMP_NUM_THREADS", "2")
            assert engine(store).records(runs(1))[0].origin.threads == 2
        finally:
            torch.set_num_threads(before)

    def test_names_for_people(self) -> None:
        assert describe(runs(3)[0]) == "mlp on digits, sgd lr 0.1, cross_entropy, seed 3"
        assert device_name(CPU).startswith("CPU, ")
        assert device_name(CPU).endswith(f", {os.cpu_count()} cores")


class TestCrashes:
    def test_a_crash_is_recorded_and_told_in_one_line(self, store: Store, trainer: Trainer) -> None:
        trainer.crashes = lambda pairs: ValueError("no such thing\nand more")
        with pytest.raises(RunFailed) as caught:
            engine(store).records(runs(0))
        assert str(caught.value) == (
            "mlp on digits, sgd lr 0.1, cross_entropy, seed 0 crashed: ValueError: no such thing"
        )
        assert isinstance(caught.value.__cause__, ValueError)
        record = stored(store, runs(0)[0])
        assert (record.status, record.error) == ("failed", "ValueError: no such thing")
        assert record.epochs == 0

    def test_an_error_without_a_word(self, store: Store, trainer: Trainer) -> None:
        trainer.crashes = lambda pairs: MemoryError()
        with pytest.raises(RunFailed, match=r"crashed: MemoryError$"):
            engine(store).records(runs(0))

    def test_of_a_stack_only_what_crashes_alone_has_crashed(
        self, store: Store, trainer: Trainer
    ) -> None:
        bad = runs(0, recipe=FASTER)
        trainer.crashes = lambda pairs: MemoryError("big") if (FASTER, 0) in pairs else None
        one = engine(store, plan=[*runs(0, 1), *bad])
        assert [r.status for r in one.records(runs(0, 1))] == ["finished", "finished"]
        assert [len(stack) for stack in trainer.stacks] == [3, 1, 1, 1]
        with pytest.raises(RunFailed, match=r"lr 0\.2.*crashed: MemoryError: big") as caught:
            one.records([*runs(0), *bad])
        assert caught.value.__cause__ is not None
        with pytest.raises(RunFailed, match=r"lr 0\.2.*crashed: MemoryError: big"):
            one.records(bad)
        assert len(trainer.stacks) == 4, "it is not trained for each claim that asks"
        assert {r.recipe.lr: r.status for r in store} == {0.1: "finished", 0.2: "failed"}

    def test_what_failed_is_tried_again_by_another_session(
        self, store: Store, trainer: Trainer
    ) -> None:
        trainer.crashes = lambda pairs: ValueError("once") if len(trainer.stacks) == 1 else None
        with pytest.raises(RunFailed):
            engine(store).records(runs(0))
        (found,) = engine(store).records(runs(0))
        assert found.status == "finished"
        assert [r.status for r in store] == ["finished"]

    def test_memory_that_ran_out_beside_others_is_tried_once_more_alone(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[tuple[bool, bool]] = []

        def full(pairs: Pairs, *_: object, alone: bool) -> list[Trained]:
            calls.append((alone, _others_may_use_the_device()))
            if not alone:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return [Trainer.trained(recipe, 1) for recipe, _ in pairs]

        monkeypatch.setattr(work, "train", full)
        (record,) = engine(store).records(runs(0))
        assert record.status == "finished"
        assert calls == [(False, True), (True, False)]

    def test_locks_are_let_go(self, store: Store, trainer: Trainer) -> None:
        trainer.crashes = lambda pairs: ValueError("no")
        with pytest.raises(RunFailed):
            engine(store).records(runs(0, 1))
        for run in runs(0, 1):
            assert store.lock(key(run)).acquire(blocking=False)

    def test_an_interrupt_is_no_failure(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object, **__: object) -> list[Trained]:
            raise KeyboardInterrupt

        monkeypatch.setattr(work, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine(store).records(runs(0))
        assert list(store) == []
        assert store.lock(key(runs(0)[0])).acquire(blocking=False)

    def test_a_crash_leaves_a_finished_record_alone(self, store: Store, trainer: Trainer) -> None:
        (before,) = engine(store, session="one").records(runs(0))
        trainer.crashes = lambda pairs: ValueError("no")
        with pytest.raises(RunFailed):
            engine(store, session="two", rerun=True).records(runs(0))
        assert stored(store, runs(0)[0]).to_json() == before.to_json()

    @pytest.mark.parametrize("where", ["device", "store"])
    def test_a_lock_that_cannot_be_had_is_no_crash(
        self, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch, where: str
    ) -> None:
        engine(store).records(runs(0))
        before = {file: file.read_bytes() for file in store.root.rglob("*.json")}

        def locked(*_: object) -> None:
            raise LockError("the lock file cannot be used")

        monkeypatch.setattr(*(work, "shared") if where == "device" else (inline, "Waiting"), locked)
        if where == "store":
            monkeypatch.setattr(Store, "lock", locked)
        with pytest.raises(LockError):
            engine(store, session="two", rerun=True).records(runs(0, 1))
        assert {file: file.read_bytes() for file in store.root.rglob("*.json")} == before


class TestFullDisk:
    @pytest.fixture
    def room(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """How many more records the disk holds."""
        left, plain = [100], files.write_atomically

        def write(path: Path, content: bytes) -> None:
            if left[0] == 0:
                raise OSError(28, "No space left on device")
            left[0] -= 1
            plain(path, content)

        monkeypatch.setattr("cvclaims.records.store.write_atomically", write)
        return left

    def test_the_siblings_that_fit_are_written(
        self, store: Store, trainer: Trainer, room: list[int]
    ) -> None:
        room[0] = 2
        one = engine(store)
        with pytest.raises(UnwrittenError, match="No space left on device"):
            one.records(runs(0, 1, 2, 3))
        assert [r.seed for r in store] == [0, 1]
        assert [r.seed for r in one.unwritten] == [2, 3]
        assert trainer.seeds == [[0, 1, 2, 3]], "nothing else was trained"

    def test_what_did_not_fit_is_written_at_the_end(
        self, store: Store, trainer: Trainer, room: list[int]
    ) -> None:
        room[0] = 1
        one = engine(store)
        with pytest.raises(UnwrittenError):
            one.records(runs(0, 1))
        with pytest.raises(UnwrittenError):
            one.close()
        room[0] = 1
        one.close()
        assert [r.seed for r in store] == [0, 1]
        assert one.unwritten == []
        one.close()


class TestData:
    def test_missing_data_is_not_evaluated(self, store: Store, trainer: Trainer) -> None:
        with pytest.raises(NotEvaluated, match="get it by `python -m cvclaims"):
            engine(store).records(runs(0, recipe=GARMENTS))
        assert trainer.stacks == []

    def test_a_stand_in_serves_at_smoke_scale_alone(self, store: Store, trainer: Trainer) -> None:
        (found,) = engine(store).records(runs_at(GARMENTS, "smoke", [0]))
        assert found.origin.stand_in
        assert found.origin.data == "generated stand-in for Fashion-MNIST"
        for scale in ("reduced", "full"):
            with pytest.raises(NotEvaluated):
                engine(store).records(runs_at(GARMENTS, scale, [0]))

    def test_an_engine_that_refuses(self) -> None:
        with pytest.raises(NotEvaluated, match=r"^it wants a GPU$"):
            Refusing("it wants a GPU").records(runs(0))


class TestRerun:
    def test_what_another_session_trained_is_trained_again_once(
        self, store: Store, trainer: Trainer
    ) -> None:
        engine(store, session="one").records(runs(0, 1))
        engine(store, session="two").records(runs(2))
        two = engine(store, session="two", rerun=True)
        for _ in range(2):
            accuracies = [r.series["test_accuracy"][0] for r in two.records(runs(0, 1, 2))]
            assert accuracies == [0.03, 0.03, 0.02]
        assert trainer.seeds == [[0, 1], [2], [0, 1]]
        assert {r.origin.session for r in store} == {"two"}

    def test_it_holds_for_companions_too(self, store: Store, trainer: Trainer) -> None:
        engine(store, session="one").records(runs(0, 1))
        engine(store, session="two").records(runs(2))
        engine(store, session="two", rerun=True, plan=runs(0, 1, 2)).records(runs(0))
        assert trainer.seeds == [[0, 1], [2], [0, 1]]

    def test_no_clock_is_asked(self, store: Store, trainer: Trainer) -> None:
        engine(store, session="one").records(runs(0))
        for session, age in (("two", 10**9), ("three", -(10**6))):
            one = engine(store, session=session, rerun=True)
            one.records(runs(0))
            then = time.time() - age
            os.utime(path(store, runs(0)[0]), (then, then))
            one.records(runs(0))
        assert len(trainer.stacks) == 3

    def test_two_reruns_of_one_store_do_not_train_for_each_other_for_ever(
        self, store: Store, trainer: Trainer
    ) -> None:
        one, two = (engine(store, session=name, rerun=True) for name in ("one", "two"))
        for _ in range(3):
            one.records(runs(0))
            two.records(runs(0))
        assert len(trainer.stacks) == 2

    def test_without_it_any_session_will_do(self, store: Store, trainer: Trainer) -> None:
        engine(store, session="one").records(runs(0))
        engine(store, session="two").records(runs(0))
        assert len(trainer.stacks) == 1
