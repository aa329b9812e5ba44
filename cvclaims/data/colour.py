"""Brightness, contrast, saturation and hue of whole batches, each image by its own amounts."""

import torch
from torch import Tensor

# torchvision's weights of red, green and blue in a grey level (ITU-R BT.601).
_GREY = (0.2989, 0.587, 0.114)
# torchvision turns v in [0, 1] into levels by floor(v · (256 - 0.001)).
_TO_LEVELS = (256 - 0.001) / 255


def jitter(
    x: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor
) -> Tensor:
    """Images with other colours, as torchvision's four `adjust_...` functions make them.

    In this order, each on the whole grey levels that the one before leaves. torchvision's
    ColorJitter shuffles the order for each image; ours is fixed.

    Args:
        x: (B, 3, H, W) uint8.
        brightness: (B,) float32, factors of 0 or more; 1 changes nothing. So for the next two.
        contrast: distances from the image's mean grey level are multiplied by it.
        saturation: distances from the pixel's own grey level are multiplied by it.
        hue: (B,) float32, turns of the colour circle, from -0.5 to 0.5; 0 changes nothing.

    Returns: (B, 3, H, W) uint8.

    Raises TypeError where `x` is not uint8.
    """
    if x.dtype != torch.uint8:
        raise TypeError(f"colours are changed on uint8 images, not {x.dtype}")
    brightness, contrast, saturation, hue = (
        amount[:, None, None] for amount in (brightness, contrast, saturation, hue)
    )
    # Channels first, so that each is one piece of memory: that is twice as fast on a CPU.
    levels = x.transpose(0, 1).to(torch.float32, memory_format=torch.contiguous_format)
    levels = _whole(levels.mul_(brightness))
    mean = _grey(levels).mean((1, 2), keepdim=True)
    levels = _whole(levels.mul_(contrast).add_(mean.mul_(1 - contrast)))
    grey = _grey(levels).mul_(1 - saturation)
    levels = _whole(levels.mul_(saturation).add_(grey))
    turned = _turned(levels, hue * 6).mul_(_TO_LEVELS)
    return torch.empty_like(x, memory_format=torch.contiguous_format).copy_(turned.transpose(0, 1))


def _whole(levels: Tensor) -> Tensor:
    """Levels as uint8 would hold them, in place: what is beyond it cut off, fractions dropped."""
    return levels.clamp_(0, 255).floor_()


def _grey(levels: Tensor) -> Tensor:
    """(B, H, W): the grey level of each pixel of (3, B, H, W), a whole number."""
    red, green, blue = levels.unbind()
    return red.mul(_GREY[0]).add_(green, alpha=_GREY[1]).add_(blue, alpha=_GREY[2]).floor_()


def _turned(levels: Tensor, sixths: Tensor) -> Tensor:
    """Whole levels (3, B, H, W), their hue turned by `sixths` (B, 1, 1) of a sixth of a turn.

    torchvision goes through hue, saturation and value (A. R. Smith, "Color gamut transform
    pairs", 1978) and a table of six cases. This is the same in closed form. Let m be a pixel's
    smallest level and C the largest less m. Between red and cyan, on either side, its hue is
    1 + (green + blue - red - m) / C sixths from red. And with a hue of H sixths in [0, 6) red is
    m + C · clamp(|H - 3| - 1, 0, 1), green m + C · clamp(2 - |H - 2|, 0, 1) and blue
    m + C · clamp(2 - |H - 4|, 0, 1).
    """
    red, green, blue = levels.unbind()
    least = torch.minimum(torch.minimum(red, green), blue)
    spread = torch.maximum(torch.maximum(red, green), blue).sub_(least)
    hue = green.add(blue).sub_(red).sub_(least)
    # Levels are whole: a spread below 1 is 0, and then any hue will do.
    hue.div_(spread.clamp(min=1)).add_(1).copysign_(green - blue).add_(sixths)
    hue.sub_(torch.mul(hue, 1 / 6).floor_(), alpha=6)
    turned = torch.empty_like(levels)
    # In all three the clamped term is 1 to 2 times C, counted from another level.
    far = least.sub(spread)
    torch.addcmul(far, hue.sub(3).abs_().clamp_(1, 2), spread, out=turned[0])
    far.add_(spread, alpha=3)
    torch.addcmul(far, hue.sub(2).abs_().clamp_(1, 2), spread, value=-1, out=turned[1])
    torch.addcmul(far, hue.sub(4).abs_().clamp_(1, 2), spread, value=-1, out=turned[2])
    return turned
