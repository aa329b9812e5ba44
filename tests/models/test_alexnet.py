"""AlexNet at 32×32, and local response normalisation by the paper's formula."""

from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

from cvclaims.models.alexnet import alexnet
from cvclaims.models.parts import ConvNet, LocalResponseNorm

IMAGE = (3, 32, 32)


def meta(**args: Any) -> ConvNet:
    """The network without the memory for its weights: for shapes and counts."""
    with torch.device("meta"):
        return alexnet(IMAGE, 10, **args)


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_the_imagenet_form_is_torchvisions() -> None:
    with torch.device("meta"):
        theirs = torchvision.models.alexnet()
    layers = list(theirs.modules())
    assert parameters(theirs) == 61_100_840
    assert sum(isinstance(layer, nn.Conv2d) for layer in layers) == 5
    assert sum(isinstance(layer, nn.Linear) for layer in layers) == 3


@pytest.mark.parametrize("args", [{}, {"pool": "plain"}, {"lrn": True}, {"dropout": 0.0}], ids=str)
def test_parameters_do_not_depend_on_lrn_pool_or_dropout(args: dict[str, Any]) -> None:
    kernels = {3 * 64: 9, 64 * 192: 25, 192 * 384: 9, 384 * 256: 9, 256 * 256: 9}
    weights = sum(connections * area for connections, area in kernels.items())
    biases = 64 + 192 + 384 + 256 + 256
    linear = (256 * 4 * 4 + 1) * 4096 + 4097 * 4096 + 4097 * 10
    assert parameters(meta(**args)) == weights + biases + linear == 36_051_786


@pytest.mark.parametrize("pool", ["overlapping", "plain"])
def test_both_pools_halve_the_map_three_times(pool: str) -> None:
    network = meta(pool=pool)
    x, sides = torch.empty(1, *IMAGE, device="meta"), [32]
    for layer in network.features:
        x = layer(x)
        if isinstance(layer, nn.MaxPool2d):
            assert layer.kernel_size == (3 if pool == "overlapping" else 2)
            assert layer.stride == 2
            sides.append(x.shape[-1])
    assert sides == [32, 16, 8, 4]


def test_layout_and_names_are_torchvisions_but_for_the_size_of_the_image() -> None:
    torch.manual_seed(0)
    ours = alexnet(IMAGE, 10).eval()
    for weight in ours.parameters():
        if weight.dim() > 1:  # with torch's own, an image's share of the logits is below rounding
            nn.init.kaiming_normal_(weight)
    with torch.device("meta"):
        theirs = torchvision.models.alexnet(num_classes=10)
        theirs.features[0] = nn.Conv2d(3, 64, 3, padding=1)
        theirs.classifier[1] = nn.Linear(256 * 4 * 4, 4096)
    for layer in theirs.features:
        if isinstance(layer, nn.MaxPool2d):
            layer.padding = 1
    theirs.avgpool = nn.Identity()
    theirs.load_state_dict(ours.state_dict(), assign=True)
    x = torch.randn(2, *IMAGE)
    with torch.no_grad():
        logits = ours(x)
        torch.testing.assert_close(logits, theirs.eval()(x), rtol=1e-4, atol=1e-4)
    assert (logits[0] - logits[1]).abs().mean() > 0.1


def paper_lrn(a: Tensor) -> Tensor:
    """Section 3.3 of the paper, channel by channel."""
    k, n, alpha, beta = 2, 5, 1e-4, 0.75
    channels = a.shape[1]
    out = torch.empty_like(a)
    for i in range(channels):
        around = range(max(0, i - n // 2), min(channels - 1, i + n // 2) + 1)
        total = sum((a[:, j].square() for j in around), torch.zeros_like(a[:, i]))
        out[:, i] = a[:, i] / (k + alpha * total) ** beta
    return out


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("size", [0.1, 1.0, 1000.0])
def test_lrn_is_the_papers_formula(channels: int, size: float) -> None:
    a = size * torch.randn(2, channels, 3, 4)
    torch.testing.assert_close(LocalResponseNorm()(a), paper_lrn(a), rtol=1e-5, atol=0)


def test_lrn_divides_as_torch_does_only_when_alpha_is_n_times_the_papers() -> None:
    a = 1000 * torch.randn(2, 9, 3, 4)
    lrn = LocalResponseNorm()
    torch.testing.assert_close(lrn(a), nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0)(a))
    with pytest.raises(AssertionError):
        torch.testing.assert_close(lrn(a), nn.LocalResponseNorm(5, 1e-4, 0.75, 2.0)(a))


def test_lrn_is_computed_in_float32_under_bfloat16() -> None:
    a = (10 * torch.randn(2, 9, 3, 4)).bfloat16()
    out = LocalResponseNorm()(a)
    assert out.dtype == torch.bfloat16
    assert torch.equal(out, LocalResponseNorm()(a.float()).bfloat16())


def test_lrn_stands_between_relu_and_pool_of_the_first_two_convolutions() -> None:
    layers = list(meta(lrn=True).features)
    where = [i for i, layer in enumerate(layers) if isinstance(layer, LocalResponseNorm)]
    assert where == [2, 6]
    for i in where:
        assert isinstance(layers[i - 1], nn.ReLU)
        assert isinstance(layers[i + 1], nn.MaxPool2d)


@pytest.mark.parametrize("classes", [3, 10])
@pytest.mark.parametrize("args", [{}, {"lrn": True}, {"pool": "plain"}], ids=str)
def test_logits_of_a_narrow_network(args: dict[str, Any], classes: int) -> None:
    network = alexnet(IMAGE, classes, width=0.125, **args)
    logits = network(torch.randn(2, *IMAGE))
    assert logits.shape == (2, classes)
    assert logits.isfinite().all()


@pytest.mark.parametrize(
    "args", [{"lrn": True}, {"pool": "plain"}, {"dropout": 0.0}, {"width": 2}], ids=str
)
def test_every_argument_changes_the_network(args: dict[str, Any]) -> None:
    assert str(meta(**args)) != str(meta())


@pytest.mark.parametrize(("dropout", "draws"), [(0.5, True), (0.0, False)])
def test_dropout_acts_in_training_alone(dropout: float, draws: bool) -> None:
    network = alexnet(IMAGE, 10, dropout=dropout, width=0.125)
    x = torch.randn(2, *IMAGE)
    assert torch.equal(network(x), network(x)) is not draws
    assert torch.equal(network.eval()(x), network(x))


def test_width_scales_every_hidden_layer() -> None:
    sizes = [p.shape[0] for name, p in meta(width=0.25).named_parameters() if "bias" in name]
    assert sizes == [16, 48, 96, 64, 64, 1024, 1024, 10]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"pool": "max"}, "pool must be one of 'overlapping', 'plain', not 'max'"),
        ({"lrn": None}, "lrn must be one of True, False, not None"),
        ({"dropout": -0.1}, "dropout must be 0 or more and below 1, not -0.1"),
        ({"width": 0.0}, "width 0.0 leaves no channel of 64"),
        ({"width": True}, "width must be a finite number, not True"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(args: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        meta(**args)
    assert str(refusal.value) == message
