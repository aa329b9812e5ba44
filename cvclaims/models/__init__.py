"""Networks, built by name."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from cvclaims.models.init import initialise
from cvclaims.models.lone import Lone
from cvclaims.models.mlp import MLP, StackedMLP
from cvclaims.recipe import Recipe
from cvclaims.seeds import stream
from cvclaims.specs import MODELS, ModelSpec, built, model_spec

__all__ = ["MLP", "Lone", "StackedMLP", "build", "build_for", "stack", "stacks"]


def build(
    name: str | ModelSpec,
    shape: tuple[int, ...],
    classes: int,
    seed: int | str = 0,
    **args: object,
) -> nn.Module:
    """A network with torch's own initialisation, drawn from `seed` alone.

    The global random state is left as it was. Raises ValueError for an unknown name or argument,
    and for a network of one's own that does not give an output for each class.
    """
    spec = model_spec(name)
    if not spec.is_here:
        raise ValueError(f"model {spec.name!r} is of code that is not here: it cannot be built")
    checked = spec.checked(args)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream(seed, "init"))
        network: nn.Module = built(spec.build)(shape, classes, **checked)
        if spec.stem not in MODELS:
            _check(network, spec, shape, classes)
    return network


def _check(network: nn.Module, spec: ModelSpec, shape: tuple[int, ...], classes: int) -> None:
    """Whether a stranger's network takes these samples and tells these classes apart."""
    if not isinstance(network, nn.Module):
        raise ValueError(f"model {str(spec)!r} gives {network!r}, which is no nn.Module")
    samples = 2
    try:
        network.eval()
        with torch.no_grad():
            given = network(torch.zeros(samples, *shape))
    except Exception as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ValueError(
            f"model {str(spec)!r} cannot take samples of shape {shape}: {what}"
        ) from error
    finally:
        network.train()
    if not isinstance(given, torch.Tensor) or given.shape != (samples, classes):
        told = tuple(given.shape) if isinstance(given, torch.Tensor) else type(given).__name__
        raise ValueError(
            f"model {str(spec)!r} gives {told} for {samples} samples, not ({samples}, {classes}): "
            "its last layer has to have an output for each class or target, as its second argument "
            "says"
        )
    if not any(p.requires_grad for p in network.parameters()):
        raise ValueError(f"model {str(spec)!r} has no parameters to train")
    if any(math.prod(p.shape) == 0 for p in network.parameters()):
        raise ValueError(
            f"model {str(spec)!r} has a parameter of no numbers: a layer is too narrow"
        )


def build_for(recipe: Recipe, seed: int) -> nn.Module:
    """The network of a recipe, initialised as the recipe says, on the CPU."""
    source = recipe.random_source(seed)
    shape, outputs = recipe.dataset.shape, recipe.outputs
    network = build(recipe.network, shape, outputs, source, **recipe.model_args)
    initialise(network, recipe.init, recipe.init_std, stream(source, "init"))
    return network


def stacks(recipe: Recipe) -> bool:
    """Whether networks of this recipe can train side by side in the same tensors.

    Perceptrons can, where all of them end with the same epoch.
    """
    return recipe.network.stacks and recipe.patience is None


def stack(networks: Sequence[nn.Module]) -> StackedMLP | Lone:
    """Networks of one shape as one module that trains them side by side: perceptrons, or one."""
    mlps = [network for network in networks if isinstance(network, MLP)]
    if mlps and len(mlps) == len(networks):
        return StackedMLP(mlps)
    if len(networks) != 1:
        raise TypeError("only MLPs can be stacked")
    return Lone(networks[0])
