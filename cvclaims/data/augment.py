"""What is done to training images, anew in each epoch: whole batches, each image its own draw.

`crop`, `flip`, `colour.jitter`, `warp.rotate`, `warp.affine` and `erase` do what the torchvision
functions of these names do, to each image by its own amounts. The `draw_...` functions turn
uniform numbers into these amounts, as torchvision's random transforms draw them. All of them
are pure functions without a look at any value, so that a CUDA graph can hold them, and the same
uniform numbers give the same on every device but for rounding.

On CIFAR-10, crop and flip with torchvision's RandomCrop(32, padding=4) and
RandomHorizontalFlip() are what everybody does. The amounts of the others are ours: the reports
name them at most ("Color Jitter, Rotation, RandomAffine").
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional as F

from cvclaims.catalogue import AUGMENTATIONS, known
from cvclaims.data.colour import jitter
from cvclaims.data.warp import affine, rotate

PADDING = 4  # pixels of zeros on each side, before a crop to the old size
FLIPPED = 0.5  # share of images
# ColorJitter(0.2, 0.2, 0.2, 0.1): factors of brightness, contrast and saturation from 0.8 to 1.2.
BRIGHTNESS = CONTRAST = SATURATION = 0.2
HUE = 0.1  # turns of the colour circle, either way
ANGLE = 15.0  # degrees, either way: RandomRotation(15)
# RandomAffine(degrees=0, translate=(0.1, 0.1), scale=(0.9, 1.1)), so without rotation and shear.
TRANSLATE = 0.1  # of the image's side, either way, to whole pixels
SCALE = (0.9, 1.1)
# RandomErasing()'s defaults: those of Zhong et al., "Random erasing data augmentation", 2020.
ERASED = 0.5  # share of images
ERASED_AREA = (0.02, 0.33)  # of the image
ERASED_RATIO = (0.3, 3.3)  # height to width, log-uniform
ERASE_ATTEMPTS = 10

# Uniform numbers that one image takes.
DRAWS: Mapping[str, int] = MappingProxyType(
    {
        "crop": 2,
        "flip": 1,
        "jitter": 4,
        "rotation": 1,
        "affine": 3,
        "cutout": 3 + 2 * ERASE_ATTEMPTS,
    }
)


class Augmentation:
    """Some of `catalogue.AUGMENTATIONS` as one function of images and uniform numbers.

    They are applied in the catalogue's order. All but the last work on uint8 images and leave
    such, as torchvision's do; cutout erases from the normalised image, so to the mean colour.

    Attributes:
        names: what is applied, in that order.
        draws: uniform numbers that one image takes; they are used up in that order too.

    Raises ValueError for an unknown name.
    """

    def __init__(self, names: Sequence[str], normalise: Callable[[Tensor], Tensor]) -> None:
        """`normalise` makes uint8 images (B, 3, H, W) what networks take: `Dataset.normalise`.

        It returns a new tensor, which may be written to.
        """
        for name in names:
            known("augmentation", name, AUGMENTATIONS)
        self.names = tuple(name for name in AUGMENTATIONS if name in names)
        self.draws = sum(DRAWS[name] for name in self.names)
        self._normalise = normalise

    def __call__(self, x: Tensor, draws: Tensor) -> Tensor:
        """Augmented images as networks take them, (B, 3, H, W) float32.

        Args:
            x: (B, 3, H, W) uint8.
            draws: (B, `draws`) float32 in [0, 1), on the same device.

        Raises ValueError for anything else.
        """
        self._check(x, draws)
        height, width = x.shape[2:]
        parts = torch.split(draws, [DRAWS[name] for name in self.names], dim=1)
        u = dict(zip(self.names, parts, strict=True))
        mirror = draw_flip(u["flip"]) if "flip" in u else None
        if "crop" in u:
            x = crop(x, *draw_crop(u["crop"]), mirror=mirror)
        elif mirror is not None:
            x = flip(x, mirror)
        if "jitter" in u:
            x = jitter(x, *draw_jitter(u["jitter"]))
        if "rotation" in u:
            x = rotate(x, draw_rotation(u["rotation"]))
        if "affine" in u:
            x = affine(x, *draw_affine(u["affine"], height, width))
        x = self._normalise(x)
        if "cutout" in u:
            # What normalising made is nobody else's; a second copy would take as long again.
            x = erase(x, *draw_erase(u["cutout"], height, width), inplace=True)
        return x

    def _check(self, x: Tensor, draws: Tensor) -> None:
        if x.dtype != torch.uint8 or x.dim() != 4 or x.shape[1] != 3:
            raise ValueError(
                f"images have to be (B, 3, H, W) of uint8, not {tuple(x.shape)} of {x.dtype}"
            )
        if draws.dtype != torch.float32 or draws.shape != (len(x), self.draws):
            raise ValueError(
                f"draws for these images have to be {(len(x), self.draws)} of torch.float32, "
                f"not {tuple(draws.shape)} of {draws.dtype}"
            )
        if draws.device != x.device:
            raise ValueError(f"draws are on {draws.device}, but the images on {x.device}")


def crop(
    x: Tensor, top: Tensor, left: Tensor, padding: int = PADDING, mirror: Tensor | None = None
) -> Tensor:
    """Images with a border of zeros, cut to their old size.

    Args:
        x: (B, C, H, W), any dtype.
        top: (B,) int64, where in the padded image the cut begins, from 0 to 2 · padding.
        left: likewise.
        padding: width of the border, in pixels.
        mirror: (B,) bool, which images are flipped left to right after that, in the same pass.
    """
    images, channels, height, width = x.shape
    device = x.device
    padded = F.pad(x, (padding,) * 4).contiguous()
    image = torch.arange(images, device=device)
    if mirror is not None:
        padded = torch.stack((padded, padded.flip(3)))
        left = torch.where(mirror, 2 * padding - left, left)
        image = image + mirror * images
    # A row of the result is one piece of memory of the padded images, flipped or not: copying
    # whole rows is more than twice as fast as gathering pixels.
    rows, columns = padded.shape[-2:]
    plane = image[:, None] * channels + torch.arange(channels, device=device)
    row = top[:, None] + torch.arange(height, device=device)
    start = (plane[:, :, None] * rows + row[:, None]) * columns + left[:, None, None]
    pieces = padded.view(-1).unfold(0, width, 1)
    return pieces.index_select(0, start.view(-1)).view(x.shape)


def flip(x: Tensor, where: Tensor) -> Tensor:
    """Images (B, C, H, W) of any dtype, flipped left to right `where` (B,) bool is true."""
    return torch.where(where[:, None, None, None], x.flip(3), x)


def erase(
    x: Tensor, top: Tensor, left: Tensor, height: Tensor, width: Tensor, *, inplace: bool = False
) -> Tensor:
    """Images (B, C, H, W) with a rectangle of zeros; its corner and size: (B,) int64.

    Any dtype, but finite numbers: they are multiplied by 0, which is far faster than writing it.
    With `inplace` it is `x` itself that is changed and returned.
    """
    row = torch.arange(x.shape[2], device=x.device)
    column = torch.arange(x.shape[3], device=x.device)
    # 1 where a row, and where a column, lies outside of the rectangle: a pixel does if either does.
    rows = (row < top[:, None]) | (row >= (top + height)[:, None])
    columns = (column < left[:, None]) | (column >= (left + width)[:, None])
    outside = torch.maximum(
        rows.to(x.dtype)[:, None, :, None], columns.to(x.dtype)[:, None, None, :]
    )
    return x.mul_(outside) if inplace else x * outside


def draw_crop(u: Tensor) -> tuple[Tensor, Tensor]:
    """Top and left, whole numbers from 0 to 2 · PADDING, of (B, 2) uniform numbers."""
    return _below(u[:, 0], 2 * PADDING + 1), _below(u[:, 1], 2 * PADDING + 1)


def draw_flip(u: Tensor) -> Tensor:
    """Which images are flipped, (B,) bool, of (B, 1) uniform numbers."""
    return u[:, 0] < FLIPPED


def draw_jitter(u: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Factors of brightness, contrast and saturation, and turns of hue, of (B, 4) numbers."""
    return (
        _between(u[:, 0], 1 - BRIGHTNESS, 1 + BRIGHTNESS),
        _between(u[:, 1], 1 - CONTRAST, 1 + CONTRAST),
        _between(u[:, 2], 1 - SATURATION, 1 + SATURATION),
        _between(u[:, 3], -HUE, HUE),
    )


def draw_rotation(u: Tensor) -> Tensor:
    """Angles in degrees, (B,), of (B, 1) uniform numbers."""
    return _between(u[:, 0], -ANGLE, ANGLE)


def draw_affine(
    u: Tensor, height: int, width: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Angle and shear, which are 0, and what lies between them, of (B, 3) uniform numbers.

    In the order of `affine`: angle, translation in x and y (whole pixels), scale and shear.
    """
    zero = torch.zeros_like(u[:, 0])
    return (
        zero,
        _between(u[:, 0], -TRANSLATE * width, TRANSLATE * width).round_(),
        _between(u[:, 1], -TRANSLATE * height, TRANSLATE * height).round_(),
        _between(u[:, 2], *SCALE),
        zero,
    )


def draw_erase(u: Tensor, height: int, width: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Top, left, height and width of rectangles, (B,) int64, of (B, 23) uniform numbers.

    torchvision draws up to ten sizes, takes the first that is smaller than the image in both
    directions, and leaves the image alone if there is none. Here all ten are drawn at once and
    the first that fits is taken, so the distribution is the same. Where nothing is erased,
    height and width are 0.
    """
    areas, ratios = u[:, 3 : 3 + ERASE_ATTEMPTS], u[:, 3 + ERASE_ATTEMPTS :]
    side = _between(areas, *(share * height * width for share in ERASED_AREA)).sqrt_()
    # The square root of the ratio, which is half of its logarithm.
    longer = _between(ratios, *(math.log(ratio) / 2 for ratio in ERASED_RATIO)).exp_()
    sizes = torch.stack((side * longer, side / longer)).round_()
    fits = (sizes[0] < height) & (sizes[1] < width)
    any_fits, first = fits.max(1)  # of several largest values the first; 0 of none
    erased = any_fits & (u[:, 0] < ERASED)
    taken = sizes.gather(2, first.expand(2, -1)[:, :, None])[:, :, 0] * erased
    high, wide = taken.to(torch.int64).unbind()
    places = torch.stack((height + 1 - high, width + 1 - wide))
    top, left = _below(u[:, 1:3].T, places).unbind()
    return top, left, high, wide


def _between(u: Tensor, low: float, high: float) -> Tensor:
    return u * (high - low) + low


def _below(u: Tensor, count: int | Tensor) -> Tensor:
    """Whole numbers from 0 to `count` - 1, int64; the last also where a product rounds up."""
    return (u * count).to(torch.int64).clamp(max=count - 1)
