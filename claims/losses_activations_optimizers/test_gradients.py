"""Experiment A's reasons: the gradients of the two losses over a softmax.

ŷ is the softmax of the logits z, y the one-hot label. Each statement is checked against autograd
for every number of classes, label and logits that Hypothesis can think of.
"""

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from claims.losses_activations_optimizers.protocol import HW3
from cvclaims import claim

if TYPE_CHECKING:
    from torch import Tensor

FORMULAS = HW3.at("Experiment A, questions 1 and 2")


@st.composite
def logits_and_label(
    draw: st.DrawFn, most_classes: int = 10, largest: float = 20.0
) -> tuple[list[float], int]:
    """Logits of 2 classes or more, and the index of the right one."""
    z = draw(st.lists(st.floats(-largest, largest), min_size=2, max_size=most_classes))
    return z, draw(st.integers(0, len(z) - 1))


@st.composite
def confidently_wrong(draw: st.DrawFn) -> tuple[list[float], int, float]:
    """Logits in which a wrong class leads every other by `lead`, the right class, the lead."""
    z, wrong = draw(logits_and_label())
    lead = draw(st.floats(2, 40))
    z[wrong] = max(z[:wrong] + z[wrong + 1 :]) + lead
    right = draw(st.integers(0, len(z) - 1).filter(lambda k: k != wrong))
    return z, right, lead


def softmax_and_gradient(loss: str, z: list[float], label: int) -> "tuple[Tensor, Tensor, Tensor]":
    """ŷ, y and autograd's ∂loss/∂z, all (K,) in float64."""
    import torch
    from torch.nn import functional as F

    logits = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    y = F.one_hot(torch.tensor(label), len(z)).to(torch.float64)
    if loss == "cross_entropy":
        value = F.cross_entropy(logits, torch.tensor(label))
    else:
        value = F.mse_loss(logits.softmax(0), y)
    (gradient,) = torch.autograd.grad(value, logits)
    return logits.detach().softmax(0), y, gradient


@claim(
    "5.01",
    "The gradient of cross-entropy over softmax is ŷ − y",
    source=FORMULAS,
)
@given(logits_and_label())
def test_gradient_of_cross_entropy(example: tuple[list[float], int]) -> None:
    y_hat, y, gradient = softmax_and_gradient("cross_entropy", *example)
    assert (gradient - (y_hat - y)).abs().max() < 1e-12


@claim(
    "5.02",
    "The gradient of MSE over softmax is (ŷ − y) ŷ (1 − ŷ), up to a constant factor",
    source=FORMULAS,
    disputed="for more than 2 classes ∂ŷⱼ/∂zᵢ = −ŷⱼŷᵢ is not 0, and the formula leaves it out",
)
@given(logits_and_label())
def test_gradient_of_mse(example: tuple[list[float], int]) -> None:
    y_hat, y, gradient = softmax_and_gradient("softmax_mse", *example)
    formula = (y_hat - y) * y_hat * (1 - y_hat)
    # The factor that fits best; where the formula is 0 in every entry, any factor will do.
    factor = (gradient @ formula) / (formula @ formula).clamp_min(1e-300)
    assert (gradient - factor * formula).abs().max() < 1e-9


@claim(
    "5.02",
    "With 2 classes the gradient of MSE over softmax is 2 (ŷ − y) ŷ (1 − ŷ)",
    source=HW3.at("ours, beside 5.02"),
    case="two classes",
)
@given(logits_and_label(most_classes=2))
def test_gradient_of_mse_for_two_classes(example: tuple[list[float], int]) -> None:
    y_hat, y, gradient = softmax_and_gradient("softmax_mse", *example)
    assert (gradient - 2 * (y_hat - y) * y_hat * (1 - y_hat)).abs().max() < 1e-12


@claim(
    "5.02",
    "With K classes the gradient of MSE over softmax is 2/K ŷᵢ (ŷᵢ − yᵢ − Σⱼ (ŷⱼ − yⱼ) ŷⱼ)",
    source=HW3.at("ours, beside 5.02"),
    case="exact Jacobian",
)
@given(logits_and_label())
def test_gradient_of_mse_by_the_exact_jacobian(example: tuple[list[float], int]) -> None:
    y_hat, y, gradient = softmax_and_gradient("softmax_mse", *example)
    error = y_hat - y
    expected = 2 / len(y) * y_hat * (error - error @ y_hat)
    assert (gradient - expected).abs().max() < 1e-12


@claim(
    "5.03",
    "MSE's gradient dies where softmax saturates, even when wrong; cross-entropy's does not",
    source=HW3.at("Experiment A, questions 1 to 3"),
)
@given(confidently_wrong())
def test_only_mse_dies_in_saturation(example: tuple[list[float], int, float]) -> None:
    z, label, lead = example
    # A wrong class that leads by m leaves every other ŷ at e⁻ᵐ or less. By the exact Jacobian no
    # entry of MSE's gradient is then above 2 e⁻ᵐ, while cross-entropy's keeps 1 − ŷ of the label.
    *_, of_mse = softmax_and_gradient("softmax_mse", z, label)
    *_, of_cross_entropy = softmax_and_gradient("cross_entropy", z, label)
    e_to_minus_lead = 2.718281828459045**-lead
    assert of_mse.abs().max() <= 2 * e_to_minus_lead + 1e-12
    assert of_cross_entropy.abs().max() >= 1 - e_to_minus_lead - 1e-12
