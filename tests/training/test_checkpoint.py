"""A training that was stopped goes on from its checkpoint and gives what it would have given."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from cvclaims.data.load import load
from cvclaims.recipe import Recipe
from cvclaims.training.checkpoint import Checkpoint
from cvclaims.training.loop import Trained, train

CPU = torch.device("cpu")
Pairs = Sequence[tuple[Recipe, int]]
MLP = Recipe(
    data="digits",
    train_size=100,
    test_size=40,
    model_args={"hidden": (8, 4)},
    optimizer="adamw",
    lr=0.01,
    weight_decay=0.01,
    scheduler="exponential",
    gamma=0.9,
    epochs=4,
    batch_size=40,
    probes=("units",),
)
IMAGES = Recipe(
    data="cifar10",
    train_size=60,
    test_size=30,
    augment=("crop", "flip"),
    model="alexnet",
    model_args={"dropout": 0.5, "width": 1 / 8},
    lr=0.01,
    momentum=0.9,
    weight_decay=5e-4,
    scheduler="cosine",
    epochs=3,
    batch_size=25,
    precision="bf16",
)
STOPPING = IMAGES.but(
    model="resnet",
    model_args={"width": 1 / 16},
    augment=(),
    scheduler=None,
    lr=0.1,
    epochs=6,
    patience=1,
    monitor="held_out_loss",
    held_out=10,
)
INCEPTION = IMAGES.but(
    model="small_inception", model_args={"width": 1 / 4}, augment=("flip", "jitter"), epochs=2
)
WHOLE = MLP.but(data="moons", train_size=None, test_size=None, batch_size=None, epochs=5)
KINDS: Mapping[str, Pairs] = {
    "a stack": [(MLP, 0), (MLP.but(optimizer="sgd", momentum=0.9, weight_decay=0.0), 1), (MLP, 2)],
    "whole batches": [(WHOLE, 3)],
    "alexnet": [(IMAGES, 0)],
    "resnet, stopping": [(STOPPING, 1)],
    "inception": [(INCEPTION, 0)],
}


class Stopped(BaseException):
    """As a signal would: nothing catches it."""


class Dying(Checkpoint):
    """Saves at every chance, and stops after so many."""

    lives = 0

    def due(self) -> bool:
        return True

    def save(self, state: Mapping[str, Any]) -> None:
        super().save(state)
        self.lives -= 1
        if self.lives == 0:
            raise Stopped


def checkpoint(folder: Path, lives: int = 0, **changes: Any) -> Dying:
    settings: dict[str, Any] = {"alike": {"runs": "these"}, "told": {"processor": "this one"}}
    made = Dying(folder / "some.checkpoint", tell=pytest.fail, **settings | changes)
    made.lives = lives
    return made


def trained(pairs: Pairs, kept: Checkpoint | None = None) -> list[Trained]:
    data = load(pairs[0][0].data, None, allow_stand_in=True)
    return train(pairs, data, CPU, checkpoint=kept)


def learned(results: Sequence[Trained]) -> list[Any]:
    """What does not depend on the clock."""
    found = []
    for result in results:
        curves = {name: curve for name, curve in result.curves.items() if name != "seconds"}
        parts = (result.status, curves, result.class_accuracy, result.probes, result.parameters)
        found.append(repr(parts))  # NaN equals itself
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path, kind: str) -> None:
    pairs = KINDS[kind]
    whole = learned(trained(pairs))
    for stop in itertools.count(1):
        kept = checkpoint(tmp_path, stop)
        try:
            again = trained(pairs, kept)
        except Stopped:
            again = trained(pairs, checkpoint(tmp_path))
        assert learned(again) == whole, f"stopped at save {stop}"
        kept.remove()
        if kept.lives > 0:
            break
    assert stop > 3


def test_it_may_be_stopped_over_and_over(tmp_path: Path) -> None:
    pairs = KINDS["alexnet"]
    stops = 0
    while True:
        try:
            again = trained(pairs, checkpoint(tmp_path, 1))
            break
        except Stopped:
            stops += 1
    assert stops == 8  # three steps an epoch, three epochs, and nothing after the last
    assert learned(again) == learned(trained(pairs))
