"""Networks, built by name."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from cvclaims.catalogue import DATASETS, MODELS, known
from cvclaims.models.alexnet import alexnet
from cvclaims.models.conv4 import conv4
from cvclaims.models.inception import inception, small_inception
from cvclaims.models.init import initialise
from cvclaims.models.lone import Lone
from cvclaims.models.mlp import MLP, StackedMLP
from cvclaims.models.resnet import ResNet
from cvclaims.models.vgg import vgg
from cvclaims.recipe import Recipe
from cvclaims.seeds import stream

__all__ = ["BUILDERS", "MLP", "Lone", "StackedMLP", "build", "build_for", "stack", "stacks"]

# Each takes a sample's shape, the number of classes, and the arguments of catalogue.MODELS.
BUILDERS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    {
        "mlp": MLP,
        "alexnet": alexnet,
        "vgg": vgg,
        "inception": inception,
        "small_inception": small_inception,
        "resnet": ResNet,
        "conv4": conv4,
    }
)


def build(
    name: str, shape: tuple[int, ...], classes: int, seed: int | str = 0, **args: Any
) -> nn.Module:
    """A network with torch's own initialisation, drawn from `seed` alone.

    The global random state is left as it was. Raises ValueError for an unknown name or argument.
    """
    builder = BUILDERS[known("model", name, BUILDERS)]
    for arg in args:
        known(f"argument of model {name!r}:", arg, MODELS[name])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream(seed, "init"))
        return builder(shape, classes, **{**MODELS[name], **args})


def build_for(recipe: Recipe, seed: int) -> nn.Module:
    """The network of a recipe, initialised as the recipe says, on the CPU."""
    shape, classes = DATASETS[recipe.data].shape, len(recipe.class_names)
    source = recipe.random_source(seed)
    network = build(recipe.model, shape, classes, source, **recipe.model_args)
    initialise(network, recipe.init, recipe.init_std, stream(source, "init"))
    return network


def stacks(recipe: Recipe) -> bool:
    """Whether networks of this recipe can train side by side in the same tensors.

    Perceptrons can, where all of them end with the same epoch.
    """
    return recipe.model == "mlp" and recipe.patience is None


def stack(networks: Sequence[nn.Module]) -> StackedMLP | Lone:
    """Networks of one shape as one module that trains them side by side: perceptrons, or one."""
    mlps = [network for network in networks if isinstance(network, MLP)]
    if mlps and len(mlps) == len(networks):
        return StackedMLP(mlps)
    if len(networks) != 1:
        raise TypeError("only MLPs can be stacked")
    return Lone(networks[0])
