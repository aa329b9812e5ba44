"""Training on CIFAR-10: ours, and the usual torchvision loop, as work that can be timed."""

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from PIL import Image
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from torchvision import transforms

from benchmarks.machine import Work
from claims.alexnet_vgg_review import protocol as report_1
from claims.cnn_architectures import protocol as report_3
from cvclaims.data.dataset import Dataset
from cvclaims.data.folder import data_folder
from cvclaims.data.load import load
from cvclaims.models import build_for
from cvclaims.recipe import Recipe
from cvclaims.training.precision import precision_on
from cvclaims.training.session import Session, data_of

# The two networks that the benchmarks train, as the reports do.
NETWORKS: dict[str, Recipe] = {
    "VGG16-BN": report_1.vgg(16, batch_norm=True),
    "ResNet-18": report_3.resnet(18),
}
EPOCH = 50_000, 10_000  # CIFAR-10's training and test images


@cache
def cifar10() -> Dataset:
    """CIFAR-10, or where it is not there as many generated images: the pixels cost no time."""
    data = load("cifar10", data_folder(None), allow_stand_in=True)
    if not data.stand_in:
        return data
    train, test = (torch.arange(size) for size in EPOCH)
    train, test = train % len(data.train_y), test % len(data.test_y)
    return dataclasses.replace(
        data,
        train_x=data.train_x[train],
        train_y=data.train_y[train],
        test_x=data.test_x[test],
        test_y=data.test_y[test],
    )


def our_epoch(recipe: Recipe, data: Dataset, device: torch.device) -> Work:
    """One epoch of training, as a claim's run does it."""
    session = Session([(recipe, 0)], data, device)

    def epoch() -> object:
        # Entered anew each time, as it changes settings of torch that the reference must not see.
        # The step is captured when it is entered first.
        with session.running():
            return session.train_epoch().cpu()

    return epoch


def our_steps(
    recipe: Recipe, data: Dataset, device: torch.device, steps: int, *, capture: bool = True
) -> Work:
    """So many steps of training; with or without CUDA graphs, where the device has them."""
    session = Session([(recipe, 0)], data, device, capture=capture)

    def work() -> None:
        with session.running():
            session.train_steps(steps)

    return work


def our_sides(device: torch.device, recipe: Recipe) -> str:
    """How ours computes on a device."""
    precision = precision_on(recipe.precision, device)
    return f"{precision}, CUDA graph" if device.type == "cuda" else precision


def plain_epoch(recipe: Recipe, data: Dataset, device: torch.device, workers: int) -> Work:
    """One epoch of training as such reports code it: PIL images, DataLoader, fp32, `.item()`.

    The network and the update are the recipe's; torch's settings are its defaults.
    """
    torch.manual_seed(0)
    model = build_for(recipe, 0).to(device)
    optimizer = torch.optim.SGD(
        model.parameters(), recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay
    )
    loader: DataLoader[Any] = DataLoader(
        PilImages(data_of(recipe, data)),
        batch_size=recipe.batch_size,
        shuffle=True,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        # The workers start with the first epoch: such code often starts them with each.
        persistent_workers=workers > 0,
    )

    def epoch() -> tuple[float, int]:
        model.train()
        loss_sum, right = 0.0, 0
        for images, labels in loader:
            x, y = images.to(device), labels.to(device)
            optimizer.zero_grad()
            logits = model(x)
            loss = F.cross_entropy(logits, y)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            loss_sum += loss.item() * len(y)
            right += int((logits.argmax(1) == y).sum().item())
        return loss_sum, right

    return epoch


class PilImages(TorchDataset[tuple[torch.Tensor, int]]):
    """Training images as `torchvision.datasets.CIFAR10` gives them, cropped and flipped."""

    def __init__(self, data: Dataset) -> None:
        self._x = data.train_x.permute(0, 2, 3, 1).contiguous().numpy()
        self._y = data.train_y.tolist()
        self._transform: Callable[[Any], torch.Tensor] = transforms.Compose(
            [
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(data.mean, data.std),
            ]
        )

    def __len__(self) -> int:
        return len(self._y)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self._transform(Image.fromarray(self._x[index])), self._y[index]


def flops(recipe: Recipe, data: Dataset) -> float:
    """FLOPs of training on one image: products and convolutions, forward and backward.

    Counted by torch while a step runs on the CPU; a product and a sum are two.
    """
    from torch.utils.flop_counter import FlopCounterMode

    few = recipe.but(train_size=8, batch_size=8, precision="fp32")
    session = Session([(few, 0)], data, torch.device("cpu"), capture=False)
    with session.running(), FlopCounterMode(display=False) as counter:
        session.train_steps(1)
    return float(counter.get_total_flops()) / 8
