"""Common question 5's formulas: how SGD, momentum and Adam move a parameter.

Each rule is written here as the report writes it, and followed step by step beside torch.optim
on gradients that Hypothesis chooses.
"""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.losses_activations_optimizers.protocol import HW3
from cvclaims import claim

if TYPE_CHECKING:
    import torch

# Takes a gradient, gives the change of θ; the first `next` starts it.
Steps: TypeAlias = Generator[float, float, None]

# One gradient a step; tiny ones are left out, as ε alone decides about them.
gradients = st.lists(
    st.floats(-10, 10).filter(lambda g: g == 0 or abs(g) > 1e-3), min_size=1, max_size=12
)
rates = st.floats(1e-4, 1.0)
decays = st.floats(0.0, 0.99)


def sgd(lr: float, beta: float) -> Steps:
    """θ ← θ − η ∇L."""
    change = 0.0
    while True:
        gradient = yield change
        change = -lr * gradient


def momentum(lr: float, beta: float) -> Steps:
    """v ← β v + η ∇L;  θ ← θ − v."""
    change, v = 0.0, 0.0
    while True:
        gradient = yield change
        v = beta * v + lr * gradient
        change = -v


def adam(lr: float, beta: float) -> Steps:
    """m ← β₁ m + (1 − β₁) ∇L;  v ← β₂ v + (1 − β₂) ∇L²;  θ ← θ − η m̂ / (√v̂ + ε)."""
    change, m, v, beta_2, eps = 0.0, 0.0, 0.0, 0.999, 1e-8
    step = 0
    while True:
        gradient = yield change
        step += 1
        m = beta * m + (1 - beta) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient**2
        m_hat, v_hat = m / (1 - beta**step), v / (1 - beta_2**step)
        change = -lr * m_hat / (v_hat**0.5 + eps)


def torch_optimizer(rule: str, theta: "torch.Tensor", lr: float, beta: float) -> Any:
    """The optimiser of torch.optim that the report means by a rule."""
    import torch

    if rule == "adam":
        return torch.optim.Adam([theta], lr, betas=(beta, 0.999))
    return torch.optim.SGD([theta], lr, momentum=beta if rule == "momentum" else 0.0)


RULES: dict[str, Callable[[float, float], Steps]] = {
    "sgd": sgd,
    "momentum": momentum,
    "adam": adam,
}


@claim(
    "5.17",
    "The update rules as written are what torch.optim does",
    source=HW3.at("Common question 5"),
)
@pytest.mark.parametrize("rule", RULES)
@given(gradients=gradients, lr=rates, beta=decays)
def test_update_rule(rule: str, gradients: list[float], lr: float, beta: float) -> None:
    import torch

    theta = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch_optimizer(rule, theta, lr, beta)
    written = RULES[rule](lr, beta)
    by_hand = next(written)
    for gradient in gradients:
        theta.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        by_hand += written.send(gradient)
        assert theta.item() == pytest.approx(by_hand, rel=1e-9, abs=1e-9)


@claim(
    "5.17",
    "Momentum as written is what torch.optim does under a rate that changes, too",
    source=HW3.at("ours, beside 5.17"),
    disputed="the report multiplies each gradient by the rate of its own step, torch the whole sum "
    "by the present rate",
    case="momentum under a schedule",
)
@given(gradients=gradients.filter(lambda g: len(g) > 1), lr=rates, beta=decays, gamma=decays)
def test_momentum_under_a_schedule(
    gradients: list[float], lr: float, beta: float, gamma: float
) -> None:
    import torch

    theta = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr, momentum=beta)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    by_hand = v = 0.0
    for step, gradient in enumerate(gradients):
        theta.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        schedule.step()
        v = beta * v + lr * gamma**step * gradient
        by_hand -= v
        assert theta.item() == pytest.approx(by_hand, rel=1e-9, abs=1e-9)
