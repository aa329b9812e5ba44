"""What AlexNet and VGG16 consist of: layers, feature maps, parameters, and what they cost.

VGG16 is the report's, for 32×32 images and 10 classes; AlexNet is torchvision's, in its ImageNet
form. Costs are counted on torchvision's two networks for one image of 224×224 pixels and 1000
classes, since the report speaks of the papers' networks there.
"""

from typing import TYPE_CHECKING

import pytest

from claims.alexnet_vgg_review.protocol import ALEXNET_VGG
from cvclaims import Computed, Judge, claim, stream

if TYPE_CHECKING:
    import torch
    from torch import nn

    from cvclaims import Hooks

PAPERS = ALEXNET_VGG.at("Introduction of the papers")
BONUS = ALEXNET_VGG.at("Bonus track, VGG16")
BONUS_BN = ALEXNET_VGG.at("Bonus track, VGG16 with batch norm")


def vgg16(batch_norm: bool = False) -> "nn.Module":
    """The report's VGG16, without the memory for its weights."""
    import torch

    from cvclaims import build

    with torch.device("meta"):
        return build("vgg", (3, 32, 32), 10, depth=16, batch_norm=batch_norm)


def torchvisions(name: str) -> "nn.Module":
    """A network of torchvision's, without the memory for its weights."""
    import torch
    import torchvision

    with torch.device("meta"):
        network: nn.Module = getattr(torchvision.models, name)()
    return network


def count(network: "nn.Module", what: str) -> int:
    """How many parameters, or layers of a kind, a network has."""
    from torch import nn

    if what == "parameters":
        return sum(parameter.numel() for parameter in network.parameters())
    kinds = {
        "convolutions": nn.Conv2d,
        "fully connected": nn.Linear,
        "batch norms": nn.BatchNorm2d,
    }
    return sum(isinstance(layer, kinds[what]) for layer in network.modules())


@claim(
    "1.03",
    "VGG16 has 13 convolutional and 3 fully connected layers",
    source=BONUS,
    reported=lambda number: {"counted": number},
    case=lambda what: what,
)
@pytest.mark.parametrize(("what", "number"), [("convolutions", 13), ("fully connected", 3)])
def test_layers_of_vgg16(verdict: Judge, what: str, number: int) -> None:
    verdict.exact(count(vgg16(), what), number)


@claim(
    "1.03",
    "VGG16's feature map goes 32 → 16 → 8 → 4 → 2 → 1",
    source=BONUS,
    case="feature maps",
)
def test_feature_maps_of_vgg16(verdict: Judge, hooks: "Hooks") -> None:
    import torch
    from torch import nn

    network = vgg16()
    outputs = hooks.activations(network, torch.empty(1, 3, 32, 32, device="meta"))
    pooled = [
        outputs[name].shape[-1]
        for name, layer in network.named_modules()
        if isinstance(layer, nn.MaxPool2d)
    ]
    verdict.exact([32, *pooled], [32, 16, 8, 4, 2, 1])


@claim(
    "1.04",
    "VGG16 with batch norm has 33,646,666 parameters and 13 batch norms",
    source=BONUS_BN,
    reported=lambda number: {"counted": number},
    case=lambda what: what,
)
@pytest.mark.parametrize(("what", "number"), [("parameters", 33_646_666), ("batch norms", 13)])
def test_counts_of_vgg16_with_batch_norm(verdict: Judge, what: str, number: int) -> None:
    verdict.exact(count(vgg16(batch_norm=True), what), number)


@claim(
    "1.04",
    "Its batch norms start with scale 1 and shift 0",
    source=BONUS_BN,
    case="at the start",
)
def test_batch_norms_start_as_the_identity(verdict: Judge) -> None:
    from torch import nn

    from cvclaims import build, initialise

    network = build("vgg", (3, 32, 32), 10, depth=16, batch_norm=True)
    initialise(network, "xavier_uniform", 0.01, seed=0)  # as the report's networks are
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    scales = {scale for norm in norms for scale in norm.weight.tolist()}
    shifts = {shift for norm in norms for shift in norm.bias.tolist()}
    verdict.exact([sorted(map(str, scales)), sorted(map(str, shifts))], [["1.0"], ["0.0"]])


@claim(
    "1.05",
    "The plain VGG16 has about 130 million parameters",
    source=BONUS,
    reported={"counted": 130_000_000},
    disputed="the layers it lists hold 33,638,218; 138 million is the network with ImageNet's head",
)
def test_parameters_of_vgg16(verdict: Judge) -> None:
    verdict.exact(count(vgg16(), "parameters"), 130_000_000, within=0.05)


@claim(
    "1.06",
    "AlexNet has 5 convolutional and 3 fully connected layers (torchvision's: 61,100,840 "
    "parameters)",
    source=PAPERS,
    reported=lambda number: {"counted": number},
    case=lambda what: what,
)
@pytest.mark.parametrize(
    ("what", "number"),
    [("convolutions", 5), ("fully connected", 3), ("parameters", 61_100_840)],
)
def test_counts_of_alexnet(verdict: Judge, what: str, number: int) -> None:
    verdict.exact(count(torchvisions("alexnet"), what), number)


def dearest_first(costs: dict[str, float]) -> list[str]:
    return sorted(costs, key=lambda name: costs[name], reverse=True)


def image() -> "torch.Tensor":
    """One image of ImageNet's size, without the memory for it."""
    import torch

    return torch.empty(1, 3, 224, 224, device="meta")


@claim(
    "1.18",
    "VGG16 takes more operations an image than AlexNet (floating-point operations, forward)",
    source=ALEXNET_VGG.at("Questions on VGGNet: limits of the hardware"),
    case="operations",
)
def test_vgg16_takes_more_operations(verdict: Judge, hooks: "Hooks") -> None:
    flops: dict[str, float] = {
        name: hooks.flops(torchvisions(name), image()) for name in ("alexnet", "vgg16")
    }
    verdict.exact(dearest_first(flops), ["vgg16", "alexnet"], counted=flops)


@claim(
    "1.18",
    "VGG16 takes more memory an image than AlexNet (bytes of activations kept for training)",
    source=ALEXNET_VGG.at("Questions on VGGNet: limits of the hardware"),
    case="memory",
)
def test_vgg16_takes_more_memory(verdict: Judge, hooks: "Hooks") -> None:
    kept: dict[str, float] = {
        name: hooks.saved_bytes(torchvisions(name), image()) for name in ("alexnet", "vgg16")
    }
    verdict.exact(dearest_first(kept), ["vgg16", "alexnet"], counted=kept)


DEEPER = ALEXNET_VGG.at("Questions on VGGNet: much deeper than AlexNet")
VGGS = ("vgg19", "vgg16", "vgg11")


@claim(
    "1.33",
    "Deeper VGGs take more operations and memory an image",
    source=DEEPER,
    case=lambda what: what,
)
@pytest.mark.parametrize("what", ["operations", "memory"])
def test_deeper_vggs_take_more(verdict: Judge, hooks: "Hooks", what: str) -> None:
    cost = hooks.flops if what == "operations" else hooks.saved_bytes
    costs = {name: float(cost(torchvisions(name), image())) for name in VGGS}
    verdict.exact(dearest_first(costs), list(VGGS), counted=costs)


@claim(
    "1.33",
    "Deeper VGGs have smaller gradients at the first layer (at initialisation, Xavier; 8 random "
    "images and labels)",
    source=DEEPER,
    case=lambda shallow, deep: f"gradients, VGG{shallow} over VGG{deep}",
)
@pytest.mark.parametrize(("shallow", "deep"), [(11, 16), (16, 19)])
def test_deeper_vggs_have_smaller_gradients(
    verdict: Judge, hooks: "Hooks", shallow: int, deep: int
) -> None:
    import torch

    from cvclaims import build, initialise

    def first_layer(depth: int) -> Computed:
        def gradient_norm(seed: int) -> float:
            generator = torch.Generator().manual_seed(stream(seed, "images"))
            x = torch.randn(8, 3, 32, 32, generator=generator)
            y = torch.randint(10, (8,), generator=generator)
            network = build("vgg", (3, 32, 32), 10, seed, depth=depth, dropout=0.0)
            initialise(network, "xavier_uniform", 0.01, stream(seed, "init"))
            return hooks.gradient_norms(network, (x, y))["features.0.weight"]

        return Computed(f"VGG{depth}", gradient_norm)

    verdict.ratio(first_layer(shallow), first_layer(deep))
