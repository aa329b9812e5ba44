"""Augmentation of batches on one CPU thread, beside torchvision's transforms on each image.

Both sides draw their random numbers and end with a batch in one tensor. torchvision gets what it
is fastest with: uint8 tensors for crop and flip and float ones to erase from; PIL images, made
beforehand, for colours and affine maps, where tensors take up to twice as long. Both sides erase
in place.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from cvclaims.data import augment
from cvclaims.data.colour import jitter
from cvclaims.data.warp import affine

BATCHES = 20
BATCH = 128

Beside = Callable[..., float]
pytestmark = pytest.mark.usefixtures("one_thread")


def images() -> Tensor:
    size = (BATCH, 3, 32, 32)
    return torch.randint(0, 256, size, generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def compare(
    beside: Beside,
    work: str,
    ours: Callable[[Tensor], Tensor],
    draws: int,
    theirs: Callable[[Any], Tensor],
    inputs: Sequence[Any],
) -> None:
    def batches() -> None:
        for _ in range(BATCHES):
            ours(torch.rand(BATCH, draws))

    def reference() -> None:
        for _ in range(BATCHES):
            torch.stack([theirs(image) for image in inputs])

    beside(f"{work}, {BATCHES} batches of {BATCH}, one thread", batches, reference, 10)


def pictures(x: Tensor) -> list[Any]:
    return [v2.functional.to_pil_image(image) for image in x]


def test_crop_and_flip(beside: Beside) -> None:
    x = images()
    theirs = v2.Compose([v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip()])

    def ours(u: Tensor) -> Tensor:
        return augment.crop(x, *augment.draw_crop(u), mirror=augment.draw_flip(u[:, 2:]))

    compare(beside, "crop and flip", ours, 3, theirs, list(x))


def test_erase(beside: Beside) -> None:
    x = images().float().div(255).sub(0.5)

    def ours(u: Tensor) -> Tensor:
        return augment.erase(x, *augment.draw_erase(u, 32, 32), inplace=True)

    theirs = v2.RandomErasing(inplace=True)
    compare(beside, "erase", ours, augment.DRAWS["cutout"], theirs, list(x.clone()))


def test_jitter(beside: Beside) -> None:
    x = images()
    theirs = v2.Compose([v2.ColorJitter(0.2, 0.2, 0.2, 0.1), v2.PILToTensor()])

    def ours(u: Tensor) -> Tensor:
        return jitter(x, *augment.draw_jitter(u))

    compare(beside, "colour jitter", ours, 4, theirs, pictures(x))


def test_affine(beside: Beside) -> None:
    x = images()
    theirs = v2.Compose([v2.RandomAffine(0, (0.1, 0.1), (0.9, 1.1)), v2.PILToTensor()])

    def ours(u: Tensor) -> Tensor:
        return affine(x, *augment.draw_affine(u, 32, 32))

    compare(beside, "affine map", ours, 3, theirs, pictures(x))
