"""VGG: exact counts, names and sizes, and agreement with torchvision's."""

from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from cvclaims.models.parts import ConvNet, LocalResponseNorm
from cvclaims.models.vgg import vgg

IMAGE = (3, 32, 32)


def meta(**args: Any) -> ConvNet:
    """The network without the memory for its weights: for shapes and counts."""
    with torch.device("meta"):
        return vgg(IMAGE, 10, **args)


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("args", "count"),
    [
        ({}, 33_638_218),
        ({"batch_norm": True}, 33_646_666),
        ({"kernel": 7}, 99_018_058),
    ],
)
def test_parameter_counts_are_those_of_the_reports(args: dict[str, Any], count: int) -> None:
    assert parameters(meta(**args)) == count


@pytest.mark.parametrize("depth", [11, 13, 16, 19, 50])
@pytest.mark.parametrize("kernel", [3, 7])
def test_depth_counts_layers_with_weights_and_maps_halve_to_one(depth: int, kernel: int) -> None:
    network = meta(depth=depth, kernel=kernel)
    convs = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    linears = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert (len(convs), len(linears)) == (depth - 3, 3)
    assert {conv.kernel_size for conv in convs} == {(kernel, kernel)}
    x, sides = torch.empty(1, *IMAGE, device="meta"), [32]
    for layer in network.features:
        x = layer(x)
        if x.shape[-1] != sides[-1]:
            assert isinstance(layer, nn.MaxPool2d)
            sides.append(x.shape[-1])
    assert sides == [32, 16, 8, 4, 2, 1]
    assert x.shape == (1, 512, 1, 1)


@pytest.mark.parametrize(("depth", "index"), [(16, 24), (50, 78)])
def test_the_reports_layer_names_are_the_first_convolution_of_block_5(
    depth: int, index: int
) -> None:
    network = meta(depth=depth)
    layers = list(network.features)
    assert isinstance(layers[index], nn.Conv2d)
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in layers[:index]) == 4
    assert isinstance(layers[index - 1], nn.MaxPool2d)
    names = dict(network.named_parameters())
    for name in ("features.0.weight", f"features.{index}.bias", "classifier.6.bias"):
        assert name in names
    assert names["classifier.6.bias"].shape == (10,)


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_names_and_shapes_are_torchvisions(depth: int, batch_norm: bool) -> None:
    with torch.device("meta"):
        theirs = getattr(torchvision.models, f"vgg{depth}{'_bn' * batch_norm}")(num_classes=10)
    theirs.classifier[0] = nn.Linear(512, 4096, device="meta")  # theirs sees 7×7 pixels
    ours = meta(depth=depth, batch_norm=batch_norm)
    shapes = {name: value.shape for name, value in theirs.state_dict().items()}
    assert {name: value.shape for name, value in ours.state_dict().items()} == shapes


@pytest.mark.parametrize(("depth", "batch_norm"), [(11, False), (16, True)])
def test_outputs_are_torchvisions_with_the_same_weights(depth: int, batch_norm: bool) -> None:
    torch.manual_seed(0)
    ours = vgg(IMAGE, 10, depth=depth, batch_norm=batch_norm)
    for weight in ours.parameters():
        if weight.dim() > 1:  # with torch's own, an image's share of the logits is below rounding
            nn.init.kaiming_normal_(weight)
    ours(torch.randn(4, *IMAGE))  # running statistics that are not all 0 and 1
    with torch.device("meta"):
        theirs = getattr(torchvision.models, f"vgg{depth}{'_bn' * batch_norm}")(num_classes=10)
    theirs.classifier[0] = nn.Linear(512, 4096, device="meta")
    theirs.avgpool = nn.Identity()  # theirs repeats the one pixel to fill 7×7
    theirs.load_state_dict(ours.state_dict(), assign=True)
    ours.eval(), theirs.eval()
    x = torch.randn(2, *IMAGE)
    with torch.no_grad():
        torch.testing.assert_close(ours.features(x), theirs.features(x), rtol=1e-4, atol=1e-4)
        logits = ours(x)
        torch.testing.assert_close(logits, theirs(x), rtol=1e-4, atol=1e-4)
    assert (logits[0] - logits[1]).abs().mean() > 0.1


@pytest.mark.parametrize("batch_norm", [False, True])
def test_lrn_follows_the_first_convolutions_relu_alone(batch_norm: bool) -> None:
    layers = list(meta(lrn=True, batch_norm=batch_norm).features)
    where = [i for i, layer in enumerate(layers) if isinstance(layer, LocalResponseNorm)]
    assert where == [3 if batch_norm else 2]
    assert isinstance(layers[where[0] - 1], nn.ReLU)
    del layers[where[0]]
    assert str(layers) == str(list(meta(batch_norm=batch_norm).features))


def test_batch_norm_follows_every_convolution_and_starts_as_the_identity() -> None:
    network = vgg(IMAGE, 10, batch_norm=True, width=1 / 16)
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert len(norms) == 13
    assert all((norm.weight == 1).all() and (norm.bias == 0).all() for norm in norms)
    layers = list(network.features)
    after = [layers[i + 1] for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    assert after == norms


@pytest.mark.parametrize("classes", [3, 10])
@pytest.mark.parametrize(
    "args",
    [
        *({"depth": depth} for depth in (11, 13, 16, 19, 50)),
        {"kernel": 7},
        {"batch_norm": True, "head": "linear"},
        {"lrn": True, "dropout": 0.0},
    ],
    ids=str,
)
def test_logits_of_a_narrow_network(args: dict[str, Any], classes: int) -> None:
    network = vgg(IMAGE, classes, width=0.125, **args)
    logits = network(torch.randn(2, *IMAGE))
    assert logits.shape == (2, classes)
    assert logits.isfinite().all()


@pytest.mark.parametrize(
    "args",
    [
        {"depth": 11},
        {"kernel": 7},
        {"batch_norm": True},
        {"lrn": True},
        {"head": "linear"},
        {"dropout": 0.25},
        {"width": 0.5},
    ],
    ids=str,
)
def test_every_argument_changes_the_network(args: dict[str, Any]) -> None:
    assert str(meta(**args)) != str(meta())


def test_width_scales_every_hidden_layer() -> None:
    network = meta(width=0.25)
    sizes = [p.shape[0] for name, p in network.named_parameters() if name.endswith("bias")]
    assert sizes == [16] * 2 + [32] * 2 + [64] * 3 + [128] * 6 + [1024] * 2 + [10]
    linear = meta(width=0.25, head="linear").classifier
    assert str(linear[0]) == str(nn.Linear(128, 10))
    assert len(linear) == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"depth": 12}, "depth must be one of 11, 13, 16, 19, 50, not 12"),
        ({"kernel": 4}, "kernel must be one of 3, 7, not 4"),
        ({"kernel": 3.0}, "kernel must be one of 3, 7, not 3.0"),
        ({"head": "x"}, "head must be one of 'mlp', 'linear', not 'x'"),
        ({"batch_norm": 1}, "batch_norm must be one of True, False, not 1"),
        ({"lrn": "no"}, "lrn must be one of True, False, not 'no'"),
        ({"dropout": 1.0}, "dropout must be 0 or more and below 1, not 1.0"),
        ({"dropout": float("nan")}, "dropout must be 0 or more and below 1, not nan"),
        ({"width": 0}, "width 0 leaves no channel of 64"),
        ({"width": -1.0}, "width -1.0 leaves no channel of 64"),
        ({"width": 1 / 256}, "width 0.00390625 leaves no channel of 64"),
        ({"width": float("inf")}, "width must be a finite number, not inf"),
        ({"width": "1"}, "width must be a finite number, not '1'"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(args: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        meta(**args)
    assert str(refusal.value) == message


@pytest.mark.parametrize("shape", [(64,), (1, 28, 28), (0, 32, 32), (3, 224, 224)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^shape must be \(channels, 32, 32\), not \("):
        vgg(shape, 10)


def test_the_narrowest_network_still_has_a_channel_everywhere() -> None:
    network = vgg(IMAGE, 10, width=1 / 64)
    assert network.features[0].out_channels == 1
    assert network(torch.randn(2, *IMAGE)).shape == (2, 10)
