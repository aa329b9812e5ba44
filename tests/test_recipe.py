"""Recipes: what is the same recipe, what is none, and how they are scaled down."""

import dataclasses
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvclaims.catalogue import DATASETS, MODELS, SCALES
from cvclaims.recipe import Recipe, scale_name, scaled
from tests.records.factory import recipes

MINIMAL = Recipe(data="digits", lr=0.1, epochs=3)
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
# A network of convolutions has fields that perceptrons do not.
CONVOLUTIONAL = Recipe(
    data="cifar10", model="vgg", lr=0.1, scheduler="step", step_size=20, gamma=0.1, epochs=50
)
# Another value for each field that decides what is learned.
OTHERS: dict[str, Any] = {
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


def refused(**fields: Any) -> str:
    """The line that a recipe with these fields is refused by."""
    with pytest.raises(ValueError) as caught:
        MINIMAL.but(**fields)
    line = str(caught.value)
    assert line.count("\n") == 0
    return line


class TestIdentity:
    # Every record is stored under a hash of these: when they change, all evidence is lost.
    def test_the_digests_are_those_of_the_evidence(self) -> None:
        assert MINIMAL.digest == "160913046f388b127371ebcaf07d20f3a7db755601158c71278c529273e2c42f"
        assert RICH.digest == "71cef9ca1fdc29cec6e66038990daaed196ac968fb8f4270a682dc82c1bed345"

    def test_the_canonical_form_leaves_out_defaults(self) -> None:
        assert MINIMAL.canonical() == {"data": "digits", "lr": 0.1, "epochs": 3}
        spelled_out = Recipe(
            data="digits",
            train_size=None,
            test_size=None,
            model="mlp",
            model_args=MODELS["mlp"],
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
        assert spelled_out == MINIMAL
        assert spelled_out.canonical() == MINIMAL.canonical()

    def test_the_canonical_form_says_all_the_rest_in_json(self) -> None:
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
    def test_every_field_is_in_the_digest(self, name: str) -> None:
        changed = MINIMAL.but(**{name: OTHERS[name]})
        assert changed.digest != MINIMAL.digest
        assert changed != MINIMAL
        assert changed.but(**{name: getattr(MINIMAL, name)}) == MINIMAL

    @pytest.mark.parametrize("name", CONVOLUTIONAL_OTHERS)
    def test_every_field_of_a_convolutional_network_is_in_the_digest(self, name: str) -> None:
        changed = CONVOLUTIONAL.but(**{name: CONVOLUTIONAL_OTHERS[name], "model_args": {}})
        assert changed != CONVOLUTIONAL
        assert Recipe.from_canonical(json.loads(json.dumps(changed.canonical()))) == changed

    def test_the_order_of_augmentations_does_not_matter(self) -> None:
        both = CONVOLUTIONAL.but(augment=("flip", "crop"))
        assert both == CONVOLUTIONAL.but(augment=("crop", "flip"))
        assert both.augment == ("crop", "flip")

    def test_the_order_of_classes_is_that_of_the_labels(self) -> None:
        pair = CONVOLUTIONAL.but(classes=("cat", "dog"))
        assert pair != CONVOLUTIONAL.but(classes=("dog", "cat"))
        assert pair.class_names == ("cat", "dog")
        assert (pair.train_samples, pair.test_samples) == (10_000, 2_000)

    def test_no_field_is_forgotten_here(self) -> None:
        fields = {f.name for f in dataclasses.fields(Recipe)}
        assert {*OTHERS, *CONVOLUTIONAL_OTHERS, *HOLDING_OUT} == fields - {"assumed", "fixed"}
        assert CONVOLUTIONAL.but(**HOLDING_OUT) != CONVOLUTIONAL.but(patience=10)

    @pytest.mark.parametrize("arg", ["hidden", "activation", "negative_slope"])
    def test_every_argument_of_the_model_is_in_the_digest(self, arg: str) -> None:
        other = {"hidden": (256,), "activation": "sigmoid", "negative_slope": 0.5}[arg]
        assert MINIMAL.but(model_args={arg: other}) != MINIMAL

    @pytest.mark.parametrize("name", ["lr", "gamma", "init_std", "weight_decay"])
    def test_whole_numbers_and_floats_are_the_same_rate(self, name: str) -> None:
        assert MINIMAL.but(**{name: 2}) == MINIMAL.but(**{name: 2.0})
        assert MINIMAL.but(**{name: 2}).digest == MINIMAL.but(**{name: 2.0}).digest

    def test_what_is_assumed_changes_nothing(self) -> None:
        assert MINIMAL.but(assumed=("lr", "epochs")) == MINIMAL
        assert RICH.but(assumed=()).digest == RICH.digest

    def test_the_order_of_model_arguments_does_not_matter(self) -> None:
        backwards = dict(reversed(list(RICH.model_args.items())))
        assert list(backwards) != list(RICH.model_args)
        assert RICH.but(model_args=backwards).digest == RICH.digest

    def test_hidden_may_be_a_list(self) -> None:
        assert MINIMAL.but(model_args={"hidden": [8, 4]}).model_args["hidden"] == (8, 4)
        assert MINIMAL.but(model_args={"hidden": [256, 128]}) == MINIMAL

    def test_the_given_arguments_may_change_later_without_harm(self) -> None:
        given: dict[str, Any] = {"hidden": (8, 4)}
        recipe = MINIMAL.but(model_args=given)
        given["hidden"] = (1,)
        assert recipe.model_args["hidden"] == (8, 4)

    def test_equal_recipes_are_one_in_a_set_and_no_other_thing_is_equal(self) -> None:
        assert len({MINIMAL, MINIMAL.but(), MINIMAL.but(lr=0.2)}) == 2
        assert MINIMAL.canonical() != MINIMAL
        assert MINIMAL.digest != MINIMAL

    @given(recipes())
    def test_json_gives_the_recipe_back(self, recipe: Recipe) -> None:
        form = json.loads(json.dumps(recipe.canonical(), allow_nan=False))
        again = Recipe.from_canonical(form)
        assert again == recipe
        assert again.canonical() == recipe.canonical()
        for f in dataclasses.fields(Recipe):
            if f.name != "assumed":
                assert getattr(again, f.name) == getattr(recipe, f.name), f.name

    @given(recipes(), st.sampled_from(["lr", "epochs", "weight_decay", "gamma", "loss"]))
    def test_a_changed_field_changes_the_digest_of_any_recipe(
        self, recipe: Recipe, name: str
    ) -> None:
        value = getattr(recipe, name)
        losses = {"mse": "softmax_mse"}
        other = losses.get(value, "mse") if isinstance(value, str) else value + 1
        assert recipe.but(**{name: other}).digest != recipe.digest


class TestBadInput:
    @pytest.mark.parametrize(
        ("field", "bad", "near"),
        [
            ("data", "digit", "digits"),
            ("data", "fashion-mnist", "fashion_mnist"),
            ("model", "mpl", "mlp"),
            ("init", "norm", "normal"),
            ("loss", "crossentropy", "cross_entropy"),
            ("loss", "softmaxmse", "softmax_mse"),
            ("optimizer", "lion", None),
            ("optimizer", "adamww", "adamw"),
            ("scheduler", "exponentail", "exponential"),
            ("scheduler", "cosin", "cosine"),
            ("precision", "fp16", "bf16"),
            ("pixels", "standardized", "standardised"),
        ],
    )
    def test_an_unknown_name_is_told_the_nearest_one(
        self, field: str, bad: str, near: str | None
    ) -> None:
        line = refused(**{field: bad})
        what = {"data": "data set"}.get(field, field)
        hint = f"did you mean {near!r}? " if near else ""
        assert line.startswith(f"unknown {what} {bad!r}: {hint}known are ")

    def test_an_unknown_probe_activation_or_argument_too(self) -> None:
        assert refused(probes=("unit",)) == (
            "unknown probe 'unit': did you mean 'units'? known are units, boundary"
        )
        assert refused(model_args={"activation": "relus"}) == (
            "unknown activation 'relus': did you mean 'relu'? known are relu, leaky_relu, sigmoid"
        )
        assert refused(model_args={"hiden": (8,)}) == (
            "unknown argument of model 'mlp': 'hiden': did you mean 'hidden'? "
            "known are hidden, activation, negative_slope"
        )
        assert refused(assumed=("learning_rate",)).startswith("unknown recipe field in `assumed`")

    @pytest.mark.parametrize("field", ["data", "model", "init", "loss", "optimizer", "scheduler"])
    @pytest.mark.parametrize("bad", [3, True, ["digits"], {}, "", "a\nb"])
    def test_a_name_is_a_word(self, field: str, bad: object) -> None:
        assert f" {bad!r}: " in refused(**{field: bad})

    @pytest.mark.parametrize("field", ["lr", "gamma", "init_std"])
    @pytest.mark.parametrize("bad", [0, 0.0, -1, -1e-9])
    def test_a_rate_is_above_zero(self, field: str, bad: float) -> None:
        assert refused(**{field: bad}) == f"{field} must be above 0, not {bad!r}"

    @pytest.mark.parametrize("field", ["momentum", "weight_decay"])
    def test_some_may_be_zero_but_not_less(self, field: str) -> None:
        assert refused(**{field: -0.1}) == f"{field} must be 0 or more, not -0.1"
        assert MINIMAL.but(**{field: 0}) == MINIMAL

    @pytest.mark.parametrize("field", ["lr", "gamma", "init_std", "momentum", "weight_decay"])
    @pytest.mark.parametrize(
        "bad", [float("nan"), float("inf"), float("-inf"), True, "0.1", None, [0.1]]
    )
    def test_a_rate_is_a_finite_number(self, field: str, bad: object) -> None:
        assert refused(**{field: bad}) == f"{field} must be a finite number, not {bad!r}"

    def test_momentum_stays_below_one_and_belongs_to_sgd(self) -> None:
        assert refused(momentum=1) == "momentum must be below 1, not 1.0"
        for optimizer in ("adam", "adamw"):
            assert refused(optimizer=optimizer, momentum=0.9) == (
                f"momentum belongs to sgd; {optimizer} has its own: leave it out"
            )
            MINIMAL.but(optimizer=optimizer, momentum=0.0)

    @pytest.mark.parametrize("field", ["epochs", "batch_size", "train_size", "test_size"])
    @pytest.mark.parametrize("bad", [0, -1, 1.0, 2.5, True, "3", float("nan")])
    def test_a_count_is_a_whole_number_of_one_or_more(self, field: str, bad: object) -> None:
        line = refused(**{field: bad})
        assert line == f"{field} must be a whole number of 1 or more, not {bad!r}"

    def test_epochs_have_to_be_given(self) -> None:
        assert refused(epochs=None) == "epochs must be a whole number of 1 or more, not None"
        with pytest.raises(TypeError, match="epochs"):
            Recipe(data="digits", lr=0.1)  # type: ignore[call-arg]

    @pytest.mark.parametrize("name", DATASETS)
    def test_no_subset_and_no_batch_is_larger_than_the_data(self, name: str) -> None:
        train, test = DATASETS[name].train, DATASETS[name].test
        Recipe(data=name, lr=1, epochs=1, train_size=train, test_size=test, batch_size=train)
        tail = f"samples of {name!r}"
        for fields, line in (
            ({"train_size": train + 1}, f"train_size {train + 1} is more than the {train} {tail}"),
            ({"test_size": test + 1}, f"test_size {test + 1} is more than the {test} {tail}"),
            ({"batch_size": train + 1}, f"batch_size {train + 1} is more than the {train} {tail}"),
        ):
            assert refused(data=name, **fields) == line
        assert refused(train_size=50, batch_size=51).startswith("batch_size 51 is more than the 50")

    @pytest.mark.parametrize(
        "bad", [(0,), (8, -1), (8.0,), ("8",), "88", (None,), ([8],), 5, (True,)]
    )
    def test_hidden_widths_are_positive_whole_numbers(self, bad: Any) -> None:
        line = refused(model_args={"hidden": bad})
        assert line == f"hidden must be positive whole numbers, not {bad!r}"

    def test_a_boundary_needs_two_dimensions(self) -> None:
        assert refused(probes=("boundary",)) == "probe 'boundary' needs 2-D data; 'digits' is not"
        for name in ("moons", "circles"):
            MINIMAL.but(data=name, probes=("boundary",))

    @pytest.mark.parametrize(
        ("fields", "line"),
        [
            (
                {"augment": ("flip",)},
                "augment and precision belong to convolutional networks, not to 'mlp'",
            ),
            (
                {"precision": "bf16"},
                "augment and precision belong to convolutional networks, not to 'mlp'",
            ),
            ({"pixels": "raw"}, "pixels 'raw' belongs to images; 'digits' has none"),
            ({"classes": ("3",)}, "classes must name two or more, not only '3'"),
            ({"classes": ("3", "3")}, "classes names one twice: 3, 3"),
            ({"classes": ["3", "4"]}, "classes must be a tuple of names, not ['3', '4']"),
            ({"scheduler": "step"}, "step_size belongs to scheduler 'step', which needs it"),
            (
                {"fixed": ("lr",)},
                "unknown field to fix 'lr': known are batch_size",
            ),
            ({"step_size": 3}, "step_size belongs to scheduler 'step', which needs it"),
        ],
    )
    def test_what_does_not_go_together(self, fields: dict[str, Any], line: str) -> None:
        assert refused(**fields) == line

    def test_a_class_that_the_data_do_not_have(self) -> None:
        with pytest.raises(ValueError, match=r"unknown class 'plane': did you mean 'airplane'"):
            CONVOLUTIONAL.but(classes=("plane", "bird"))

    def test_classes_leave_fewer_samples(self) -> None:
        with pytest.raises(ValueError, match="train_size 15001 is more than the 15000 samples"):
            CONVOLUTIONAL.but(classes=("airplane", "automobile", "bird"), train_size=15_001)

    def test_an_unknown_field_is_a_type_error_in_code(self) -> None:
        with pytest.raises(TypeError, match="learning_rate"):
            MINIMAL.but(learning_rate=0.1)

    @pytest.mark.parametrize(
        "form",
        [
            {},
            {"data": "digits"},
            {"data": "digits", "lr": 0.1, "epochs": 3, "colour": "red"},
            {"data": "digits", "lr": 0.1, "epochs": 3, "probes": None},
            {"data": "digits", "lr": 0.1, "epochs": 3, "model_args": [1]},
            {"data": "digits", "lr": 0.1, "epochs": 3, "model_args": {"hidden": 5}},
        ],
    )
    def test_what_is_no_recipe_is_a_value_error_from_a_file(self, form: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=re.compile(r"\A.+\Z")):
            Recipe.from_canonical(form)


class TestScales:
    @given(recipes())
    def test_full_is_the_recipe_itself(self, recipe: Recipe) -> None:
        assert scaled(recipe, "full") is recipe
        assert scale_name(recipe, "full") == "full"

    # That the smaller recipe is one at all is checked as it is made.
    @given(recipes(), st.sampled_from(SCALES))
    def test_scaling_is_pure_and_changes_only_sizes(self, recipe: Recipe, scale: str) -> None:
        before = recipe.canonical()
        small = scaled(recipe, scale)
        assert scaled(recipe, scale) == small
        assert recipe.canonical() == before
        sizes = {"train_size", "test_size", "epochs", "batch_size", "step_size", "model_args"}
        sizes |= {"patience", "held_out"}
        for f in dataclasses.fields(Recipe):
            if f.name not in sizes:
                assert getattr(small, f.name) == getattr(recipe, f.name), f.name
        assert small.epochs <= recipe.epochs
        assert small.cost <= recipe.cost
        assert len(small.model_args["hidden"]) == len(recipe.model_args["hidden"])
        assert small.model_args["activation"] == recipe.model_args["activation"]
        assert (small.batch_size is None) == (recipe.batch_size is None)
        assert (scale_name(recipe, scale) == "full") == (small == recipe)

    @given(recipes())
    def test_smoke_is_small_for_every_data_set(self, recipe: Recipe) -> None:
        small = scaled(recipe, "smoke")
        assert small.train_size is not None
        assert small.train_size <= 256
        assert small.test_size is not None
        assert small.test_size <= 256
        assert small.epochs <= 2
        for width, before in zip(
            small.model_args["hidden"], recipe.model_args["hidden"], strict=True
        ):
            assert width == min(before, max(8, before // 8))

    @given(recipes())
    def test_reduced_leaves_light_recipes_alone_and_cuts_the_others(self, recipe: Recipe) -> None:
        small = scaled(recipe, "reduced")
        if recipe.light:
            assert small is recipe
            return
        facts = DATASETS[recipe.data]
        assert small.train_size == min(10_000, -(-(recipe.train_size or facts.train) // 3))
        assert small.test_size == min(5_000, recipe.test_size or facts.test)
        assert small.epochs == -(-recipe.epochs // 3)
        for width, before in zip(
            small.model_args["hidden"], recipe.model_args["hidden"], strict=True
        ):
            assert width == min(before, max(8, before // 4))

    def test_a_whole_protocol_at_each_scale(self) -> None:
        recipe = Recipe(data="fashion_mnist", lr=0.1, epochs=100)
        reduced, smoke = scaled(recipe, "reduced"), scaled(recipe, "smoke")
        assert (reduced.train_size, reduced.epochs, reduced.batch_size) == (10_000, 34, 128)
        assert reduced.model_args["hidden"] == (64, 32)
        assert (smoke.train_size, smoke.test_size, smoke.epochs) == (256, 256, 2)
        assert smoke.model_args["hidden"] == (32, 16)
        assert [scale_name(recipe, scale) for scale in SCALES] == list(SCALES)

    def test_a_convolutional_protocol_at_each_scale(self) -> None:
        reduced, smoke = scaled(CONVOLUTIONAL, "reduced"), scaled(CONVOLUTIONAL, "smoke")
        assert (reduced.train_size, reduced.test_size, reduced.epochs) == (10_000, 5_000, 8)
        assert (smoke.train_size, smoke.test_size, smoke.epochs) == (256, 256, 2)
        assert (reduced.step_size, smoke.step_size) == (3, 1)
        assert (reduced.model_args["width"], smoke.model_args["width"]) == (1 / 4, 1 / 8)
        assert (reduced.batch_size, smoke.batch_size) == (32, 128)
        kept = CONVOLUTIONAL.but(fixed=("batch_size",))
        assert kept == CONVOLUTIONAL
        assert scaled(kept, "reduced").batch_size == 128
        assert scaled(CONVOLUTIONAL.but(batch_size=2), "reduced").batch_size == 1
        narrow = CONVOLUTIONAL.but(model_args={"width": 1 / 16})
        assert scaled(narrow, "smoke").model_args["width"] == 1 / 16
        few = CONVOLUTIONAL.but(classes=("cat", "dog", "frog"), epochs=15)
        assert (scaled(few, "reduced").train_size, scaled(few, "reduced").epochs) == (5_000, 5)

    def test_the_names_of_what_stays_whole(self) -> None:
        tiny = Recipe(
            data="moons",
            train_size=20,
            test_size=10,
            batch_size=10,
            model_args={"hidden": (8,)},
            lr=1,
            epochs=2,
        )
        assert [scale_name(tiny, scale) for scale in SCALES] == ["full", "full", "full"]
        light = Recipe(data="moons", lr=1, epochs=2)
        assert [scale_name(light, scale) for scale in SCALES] == ["smoke", "full", "full"]

    @pytest.mark.parametrize("bad", ["auto", "Full", "", "tiny", None, 1])
    def test_a_scale_that_does_not_exist(self, bad: Any) -> None:
        for ask in (scaled, scale_name):
            with pytest.raises(ValueError, match=rf"^unknown scale {re.escape(repr(bad))}: "):
                ask(MINIMAL, bad)

    def test_light_is_what_takes_seconds(self) -> None:
        assert {name for name in DATASETS if MINIMAL.but(data=name).light} == {
            "digits",
            "moons",
            "circles",
        }

    def test_cost_is_the_samples_seen(self) -> None:
        assert MINIMAL.cost == 3 * 1437
        assert MINIMAL.but(train_size=200, epochs=5).cost == 1000

    def test_work_grows_with_the_network(self) -> None:
        deeper = CONVOLUTIONAL.but(model_args={"depth": 50})
        wider = CONVOLUTIONAL.but(model_args={"kernel": 7})
        half = CONVOLUTIONAL.but(model_args={"width": 0.5})
        assert deeper.work > CONVOLUTIONAL.work > 4 * half.work * 0.99 > MINIMAL.work
        assert wider.work == pytest.approx(CONVOLUTIONAL.work * 49 / 9)
