"""What training takes, from a few timed steps: the arithmetic, and a pace for every network."""

import math
from typing import Any

import pytest
import torch

from cvclaims.recipe import Recipe
from cvclaims.specs import DATASETS, MODELS
from cvclaims.training.pace import Pace, alike, kind, line, pace, random_data

CPU = torch.device("cpu")
PERCEPTRON = Recipe(data="digits", model_args={"hidden": (8,)}, lr=0.1, epochs=3, batch_size=64)
CONVOLUTIONAL = Recipe(
    data="cifar10", model="conv4", model_args={"width": 0.25}, lr=0.1, epochs=3, precision="bf16"
)


class TestLine:
    def test_it_goes_through_the_last_two_sizes(self) -> None:
        step, image = line([(1, 9.0), (8, 0.5 + 8 * 0.25), (32, 0.5 + 32 * 0.25)])
        assert [step, image] == pytest.approx([0.5, 0.25])

    def test_of_one_size_each_image_has_its_share(self) -> None:
        assert line([(64, 16.0)]) == (0.0, 0.25)

    def test_noise_gives_no_time_below_nothing(self) -> None:
        assert line([(2, 1.0), (8, 0.5)]) == (0.5, 0.0)
        assert line([(2, 0.125), (8, 4.0)]) == (0.0, 0.5)


class TestSeconds:
    def test_steps_images_and_tests_add_up(self) -> None:
        some = CONVOLUTIONAL.but(train_size=1000, test_size=100, batch_size=300)
        assert Pace(5.0, 0.5, 0.25).seconds(some, 2) == 2 * (4 * 5 + 1000 * 0.5 + 100 * 0.25)

    def test_what_is_held_out_is_tested_on_and_not_trained_on(self) -> None:
        held = CONVOLUTIONAL.but(
            train_size=1000, test_size=100, patience=2, monitor="held_out_loss", held_out=200
        )
        assert Pace(0.0, 0.5, 0.25).seconds(held, 1) == 800 * 0.5 + 300 * 0.25

    def test_the_probe_of_the_training_images_comes_once(self) -> None:
        probed = CONVOLUTIONAL.but(
            train_size=1000, test_size=100, probes=("evaluated_train_accuracy",)
        )
        assert Pace(0.0, 0.0, 0.25).seconds(probed, 2) == (2 * 100 + 1000) * 0.25

    def test_a_network_has_its_share_of_a_stack(self) -> None:
        whole = PERCEPTRON.but(batch_size=None, train_size=200, test_size=100)
        assert Pace(6.0, 0.0, 0.0, networks=3).seconds(whole, 5) == 10


@pytest.mark.parametrize(
    "change",
    [
        {"lr": 3},
        {"momentum": 0.5},
        {"weight_decay": 0.1},
        {"scheduler": "step", "step_size": 2, "gamma": 0.5},
        {"warmup": 1},
        {"epochs": 50},
        {"init": "kaiming_normal"},
        {"loss": "mse"},
        {"pixels": "raw"},
        {"own_seeds": True},
        {"patience": 7},
        {"assumed": ("lr",)},
    ],
)
def test_what_is_learned_says_nothing_of_the_time(change: dict[str, Any]) -> None:
    plain = CONVOLUTIONAL.but(momentum=0.9, weight_decay=0.01, patience=3)
    assert alike(plain.but(**change)) == alike(plain)


@pytest.mark.parametrize(
    "change",
    [
        {"model_args": {"width": 0.5}},
        {"precision": "fp32"},
        {"augment": ("crop", "flip")},
        {"optimizer": "adam"},
        {"momentum": 0.9},
    ],
)
def test_what_has_a_time_of_its_own(change: dict[str, Any]) -> None:
    other = CONVOLUTIONAL.but(**change)
    assert alike(other) != alike(CONVOLUTIONAL)
    assert kind(other, CPU) != kind(CONVOLUTIONAL, CPU)


def test_sizes_share_a_pace_and_batches_do_where_time_goes_by_images() -> None:
    small = CONVOLUTIONAL.but(train_size=1000, test_size=100, classes=("cat", "dog"))
    assert alike(small) != alike(CONVOLUTIONAL)
    assert kind(small, CPU) == kind(CONVOLUTIONAL, CPU)
    batches = [CONVOLUTIONAL.but(batch_size=size) for size in (8, 1024)]
    assert len({kind(recipe, CPU) for recipe in batches}) == 1
    assert len({kind(recipe, torch.device("cuda")) for recipe in batches}) == 2
    assert kind(PERCEPTRON.but(batch_size=32), CPU) != kind(PERCEPTRON, CPU)


@pytest.mark.parametrize("name", DATASETS)
def test_random_data_have_the_shape_of_the_set(name: str) -> None:
    data, facts = random_data(DATASETS[name], 30, 20), DATASETS[name]
    assert (data.train_x.shape, data.test_x.shape) == ((30, *facts.shape), (20, *facts.shape))
    assert data.train_x.is_floating_point() == (len(facts.shape) == 1)
    assert data.normalise(data.train_x).isfinite().all()
    assert 0 <= int(data.train_y.min()) <= int(data.train_y.max()) < len(facts.classes)
    assert data.stand_in


def sound(found: Pace) -> bool:
    times = (found.step, found.image, found.tested)
    return all(math.isfinite(time) and time >= 0 for time in times) and sum(times) > 0


@pytest.mark.parametrize("model", sorted(set(MODELS) - {"mlp"}))
def test_every_network_has_a_pace(model: str) -> None:
    recipe = CONVOLUTIONAL.but(model=model, model_args={"width": 0.125}, augment=("crop", "flip"))
    found = pace(kind(recipe, CPU), CPU, beside=3)
    assert sound(found)
    assert found.networks == 1


@pytest.mark.parametrize("data", DATASETS)
def test_perceptrons_have_the_pace_of_a_stack(data: str) -> None:
    for batch in (1, 64, None):
        recipe = PERCEPTRON.but(data=data, batch_size=batch, probes=("units",))
        found = pace(kind(recipe, CPU), CPU, beside=3)
        assert sound(found)
        assert found.networks == 3


def test_a_perceptron_that_may_stop_early_trains_alone() -> None:
    recipe = PERCEPTRON.but(patience=4, train_size=300, held_out=50, monitor="held_out_loss")
    assert pace(kind(recipe, CPU), CPU, beside=3).networks == 1


def test_timing_leaves_the_random_state_as_it_was() -> None:
    before = torch.get_rng_state()
    pace(kind(PERCEPTRON, CPU), CPU)
    assert torch.equal(torch.get_rng_state(), before)
