"""Figures 1 and 2: VGG-16 type D with batch norm, and ResNet-50, for 32×32 images of 3 classes."""

from typing import TYPE_CHECKING, Any

import pytest

from claims.resnet_mini_cifar.protocol import MINI_CIFAR
from cvclaims import Judge, claim

if TYPE_CHECKING:
    from torch import nn

    from cvclaims import Hooks

VGG = MINI_CIFAR.at("2.1, figure 1")
RESNET = MINI_CIFAR.at("2.2, figure 2")

STAGES = {
    "layer1": [[64, 64, 256]] * 3,
    "layer2": [[128, 128, 512]] * 4,
    "layer3": [[256, 256, 1024]] * 6,
    "layer4": [[512, 512, 2048]] * 3,
}


def network(model: str) -> "nn.Module":
    """The report's network, without the memory for its weights."""
    import torch

    from cvclaims import build

    args: dict[str, dict[str, Any]] = {
        "vgg": {"depth": 16, "batch_norm": True, "head": "linear"},
        "resnet": {"depth": 50},
    }
    with torch.device("meta"):
        return build(model, (3, 32, 32), 3, **args[model])


@claim(
    "4.01",
    "VGG-16 maps 32 → 16 → 8 → 4 → 2 → 1",
    source=VGG,
    case="VGG-16, feature maps",
)
def test_feature_maps_of_vgg_16(verdict: Judge, hooks: "Hooks") -> None:
    import torch
    from torch import nn

    vgg = network("vgg")
    outputs = hooks.activations(vgg, torch.empty(1, 3, 32, 32, device="meta"))
    pooled = [
        outputs[name].shape[-1]
        for name, layer in vgg.named_modules()
        if isinstance(layer, nn.MaxPool2d)
    ]
    verdict.exact([32, *pooled], [32, 16, 8, 4, 2, 1])


@claim(
    "4.01",
    "VGG-16 ends in one fully connected layer 512 → 3, ResNet-50 in one 2048 → 3",
    source=MINI_CIFAR.at("2.1 and 2.2, head"),
    case=lambda model: {"vgg": "VGG-16, head", "resnet": "ResNet-50, head"}[model],
)
@pytest.mark.parametrize(("model", "head"), [("vgg", [[512, 3]]), ("resnet", [[2048, 3]])])
def test_heads(verdict: Judge, model: str, head: list[list[int]]) -> None:
    from torch import nn

    linear = [
        [layer.in_features, layer.out_features]
        for layer in network(model).modules()
        if isinstance(layer, nn.Linear)
    ]
    verdict.exact(linear, head)


@claim(
    "4.01",
    "ResNet-50's stages are [64, 64, 256] × 3, [128, 128, 512] × 4, [256, 256, 1024] × 6, "
    "[512, 512, 2048] × 3",
    source=RESNET,
    case=lambda stage: f"ResNet-50, {stage}",
)
@pytest.mark.parametrize("stage", STAGES)
def test_stages_of_resnet_50(verdict: Judge, stage: str) -> None:
    from torch import nn

    blocks = [
        [layer.out_channels for name, layer in block.named_children() if name.startswith("conv")]
        for block in network("resnet").get_submodule(stage).children()
        if isinstance(block, nn.Module)
    ]
    verdict.exact(blocks, STAGES[stage])
