"""What a recipe may name: data sets, models, losses, optimisers, schedules, probes.

Plain facts, without torch, so that recipes can be checked while tests are collected. The rooms
that build these things (`cvclaims.data`, `cvclaims.models`, `cvclaims.training`) are tested to
offer exactly what stands here.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class DatasetFacts:
    """What is known of a data set before it is loaded.

    `light` means that a whole protocol on it takes seconds on one CPU core, so it is judged in
    full everywhere. `get` says how a person comes by it; empty where it needs no download.
    """

    title: str
    train: int
    test: int
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    light: bool = False
    get: str = ""


DATASETS: Mapping[str, DatasetFacts] = MappingProxyType(
    {
        "digits": DatasetFacts("Digits", 1437, 360, (64,), tuple("0123456789"), light=True),
        "moons": DatasetFacts("Moons", 700, 300, (2,), ("upper", "lower"), light=True),
        "circles": DatasetFacts("Circles", 700, 300, (2,), ("outer", "inner"), light=True),
        "fashion_mnist": DatasetFacts(
            "Fashion-MNIST",
            60_000,
            10_000,
            (1, 28, 28),
            (
                *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
                *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
            ),
            get="python -m cvclaims.data fashion_mnist",
        ),
    }
)

# Every argument a model takes beyond the data's shape and classes, with its default.
MODELS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"mlp": {"hidden": (256, 128), "activation": "relu", "negative_slope": 0.01}}
)

ACTIVATIONS = ("relu", "leaky_relu", "sigmoid")
INITS = ("default", "normal")
LOSSES = ("cross_entropy", "softmax_mse", "mse")
OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULERS = ("exponential",)
PROBES = ("units", "boundary")
SCALES = ("smoke", "reduced", "full")


def known(what: str, name: object, names: Iterable[str]) -> str:
    """Return `name` if it is one of `names`; else raise ValueError with the nearest spelling."""
    names = tuple(names)
    if isinstance(name, str) and name in names:
        return name
    close = difflib.get_close_matches(str(name), names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ValueError(f"unknown {what} {name!r}: {hint}known are {', '.join(names)}")
