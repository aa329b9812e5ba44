"""A process that is killed while it trains loses nothing: the next one goes on where it was."""

import dataclasses
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from cvclaims import locks
from cvclaims.data.packed import cache_folder
from cvclaims.engines import provenance
from cvclaims.plan import Run
from cvclaims.recipe import Recipe
from cvclaims.records import Record, Store
from cvclaims.training.checkpoint import Checkpoint
from tests.engines.standin import engine
from tests.engines.test_race import context
from tests.engines.workers import TINY, train_until_killed
from tests.training.test_checkpoint import IMAGES, INCEPTION, STOPPING

STACK = TINY.but(epochs=6)
KINDS = {
    "a stack of perceptrons": [STACK, STACK.but(lr=0.2), STACK.but(optimizer="adam", lr=0.01)],
    "dropout and augmentation": [IMAGES],
    "batch norm and stopping": [STOPPING],
    "inception": [INCEPTION],
}


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def runs(recipes: list[Recipe]) -> list[Run]:
    return [Run(recipe, 0, "smoke") for recipe in recipes]


def killed(root: Path, recipes: list[Recipe], saves: int) -> None:
    victim = context.Process(target=train_until_killed, args=(root, recipes, saves))
    victim.start()
    victim.join(120)
    assert victim.exitcode == -signal.SIGKILL
    victim.close()


def timeless(record: Record) -> str:
    """A record without what depends on the clock."""
    series = {name: values for name, values in record.series.items() if name != "seconds"}
    numbers = {**record.numbers, "images_per_second": 0.0}
    return dataclasses.replace(record, series=series, numbers=numbers).to_json()


def checkpoints() -> list[Path]:
    folder = cache_folder()
    assert folder is not None
    return list((folder / "checkpoints").glob("*"))


@pytest.mark.parametrize(("kind", "saves"), list(zip(KINDS, (7, 3, 3, 2), strict=True)))
def test_a_killed_run_gives_the_record_of_one_never_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, saves: int
) -> None:
    recipes = KINDS[kind]
    killed(tmp_path / "records", recipes, saves)
    assert list(Store(tmp_path / "records")) == []
    assert len(checkpoints()) == 1
    taken_up: list[Path] = []
    plain = Checkpoint.load

    def load(kept: Checkpoint) -> dict[str, Any] | None:
        state = plain(kept)
        taken_up.extend([kept.path] if state is not None else [])
        return state

    monkeypatch.setattr(Checkpoint, "load", load)
    again = engine(Store(tmp_path / "records")).records(runs(recipes))
    assert len(taken_up) == 1
    assert checkpoints() == []
    whole = engine(Store(tmp_path / "whole")).records(runs(recipes))
    assert list(map(timeless, again)) == list(map(timeless, whole))


def test_a_record_says_where_else_it_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(tmp_path, [TINY], 2)
    here = provenance.device_name(torch.device("cpu"))
    monkeypatch.setattr("cvclaims.engines.work.device_name", lambda _: "CPU, another")
    (found,) = engine(Store(tmp_path)).records(runs([TINY]))
    assert found.origin.steps == f"eager, begun on device {here}"


def test_a_rerun_trains_anew_what_another_session_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(tmp_path, [TINY], 2)
    told: list[str] = []
    monkeypatch.setattr(locks, "tell", told.append)
    engine(Store(tmp_path), session="two", rerun=True).records(runs([TINY]))
    assert "it was made with rerun , this is two): begun anew" in told[0]
    assert checkpoints() == []
