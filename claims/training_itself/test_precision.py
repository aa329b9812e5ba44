"""Convolutional networks train in bfloat16 here, which none of the reports says it did.

bfloat16 keeps 8 bits of a number where float32 keeps 24. Parameters and updates stay in float32;
products and convolutions do not. If that cost accuracy, every comparison in this suite would be
one of networks so handicapped. Perceptrons train in float32; one is put to the same question, as
its whole protocol fits a processor.
"""

import math

import pytest

from claims.alexnet_vgg_review.protocol import vgg
from claims.losses_activations_optimizers.protocol import experiment_a
from claims.training_itself.protocol import TRAINING_ITSELF
from cvclaims import Judge, Recipe, Record, Runs, claim, measure

PRECISION = TRAINING_ITSELF.at("Precision")


def in_both(recipe: Recipe) -> dict[str, Recipe]:
    """A recipe in either precision."""
    return {name: recipe.but(precision=name) for name in ("bf16", "fp32")}


# As in report 1: the smallest of the networks with all its parts.
VGG11 = in_both(vgg(11, batch_norm=True))
# As in report 5, on cross-entropy: a whole run of it fits a processor.
PERCEPTRON = in_both(experiment_a("fashion_mnist")["cross_entropy"])


def accuracy(record: Record) -> float:
    """Not a number where the device has no bfloat16 and trained in float32 instead."""
    as_asked = record.origin.precision == record.recipe.precision
    return measure.final("test_accuracy")(record) if as_asked else math.nan


@pytest.mark.gpu
@claim(
    "6.01",
    "bfloat16 costs no accuracy: within half a point of float32, from below",
    source=PRECISION,
    recipes=VGG11,
    case="no worse",
)
def test_bf16_is_no_worse(runs: Runs, verdict: Judge) -> None:
    verdict.not_worse(runs.bf16.measure(accuracy), runs.fp32.measure(accuracy), delta=0.005)


@pytest.mark.gpu
@claim(
    "6.01",
    "bfloat16 costs no accuracy: within half a point of float32, from above",
    source=PRECISION,
    recipes=VGG11,
    case="no better",
)
def test_bf16_is_no_better(runs: Runs, verdict: Judge) -> None:
    verdict.not_worse(runs.fp32.measure(accuracy), runs.bf16.measure(accuracy), delta=0.005)


@claim(
    "6.02",
    "bfloat16 costs a perceptron on Fashion-MNIST no accuracy: within half a point, from below",
    source=PRECISION,
    recipes=PERCEPTRON,
    case="no worse",
)
def test_bf16_is_no_worse_for_a_perceptron(runs: Runs, verdict: Judge) -> None:
    verdict.not_worse(runs.bf16.measure(accuracy), runs.fp32.measure(accuracy), delta=0.005)


@claim(
    "6.02",
    "bfloat16 costs a perceptron on Fashion-MNIST no accuracy: within half a point, from above",
    source=PRECISION,
    recipes=PERCEPTRON,
    case="no better",
)
def test_bf16_is_no_better_for_a_perceptron(runs: Runs, verdict: Judge) -> None:
    verdict.not_worse(runs.fp32.measure(accuracy), runs.bf16.measure(accuracy), delta=0.005)
