"""Recipes: what is the same recipe, and what is another."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvclaims.recipe import Recipe
from cvclaims.specs import MODELS
from tests.records.factory import CONVOLUTIONAL, RECIPE, recipes

RICH = Recipe(
    data="moons",
    train_size=100,
    test_size=50,
    model_args={"hidden": (16, 8), "activation": "leaky_relu", "negative_slope": 0.2},
    init="normal",
    init_std=0.02,
    loss="mse",
    optimizer="adamw",
    lr=0.01,
    weight_decay=0.01,
    scheduler="exponential",
    gamma=0.95,
    epochs=300,
    batch_size=None,
    probes=("units", "boundary"),
    assumed=("lr", "loss"),
)
# Another value for each field that decides what is learned.
OTHERS: dict[str, Any] = {
    "metrics": {"f1": "f1@0123456789abcdef"},
    "data": "moons",
    "train_size": 1436,
    "test_size": 359,
    "model_args": {"hidden": (256, 127)},
    "init": "normal",
    "init_std": 0.02,
    "loss": "mse",
    "optimizer": "adam",
    "lr": 0.2,
    "momentum": 0.9,
    "weight_decay": 1e-4,
    "scheduler": "exponential",
    "warmup": 1,
    "own_seeds": True,
    "gamma": 0.99,
    "epochs": 4,
    "batch_size": 64,
    "probes": ("units",),
}
CONVOLUTIONAL_OTHERS: dict[str, Any] = {
    "classes": ("airplane", "automobile", "bird"),
    "pixels": "raw",
    "augment": ("crop", "flip"),
    "model": "alexnet",
    "step_size": 10,
    "precision": "bf16",
    "patience": 10,
}
# These go together, or not at all.
HOLDING_OUT = {"patience": 10, "monitor": "held_out_loss", "held_out": 5_000}


# Every record is stored under a hash of these: when they change, all evidence is lost.
def test_the_digests_are_those_of_the_evidence() -> None:
    assert RECIPE.digest == "160913046f388b127371ebcaf07d20f3a7db755601158c71278c529273e2c42f"
    assert RICH.digest == "71cef9ca1fdc29cec6e66038990daaed196ac968fb8f4270a682dc82c1bed345"


def test_the_canonical_form_leaves_out_defaults() -> None:
    assert RECIPE.canonical() == {"data": "digits", "lr": 0.1, "epochs": 3}
    spelled_out = Recipe(
        data="digits",
        train_size=None,
        test_size=None,
        model="mlp",
        model_args=MODELS["mlp"].args,
        init="default",
        init_std=0.01,
        loss="cross_entropy",
        optimizer="sgd",
        lr=0.1,
        momentum=0,
        weight_decay=0,
        scheduler=None,
        gamma=1,
        epochs=3,
        batch_size=128,
        probes=(),
    )
    assert spelled_out == RECIPE
    assert spelled_out.canonical() == RECIPE.canonical()


def test_the_canonical_form_says_all_the_rest_in_json() -> None:
    form = RICH.canonical()
    assert form == {
        "data": "moons",
        "train_size": 100,
        "test_size": 50,
        "model_args": {
            "hidden": [16, 8],
            "activation": "leaky_relu",
            "negative_slope": 0.2,
        },
        "init": "normal",
        "init_std": 0.02,
        "loss": "mse",
        "optimizer": "adamw",
        "lr": 0.01,
        "weight_decay": 0.01,
        "scheduler": "exponential",
        "gamma": 0.95,
        "epochs": 300,
        "batch_size": None,
        "probes": ["units", "boundary"],
    }
    assert json.loads(json.dumps(form)) == form


@pytest.mark.parametrize("name", OTHERS)
def test_every_field_is_in_the_digest(name: str) -> None:
    changed = RECIPE.but(**{name: OTHERS[name]})
    assert changed.digest != RECIPE.digest
    assert changed != RECIPE
    assert changed.but(**{name: getattr(RECIPE, name)}) == RECIPE


@pytest.mark.parametrize("name", CONVOLUTIONAL_OTHERS)
def test_every_field_of_a_convolutional_network_is_in_the_digest(name: str) -> None:
    changed = CONVOLUTIONAL.but(**{name: CONVOLUTIONAL_OTHERS[name], "model_args": {}})
    assert changed != CONVOLUTIONAL
    assert Recipe.from_canonical(json.loads(json.dumps(changed.canonical()))) == changed


def test_the_order_of_augmentations_does_not_matter() -> None:
    both = CONVOLUTIONAL.but(augment=("flip", "crop"))
    assert both == CONVOLUTIONAL.but(augment=("crop", "flip"))
    assert both.augment == ("crop", "flip")


def test_the_order_of_classes_is_that_of_the_labels() -> None:
    pair = CONVOLUTIONAL.but(classes=("cat", "dog"))
    assert pair != CONVOLUTIONAL.but(classes=("dog", "cat"))
    assert pair.class_names == ("cat", "dog")
    assert (pair.train_samples, pair.test_samples) == (10_000, 2_000)


def test_no_field_is_forgotten_here() -> None:
    fields = {f.name for f in dataclasses.fields(Recipe)}
    assert {*OTHERS, *CONVOLUTIONAL_OTHERS, *HOLDING_OUT} == fields - {"assumed", "reduced"}
    assert CONVOLUTIONAL.but(**HOLDING_OUT) != CONVOLUTIONAL.but(patience=10)


@pytest.mark.parametrize("arg", ["hidden", "activation", "negative_slope"])
def test_every_argument_of_the_model_is_in_the_digest(arg: str) -> None:
    other = {"hidden": (256,), "activation": "sigmoid", "negative_slope": 0.5}[arg]
    assert RECIPE.but(model_args={arg: other}) != RECIPE


@pytest.mark.parametrize("name", ["lr", "gamma", "init_std", "weight_decay"])
def test_whole_numbers_and_floats_are_the_same_rate(name: str) -> None:
    assert RECIPE.but(**{name: 2}) == RECIPE.but(**{name: 2.0})
    assert RECIPE.but(**{name: 2}).digest == RECIPE.but(**{name: 2.0}).digest


def test_a_reduced_scale_changes_nothing_of_the_whole_protocol() -> None:
    assert RECIPE.but(reduced={"epochs": 2}).canonical() == RECIPE.canonical()
    assert RECIPE.but(reduced={"epochs": 2}).but(lr=0.3).reduced == {"epochs": 2}


def test_what_is_assumed_changes_nothing() -> None:
    assert RECIPE.but(assumed=("lr", "epochs")) == RECIPE
    assert RICH.but(assumed=()).digest == RICH.digest


def test_the_order_of_model_arguments_does_not_matter() -> None:
    backwards = dict(reversed(list(RICH.model_args.items())))
    assert list(backwards) != list(RICH.model_args)
    assert RICH.but(model_args=backwards).digest == RICH.digest


def test_hidden_may_be_a_list() -> None:
    assert RECIPE.but(model_args={"hidden": [8, 4]}).model_args["hidden"] == (8, 4)
    assert RECIPE.but(model_args={"hidden": [256, 128]}) == RECIPE


def test_the_given_arguments_may_change_later_without_harm() -> None:
    given: dict[str, Any] = {"hidden": (8, 4)}
    recipe = RECIPE.but(model_args=given)
    given["hidden"] = (1,)
    assert recipe.model_args["hidden"] == (8, 4)


def test_equal_recipes_are_one_in_a_set_and_no_other_thing_is_equal() -> None:
    assert len({RECIPE, RECIPE.but(), RECIPE.but(lr=0.2)}) == 2
    assert RECIPE.canonical() != RECIPE
    assert RECIPE.digest != RECIPE


@given(recipes())
def test_json_gives_the_recipe_back(recipe: Recipe) -> None:
    form = json.loads(json.dumps(recipe.canonical(), allow_nan=False))
    again = Recipe.from_canonical(form)
    assert again == recipe
    assert again.canonical() == recipe.canonical()
    for f in dataclasses.fields(Recipe):
        if f.name not in ("assumed", "reduced"):
            assert getattr(again, f.name) == getattr(recipe, f.name), f.name


@given(recipes(), st.sampled_from(["lr", "epochs", "weight_decay", "gamma", "loss"]))
def test_a_changed_field_changes_the_digest_of_any_recipe(recipe: Recipe, name: str) -> None:
    value = getattr(recipe, name)
    losses = {"mse": "softmax_mse"}
    other = losses.get(value, "mse") if isinstance(value, str) else value + 1
    assert recipe.but(**{name: other}).digest != recipe.digest
