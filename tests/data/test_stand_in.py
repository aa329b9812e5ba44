"""Generated images: what they promise."""

import pytest
import torch

from cvclaims.data.cifar10 import MEAN, STD
from cvclaims.data.load import load
from cvclaims.data.stand_in import stand_in
from cvclaims.recipe import Recipe
from cvclaims.scales import scaled
from cvclaims.specs import DATASETS

FASHION_MNIST = "cbc313d525994bcd2ebeb19351044e7ebeb45619da5d0198d86f784083ba8a52"


def test_says_what_it_is() -> None:
    dataset = stand_in("fashion_mnist")
    assert dataset.stand_in
    assert dataset.name == "fashion_mnist"
    assert dataset.source == "generated stand-in for Fashion-MNIST"


def test_has_the_shape_and_classes_of_the_real_set() -> None:
    dataset, facts = stand_in("fashion_mnist"), DATASETS["fashion_mnist"]
    assert dataset.train_x.shape == (2000, *facts.shape)
    assert dataset.test_x.shape == (500, *facts.shape)
    assert dataset.train_x.dtype == torch.uint8
    assert dataset.classes == facts.classes
    assert dataset.train_y.bincount().tolist() == [200] * 10
    assert dataset.test_y.bincount().tolist() == [50] * 10


def test_cifar10_has_its_shape_and_normalisation_and_more_test_images() -> None:
    dataset, facts = stand_in("cifar10"), DATASETS["cifar10"]
    assert dataset.train_x.shape == (2000, *facts.shape)
    assert dataset.test_x.shape == (1500, *facts.shape)
    assert (dataset.mean, dataset.std) == (MEAN, STD)
    assert dataset.source == "generated stand-in for CIFAR-10"


@pytest.mark.parametrize("classes", [("cat", "dog"), ("ship", "airplane", "frog")])
def test_few_classes_of_cifar10_are_enough_at_smoke_scale(classes: tuple[str, ...]) -> None:
    recipe = Recipe(data="cifar10", classes=classes, model="conv4", lr=0.1, epochs=9)
    smoke = scaled(recipe, "smoke")
    dataset = stand_in("cifar10").of_classes(classes).raw()
    dataset = dataset.subset(smoke.train_size, smoke.test_size)
    assert (len(dataset.train_y), len(dataset.test_y)) == (256, 256)
    assert dataset.classes == classes
    x = dataset.normalise(dataset.train_x)
    assert 0 <= x.min() < x.max() <= 1


def test_fashion_mnist_is_as_it_always_was() -> None:
    """Its records' keys rest on this."""
    assert stand_in("fashion_mnist").fingerprint == FASHION_MNIST


def test_is_always_the_same() -> None:
    assert stand_in("cifar10").fingerprint == stand_in("cifar10").fingerprint


@pytest.mark.parametrize("name", ["fashion_mnist", "cifar10"])
def test_can_be_learned(name: str) -> None:
    dataset = stand_in(name)
    x, test = (dataset.normalise(x).flatten(1) for x in (dataset.train_x, dataset.test_x))
    means = torch.stack([x[dataset.train_y == label].mean(0) for label in range(10)])
    nearest = torch.cdist(test, means).argmin(1)
    assert (nearest == dataset.test_y).double().mean() > 0.5


def test_training_and_test_images_differ() -> None:
    dataset = stand_in("fashion_mnist")
    seen = {image.numpy().tobytes() for image in dataset.train_x}
    assert len(seen) == 2000
    assert not seen & {image.numpy().tobytes() for image in dataset.test_x}


def test_a_real_set_that_is_there_goes_first() -> None:
    assert not load("digits", None, allow_stand_in=True).stand_in
