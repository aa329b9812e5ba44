"""The perceptron against torch's own layers, and a stack of them against each alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cvclaims.models import MLP, StackedMLP, build, stack

ACTIVATION = {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(0.2), "sigmoid": nn.Sigmoid()}


def mlp(seed: int = 0, hidden: tuple[int, ...] = (6, 5), activation: str = "relu") -> MLP:
    network = build("mlp", (4,), 3, seed, hidden=hidden, activation=activation, negative_slope=0.2)
    assert isinstance(network, MLP)
    return network


def inputs(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def sequential(network: MLP, activation: str) -> list[nn.Module]:
    """Torch's own layers with the same weights."""
    layers: list[nn.Module] = []
    for layer in network.layers:
        assert isinstance(layer, nn.Linear)
        same = nn.Linear(layer.in_features, layer.out_features)
        same.load_state_dict(layer.state_dict())
        layers += [same, ACTIVATION[activation]]
    return layers[:-1]


@pytest.mark.parametrize("activation", ACTIVATION)
@pytest.mark.parametrize("hidden", [(), (6,), (6, 5), (2, 3, 4)])
def test_it_is_linear_layers_with_an_activation_between(
    activation: str, hidden: tuple[int, ...]
) -> None:
    network, x = mlp(1, hidden, activation), inputs(7, 4)
    layers = sequential(network, activation)
    torch.testing.assert_close(network(x), nn.Sequential(*layers)(x))
    found = network.activations(x)
    assert [a.shape for a in found] == [(7, width) for width in hidden]
    for i, activations in enumerate(found):
        torch.testing.assert_close(activations, nn.Sequential(*layers[: 2 * i + 2])(x))


def test_images_are_flattened() -> None:
    network = build("mlp", (1, 2, 2), 3, hidden=(5,))
    x = inputs(7, 1, 2, 2)
    torch.testing.assert_close(network(x), network(x.flatten(1)))


def test_widths() -> None:
    shapes = {name: tuple(p.shape) for name, p in mlp().named_parameters()}
    assert shapes == {
        "layers.0.weight": (6, 4),
        "layers.0.bias": (6,),
        "layers.1.weight": (5, 6),
        "layers.1.bias": (5,),
        "layers.2.weight": (3, 5),
        "layers.2.bias": (3,),
    }


@settings(max_examples=30)
@given(
    size=st.integers(1, 4),
    batch=st.integers(1, 9),
    hidden=st.lists(st.integers(1, 9), max_size=3).map(tuple),
    activation=st.sampled_from(sorted(ACTIVATION)),
)
def test_a_stack_is_each_of_its_networks(
    size: int, batch: int, hidden: tuple[int, ...], activation: str
) -> None:
    networks = [mlp(seed, hidden, activation) for seed in range(size)]
    stacked, x = StackedMLP(networks), inputs(size, batch, 4)
    kept: list[Tensor] = []
    logits = stacked(x, kept)
    assert stacked.size == size
    assert len(kept) == len(hidden)
    for i, network in enumerate(networks):
        torch.testing.assert_close(logits[i], network(x[i]), rtol=1e-5, atol=1e-6)
        for mine, alone in zip(kept, network.activations(x[i]), strict=True):
            torch.testing.assert_close(mine[i], alone, rtol=1e-5, atol=1e-6)


def assert_gradients_as_alone(
    stacked: StackedMLP, networks: list[MLP], seed: int, precision: torch.dtype = torch.float32
) -> None:
    """After one backward pass: those of each network by autograd, in its layout.

    As in training autocast ends with the forward pass. bfloat16 keeps 8 bits: numbers up to about
    10 here, a few roundings each.
    """
    tolerance = 1e-5 if precision == torch.float32 else 0.1
    x, weights = inputs(len(networks), 9, 4, seed=seed), inputs(len(networks), 9, 3, seed=seed + 1)
    hidden: list[Tensor] = []
    with torch.autocast("cpu", precision, enabled=precision != torch.float32):
        logits = stacked(x, hidden)
        alone = [network(mine) for network, mine in zip(networks, x, strict=True)]
    assert logits.dtype == precision
    stacked.backward(x, hidden, weights.to(precision))
    for i, network in enumerate(networks):
        loss = (alone[i].float() * weights[i]).sum()  # whose gradient by the logits are the weights
        expected = torch.autograd.grad(loss, list(network.parameters()))
        for (name, parameter), theirs in zip(stacked.named().items(), expected, strict=True):
            assert parameter.grad is not None
            mine = parameter.grad[i].T if name.endswith("weight") else parameter.grad[i, 0]
            torch.testing.assert_close(mine, theirs, rtol=tolerance, atol=tolerance)


@settings(max_examples=30)
@given(
    size=st.integers(1, 4),
    hidden=st.lists(st.integers(1, 9), max_size=3).map(tuple),
    activation=st.sampled_from(sorted(ACTIVATION)),
)
def test_a_stacks_gradients_are_those_of_each_of_its_networks(
    size: int, hidden: tuple[int, ...], activation: str
) -> None:
    networks = [mlp(seed, hidden, activation) for seed in range(size)]
    stacked = StackedMLP(networks)
    assert_gradients_as_alone(stacked, networks, seed=2)
    places = [p.grad.data_ptr() for p in stacked.parameters() if p.grad is not None]
    # A second pass writes over the first, in the same memory.
    assert_gradients_as_alone(stacked, networks, seed=5)
    assert [p.grad.data_ptr() for p in stacked.parameters() if p.grad is not None] == places


@pytest.mark.parametrize("hidden", [(), (6, 5)])
@pytest.mark.parametrize("activation", ACTIVATION)
def test_under_autocast_products_are_bfloat16_and_gradients_float32(
    activation: str, hidden: tuple[int, ...]
) -> None:
    networks = [mlp(seed, hidden, activation) for seed in (3, 4)]
    stacked = StackedMLP(networks)
    for seed in (2, 5):  # into no memory, then into that of the pass before
        assert_gradients_as_alone(stacked, networks, seed, torch.bfloat16)
        for weight in stacked.weights:
            assert weight.grad is not None
            assert weight.grad.dtype == torch.float32
            assert torch.equal(weight.grad, weight.grad.bfloat16().float()), "products in bfloat16"


def test_stacked_parameters_have_the_names_of_each_networks_own() -> None:
    networks = [mlp(seed) for seed in (3, 4)]
    stacked = StackedMLP(networks)
    named = stacked.named()
    assert set(named.values()) == set(stacked.parameters())
    assert list(named) == [name for name, _ in networks[0].named_parameters()]
    for i, network in enumerate(networks):
        for name, alone in network.named_parameters():
            mine = named[name][i]
            assert torch.equal(mine.T if name.endswith("weight") else mine[0], alone)


def test_stacking_copies() -> None:
    network = mlp()
    stacked = StackedMLP([network, network])
    before = network(inputs(2, 4))
    with torch.no_grad():
        for parameter in stacked.parameters():
            parameter.zero_()
    assert torch.equal(network(inputs(2, 4)), before)
    assert all(p.requires_grad and p.is_leaf for p in stacked.parameters())


def test_only_perceptrons_stack() -> None:
    assert isinstance(stack([mlp(), mlp(1)]), StackedMLP)
    for wrong in ([], [nn.Linear(4, 3)] * 2, [mlp(), nn.Linear(4, 3)]):
        with pytest.raises(TypeError, match="only MLPs can be stacked"):
            stack(wrong)
