"""What is no recipe, refused as it is made: one line that names the thing."""

import re
from typing import Any

import pytest

from cvclaims.recipe import Recipe
from cvclaims.specs import DATASETS
from tests.records.factory import CONVOLUTIONAL, RECIPE


def refused(**fields: Any) -> str:
    """The line that a recipe with these fields is refused by."""
    with pytest.raises(ValueError) as caught:
        RECIPE.but(**fields)
    line = str(caught.value)
    assert line.count("\n") == 0
    return line


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
def test_an_unknown_name_is_told_the_nearest_one(field: str, bad: str, near: str | None) -> None:
    line = refused(**{field: bad})
    what = {"data": "data set"}.get(field, field)
    hint = f"did you mean {near!r}? " if near else ""
    assert line.startswith(f"unknown {what} {bad!r}: {hint}known are ")


@pytest.mark.parametrize("bad", [-1, 3, 0.5, True, None])
def test_a_warm_up_is_shorter_than_the_training(bad: object) -> None:
    assert refused(warmup=bad) == (
        f"warmup must be a whole number of epochs below epochs 3, not {bad!r}"
    )


def test_seeds_are_a_recipes_own_or_not() -> None:
    assert refused(own_seeds="yes") == "own_seeds must be True or False, not 'yes'"


def test_an_unknown_probe_activation_or_argument_too() -> None:
    assert refused(probes=("unit",)) == (
        "unknown probe 'unit': did you mean 'units'? "
        "known are units, boundary, evaluated_train_accuracy"
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
def test_a_name_is_a_word(field: str, bad: object) -> None:
    assert f" {bad!r}: " in refused(**{field: bad})


@pytest.mark.parametrize("field", ["lr", "gamma", "init_std"])
@pytest.mark.parametrize("bad", [0, 0.0, -1, -1e-9])
def test_a_rate_is_above_zero(field: str, bad: float) -> None:
    assert refused(**{field: bad}) == f"{field} must be above 0, not {bad!r}"


@pytest.mark.parametrize("field", ["momentum", "weight_decay"])
def test_some_may_be_zero_but_not_less(field: str) -> None:
    assert refused(**{field: -0.1}) == f"{field} must be 0 or more, not -0.1"
    assert RECIPE.but(**{field: 0}) == RECIPE


@pytest.mark.parametrize("field", ["lr", "gamma", "init_std", "momentum", "weight_decay"])
@pytest.mark.parametrize(
    "bad", [float("nan"), float("inf"), float("-inf"), True, "0.1", None, [0.1]]
)
def test_a_rate_is_a_finite_number(field: str, bad: object) -> None:
    assert refused(**{field: bad}) == f"{field} must be a finite number, not {bad!r}"


def test_momentum_stays_below_one_and_belongs_to_sgd() -> None:
    assert refused(momentum=1) == "momentum must be below 1, not 1.0"
    for optimizer in ("adam", "adamw"):
        assert refused(optimizer=optimizer, momentum=0.9) == (
            f"momentum belongs to sgd; {optimizer} has its own: leave it out"
        )
        RECIPE.but(optimizer=optimizer, momentum=0.0)


@pytest.mark.parametrize("field", ["epochs", "batch_size", "train_size", "test_size"])
@pytest.mark.parametrize("bad", [0, -1, 1.0, 2.5, True, "3", float("nan")])
def test_a_count_is_a_whole_number_of_one_or_more(field: str, bad: object) -> None:
    line = refused(**{field: bad})
    assert line == f"{field} must be a whole number of 1 or more, not {bad!r}"


def test_epochs_have_to_be_given() -> None:
    assert refused(epochs=None) == "epochs must be a whole number of 1 or more, not None"
    with pytest.raises(TypeError, match="epochs"):
        Recipe(data="digits", lr=0.1)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", DATASETS)
def test_no_subset_and_no_batch_is_larger_than_the_data(name: str) -> None:
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


@pytest.mark.parametrize("bad", [(0,), (8, -1), (8.0,), ("8",), "88", (None,), ([8],), 5, (True,)])
def test_hidden_widths_are_positive_whole_numbers(bad: Any) -> None:
    line = refused(model_args={"hidden": bad})
    assert line == f"hidden must be positive whole numbers, not {bad!r}"


def test_a_boundary_needs_two_dimensions() -> None:
    assert refused(probes=("boundary",)) == "probe 'boundary' needs 2-D data; 'digits' is not"
    for name in ("moons", "circles"):
        RECIPE.but(data=name, probes=("boundary",))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"augment": ("flip",)}, "augment belongs to convolutional networks, not to 'mlp'"),
        ({"pixels": "raw"}, "pixels 'raw' belongs to images; 'digits' has none"),
        ({"classes": ("3",)}, "classes must name two or more, not only '3'"),
        ({"classes": ("3", "3")}, "classes names one twice: 3, 3"),
        ({"classes": ["3", "4"]}, "classes must be a tuple of names, not ['3', '4']"),
        ({"scheduler": "step"}, "step_size belongs to scheduler 'step', which needs it"),
        (
            {"init": "torchvision"},
            "init 'torchvision' is that of vgg and resnet; 'mlp' is neither: write 'default'",
        ),
        ({"step_size": 3}, "step_size belongs to scheduler 'step', which needs it"),
    ],
)
def test_what_does_not_go_together(fields: dict[str, Any], line: str) -> None:
    assert refused(**fields) == line


def test_a_class_that_the_data_do_not_have() -> None:
    with pytest.raises(ValueError, match=r"unknown class 'plane': did you mean 'airplane'"):
        CONVOLUTIONAL.but(classes=("plane", "bird"))


def test_classes_leave_fewer_samples() -> None:
    with pytest.raises(ValueError, match="train_size 15001 is more than the 15000 samples"):
        CONVOLUTIONAL.but(classes=("airplane", "automobile", "bird"), train_size=15_001)


def test_an_unknown_field_is_a_type_error_in_code() -> None:
    with pytest.raises(TypeError, match="learning_rate"):
        RECIPE.but(learning_rate=0.1)


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
def test_what_is_no_recipe_is_a_value_error_from_a_file(form: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=re.compile(r"\A.+\Z")):
        Recipe.from_canonical(form)


@pytest.mark.parametrize(
    ("reduced", "line"),
    [
        ({"epoch": 1}, "unknown recipe field in `reduced` 'epoch': did you mean 'epochs'? "),
        ({"data": "moons"}, "unknown recipe field in `reduced` 'data': known are "),
        ({"reduced": {}}, "unknown recipe field in `reduced` 'reduced': known are "),
        ({"epochs": 0}, "`reduced` is no recipe: epochs must be a whole number of 1 or more"),
        ({"epochs": "2"}, "`reduced` is no recipe: epochs must be a whole number of 1 or more"),
        ({"train_size": 20}, "`reduced` is no recipe: batch_size 128 is more than the 20 samples"),
        ({"model_args": {"wide": 1}}, "`reduced` is no recipe: unknown argument of model 'mlp': "),
        ({"model_args": 4}, "`reduced` is no recipe: model_args must name arguments of 'mlp'"),
        (["epochs"], "reduced must name fields, such as {'epochs': 10}, not ['epochs']"),
        (None, "reduced must name fields, such as {'epochs': 10}, not None"),
    ],
)
def test_a_reduced_scale_that_is_none(reduced: Any, line: str) -> None:
    assert refused(reduced=reduced).startswith(line)
