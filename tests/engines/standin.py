"""A stand-in for training, and recipes to train with it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from cvclaims.data.dataset import Dataset
from cvclaims.data.load import load
from cvclaims.engines.inline import Inline
from cvclaims.plan import Run, Scaled
from cvclaims.recipe import CURVES, Recipe
from cvclaims.records import Record, Store, run_key
from cvclaims.scales import scale_name
from cvclaims.specs import DATASETS
from cvclaims.training.loop import Trained
from tests.engines.workers import CPU, TINY

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
        self, pairs: Pairs, data: Dataset, device: torch.device, *_: object, **__: object
    ) -> list[Trained]:
        self.stacks.append(list(pairs))
        if len(self.stacks) > 100:  # no Exception, which an engine would take for a crash
            pytest.fail("the engine trains for ever")
        if (error := self.crashes(pairs)) is not None:
            raise error
        return [self.trained(recipe, len(self.stacks)) for recipe, _ in pairs]

    @staticmethod
    def trained(recipe: Recipe, call: int) -> Trained:
        """An outcome that tells by its accuracy which call gave it."""
        classes = len(DATASETS[recipe.data].classes)
        numbers = {"parameters": 10, "images_per_second": 1000.0}
        curves = {name: [call / 100] * recipe.epochs for name in CURVES}
        return Trained("finished", curves, [0.5] * classes, {}, numbers)

    @property
    def seeds(self) -> list[list[int]]:
        return [[seed for _, seed in stack] for stack in self.stacks]


def runs_at(recipe: Recipe, scale: str, seeds: Sequence[int]) -> list[Run]:
    """The runs of a recipe at a scale."""
    return Scaled(recipe.at(scale), scale_name(recipe, scale)).runs(seeds)


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
