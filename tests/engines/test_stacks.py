"""What trains side by side, and how much of it one process takes at a time."""

import pytest

from cvclaims.engines import work
from cvclaims.locks import Lock
from cvclaims.recipe import Recipe
from cvclaims.records import Store
from tests.engines.standin import FASTER, LONGER, MOONS, Pairs, Trainer, engine, key, runs_at
from tests.engines.workers import TINY, runs


def parameters(recipe: Recipe) -> int:
    return 64 * 4 + 4 + 4 * 10 + 10 if recipe.data == "digits" else 0


def test_seeds_and_rates_train_side_by_side(store: Store, trainer: Trainer) -> None:
    engine(store).records([*runs(0, 1), *runs(0, 1, recipe=FASTER), *runs(5, recipe=LONGER)])
    assert trainer.stacks == [
        [(TINY, 0), (TINY, 1), (FASTER, 0), (FASTER, 1)],
        [(LONGER, 5)],
    ]


def test_planned_runs_that_fit_train_with_a_wanted_one(store: Store, trainer: Trainer) -> None:
    plan = [*runs(0, 1), *runs(0, recipe=FASTER), *runs(0, recipe=LONGER)]
    one = engine(store, plan=plan)
    found = one.records(runs(0))
    assert len(found) == 1
    assert trainer.stacks == [[(TINY, 0), (TINY, 1), (FASTER, 0)]]
    one.records(runs(0, recipe=FASTER))
    assert len(trainer.stacks) == 1


def test_wanted_ones_come_first(
    store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "STACK_PARAMETERS", {"cpu": 3 * parameters(TINY)})
    engine(store, plan=runs(8, 9)).records(runs(0, 1))
    assert trainer.seeds == [[0, 1, 8]]


def test_a_later_look_takes_light_recipes_of_the_plan_along(store: Store, trainer: Trainer) -> None:
    slower = TINY.but(lr=0.05)
    first = [run for recipe in (TINY, FASTER, slower) for run in runs_at(recipe, "full", [0, 1])]
    session = engine(store, plan=[*first, *runs_at(LONGER, "full", [0])])
    session.records(runs(0, 1))
    session.records(runs(0, 1, 2, 3))
    assert trainer.stacks == [
        [(recipe, seed) for recipe in (TINY, FASTER, slower) for seed in seeds]
        for seeds in ((0, 1), (2, 3))
    ]
    session.records(runs_at(FASTER, "full", [0, 1, 2, 3]))
    assert len(trainer.stacks) == 2


def test_a_later_look_is_shared_out_by_itself(store: Store, trainer: Trainer) -> None:
    first = [*runs(0, 1), *runs_at(FASTER, "full", [0, 1])]
    with store.lock(key(runs_at(FASTER, "full", [0])[0])):  # another process still trains it
        session = engine(store, plan=first, share=2)
        session.records(runs(0, 1))
        trainer.stacks.clear()
        session.records(runs(0, 1, 2))
    assert trainer.stacks == [[(TINY, 2)]]


def test_recipes_that_take_minutes_are_not_trained_ahead(
    store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recipe, "light", property(lambda recipe: recipe != FASTER))
    session = engine(store, plan=[*runs(0), *runs_at(FASTER, "full", [0])])
    session.records(runs(0))
    session.records(runs(1))
    assert trainer.stacks == [[(TINY, 0), (FASTER, 0)], [(TINY, 1)]]


def test_what_is_there_already_stays_out(store: Store, trainer: Trainer) -> None:
    engine(store).records(runs(1))
    engine(store, plan=runs(0, 1, 2)).records(runs(0))
    assert trainer.seeds == [[1], [0, 2]]


def test_a_stack_stays_small_enough_for_the_cache(
    store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "STACK_PARAMETERS", {"cpu": 2 * parameters(TINY) + 1})
    engine(store).records(runs(0, 1, 2, 3, 4))
    assert trainer.seeds == [[0, 1], [2, 3], [4]]


def test_a_network_beyond_the_cache_trains_alone(
    store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "STACK_PARAMETERS", {"cpu": 1})
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
    store: Store, trainer: Trainer, share: int, seeds: list[list[int]]
) -> None:
    engine(store, share=share).records(runs(*range(6)))
    assert trainer.seeds == seeds


def test_scales_do_not_mix(store: Store, trainer: Trainer) -> None:
    engine(store).records([*runs(0), *runs(1, scale="smoke")])
    assert trainer.seeds == [[0], [1]]


def test_data_sets_do_not_mix(store: Store, trainer: Trainer) -> None:
    engine(store, plan=runs(1, recipe=MOONS)).records(runs(0))
    assert trainer.stacks == [[(TINY, 0)]]


def test_what_another_process_holds_stays_out(store: Store, trainer: Trainer) -> None:
    with store.lock(key(runs(1)[0])):
        engine(store, plan=runs(0, 1, 2)).records(runs(0))
    assert trainer.seeds == [[0, 2]]


def test_every_run_of_a_stack_is_held_while_it_trains(store: Store, trainer: Trainer) -> None:
    held = []

    def look(pairs: Pairs) -> None:
        for run in runs(0, 1, 2):
            lock = store.lock(key(run))
            if not lock.acquire(blocking=False):
                held.append(run.seed)
            lock.release()

    trainer.crashes = look
    engine(store, plan=runs(0, 1)).records(runs(0))
    assert held == [0, 1]


def test_companions_are_chosen_by_one_process_at_a_time(
    store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone: dict[str, bool] = {}
    plain = store.lock

    def someone_chooses() -> bool:
        lock = plain("choosing")
        free = lock.acquire(blocking=False)
        lock.release()
        return not free

    def lock(name: str, what: str = "") -> Lock:
        alone[name] = someone_chooses()
        return plain(name, what)

    def look(pairs: Pairs) -> None:
        alone["training"] = someone_chooses()

    monkeypatch.setattr(store, "lock", lock)
    trainer.crashes = look
    engine(store).records(runs(0, 1, 2))
    assert [alone[key(run)] for run in runs(0, 1, 2)] == [False, True, True]
    assert not alone["training"]  # others choose meanwhile
    assert trainer.seeds == [[0, 1, 2]]


def test_every_lock_is_let_go(store: Store, trainer: Trainer) -> None:
    engine(store, plan=runs(0, 1, 2)).records(runs(0))
    for run in runs(0, 1, 2):
        assert store.lock(key(run)).acquire(blocking=False)
