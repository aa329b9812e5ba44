"""What VGG16 with batch norm recognises: vehicles better than animals, cats worst of all.

The report lists seven of the ten classes: car 96.6 %, truck 94.5 %, ship 94.4 %, plane 93.2 %, and
the lowest, cat 80.4 %, dog 87.5 %, bird 88.1 %.
"""

import pytest

from claims.alexnet_vgg_review.protocol import ALEXNET_VGG, vgg
from cvclaims.claim import claim
from cvclaims.records.measure import class_accuracy, is_lowest_class
from cvclaims.verdict.judge import Judge, Runs

pytestmark = pytest.mark.gpu

CLASSES = ALEXNET_VGG.at("Bonus track, VGG16 with batch norm, accuracy by class")
WITH_BATCH_NORM = {"batch_norm": vgg(16, batch_norm=True)}

VEHICLES = ("airplane", "automobile", "ship", "truck")
ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")


@claim(
    "1.28",
    "Vehicles are recognised better than animals (mean accuracy of four and of six classes)",
    source=CLASSES,
    recipes=WITH_BATCH_NORM,
    # Its four vehicles; of deer, frog and horse it says nothing.
    reported={"vehicles": 0.947},
)
def test_vehicles_are_recognised_better(runs: Runs, verdict: Judge) -> None:
    vehicles = runs.batch_norm.measure(class_accuracy(*VEHICLES), "vehicles")
    animals = runs.batch_norm.measure(class_accuracy(*ANIMALS), "animals")
    verdict.greater(vehicles, animals)


@claim(
    "1.28",
    "Cat is the hardest class (1: in that seed it is the lowest of all ten)",
    source=CLASSES,
    recipes=WITH_BATCH_NORM,
    case="cat",
)
def test_cat_is_the_hardest_class(runs: Runs, verdict: Judge) -> None:
    verdict.exact(runs.batch_norm.measure(is_lowest_class("cat"), "cat is lowest"), 1)
