"""ResNet: exact counts, agreement with torchvision's, and blocks that start as shortcuts."""

from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from cvclaims.models.resnet import BasicBlock, Bottleneck, Residual, ResNet

IMAGE = (3, 32, 32)


def meta(**args: Any) -> ResNet:
    """The network without the memory for its weights: for shapes and counts."""
    with torch.device("meta"):
        return ResNet(IMAGE, 10, **args)


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def torchvisions(depth: int) -> nn.Module:
    """torchvision's ResNet, weightless, with its stem replaced by the one for 32×32 images."""
    with torch.device("meta"):
        network: nn.Module = getattr(torchvision.models, f"resnet{depth}")(num_classes=10)
        network.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    network.maxpool = nn.Identity()
    return network


@pytest.mark.parametrize(
    ("depth", "count"), [(18, 11_173_962), (50, 23_520_842), (101, 42_512_970)]
)
def test_counts_names_and_shapes_are_torchvisions(depth: int, count: int) -> None:
    ours, theirs = meta(depth=depth), torchvisions(depth)
    assert parameters(ours) == parameters(theirs) == count
    shapes = {name: value.shape for name, value in theirs.state_dict().items()}
    assert {name: value.shape for name, value in ours.state_dict().items()} == shapes


@pytest.mark.parametrize("depth", [18, 50])
def test_outputs_are_torchvisions_with_the_same_weights(depth: int) -> None:
    torch.manual_seed(0)
    ours, theirs = ResNet(IMAGE, 10, depth=depth), torchvisions(depth)
    for weight in ours.parameters():
        if weight.dim() > 1:  # with torch's own, an image's share of the logits is below rounding
            nn.init.kaiming_normal_(weight)
    ours(torch.randn(4, *IMAGE))  # running statistics that are not all 0 and 1
    theirs.load_state_dict(ours.state_dict(), assign=True)
    x = torch.randn(2, *IMAGE)
    with torch.no_grad():
        logits = ours.eval()(x)
        torch.testing.assert_close(logits, theirs.eval()(x), rtol=1e-4, atol=1e-4)
    assert (logits[0] - logits[1]).abs().mean() > 0.05


@pytest.mark.parametrize(
    ("depth", "blocks", "channels"),
    [
        (18, (2, 2, 2, 2), (64, 128, 256, 512)),
        (50, (3, 4, 6, 3), (256, 512, 1024, 2048)),
        (101, (3, 4, 23, 3), (256, 512, 1024, 2048)),
    ],
)
def test_stages(depth: int, blocks: tuple[int, ...], channels: tuple[int, ...]) -> None:
    network = meta(depth=depth)
    stages = [network.layer1, network.layer2, network.layer3, network.layer4]
    assert tuple(map(len, stages)) == blocks
    x = network.conv1(torch.empty(1, *IMAGE, device="meta"))
    assert x.shape == (1, 64, 32, 32)
    for stage, outputs, side in zip(stages, channels, (32, 16, 8, 4), strict=True):
        x = stage(x)
        assert x.shape == (1, outputs, side, side)
    convs = sum(
        isinstance(layer, nn.Conv2d) and "downsample" not in name
        for name, layer in network.named_modules()
    )
    assert convs + 1 == depth


@pytest.mark.parametrize("kind", [BasicBlock, Bottleneck])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("inputs", [6, 24])
@pytest.mark.parametrize("training", [True, False])
def test_zero_gamma_makes_a_block_its_shortcut(
    kind: type[BasicBlock] | type[Bottleneck], stride: int, inputs: int, training: bool
) -> None:
    block = kind(inputs, 6, stride, True).train(training)
    x = torch.randn(4, inputs, 8, 8, requires_grad=True)
    y = block(x)
    expected = torch.relu(block.shortcut(x))
    assert torch.equal(y, expected)
    slope = torch.randn_like(y)
    (got,) = torch.autograd.grad(y, x, slope)
    (wanted,) = torch.autograd.grad(expected, x, slope)
    torch.testing.assert_close(got, wanted)
    fits = stride == 1 and inputs == (6 if kind is BasicBlock else 24)
    assert (block.downsample is None) == fits


@pytest.mark.parametrize(("depth", "last"), [(18, "bn2"), (50, "bn3")])
def test_zero_gamma_sets_the_last_batch_norm_of_every_block_and_no_other(
    depth: int, last: str
) -> None:
    network = ResNet(IMAGE, 10, depth=depth, zero_gamma=True, width=0.125)
    norms = {n: m for n, m in network.named_modules() if isinstance(m, nn.BatchNorm2d)}
    zero = {name for name, norm in norms.items() if not norm.weight.any()}
    assert zero == {name for name in norms if name.endswith(f".{last}")}
    assert len(zero) == sum(isinstance(m, Residual) for m in network.modules())
    assert all((norm.weight == 1).all() for name, norm in norms.items() if name not in zero)
    plain = ResNet(IMAGE, 10, depth=depth, width=0.125)
    assert all((m.weight == 1).all() for m in plain.modules() if isinstance(m, nn.BatchNorm2d))


@pytest.mark.parametrize("classes", [3, 10])
@pytest.mark.parametrize("depth", [18, 50, 101])
def test_logits_of_a_narrow_network(depth: int, classes: int) -> None:
    network = ResNet(IMAGE, classes, depth=depth, width=0.125)
    logits = network(torch.randn(2, *IMAGE))
    assert logits.shape == (2, classes)
    assert logits.isfinite().all()


def test_width_scales_every_hidden_layer() -> None:
    network = meta(depth=50, width=0.25)
    convs = {n: m for n, m in network.named_modules() if isinstance(m, nn.Conv2d)}
    assert convs["conv1"].out_channels == 16
    assert convs["layer1.0.conv2"].out_channels == 16
    assert convs["layer4.0.conv3"].out_channels == network.fc.in_features == 512
    full = {n: m for n, m in meta(depth=50).named_modules() if isinstance(m, nn.Conv2d)}
    assert all(4 * conv.out_channels == full[name].out_channels for name, conv in convs.items())


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"depth": 34}, "depth must be one of 18, 50, 101, not 34"),
        ({"zero_gamma": 0}, "zero_gamma must be one of True, False, not 0"),
        ({"width": 0.001}, "width 0.001 leaves no channel of 64"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(args: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        meta(**args)
    assert str(refusal.value) == message


@pytest.mark.parametrize("depth", [18, 50])
def test_read_literally_the_first_stage_halves_the_map_too(depth: int) -> None:
    usual, literal = (ResNet(IMAGE, 3, depth=depth, stage1_stride=s, width=0.125) for s in (1, 2))
    assert literal.state_dict().keys() >= usual.state_dict().keys()
    x, sides = torch.randn(2, *IMAGE), []
    x = literal.bn1(literal.conv1(x))
    for stage in (literal.layer1, literal.layer2, literal.layer3, literal.layer4):
        x = stage(x)
        sides.append(x.shape[-1])
    assert sides == [16, 8, 4, 2]
    strides = [m.stride for m in literal.layer1.modules() if isinstance(m, nn.Conv2d)]
    assert strides.count((2, 2)) == 2  # in its first block: the 3×3 convolution and the shortcut
