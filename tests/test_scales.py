"""How a recipe is scaled down, and what it costs."""

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvclaims.catalogue import SCALES
from cvclaims.recipe import Recipe
from cvclaims.scales import scale_name, scaled
from cvclaims.specs import DATASETS
from tests.records.factory import CONVOLUTIONAL, RECIPE, recipes


@given(recipes())
def test_full_is_the_recipe_itself(recipe: Recipe) -> None:
    assert scaled(recipe, "full") is recipe
    assert scale_name(recipe, "full") == "full"


# That the smaller recipe is one at all is checked as it is made.
@given(recipes(), st.sampled_from(SCALES))
def test_scaling_is_pure_and_changes_only_sizes(recipe: Recipe, scale: str) -> None:
    before = recipe.canonical()
    small = scaled(recipe, scale)
    assert scaled(recipe, scale) == small
    assert recipe.canonical() == before
    sizes = {"epochs", "step_size", "warmup", "model_args"}
    if scale == "smoke":
        sizes |= {"train_size", "test_size", "batch_size", "held_out"}
    for f in dataclasses.fields(Recipe):
        if f.name not in sizes:
            assert getattr(small, f.name) == getattr(recipe, f.name), f.name
    assert small.epochs <= recipe.epochs
    assert small.cost <= recipe.cost
    assert len(small.model_args["hidden"]) == len(recipe.model_args["hidden"])
    assert small.model_args["activation"] == recipe.model_args["activation"]
    assert (small.batch_size is None) == (recipe.batch_size is None)
    assert (scale_name(recipe, scale) == "full") == (scale != "smoke" and small == recipe)


@given(recipes())
def test_smoke_is_small_for_every_data_set(recipe: Recipe) -> None:
    small = scaled(recipe, "smoke")
    assert small.train_size is not None
    assert small.train_size <= 256
    assert small.test_size is not None
    assert small.test_size <= 256
    assert small.epochs <= 2
    for width, before in zip(small.model_args["hidden"], recipe.model_args["hidden"], strict=True):
        assert width == min(before, max(8, before // 8))


@given(recipes())
def test_reduced_leaves_light_recipes_alone_and_narrows_the_others(recipe: Recipe) -> None:
    small = scaled(recipe, "reduced")
    if recipe.light:
        assert small is recipe
        return
    assert small.epochs == min(recipe.epochs, max(30, -(-recipe.epochs // 2)))
    for width, before in zip(small.model_args["hidden"], recipe.model_args["hidden"], strict=True):
        assert width == min(before, max(8, before // 4))


def test_a_whole_protocol_at_each_scale() -> None:
    recipe = Recipe(data="fashion_mnist", lr=0.1, epochs=100)
    reduced, smoke = scaled(recipe, "reduced"), scaled(recipe, "smoke")
    assert (reduced.train_samples, reduced.epochs, reduced.batch_size) == (60_000, 50, 128)
    assert reduced.model_args["hidden"] == (64, 32)
    assert (smoke.train_size, smoke.test_size, smoke.epochs) == (256, 256, 2)
    assert smoke.model_args["hidden"] == (32, 16)
    assert [scale_name(recipe, scale) for scale in SCALES] == list(SCALES)


def test_a_convolutional_protocol_at_each_scale() -> None:
    reduced, smoke = scaled(CONVOLUTIONAL, "reduced"), scaled(CONVOLUTIONAL, "smoke")
    assert (reduced.train_samples, reduced.test_samples, reduced.epochs) == (50_000, 10_000, 30)
    assert (smoke.train_size, smoke.test_size, smoke.epochs) == (256, 256, 2)
    assert (reduced.step_size, smoke.step_size) == (12, 1)
    assert (reduced.model_args["width"], smoke.model_args["width"]) == (1 / 4, 1 / 8)
    assert (reduced.batch_size, smoke.batch_size) == (128, 128)
    assert scaled(CONVOLUTIONAL.but(epochs=100), "reduced").epochs == 50
    warm = CONVOLUTIONAL.but(epochs=100, warmup=10)
    assert (scaled(warm, "reduced").warmup, scaled(warm, "smoke").warmup) == (5, 0)
    assert scaled(CONVOLUTIONAL.but(warmup=49), "smoke").warmup == 1
    stopping = CONVOLUTIONAL.but(patience=10, monitor="held_out_loss", held_out=5_000)
    held = scaled(stopping, "reduced")
    assert (held.patience, held.held_out, held.train_samples) == (10, 5_000, 45_000)
    assert (scaled(stopping, "smoke").patience, scaled(stopping, "smoke").held_out) == (10, 26)
    narrow = CONVOLUTIONAL.but(model_args={"width": 1 / 16})
    assert scaled(narrow, "smoke").model_args["width"] == 1 / 16
    few = CONVOLUTIONAL.but(classes=("cat", "dog", "frog"), epochs=15)
    assert (scaled(few, "reduced").train_samples, scaled(few, "reduced").epochs) == (15_000, 15)


def own(recipe: Recipe, **reduced: Any) -> Recipe:
    """What the recipe becomes at a reduced scale of its own."""
    return scaled(recipe.but(reduced=reduced), "reduced")


class TestOwnScale:
    def test_it_changes_what_it_names_and_nothing_else(self) -> None:
        few = own(CONVOLUTIONAL, train_size=5_000, test_size=2_000)
        assert few == CONVOLUTIONAL.but(train_size=5_000, test_size=2_000)

    def test_schedules_shrink_with_the_epochs_unless_they_are_named(self) -> None:
        warm = CONVOLUTIONAL.but(warmup=10)
        assert (warm.epochs, warm.step_size) == (50, 20)
        short = own(warm, epochs=10)
        assert (short.epochs, short.step_size, short.warmup) == (10, 4, 2)
        named = own(warm, epochs=10, step_size=5, warmup=0)
        assert (named.epochs, named.step_size, named.warmup) == (10, 5, 0)

    def test_arguments_of_the_model_change_one_by_one(self) -> None:
        plain = CONVOLUTIONAL.but(model_args={"batch_norm": True})
        narrow = own(plain, model_args={"width": 0.5})
        assert narrow == CONVOLUTIONAL.but(model_args={"batch_norm": True, "width": 0.5})

    def test_the_example_of_the_docs(self) -> None:
        base = Recipe(
            data="cifar10", model="resnet", lr=0.1, scheduler="step", step_size=30, epochs=90,
            reduced={"epochs": 10, "train_size": 5_000, "model_args": {"width": 0.5}},
        )  # fmt: skip
        small = scaled(base.but(model_args={"depth": 50}), "reduced")
        assert (small.epochs, small.train_size, small.step_size) == (10, 5_000, 3)
        assert (small.model_args["depth"], small.model_args["width"]) == (50, 0.5)

    @pytest.mark.parametrize("name", ["epochs", "train_size", "test_size"])
    def test_it_is_never_the_larger_one(self, name: str) -> None:
        assert own(CONVOLUTIONAL, **{name: 10**6}) == CONVOLUTIONAL
        assert scale_name(CONVOLUTIONAL.but(reduced={name: 10**6}), "reduced") == "full"

    def test_light_recipes_may_have_one(self) -> None:
        light = RECIPE.but(reduced={"epochs": 1})
        assert scaled(light, "reduced") == RECIPE.but(epochs=1)
        assert [scale_name(light, scale) for scale in SCALES] == ["smoke", "reduced", "full"]

    def test_other_scales_are_as_without_it(self) -> None:
        wide = CONVOLUTIONAL.but(reduced={"epochs": 7, "model_args": {"width": 0.5}})
        for scale in ("smoke", "full"):
            assert scaled(wide, scale) == scaled(CONVOLUTIONAL, scale)

    @pytest.mark.parametrize("scale", SCALES)
    def test_what_is_trained_has_no_scale_left(self, scale: str) -> None:
        assert scaled(CONVOLUTIONAL.but(reduced={"epochs": 7}), scale).reduced == {}


def test_the_names_of_what_stays_whole() -> None:
    tiny = Recipe(
        data="moons",
        train_size=20,
        test_size=10,
        batch_size=10,
        model_args={"hidden": (8,)},
        lr=1,
        epochs=2,
    )
    assert [scale_name(tiny, scale) for scale in SCALES] == ["smoke", "full", "full"]
    light = Recipe(data="moons", lr=1, epochs=2)
    assert [scale_name(light, scale) for scale in SCALES] == ["smoke", "full", "full"]


@pytest.mark.parametrize("bad", ["auto", "Full", "", "tiny", None, 1])
def test_a_scale_that_does_not_exist(bad: Any) -> None:
    for ask in (scaled, scale_name):
        with pytest.raises(ValueError, match=rf"^unknown scale {re.escape(repr(bad))}: "):
            ask(RECIPE, bad)


def test_light_is_what_takes_seconds() -> None:
    assert {name for name in DATASETS if RECIPE.but(data=name).light} == {
        "digits",
        "moons",
        "circles",
    }


def test_cost_is_the_samples_seen() -> None:
    assert RECIPE.cost == 3 * 1437
    assert RECIPE.but(train_size=200, epochs=5).cost == 1000


def test_work_grows_with_the_network() -> None:
    deeper = CONVOLUTIONAL.but(model_args={"depth": 50})
    wider = CONVOLUTIONAL.but(model_args={"kernel": 7})
    half = CONVOLUTIONAL.but(model_args={"width": 0.5})
    assert deeper.work > CONVOLUTIONAL.work > 4 * half.work * 0.99 > RECIPE.work
    assert wider.work == pytest.approx(CONVOLUTIONAL.work * 49 / 9)
