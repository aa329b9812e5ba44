"""Optimisers on slices of a stack against one torch.optim optimiser for each network."""

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cvclaims.recipe import Recipe
from cvclaims.training.optim import Optimizers, learning_rate, settings

SGD = Recipe(data="moons", lr=0.1, epochs=4)
KINDS = {
    "sgd": SGD,
    "slower": SGD.but(lr=0.01),
    "momentum": SGD.but(momentum=0.9),
    "decay": SGD.but(weight_decay=0.1),
    "momentum_and_decay": SGD.but(momentum=0.5, weight_decay=0.1),
    "adam": SGD.but(optimizer="adam"),
    "adam_decay": SGD.but(optimizer="adam", weight_decay=0.1),
    "adamw": SGD.but(optimizer="adamw", weight_decay=0.1),
    "exponential": SGD.but(optimizer="adam", scheduler="exponential", gamma=0.5),
}
STEPS = 3  # in each epoch


def parameters(size: int) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((size, 3, 4), (size, 1, 4))
    return [
        nn.Parameter(torch.randn(shape, generator=generator, dtype=torch.float64))
        for shape in shapes
    ]


def gradients(shapes: Sequence[torch.Size], step: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(100 + step)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def trained_together(recipes: Sequence[Recipe]) -> list[Tensor]:
    """Stacked parameters after all epochs of the recipes."""
    stacked = parameters(len(recipes))
    optimizers = Optimizers(stacked, recipes)
    for step in range(recipes[0].epochs * STEPS):
        if step % STEPS == 0:
            optimizers.set_epoch(step // STEPS)
        optimizers.zero_grad()
        step_with(optimizers, stacked, step)
    return [p.detach() for p in stacked]


def trained_alone(recipe: Recipe, i: int, size: int) -> list[Tensor]:
    """Network i of a stack by an optimiser and a schedule of torch.optim's own."""
    shapes = [p.shape for p in parameters(size)]
    mine = [nn.Parameter(p.detach()[i].clone()) for p in parameters(size)]
    optimizer: torch.optim.Optimizer
    if recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD(
            mine, recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
    else:
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
        optimizer = kind(mine, recipe.lr, weight_decay=recipe.weight_decay)
    gamma = recipe.gamma if recipe.scheduler == "exponential" else 1.0
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    for step in range(recipe.epochs * STEPS):
        for parameter, gradient in zip(mine, gradients(shapes, step), strict=True):
            parameter.grad = gradient[i].clone()
        optimizer.step()
        if (step + 1) % STEPS == 0:
            schedule.step()
    return [p.detach() for p in mine]


def assert_each_as_alone(recipes: Sequence[Recipe]) -> None:
    together = trained_together(recipes)
    for i, recipe in enumerate(recipes):
        for stacked, alone in zip(together, trained_alone(recipe, i, len(recipes)), strict=True):
            torch.testing.assert_close(stacked[i], alone, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", KINDS)
def test_one_network(name: str) -> None:
    assert_each_as_alone([KINDS[name]])


@pytest.mark.parametrize("name", KINDS)
def test_three_of_a_kind(name: str) -> None:
    assert_each_as_alone([KINDS[name]] * 3)


def test_all_kinds_side_by_side() -> None:
    assert_each_as_alone([recipe for recipe in KINDS.values() for _ in range(2)])


def test_in_any_order() -> None:
    assert_each_as_alone([*KINDS.values(), *KINDS.values()])


def test_gradients_stay_in_one_place() -> None:
    stacked = parameters(2)
    optimizers = Optimizers(stacked, [SGD, KINDS["adam"]])
    places = [p.grad.data_ptr() for p in stacked if p.grad is not None]
    assert len(places) == len(stacked)
    for parameter in stacked:
        assert parameter.grad is not None
        assert parameter.grad.shape == parameter.shape
        parameter.grad.fill_(1)
    optimizers.step()
    optimizers.zero_grad()
    assert [p.grad.data_ptr() for p in stacked if p.grad is not None] == places


def test_a_lone_network_begins_each_step_without_gradients() -> None:
    alone = parameters(1)
    optimizers = Optimizers(alone, [SGD], lone=True)
    for parameter in alone:
        parameter.grad = torch.ones_like(parameter)
    optimizers.zero_grad()
    assert [p.grad for p in alone] == [None, None]


def step_with(optimizers: Optimizers, stacked: Sequence[nn.Parameter], step: int) -> None:
    for parameter, gradient in zip(
        stacked, gradients([p.shape for p in stacked], step), strict=True
    ):
        assert parameter.grad is not None
        parameter.grad.copy_(gradient)  # as a stack's backward pass does
    optimizers.step()


@pytest.mark.parametrize("name", ["momentum", "adam", "adamw"])
def test_forgetting_is_beginning_anew(name: str) -> None:
    """What warming up a captured step teaches has to be undone."""
    fresh, warmed = parameters(2), parameters(2)
    first, again = Optimizers(fresh, [KINDS[name]] * 2), Optimizers(warmed, [KINDS[name]] * 2)
    for step in (0, 1):
        step_with(again, warmed, step)
    again.forget()
    with torch.no_grad():
        for parameter, before in zip(warmed, fresh, strict=True):
            assert not torch.equal(parameter, before)
            parameter.copy_(before)
    step_with(first, fresh, 2)
    step_with(again, warmed, 2)
    for ours, expected in zip(warmed, fresh, strict=True):
        assert torch.equal(ours, expected)


@pytest.mark.parametrize("gamma", [0.5, 0.95, 1.0, 1.5])
def test_the_rate_is_torchs_schedule(gamma: float) -> None:
    recipe = SGD.but(scheduler="exponential", gamma=gamma)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], recipe.lr)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    for epoch in range(10):
        assert learning_rate(recipe, epoch) == pytest.approx(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()


@pytest.mark.parametrize("warmup", [0, 1, 3])
@pytest.mark.parametrize("scheduler", [None, "exponential", "step", "cosine"])
def test_a_warm_up_is_torchs_before_its_schedule(scheduler: str | None, warmup: int) -> None:
    step_size = 2 if scheduler == "step" else None
    recipe = SGD.but(epochs=9, warmup=warmup, scheduler=scheduler, gamma=0.5, step_size=step_size)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], recipe.lr)
    theirs: Any = {
        None: lambda: torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0),
        "exponential": lambda: torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5),
        "step": lambda: torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5),
        "cosine": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 9 - warmup),
    }[scheduler]
    schedule: Any = theirs()
    if warmup:
        rise = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / (warmup + 1), total_iters=warmup)
        schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [rise, schedule], [warmup])
    for epoch in range(9):
        assert learning_rate(recipe, epoch) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert learning_rate(recipe, warmup) == recipe.lr


def test_without_a_schedule_the_rate_stays() -> None:
    assert [learning_rate(SGD.but(gamma=0.5), epoch) for epoch in (0, 1, 99)] == [0.1] * 3


def test_what_shares_an_optimiser() -> None:
    differ = [settings(recipe) for recipe in KINDS.values()]
    assert len(set(differ)) == len(KINDS)
    alike = SGD.but(epochs=9, data="circles", loss="mse", batch_size=7, init="normal")
    assert settings(alike) == settings(SGD)
    assert settings(SGD.but(scheduler="exponential", gamma=0.5)) != settings(
        SGD.but(scheduler="exponential", gamma=0.6)
    )
    assert settings(SGD.but(epochs=9, warmup=1)) != settings(SGD.but(epochs=9, warmup=2))


def test_no_compiler_is_imported() -> None:
    """torch's own optimisers import theirs, 850 modules, when the first of them is made."""
    code = f"""
import sys
import torch
from cvclaims.recipe import Recipe
from cvclaims.training.optim import Optimizers

for name in ("sgd", "adam", "adamw"):
    weights = [torch.ones(3, requires_grad=True)]
    optimizers = Optimizers(weights, [{SGD!r}.but(optimizer=name)], lone=True)
    optimizers.zero_grad()
    weights[0].sum().backward()
    optimizers.step()
    assert (weights[0] != 1).all()
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")
