"""Building by name: one seed, one network, whatever else draws random numbers."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from cvclaims.models import build, build_for
from cvclaims.models.init import initialise
from cvclaims.recipe import Recipe
from cvclaims.seeds import stream
from cvclaims.specs import DATASETS

RECIPE = Recipe(data="digits", lr=0.1, epochs=1, model_args={"hidden": (24, 12)})


def weights(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_streams_are_the_same_on_every_machine() -> None:
    # Every network and every order of samples is drawn from these.
    assert stream(0, "init") == 2588685707885120948
    assert stream(7, "order") == 4267424061096386784


def test_streams_differ_by_seed_and_by_purpose() -> None:
    seeds = [stream(seed, purpose) for seed in range(50) for purpose in ("init", "order")]
    assert len(set(seeds)) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("init", ["default", "normal"])
def test_the_same_seed_gives_the_same_network_and_another_another(init: str) -> None:
    recipe = RECIPE.but(init=init)
    first, again, other = (weights(build_for(recipe, seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("init", ["default", "normal"])
def test_the_global_random_state_neither_matters_nor_moves(init: str) -> None:
    recipe = RECIPE.but(init=init)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = weights(build_for(recipe, 0))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(weights(build_for(recipe, 0)), first)


def test_default_is_torchs_own_initialisation() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream(5, "init"))
        plain = [nn.Linear(a, b) for a, b in pairwise([64, 24, 12, 10])]
    expected = weights(nn.Sequential(*plain))
    assert torch.equal(weights(build_for(RECIPE, 5)), expected)
    assert torch.equal(weights(build("mlp", (64,), 10, 5, hidden=(24, 12))), expected)


@pytest.mark.parametrize("std", [0.01, 0.5])
def test_normal_draws_every_weight_and_zeroes_every_bias(std: float) -> None:
    recipe = RECIPE.but(init="normal", init_std=std, model_args={"hidden": (256, 128)})
    for name, parameter in build_for(recipe, 0).named_parameters():
        if name.endswith("bias"):
            assert not parameter.any(), name
            continue
        n = parameter.numel()
        # Five standard errors of a mean and of a standard deviation.
        assert abs(parameter.mean().item()) < 5 * std / math.sqrt(n), name
        assert abs(parameter.std().item() / std - 1) < 5 / math.sqrt(2 * n), name
        assert parameter.abs().max().item() > 2.5 * std, name  # not cut off, not uniform


def test_normal_draws_each_layer_anew() -> None:
    network = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    initialise(network, "normal", 1.0, seed=0)
    first, second = (p for p in network.parameters() if p.dim() == 2)
    assert not torch.equal(first, second)


def test_the_same_seed_scales_with_the_standard_deviation() -> None:
    small, large = (build_for(RECIPE.but(init="normal", init_std=s), 0) for s in (0.01, 0.02))
    torch.testing.assert_close(2 * weights(small), weights(large))


def test_default_leaves_what_torch_drew() -> None:
    network = nn.Linear(3, 3)
    before = weights(network)
    initialise(network, "default", 1.0, seed=0)
    assert torch.equal(weights(network), before)


@pytest.mark.parametrize("data", DATASETS)
def test_a_network_fits_its_data(data: str) -> None:
    facts = DATASETS[data]
    network = build_for(RECIPE.but(data=data), 0)
    assert network(torch.zeros(2, *facts.shape)).shape == (2, len(facts.classes))


def test_the_arguments_of_the_recipe_are_the_networks() -> None:
    args = {"hidden": (7,), "activation": "leaky_relu", "negative_slope": 0.5}
    network = build_for(RECIPE.but(model_args=args), 0)
    assert [tuple(p.shape) for p in network.parameters()] == [(7, 64), (7,), (10, 7), (10,)]
    activation = network.activation
    assert callable(activation)
    assert activation(torch.tensor([-2.0, 3.0])).tolist() == [-1, 3]
