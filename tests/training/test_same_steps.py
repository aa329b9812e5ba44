"""However a step is carried out, it gives the same parameters: checked in float64.

Plain: torch's own modules, layout and optimiser, one network at a time. Eager: a session. Stacked:
a session of several networks. Captured: `test_convolutions` holds the captured step to the eager
one, bit for bit on a CPU where the capture is left out, and on a GPU with it.
"""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cvclaims.data.dataset import Dataset
from cvclaims.data.load import load
from cvclaims.models import StackedMLP
from cvclaims.recipe import Recipe
from cvclaims.training.batches import Batches
from cvclaims.training.session import Session, data_of
from tests.training.exact import network_of, precise

CPU = torch.device("cpu")
STEPS = 7  # two epochs, with their smaller last batches, and one step more
CONVOLUTIONS = Recipe(
    data="cifar10",
    train_size=100,
    test_size=20,
    augment=("crop", "flip"),
    model="alexnet",
    model_args={"dropout": 0.0, "width": 1 / 8},
    init="kaiming_normal",
    lr=0.01,
    momentum=0.9,
    weight_decay=5e-4,
    epochs=9,
    batch_size=40,
)
PERCEPTRON = Recipe(
    data="digits",
    train_size=150,
    model_args={"hidden": (24, 12)},
    lr=0.05,
    epochs=9,
    batch_size=64,
)
# A rate, an optimiser and a loss apart; recipes of one stack differ in the update alone.
STACK = (
    (PERCEPTRON, 0),
    (PERCEPTRON.but(lr=0.2), 0),
    (PERCEPTRON.but(optimizer="adam", lr=0.01), 1),
    (PERCEPTRON.but(momentum=0.9), 2),
)


def images() -> Dataset:
    return load("cifar10", None, allow_stand_in=True)


def plainly(recipe: Recipe, seed: int, data: Dataset, steps: int = STEPS) -> list[Tensor]:
    """The parameters after a plain loop on the same batches, in the dtype of the data."""
    network = network_of(recipe, seed).to(data.normalise(data.train_x[:1]).dtype)
    parameters = list(network.parameters())
    if recipe.optimizer == "adam":
        optimizer: torch.optim.Optimizer = torch.optim.Adam(parameters, recipe.lr)
    else:
        optimizer = torch.optim.SGD(
            parameters, recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
    batches = Batches(recipe, [str(seed)], data_of(recipe, data))
    done = 0
    while True:
        batches.shuffle()
        for start in batches.starts():
            stop = min(start + batches.size, batches.samples)
            x, y = batches.batch(batches.order[:, start:stop], batches.draws[start:stop])
            loss = F.cross_entropy(network(x[0].contiguous()), y[0])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            done += 1
            if done == steps:
                return [p.detach() for p in network.parameters()]


@pytest.mark.usefixtures("float64")
def test_an_eager_step_is_the_plain_step() -> None:
    session = Session([(CONVOLUTIONS, 3)], precise(images()), CPU)
    with session.running():
        session.train_steps(STEPS)
    found = [p.detach() for p in session.networks.parameters()]
    for ours, plain in zip(found, plainly(CONVOLUTIONS, 3, precise(images())), strict=True):
        assert ours.dtype == torch.float64
        torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-9)


def flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().double().flatten() for tensor in tensors])


@pytest.mark.parametrize("recipe", [CONVOLUTIONS, PERCEPTRON], ids=["convolutions", "perceptron"])
def test_a_float32_step_is_as_near_to_the_exact_one_as_the_plain_step(recipe: Recipe) -> None:
    """Layouts and kernels are others than in float64. One step: further ones magnify rounding."""
    data = load(recipe.data, None, allow_stand_in=True)
    exact = flat(plainly(recipe, 3, precise(data), steps=1))
    plain = flat(plainly(recipe, 3, data, steps=1))
    session = Session([(recipe, 3)], data, CPU)
    with session.running():
        session.train_steps(1)
    if isinstance(session.networks, StackedMLP):
        ours = flat(alone(session.networks, 0))
    else:
        ours = flat(list(session.networks.parameters()))
    assert (ours - exact).norm() < 2 * (plain - exact).norm()


def alone(networks: StackedMLP, i: int) -> list[Tensor]:
    """Network i's parameters in torch's layout: weights (out, in), biases flat."""
    found = []
    for name, stacked in networks.named().items():
        mine = stacked.detach()[i]
        found.append(mine.T if name.endswith("weight") else mine[0])
    return found


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("i", range(len(STACK)))
def test_a_stacked_step_is_the_plain_step_of_each_network(i: int) -> None:
    # Equal settings stand side by side in a session, as `train` sorts them.
    session = Session(STACK, precise(load("digits", None)), CPU)
    with session.running():
        session.train_steps(STEPS)
    recipe, seed = STACK[i]
    plain = plainly(recipe, seed, precise(load("digits", None)))
    assert isinstance(session.networks, StackedMLP)
    for ours, theirs in zip(alone(session.networks, i), plain, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_augmentation_draws_the_same_for_the_same_seed() -> None:
    first, again, other = (
        Batches(CONVOLUTIONS, [seed], data_of(CONVOLUTIONS, images())) for seed in "445"
    )
    for batches in (first, again, other):
        batches.shuffle()
    assert torch.equal(first.draws, again.draws)
    assert torch.equal(first.order, again.order)
    assert not torch.equal(first.draws, other.draws)
    before = first.draws.clone()
    first.shuffle()
    assert not torch.equal(first.draws, before), "each epoch draws anew"
