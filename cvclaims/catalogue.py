"""The words that a recipe's fields may hold: losses, optimisers, schedules, probes, scales.

The rooms that do these things (`cvclaims.data`, `cvclaims.training`) are tested to offer exactly
what stands here. Networks and data sets stand in `cvclaims.specs`.
"""

import difflib
from collections.abc import Iterable

INITS = ("default", "normal", "xavier_uniform", "kaiming_normal", "torchvision")
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
