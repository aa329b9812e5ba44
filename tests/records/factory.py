"""Recipes and records as a session would make them, without training anything."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from cvclaims.catalogue import INITS, LOSSES, OPTIMIZERS, PROBES, SCALES, SCHEDULERS
from cvclaims.recipe import Recipe
from cvclaims.records import Origin, Record
from cvclaims.records.record import by_class
from cvclaims.specs import ACTIVATIONS, DATASETS

RECIPE = Recipe(data="digits", lr=0.1, epochs=3)
# A network of convolutions has fields that perceptrons do not.
CONVOLUTIONAL = Recipe(
    data="cifar10", model="vgg", lr=0.1, scheduler="step", step_size=20, gamma=0.1, epochs=50
)

# Rates from 1e-9 to 100; whole numbers among them.
rates = st.floats(1e-9, 100) | st.integers(1, 100)


@st.composite
def recipes(draw: st.DrawFn, most_epochs: int = 1000) -> Recipe:
    """Any recipe that can be trained."""
    data = draw(st.sampled_from(sorted(DATASETS)))
    facts = DATASETS[data]
    train_size = draw(st.none() | st.integers(1, facts.train))
    optimizer = draw(st.sampled_from(OPTIMIZERS))
    probes = [name for name in PROBES if name != "boundary" or facts.shape == (2,)]
    args = {
        "hidden": st.lists(st.integers(1, 512), max_size=4).map(tuple),
        "activation": st.sampled_from(ACTIVATIONS),
        "negative_slope": st.floats(0, 1),
    }
    model_args = draw(st.fixed_dictionaries({}, optional=args))
    scheduler = draw(st.none() | st.sampled_from(SCHEDULERS))
    if model_args.get("hidden") == ():  # then there are no units to look at
        probes.remove("units")
    return Recipe(
        data=data,
        train_size=train_size,
        test_size=draw(st.none() | st.integers(1, facts.test)),
        model_args=model_args,
        init=draw(st.sampled_from([i for i in INITS if i != "torchvision"])),
        init_std=draw(rates),
        loss=draw(st.sampled_from(LOSSES)),
        optimizer=optimizer,
        lr=draw(rates),
        momentum=draw(st.floats(0, 1, exclude_max=True)) if optimizer == "sgd" else 0,
        weight_decay=draw(st.just(0) | rates),
        scheduler=scheduler,
        gamma=draw(rates),
        step_size=draw(st.integers(1, most_epochs)) if scheduler == "step" else None,
        epochs=(epochs := draw(st.integers(1, most_epochs))),
        warmup=draw(st.integers(0, epochs - 1)),
        own_seeds=draw(st.booleans()),
        batch_size=draw(st.none() | st.integers(1, train_size or facts.train)),
        probes=tuple(p for p in probes if draw(st.booleans())),
    )


def origin(**changes: Any) -> Origin:
    """Where a record came from, with some fields changed."""
    fields: dict[str, Any] = {
        "commit": "0123abc",
        "cvclaims": "0.1.0",
        "torch": "2.11.0",
        "python": "3.11.0",
        "device": "CPU, some processor, 2 cores",
        "host": "Linux x86_64",
        "threads": 1,
        "stacked": 1,
        "data": "Digits (scikit-learn)",
        "fingerprint": "f" * 64,
        "stand_in": False,
    }
    return Origin(**fields | changes)


def record(
    recipe: Recipe = RECIPE,
    seed: int = 0,
    *,
    accuracy: Sequence[float] | float = 0.5,
    loss: Sequence[float] | float = 0.25,
    **changes: Any,
) -> Record:
    """A finished run; `accuracy` and `loss`, of training and test alike, are one value for all
    epochs or one an epoch."""
    losses, accuracies = (
        [float(value)] * recipe.epochs if isinstance(value, int | float) else list(value)
        for value in (loss, accuracy)
    )
    fields: dict[str, Any] = {
        "trained": recipe,
        "seed": seed,
        "scale": "full",
        "status": "finished",
        "series": {
            "train_loss": losses,
            "train_accuracy": accuracies,
            "test_loss": losses,
            "test_accuracy": accuracies,
            "lr": [recipe.lr] * len(losses),
            "seconds": [0.5] * len(losses),
        },
        "numbers": numbers(recipe, **{n: changes.pop(n) for n in NUMBERS if n in changes}),
        "probes": {"gradient_norm": losses},
        "origin": origin(),
    }
    return Record(**fields | changes)


NUMBERS = ("class_accuracy", "parameters", "images_per_second")


def numbers(
    recipe: Recipe,
    class_accuracy: Sequence[float] | None = None,
    parameters: int = 1000,
    images_per_second: float = 12345.5,
) -> dict[str, float]:
    """A record's numbers by name."""
    if class_accuracy is None:
        class_accuracy = [0.5] * len(recipe.class_names)
    found = {"parameters": parameters, "images_per_second": images_per_second}
    return {**found, **by_class(recipe, class_accuracy)}


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Any record that training could give: finished, diverged, or of a run that crashed."""
    recipe = draw(recipes(most_epochs=8))
    status = draw(st.sampled_from(["finished", "diverged", "failed"]))
    epochs = {
        "finished": recipe.epochs,
        "diverged": draw(st.integers(1, recipe.epochs)),
        "failed": 0,
    }[status]
    number = st.floats(width=32)
    share = st.floats(0, 1, width=32)

    def curve(of: st.SearchStrategy[float]) -> list[float]:
        return draw(st.lists(of, min_size=epochs, max_size=epochs))

    classes = len(DATASETS[recipe.data].classes) if epochs else 0
    return Record(
        trained=recipe,
        seed=draw(st.integers(0, 2**40)),
        scale=draw(st.sampled_from(SCALES)),
        status=status,
        error="" if epochs else draw(st.text(min_size=1)),
        series={
            "train_loss": curve(number),
            "train_accuracy": curve(share),
            "test_loss": curve(number),
            "test_accuracy": curve(share),
            "lr": curve(number),
            "seconds": curve(number),
        },
        numbers=numbers(
            recipe,
            draw(st.lists(share | st.just(float("nan")), min_size=classes, max_size=classes)),
            draw(st.integers(0, 10**9)),
            draw(number),
        ),
        probes={"gradient_norm": curve(number), "dead": {"layer1": curve(share)}} if epochs else {},
        origin=origin(
            fingerprint=draw(st.text(max_size=5)),
            stand_in=draw(st.booleans()),
            stacked=draw(st.integers(1, 9)),
            session=draw(st.text(max_size=3)),
            environment=draw(st.dictionaries(st.text(max_size=3), st.text(max_size=3))),
        ),
    )
