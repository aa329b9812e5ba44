"""torch's convolution, put to the processor in another way where that is faster, or safer.

In each call oneDNN lays out a convolution's weights for its blocks, and their gradient back. Where
many channels meet images of 4×4 or 2×2 pixels, as in the last third of a VGG, that takes most of
the time, and the product of the images' windows with the weights as they lie takes a half to an
eighth of it (`benchmarks/README.md`).
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Where the product was the faster one, forward and back, on one thread in bfloat16.
MOST_PIXELS = 16
LEAST_CHANNELS = 64
MOST_ROWS_A_CHANNEL = 32
# What oneDNN takes at once: 8 channels with AVX2, 16 with AVX-512.
CHANNEL_BLOCK = 16


class Conv2d(nn.Conv2d):
    """`nn.Conv2d`; the same function under CPU autocast as one product for small, deep images.

    A strided 1×1 convolution looks at some of the pixels only, and of few channels it is given
    just these. oneDNN, which picks them itself, writes past its memory when it has fewer channels
    than it takes at once (uxlfoundation/oneDNN#6035): with AVX2 training crashed or hung.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(batch, in_channels, height, width) to the same of out_channels."""
        if self._picks_pixels(input):
            rows, columns = self.stride
            return F.conv2d(input[:, :, ::rows, ::columns], self.weight, self.bias)
        if not self._faster_as_product(input):
            return super().forward(input)
        dtype = torch.get_autocast_dtype("cpu")
        bias = None if self.bias is None else self.bias.to(dtype)
        product: Tensor = _Product.apply(input.to(dtype), self.weight.to(dtype), bias)
        return product

    def _picks_pixels(self, x: Tensor) -> bool:
        return (
            x.device.type == "cpu"
            and self.in_channels < CHANNEL_BLOCK
            and (self.kernel_size, self.padding, self.groups) == ((1, 1), (0, 0), 1)
            and self.stride != (1, 1)
        )

    def _faster_as_product(self, x: Tensor) -> bool:
        if x.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return False
        pixels = x.shape[2] * x.shape[3]
        return (
            (self.kernel_size, self.stride, self.padding) == ((3, 3), (1, 1), (1, 1))
            and (self.dilation, self.groups) == ((1, 1), 1)
            and pixels <= MOST_PIXELS
            and self.in_channels >= LEAST_CHANNELS
            and len(x) * pixels <= MOST_ROWS_A_CHANNEL * self.out_channels
        )


class _Product(torch.autograd.Function):
    """A 3×3 convolution at stride 1 that keeps the size: windows of x times the weights.

    The gradient of x is the convolution of the output's gradient with the weights turned around,
    and that of the weights a product with the windows again. It keeps what torch's own keeps: x
    and the weights. Everything lies channels last, and so do the results.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        windows, columns = _windows(x), weight.permute(0, 2, 3, 1).flatten(1).T
        shape = len(x), len(weight), *x.shape[2:]
        # Written into, not made a view of the product: autograd lets no ReLU change such a view.
        images = torch.empty(shape, dtype=x.dtype, memory_format=torch.channels_last)
        rows = images.permute(0, 2, 3, 1).flatten(0, 2)
        if bias is None:
            torch.mm(windows, columns, out=rows)
        else:
            torch.addmm(bias, windows, columns, out=rows)
        return images

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        (gradient,) = gradients
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            turned = weight.permute(2, 3, 0, 1).flip(0, 1).flatten(0, 2)
            of_x = _images(_windows(gradient) @ turned, x)
        rows = gradient.permute(0, 2, 3, 1).flatten(0, 2)
        if ctx.needs_input_grad[1]:
            out, channels, height, width = weight.shape
            product = rows.T @ _windows(x)
            of_weight = product.view(out, height, width, channels).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[2]:
            of_bias = rows.sum(0)
        return of_x, of_weight, of_bias


def _windows(x: Tensor) -> Tensor:
    """Each pixel's 3×3 surroundings, zeros beyond the edge: (batch height width, 9 channels)."""
    batch, channels, height, width = x.shape
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    image, row, pixel, channel = padded.stride()
    windows = padded.as_strided(
        (batch, height, width, 3, 3, channels), (image, row, pixel, row, pixel, channel)
    )
    return windows.reshape(batch * height * width, 9 * channels)


def _images(rows: Tensor, like: Tensor) -> Tensor:
    """Rows of pixels as images of the size of `like`."""
    batch, _, height, width = like.shape
    return rows.view(batch, height, width, -1).permute(0, 3, 1, 2)
