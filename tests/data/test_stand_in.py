"""Generated images: what they promise."""

import torch

from cvclaims.catalogue import DATASETS
from cvclaims.data.load import load
from cvclaims.data.stand_in import stand_in


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


def test_is_always_the_same() -> None:
    assert stand_in("fashion_mnist").fingerprint == stand_in("fashion_mnist").fingerprint


def test_can_be_learned() -> None:
    dataset = stand_in("fashion_mnist")
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
