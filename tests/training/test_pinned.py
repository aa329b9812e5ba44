"""Whatever a process has set, a run learns the same, and the setting is there again after it."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import torch

from cvclaims.data.load import load
from cvclaims.recipe import Recipe
from cvclaims.training import timing
from cvclaims.training.loop import train
from cvclaims.training.pinned import pinned
from cvclaims.training.timing import counted

CPU = torch.device("cpu")
PERCEPTRON = Recipe(
    data="digits",
    train_size=60,
    test_size=30,
    model_args={"hidden": (8,)},
    lr=0.1,
    epochs=2,
    batch_size=20,
)
CONVOLUTIONS = Recipe(
    data="cifar10",
    train_size=40,
    test_size=20,
    augment=("crop", "flip"),
    model="alexnet",
    model_args={"width": 1 / 8},
    lr=0.01,
    momentum=0.9,
    epochs=1,
    batch_size=20,
)
RECIPES = pytest.mark.parametrize(
    "recipe",
    [PERCEPTRON, CONVOLUTIONS, CONVOLUTIONS.but(precision="bf16", augment=())],
    ids=["mlp", "alexnet", "bfloat16"],
)


@contextmanager
def put(set_to: Callable[[Any], object], value: object, back: object) -> Iterator[None]:
    set_to(value)
    try:
        yield
    finally:
        set_to(back)


AMBIENT: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "default dtype": lambda: put(torch.set_default_dtype, torch.float64, torch.float32),
    "default device": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "precision of products": lambda: put(torch.set_float32_matmul_precision, "medium", "highest"),
    "denormals": lambda: put(torch.set_flush_denormal, True, False),
    "random state": lambda: put(torch.manual_seed, 5, 6),
}


def learned(recipe: Recipe) -> str:
    (found,) = train([(recipe, 1)], load(recipe.data, None, allow_stand_in=True), CPU)
    curves = {name: curve for name, curve in found.curves.items() if name != "seconds"}
    return repr((curves, found.class_accuracy, found.probes))


@RECIPES
@pytest.mark.parametrize("name", AMBIENT)
def test_what_is_set_changes_nothing(recipe: Recipe, name: str) -> None:
    before = learned(recipe)
    with AMBIENT[name]():
        assert learned(recipe) == before


@pytest.mark.parametrize("name", AMBIENT)
def test_times_and_counts_do_not_mind_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "ROUND_SECONDS", 1e-6)
    data = load("cifar10", None, allow_stand_in=True)
    before = counted(CONVOLUTIONS)
    with AMBIENT[name]():
        assert counted(CONVOLUTIONS) == before
        pair = CONVOLUTIONS, data
        assert timing.side_by_side(pair, pair, 0, CPU, rounds=1).ratio > 0


def test_all_of_it_is_put_back() -> None:
    def settings() -> list[object]:
        return [
            torch.get_default_dtype(),
            torch.zeros(()).device,
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch.is_autocast_enabled("cpu"),
            torch.get_num_threads(),
            torch.get_float32_matmul_precision(),
            torch.tensor([1e-30], device="cpu").mul(1e-12).item() if not meta else None,
            torch.get_rng_state().tolist(),
        ]

    for name, ambient in AMBIENT.items():
        meta = name == "default device"
        with ambient():
            before = settings()
            with pinned(CPU):
                torch.rand(3)
                torch.set_num_threads(1)
            assert settings() == before, name


def test_a_warning_inside_ends_no_run(recwarn: pytest.WarningsRecorder) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pinned(CPU):
            warnings.warn("torch no longer likes this", FutureWarning, stacklevel=1)
            warnings.warn("Attempting to run cuBLAS, but there was no context!", stacklevel=1)
        with pytest.raises(FutureWarning):
            warnings.warn("outside it raises", FutureWarning, stacklevel=1)
    assert [str(told.message) for told in recwarn] == ["torch no longer likes this"]


def test_the_random_state_of_apples_gpu_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    state = torch.ones(1)
    now: list[torch.Tensor] = []
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: state)
    monkeypatch.setattr(torch.mps, "set_rng_state", now.append)
    with pinned(torch.device("mps")):
        assert not now
    assert now == [state]
