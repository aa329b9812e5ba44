"""Several processes and one store: each run is trained once, and no death stops the others."""

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cvclaims.engines.inline import Inline
from cvclaims.records import Store
from tests.engines.workers import CPU, TINY, hang, race, runs

# Processes are made of one that has imported what takes seconds, but computed nothing with it.
# The first optimiser of a process imports the last of these: without it here, four would.
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(
    ["cvclaims.engines.inline", "sklearn.datasets", "sklearn.model_selection", "torch._dynamo"]
)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited a minute in vain"
        time.sleep(0.01)


def test_four_processes_train_each_run_once_and_see_the_same_records(tmp_path: Path) -> None:
    store, log = tmp_path / "records", tmp_path / "trained"
    other = TINY.but(lr=0.2)  # trains in one stack with the first
    longer = TINY.but(epochs=3)  # does not
    wanted = [runs(0, 1, 2), runs(0, 1, 2, recipe=other), runs(1, 2, 3, recipe=longer)]
    start = context.Barrier(4)
    workers = [
        context.Process(
            target=race,
            # Each begins elsewhere; the first two meet at once, and so do the last two.
            args=(store, log, start, [*wanted[i // 2 :], *wanted[: i // 2], runs(2, 0, 1)]),
        )
        for i in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
        worker.close()

    every = [run for request in wanted for run in request]
    trained = Counter(log.read_text().splitlines())
    assert trained == Counter(f"{run.recipe.digest} {run.seed}" for run in every)
    seen = [set(path.read_text().splitlines()) for path in tmp_path.glob("got-*")]
    assert len(seen) == 4
    assert all(lines == seen[0] for lines in seen)
    assert len(seen[0]) == len(every)
    left = Store(store)
    assert len(list(left)) == len(every)
    assert left.problems == []


def test_a_process_that_dies_at_a_run_leaves_it_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, log = tmp_path / "records", tmp_path / "log"
    victim = context.Process(target=hang, args=(store, log))
    victim.start()
    wait_for(log.exists)
    waited = []

    def kill_instead_of_waiting(seconds: float) -> None:
        waited.append(seconds)
        victim.kill()
        victim.join()

    monkeypatch.setattr("cvclaims.engines.inline.time.sleep", kill_instead_of_waiting)
    engine = Inline(Store(store), CPU, None)
    (record,) = engine.records(runs(0))
    assert waited  # the lock was held until then
    assert len(engine.trained) == 1
    assert record.status == "finished"
    victim.close()
