"""What stands in for small convolutions: the same function, where it is meant to be."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from cvclaims.models.convolution import Conv2d, _Product

sizes = st.integers(1, 5)
Shape = tuple[int, int, int, int]
SMALL: Shape = (8, 64, 2, 2)


def tensors(shape: Shape, out: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """An image, weights and a bias, as a network in training holds them."""
    torch.manual_seed(0)
    image, weight = torch.randn(shape, dtype=dtype), torch.randn(out, shape[1], 3, 3, dtype=dtype)
    parts = [part.contiguous(memory_format=torch.channels_last) for part in (image, weight)]
    return [part.requires_grad_() for part in (*parts, torch.randn(out, dtype=dtype))]


def torchs(inputs: list[Tensor]) -> Tensor:
    """torch's convolution of an image with weights and, if there is one, a bias."""
    x, weight = inputs[:2]
    return F.conv2d(x, weight, inputs[2] if len(inputs) > 2 else None, padding=1)


@given(shape=st.tuples(sizes, sizes, sizes, sizes), out=sizes, biased=st.booleans())
def test_values_and_gradients_are_torchs(shape: Shape, out: int, biased: bool) -> None:
    x, weight, bias = tensors(shape, out)
    inputs = [x, weight, bias] if biased else [x, weight]
    theirs = torchs(inputs)
    ours = _Product.apply(x, weight, bias if biased else None)
    torch.testing.assert_close(ours, theirs)
    upstream = torch.randn_like(theirs)
    expected = torch.autograd.grad(theirs, inputs, upstream)
    for found, wanted in zip(torch.autograd.grad(ours, inputs, upstream), expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_gradients_lie_as_their_parameters_do() -> None:
    inputs = tensors(SMALL, 64)
    ours = _Product.apply(*inputs)
    assert ours.is_contiguous(memory_format=torch.channels_last)
    for part, found in zip(inputs, torch.autograd.grad(ours.sum(), inputs), strict=True):
        assert found.stride() == part.stride()


def test_a_relu_may_work_in_its_place() -> None:
    inputs = tensors(SMALL, 64)
    ours = _Product.apply(*inputs).relu_()
    theirs = torchs(inputs).relu_()
    torch.testing.assert_close(ours, theirs)
    expected = torch.autograd.grad(theirs.sum(), inputs)
    for found, wanted in zip(torch.autograd.grad(ours.sum(), inputs), expected, strict=True):
        torch.testing.assert_close(found, wanted)


def made_by(layer: nn.Conv2d, shape: Shape = SMALL, *, autocast: bool = True) -> str:
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        out: Tensor = layer(torch.randn(shape))
    assert out.grad_fn is not None
    return out.grad_fn.name()


def test_small_deep_images_are_a_product_under_autocast() -> None:
    for bias in (True, False):
        layer = Conv2d(64, 64, 3, padding=1, bias=bias)
        assert "_Product" in made_by(layer)
        assert "_Product" not in made_by(layer, autocast=False)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Conv2d(64, 64, 3, padding=1), (8, 64, 8, 8)),  # too many pixels
        (Conv2d(63, 64, 3, padding=1), (8, 63, 2, 2)),  # too few channels
        (Conv2d(64, 64, 3, padding=1), (513, 64, 2, 2)),  # more images than the weights are worth
        (Conv2d(64, 64, 3), (8, 64, 4, 4)),
        (Conv2d(64, 64, 3, stride=2, padding=1), SMALL),
        (Conv2d(64, 64, 3, padding=2, dilation=2), SMALL),
        (Conv2d(64, 64, 3, padding=1, groups=2), SMALL),
        (Conv2d(64, 64, 7, padding=3), SMALL),
        (Conv2d(64, 64, 1), SMALL),
        (Conv2d(64, 64, 1, stride=2), SMALL),
    ],
)
def test_all_others_are_torchs_own(layer: Conv2d, shape: Shape) -> None:
    assert "Convolution" in made_by(layer, shape)


def test_in_bfloat16_it_is_as_exact_as_torchs() -> None:
    exact = tensors((32, 128, 2, 2), 128, torch.float32)
    upstream = torch.randn(32, 128, 2, 2)
    truth = torch.autograd.grad(torchs(exact), exact, upstream)
    half = [part.detach().bfloat16().requires_grad_() for part in exact]
    theirs = torch.autograd.grad(torchs(half), half, upstream.bfloat16())
    ours = torch.autograd.grad(_Product.apply(*half), half, upstream.bfloat16())
    for found, other, wanted in zip(ours, theirs, truth, strict=True):
        error, usual = ((part.float() - wanted).norm() for part in (found, other))
        assert error <= 1.5 * usual  # were sums kept in bfloat16, it would be above 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("channels", [1, 4, 8, 15])
def test_strided_1x1_convolutions_of_few_channels_get_their_pixels_picked(
    channels: int, dtype: torch.dtype
) -> None:
    """Given a stride, oneDNN writes past its memory here: wrong numbers, a crash or a hang."""
    layer = Conv2d(channels, 8, 1, stride=2)
    with torch.autocast("cpu", dtype, enabled=dtype == torch.bfloat16):
        out = layer(torch.randn(2, channels, 6, 5))
    assert out.shape == (2, 8, 3, 3)
    stride: tuple[int, int] = out.grad_fn._saved_stride
    assert stride == (1, 1)


@pytest.mark.parametrize("stride", [2, 3, (1, 2)])
def test_picked_pixels_give_torchs_values_and_gradients(stride: int | tuple[int, int]) -> None:
    torch.manual_seed(0)
    layer, x = Conv2d(4, 8, 1, stride=stride).double(), torch.randn(3, 4, 7, 6).double()
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    ours, theirs = layer(x), F.conv2d(x, layer.weight, layer.bias, stride)
    torch.testing.assert_close(ours, theirs)
    upstream, inputs = torch.randn_like(theirs), [x, *layer.parameters()]
    expected = torch.autograd.grad(theirs, inputs, upstream)
    for found, wanted in zip(torch.autograd.grad(ours, inputs, upstream), expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_the_same_operations_are_counted() -> None:
    counts = []
    for kind in (Conv2d, nn.Conv2d):
        layer = kind(64, 64, 3, padding=1)
        with FlopCounterMode(display=False) as counter, torch.autocast("cpu", torch.bfloat16):
            layer(torch.randn(SMALL, requires_grad=True)).sum().backward()
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1] > 0
