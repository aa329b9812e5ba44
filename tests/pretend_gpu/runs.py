"""Training on the pretended GPU, captured or step by step."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from unittest import mock

from torch import Tensor

from cvclaims.data.dataset import Dataset
from cvclaims.data.load import load
from cvclaims.models import stacks
from cvclaims.recipe import Recipe
from cvclaims.training import loop
from cvclaims.training.loop import Trained
from cvclaims.training.session import Session
from tests.pretend_gpu.machine import DEVICE, pretended

IMAGES = Recipe(
    data="cifar10", train_size=30, test_size=30, batch_size=12, epochs=3, lr=0.01, momentum=0.9,
    model="vgg", model_args={"depth": 11, "width": 1 / 16}, precision="bf16",
)  # fmt: skip
FLAT = Recipe(
    data="moons", train_size=40, test_size=30, batch_size=16, epochs=3, lr=0.1,
    model_args={"hidden": (16, 8)}, probes=("units", "boundary"),
)  # fmt: skip


def trained(recipe: Recipe, *, capture: bool) -> tuple[list[Trained], list[Tensor]]:
    """What training gives, three networks in a stack where they stack, and what is learned."""
    runs = [(recipe, 0)]
    if stacks(recipe):
        runs += [(recipe.but(lr=recipe.lr / 2), 1), (recipe, 2)]
    made: list[Session] = []

    def session(runs: Sequence[tuple[Recipe, int]], data: Dataset, device: Any) -> Session:
        made.append(Session(runs, data, device, capture=capture))
        return made[-1]

    data = load(recipe.dataset, None, allow_stand_in=True)
    with mock.patch.object(loop, "Session", session), pretended():
        results = loop.train(runs, data, DEVICE)
        learned = [tensor.cpu() for tensor in made[0].learned().copies]
    return results, learned


def told(results: Sequence[Trained]) -> list[Any]:
    """All that training gave but its times, in a form that can be compared."""
    return [
        [r.status, _without_times(r.curves), r.class_accuracy, r.probes, _without_times(r.numbers)]
        for r in results
    ]


def same(first: Any, second: Any) -> bool:
    """Whether all numbers are equal, bit for bit; NaN equals NaN."""
    if isinstance(first, Mapping):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, Tensor):
        return bool((first.eq(second) | (first.isnan() & second.isnan())).all())
    if isinstance(first, float) and math.isnan(first):
        return math.isnan(second)
    return bool(first == second)


def _without_times(numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: n for name, n in numbers.items() if "second" not in name}
