"""How deep VGG may be: VGG16 beats VGG11, and it trains even without batch norm.

The report trains VGG16 alone. That deeper is better in general it takes from VGG's paper.
"""

import pytest

from claims.alexnet_vgg_review.protocol import ALEXNET_VGG, vgg
from cvclaims import Judge, Runs, claim

pytestmark = pytest.mark.gpu


@claim(
    "1.19",
    "Deeper is better in general: VGG16 beats VGG11, both with batch norm",
    source=ALEXNET_VGG.at("Questions on VGGNet: much deeper than AlexNet"),
    recipes={"vgg16": vgg(16, batch_norm=True), "vgg11": vgg(11, batch_norm=True)},
    reported={"vgg16": 0.9082},
)
def test_deeper_is_better(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.vgg16.test_accuracy, runs.vgg11.test_accuracy)


@claim(
    "1.20",
    "A deep network trains well even without batch norm: plain VGG16 is above 80 % (the limit is "
    "ours)",
    source=ALEXNET_VGG.at("Bonus track, VGG16"),
    recipes={"plain": vgg(16)},
    reported={"plain": 0.855},
)
def test_vgg16_trains_without_batch_norm(runs: Runs, verdict: Judge) -> None:
    verdict.above(runs.plain.test_accuracy, 0.80)
