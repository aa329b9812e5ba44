"""Inception: exact counts, GoogLeNet's rows, and its modules against torchvision's."""

from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.googlenet import Inception as TorchvisionModule

from cvclaims.models.inception import (
    GOOGLENET,
    ConvBlock,
    Inception,
    InceptionModule,
    Row,
    inception,
    small_inception,
)

IMAGE = (3, 32, 32)


def meta(**args: Any) -> Inception:
    """The network without the memory for its weights: for shapes and counts."""
    with torch.device("meta"):
        return inception(IMAGE, 10, **args)


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def conv_shapes(network: nn.Module) -> list[torch.Size]:
    """Shapes of all convolutions' weights, in order."""
    return [layer.weight.shape for layer in network.modules() if isinstance(layer, nn.Conv2d)]


@pytest.mark.parametrize(("reductions", "count"), [(True, 320_042), (False, 661_386)])
def test_small_inception_has_the_reports_counts(reductions: bool, count: int) -> None:
    network = small_inception(IMAGE, 10, reductions=reductions)
    assert parameters(network) == count
    assert network.linear.in_features == 256


def test_convolutions_are_torchvisions_googlenets_but_for_the_first_and_the_5x5() -> None:
    with torch.device("meta"):
        theirs = torchvision.models.googlenet(aux_logits=False, init_weights=False)
    differ = {
        # theirs is for ImageNet, and has 3×3 where the paper has 5×5
        name: (7 if name == "conv1.conv" else 5)
        for name, _ in theirs.named_modules()
        if name == "conv1.conv" or name.endswith("branch3.1.conv")
    }
    expected = [
        torch.Size([*layer.weight.shape[:2], *[differ.get(name, layer.kernel_size[0])] * 2])
        for name, layer in theirs.named_modules()
        if isinstance(layer, nn.Conv2d)
    ]
    ours = conv_shapes(meta())
    assert ours[0] == (64, 3, 3, 3)
    assert ours[1:] == expected[1:]


@pytest.mark.parametrize("row", [GOOGLENET[0][0], Row(3, 4, 5, 6, 7, 8)])
def test_a_module_is_torchvisions_with_the_same_weights(row: Row) -> None:
    torch.manual_seed(0)
    ours = InceptionModule(10, row, True, True).eval()

    def block(inputs: int, outputs: int, kernel_size: int, padding: int = 0) -> ConvBlock:
        return ConvBlock(inputs, outputs, kernel_size, True)

    theirs = TorchvisionModule(10, *row, conv_block=block)
    theirs.branch3[1] = ConvBlock(row.reduce_five, row.five, 5, True)
    weights = dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True))
    theirs.load_state_dict(weights)
    x = torch.randn(2, 10, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs.eval()(x))
    assert ours(x).shape == (2, ours.outputs, 8, 8)


@pytest.mark.parametrize(("modules", "depth"), [(9, 22), (23, 50)])
def test_layers_counted_as_in_the_paper(modules: int, depth: int) -> None:
    network = meta(modules=modules)
    found = [m for m in network.modules() if isinstance(m, InceptionModule)]
    assert len(found) == modules
    longest = [
        max(sum(isinstance(part, ConvBlock) for part in branch.modules()) for branch in m.branch)
        for m in found
    ]
    stem = sum(isinstance(part, ConvBlock) for part in network.conv2d)
    assert stem + sum(longest) + 1 == depth


@pytest.mark.parametrize(
    ("modules", "stages"), [(9, [(16, 2), (8, 5), (4, 2)]), (23, [(16, 5), (8, 13), (4, 5)])]
)
def test_maps_and_stages(modules: int, stages: list[tuple[int, int]]) -> None:
    network = meta(modules=modules)
    x = network.conv2d(torch.empty(1, *IMAGE, device="meta"))
    assert x.shape == (1, 192, 16, 16)
    sides, outputs = [], []
    for layer in network.inception_layer:
        x = layer(x)
        if isinstance(layer, InceptionModule):
            sides.append(x.shape[-1])
            outputs.append(x.shape[1])
    assert [(side, sides.count(side)) for side in (16, 8, 4)] == stages
    ends = [sides.index(8) - 1, sides.index(4) - 1, -1]
    assert [outputs[end] for end in ends] == [480, 832, 1024]


def test_the_fifty_layers_hold_the_twenty_two_and_copies_of_each_stages_last_row() -> None:
    long = [m for m in meta(modules=23).inception_layer if isinstance(m, InceptionModule)]
    short = [m for m in meta().inception_layer if isinstance(m, InceptionModule)]
    for start, first, count, more in ((0, 0, 2, 3), (5, 2, 5, 8), (18, 7, 2, 3)):
        for i in range(count):
            assert conv_shapes(long[start + i]) == conv_shapes(short[first + i])
        for i in range(count, count + more):
            outputs = [shape[0] for shape in conv_shapes(long[start + i])]
            assert outputs == [shape[0] for shape in conv_shapes(short[first + count - 1])]


@pytest.mark.parametrize("modules", [9, 23])
def test_the_reports_parameter_names(modules: int) -> None:
    names = dict(meta(modules=modules).named_parameters())
    for name in (
        "conv2d.1.conv.weight",
        "conv2d.1.conv.bias",
        "inception_layer.4.branch.3.1.conv.bias",
        "linear.bias",
    ):
        assert name in names


def test_without_reductions_only_the_two_reductions_are_gone() -> None:
    row = GOOGLENET[0][0]
    module = InceptionModule(64, row, True, False)
    assert conv_shapes(module) == [
        (64, 64, 1, 1),
        (128, 64, 3, 3),
        (32, 64, 5, 5),
        (32, 64, 1, 1),
    ]


def test_small_inceptions_maps() -> None:
    network = small_inception(IMAGE, 10, width=0.125)
    x = network.conv2d(torch.randn(1, *IMAGE))
    assert x.shape == (1, 8, 16, 16)
    sides = []
    for layer in network.inception_layer:
        x = layer(x)
        sides.append(x.shape[-1])
    assert sides == [16, 8, 8]


def test_batch_norm_follows_every_convolution_or_none() -> None:
    for batch_norm in (True, False):
        blocks = [m for m in meta(batch_norm=batch_norm).modules() if isinstance(m, ConvBlock)]
        assert len(blocks) == 3 + 9 * 6
        assert {isinstance(block.bn, nn.BatchNorm2d) for block in blocks} == {batch_norm}
        assert all(block.conv.bias is not None for block in blocks)


@pytest.mark.parametrize("classes", [3, 10])
@pytest.mark.parametrize("args", [{}, {"modules": 23}, {"batch_norm": False}], ids=str)
def test_logits_of_a_narrow_inception(args: dict[str, Any], classes: int) -> None:
    network = inception(IMAGE, classes, width=0.125, **args)
    logits = network(torch.randn(2, *IMAGE))
    assert logits.shape == (2, classes)
    assert logits.isfinite().all()


@pytest.mark.parametrize("classes", [3, 10])
@pytest.mark.parametrize("reductions", [True, False])
def test_logits_of_a_narrow_small_inception(reductions: bool, classes: int) -> None:
    network = small_inception(IMAGE, classes, reductions=reductions, width=0.125)
    logits = network(torch.randn(2, *IMAGE))
    assert logits.shape == (2, classes)
    assert logits.isfinite().all()


@pytest.mark.parametrize(
    "args", [{"modules": 23}, {"batch_norm": False}, {"dropout": 0.0}, {"width": 0.5}], ids=str
)
def test_every_argument_changes_the_network(args: dict[str, Any]) -> None:
    assert str(meta(**args)) != str(meta())


def test_width_scales_every_hidden_layer_down_to_16_channels() -> None:
    for narrow, full in (
        (meta(width=0.25), meta()),
        (small_inception(IMAGE, 10, width=0.25), small_inception(IMAGE, 10)),
    ):
        wanted = [max(16, s[0] // 4) for s in conv_shapes(full)]
        assert [s[0] for s in conv_shapes(narrow)] == wanted
        assert min(wanted) == 16
    assert conv_shapes(meta(width=2))[5:] == [
        tuple(2 * c if i < 2 else c for i, c in enumerate(s)) for s in conv_shapes(meta())[5:]
    ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"modules": 10}, "modules must be one of 9, 23, not 10"),
        ({"batch_norm": "yes"}, "batch_norm must be one of True, False, not 'yes'"),
        ({"dropout": 1.5}, "dropout must be 0 or more and below 1, not 1.5"),
        ({"width": 1 / 32}, "width 0.03125 leaves no channel of 16"),
        ({"width": 0}, "width 0 leaves no channel of 64"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(args: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        meta(**args)
    assert str(refusal.value) == message


def test_small_inception_refuses_too() -> None:
    with pytest.raises(ValueError, match=r"^reductions must be one of True, False, not 2$"):
        small_inception(IMAGE, 10, reductions=2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^width 0.03 leaves no channel of 16$"):
        small_inception(IMAGE, 10, width=0.03)
