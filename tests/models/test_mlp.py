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
