"""Non-saturating neurons: what ReLU has over sigmoid and tanh, and where it fails.

Slopes are autograd's, in float64. Numbers below float64's normal range are left out, as a
processor may take them for 0; so are negative ones beyond −700, where eˣ leaves that range and
with it the gradient of ELU and SELU, which is positive but no longer a number.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.alexnet_vgg_review.protocol import ALEXNET_VGG
from cvclaims import Computed, Judge, claim, stream

if TYPE_CHECKING:
    import torch
    from torch import nn

    from cvclaims import Hooks, Timer

NON_SATURATING = ALEXNET_VGG.at("AlexNet: non-saturating neurons")
SMALLEST = 2.3e-308  # just above the smallest normal float64

positive = st.floats(SMALLEST, 1e300)
negative = st.floats(-700, -SMALLEST)
# Whole numbers: their mean is exact enough to centre them by.
uneven = st.lists(st.integers(-1000, 1000), min_size=2).filter(lambda x: len(set(x)) > 1)


def output_and_slope(activation: str, x: float) -> tuple[float, float]:
    """What an activation of torch.nn, as torch sets it, makes of x, and its derivative there."""
    import torch

    at = torch.tensor([x], dtype=torch.float64, requires_grad=True)
    output = getattr(torch.nn, activation)().double()(at)
    (slope,) = torch.autograd.grad(output.sum(), at)
    return output.item(), slope.item()


@claim(
    "1.07",
    "Sigmoid and tanh saturate: their slope goes to 0 as |x| grows",
    source=NON_SATURATING,
)
@pytest.mark.parametrize("activation", ["Sigmoid", "Tanh"])
@given(x=st.floats(-700, 700), further=st.floats(0.001, 100))
def test_sigmoid_and_tanh_saturate(activation: str, x: float, further: float) -> None:
    beyond = x + further if x >= 0 else x - further
    _, near = output_and_slope(activation, x)
    _, far = output_and_slope(activation, beyond)
    # Never steeper further out, up to rounding, and below a bound that itself goes to 0.
    assert far <= near + 1e-15
    assert far <= 4 * 2.718281828459045 ** -abs(beyond) + 1e-15


@claim(
    "1.07",
    "ReLU's slope is exactly 1 for every x > 0",
    source=NON_SATURATING,
    case="ReLU",
)
@given(x=positive)
def test_relu_does_not_saturate(x: float) -> None:
    assert output_and_slope("ReLU", x) == (x, 1.0)


@claim(
    "1.29",
    "Sigmoid and tanh saturate at −1 or 1: far out, their output is one of the two",
    source=NON_SATURATING,
    disputed=lambda activation: "sigmoid's limits are 0 and 1" if activation == "Sigmoid" else None,
)
@pytest.mark.parametrize("activation", ["Sigmoid", "Tanh"])
@given(x=st.floats(40, 700), sign=st.sampled_from([-1, 1]))
def test_the_limits_are_minus_one_and_one(activation: str, x: float, sign: int) -> None:
    output, _ = output_and_slope(activation, sign * x)
    assert abs(abs(output) - 1) <= 1e-15


@claim(
    "1.08",
    "ReLU is 0 with zero gradient for every x < 0: dead neurons",
    source=NON_SATURATING,
    case="ReLU",
)
@given(x=st.floats(-1e300, -SMALLEST))
def test_relu_dies(x: float) -> None:
    assert output_and_slope("ReLU", x) == (0.0, 0.0)


@claim(
    "1.08",
    "LeakyReLU, PReLU, ELU and SELU keep a gradient for every x < 0",
    source=NON_SATURATING,
)
@pytest.mark.parametrize("activation", ["LeakyReLU", "PReLU", "ELU", "SELU"])
@given(x=negative)
def test_its_successors_do_not_die(activation: str, x: float) -> None:
    _, slope = output_and_slope(activation, x)
    assert slope > 0


@claim(
    "1.09",
    "ReLU's output is unbounded above and never negative, so on centred input its mean is positive",
    source=NON_SATURATING,
)
@given(values=uneven, bound=st.floats(0, 1e300))
def test_relu_is_biased_to_positive_outputs(values: list[int], bound: float) -> None:
    import torch

    x = torch.tensor(values, dtype=torch.float64)
    output = torch.relu(x - x.mean())
    assert (output >= 0).all()
    assert output.mean() > 0
    assert output_and_slope("ReLU", 2 * bound + 1)[0] > bound


def plain_vgg16(activation: "type[nn.Module]", init: str, seed: int) -> "nn.Module":
    """VGG16 without batch norm and dropout, with an activation in the place of every ReLU."""
    from torch import nn

    from cvclaims import build, initialise

    network = build("vgg", (3, 32, 32), 10, seed, depth=16, dropout=0.0)
    for part in list(network.modules()):
        for name, layer in list(part.named_children()):
            if isinstance(layer, nn.ReLU):
                setattr(part, name, activation())
    initialise(network, init, 0.01, stream(seed, "init"))
    return network


@claim(
    "1.13",
    "In a plain network as deep as VGG16 sigmoid's gradients vanish and ReLU's do not (first "
    "layer, at initialisation: Xavier for sigmoid, He for ReLU; 16 random images and labels)",
    source=NON_SATURATING,
    about_failing=True,
)
def test_sigmoid_gradients_vanish(verdict: Judge, hooks: "Hooks") -> None:
    import torch
    from torch import nn

    def first_layer(activation: type[nn.Module], init: str) -> Callable[[int], float]:
        def gradient_norm(seed: int) -> float:
            generator = torch.Generator().manual_seed(stream(seed, "images"))
            x = torch.randn(16, 3, 32, 32, generator=generator)
            y = torch.randint(10, (16,), generator=generator)
            norms = hooks.gradient_norms(plain_vgg16(activation, init, seed), (x, y))
            return norms["features.0.weight"]

        return gradient_norm

    verdict.ratio(
        Computed("ReLU, He", first_layer(nn.ReLU, "kaiming_normal")),
        Computed("sigmoid, Xavier", first_layer(nn.Sigmoid, "xavier_uniform")),
        factor=100,
    )


ELEMENTS = 4_000_000


@claim(
    "1.30",
    "ReLU is the cheapest to compute, of ReLU, LeakyReLU, PReLU, ELU and SELU (forward and back on "
    "one tensor of 4 million numbers)",
    source=NON_SATURATING,
    case=lambda rival: rival,
)
@pytest.mark.timing
@pytest.mark.parametrize("rival", ["LeakyReLU", "PReLU", "ELU", "SELU"])
def test_relu_is_the_cheapest(verdict: Judge, timer: "Timer", rival: str) -> None:
    def work(name: str, device: "torch.device") -> Callable[[], None]:
        import torch

        # PReLU's slope is learned, so its gradient belongs to its cost.
        layer = getattr(torch.nn, name)().to(device)
        x = torch.randn(ELEMENTS, device=device, requires_grad=True)
        gradient, inputs = torch.ones_like(x), [x, *layer.parameters()]

        def step() -> None:
            torch.autograd.grad(layer(x), inputs, gradient)

        return step

    verdict.times(timer.calls(rival, "ReLU", work), factor=1)
