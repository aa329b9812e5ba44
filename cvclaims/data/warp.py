"""Rotating and other affine maps of whole batches, each image by its own amounts."""

import torch
from torch import Tensor
from torch.nn import functional as F


def rotate(x: Tensor, angle: Tensor) -> Tensor:
    """Images turned counter-clockwise about their centre, as torchvision's `rotate` does it.

    Args:
        x: (B, C, H, W), any dtype.
        angle: (B,) float32, in degrees.

    Each pixel of the result is the nearest one of the image, or 0 outside of it: torchvision's
    defaults.
    """
    zero = torch.zeros_like(angle)
    return affine(x, -angle, zero, zero, zero + 1, zero)


def affine(
    x: Tensor,
    angle: Tensor,
    translate_x: Tensor,
    translate_y: Tensor,
    scale: Tensor,
    shear: Tensor,
) -> Tensor:
    """Images sheared, scaled, turned about their centre and moved, as torchvision's `affine`.

    Args:
        x: (B, C, H, W), any dtype.
        angle: (B,) float32, in degrees, clockwise.
        translate_x: (B,) float32, in pixels to the right.
        translate_y: (B,) float32, in pixels downwards.
        scale: (B,) float32, above 0.
        shear: (B,) float32, along x, in degrees.

    Each pixel of the result is the nearest one of the image, or 0 outside of it: torchvision's
    defaults.
    """
    images, channels, height, width = x.shape
    from_x, from_y = sources(height, width, angle, translate_x, translate_y, scale, shear)
    # Whatever lies outside is taken from a border of zeros, one pixel wide.
    from_x = from_x.round_().clamp_(-1, width).add_(1)
    from_y = from_y.round_().clamp_(-1, height).add_(1)
    index = from_y.mul_(width + 2).add_(from_x).to(torch.int64).view(images, 1, -1)
    padded = F.pad(x, (1, 1, 1, 1)).contiguous().view(images, channels, -1)
    return padded.gather(2, index.expand(-1, channels, -1)).view(x.shape)


def sources(
    height: int,
    width: int,
    angle: Tensor,
    translate_x: Tensor,
    translate_y: Tensor,
    scale: Tensor,
    shear: Tensor,
) -> tuple[Tensor, Tensor]:
    """Where in its image each pixel of the result lies: columns and rows, (B, H, W) float32.

    With p and q the places in the result and in the image, both from the centre, A(s) =
    [1, -tan(s); 0, 1] the shear and R(a) the rotation: p = t + scale · R(a) A(s) q, as
    torchvision's `_get_inverse_affine_matrix` has it.
    """
    device = angle.device
    if device.type == "mps":  # which has no double: the few numbers of each image come from the CPU
        angle, scale, shear = angle.cpu(), scale.cpu(), shear.cpu()
        translate_x, translate_y = translate_x.cpu(), translate_y.cpu()
    # In double, as torchvision has it: a pixel must not change sides by rounding the sine.
    turn, lean, factor = angle.double().deg2rad(), shear.double().deg2rad(), scale.double()
    sine, cosine, tangent = turn.sin(), turn.cos(), lean.tan()
    xx = (cosine - sine * tangent) / factor
    xy = (sine + cosine * tangent) / factor
    yx, yy = -sine / factor, cosine / factor
    x0 = -xx * translate_x - xy * translate_y
    y0 = -yx * translate_x - yy * translate_y
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    columns = torch.arange(width, dtype=torch.float64, device=angle.device) - middle_x
    rows = torch.arange(height, dtype=torch.float64, device=angle.device) - middle_y

    def place(by_column: Tensor, by_row: Tensor, start: Tensor) -> Tensor:
        across = (by_column[:, None] * columns + start[:, None]).float()
        down = (by_row[:, None] * rows).float()
        return across.to(device)[:, None, :] + down.to(device)[:, :, None]

    return place(xx, xy, x0 + middle_x), place(yx, yy, y0 + middle_y)
