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
    `test_counts` holds the test samples of each class, where these are not equally many.
    """

    title: str
    train: int
    test: int
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    light: bool = False
    get: str = ""
    test_counts: tuple[int, ...] = ()


DATASETS: Mapping[str, DatasetFacts] = MappingProxyType(
    {
        "digits": DatasetFacts(
            "Digits",
            1437,
            360,
            (64,),
            tuple("0123456789"),
            light=True,
            test_counts=(36, 36, 35, 37, 36, 37, 36, 36, 35, 36),
        ),
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
        "cifar10": DatasetFacts(
            "CIFAR-10",
            50_000,
            10_000,
            (3, 32, 32),
            (
                *("airplane", "automobile", "bird", "cat", "deer"),
                *("dog", "frog", "horse", "ship", "truck"),
            ),
            get="python -m cvclaims.data cifar10",
        ),
    }
)

# Every argument a model takes beyond the data's shape and classes, with its default.
MODELS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "mlp": {"hidden": (256, 128), "activation": "relu", "negative_slope": 0.01},
        "alexnet": {"lrn": False, "pool": "overlapping", "dropout": 0.5, "width": 1.0},
        "vgg": {
            "depth": 16,
            "kernel": 3,
            "batch_norm": False,
            "lrn": False,
            "head": "mlp",
            "dropout": 0.5,
            "width": 1.0,
        },
        "inception": {"modules": 9, "batch_norm": True, "dropout": 0.4, "width": 1.0},
        "small_inception": {"reductions": True, "width": 1.0},
        "resnet": {"depth": 18, "zero_gamma": False, "stage1_stride": 1, "width": 1.0},
        "conv4": {"activation": "relu", "stacked": False, "width": 1.0},
    }
)

# What a perceptron may have between its layers.
ACTIVATIONS = ("relu", "leaky_relu", "sigmoid")

# Where a model's argument has few values: all of them.
CHOICES: Mapping[str, Mapping[str, tuple[Any, ...]]] = MappingProxyType(
    {
        "mlp": {"activation": ACTIVATIONS},
        "alexnet": {"pool": ("overlapping", "plain")},
        "vgg": {"depth": (11, 13, 16, 19, 50), "kernel": (3, 7), "head": ("mlp", "linear")},
        "inception": {"modules": (9, 23)},
        "small_inception": {},
        "resnet": {"depth": (18, 50, 101), "stage1_stride": (1, 2)},
        "conv4": {"activation": ("relu", "leaky_relu", "prelu", "elu", "selu", "tanh", "sigmoid")},
    }
)

# Multiply-adds of one forward pass of one sample, in millions, at width 1: what tells long work
# from short before anything is built. By the model's depth, where it has one.
MEGAMACS: Mapping[str, Mapping[int | None, float]] = MappingProxyType(
    {
        "mlp": {None: 0.1},
        "alexnet": {None: 160},
        "vgg": {11: 172, 13: 248, 16: 333, 19: 418, 50: 1290},
        "inception": {9: 1530, 23: 3500},
        "small_inception": {None: 90},
        "resnet": {18: 556, 50: 1300, 101: 2520},
        "conv4": {None: 30},
    }
)

INITS = ("default", "normal", "xavier_uniform", "kaiming_normal", "torchvision")
# The models that torchvision draws in a way of its own; it leaves an AlexNet to torch's layers.
TORCHVISION = ("vgg", "resnet")
# The fields of a recipe that may keep a network from starting to learn at all: where one is assumed
# and runs never leave chance, that may be our doing (guard V1).
FRAGILE = ("init", "lr", "optimizer")
LOSSES = ("cross_entropy", "softmax_mse", "mse")
OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULERS = ("exponential", "step", "cosine")
MONITORS = ("test_loss", "held_out_loss")
PIXELS = ("standardised", "raw")
PRECISIONS = ("fp32", "tf32", "bf16")
# What may be done to a training image, each with a draw of its own; `cvclaims.data.augment` does
# it in this order.
AUGMENTATIONS = ("crop", "flip", "jitter", "rotation", "affine", "cutout")
PROBES = ("units", "boundary", "evaluated_train_accuracy")
SCALES = ("smoke", "reduced", "full")


def known(what: str, name: object, names: Iterable[str]) -> str:
    """Return `name` if it is one of `names`; else raise ValueError with the nearest spelling."""
    names = tuple(names)
    if isinstance(name, str) and name in names:
        return name
    close = difflib.get_close_matches(str(name), names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ValueError(f"unknown {what} {name!r}: {hint}known are {', '.join(names)}")
