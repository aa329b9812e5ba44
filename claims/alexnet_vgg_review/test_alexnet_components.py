"""What AlexNet's parts bring: ReLU, LRN, overlapping pooling and dropout; and LRN in VGG.

The report repeats what the two papers found on ImageNet. Here AlexNet in a form for 32×32 images
learns CIFAR-10, each part against the same network without it. Ours: each network's rate is the
same, where AlexNet's paper chose one for each activation; VGG is VGG11, the paper's network A,
which is the one that it tried LRN on.
"""

import pytest

from claims.alexnet_vgg_review.protocol import ALEXNET_VGG, alexnet, four_layers, vgg
from cvclaims import Judge, Runs, claim, measure

pytestmark = pytest.mark.gpu

ALEXNET = ALEXNET_VGG.at("Introduction of the papers, AlexNet")
VGGNET = ALEXNET_VGG.at("Introduction of the papers, VGGNet")
PURPOSE_OF_LRN = ALEXNET_VGG.at("Questions on AlexNet: LRN together with ReLU")


@claim(
    "1.12",
    "ReLU trains faster than tanh and sigmoid: epochs to 75 % training accuracy, four convolutions",
    source=ALEXNET,
    recipes=lambda rival: {"relu": four_layers("relu"), rival: four_layers(rival)},
)
@pytest.mark.parametrize("rival", ["tanh", "sigmoid"])
def test_relu_trains_faster(runs: Runs, verdict: Judge, rival: str) -> None:
    trained = measure.epochs_to("train_accuracy", 0.75)
    verdict.sooner(runs.relu.measure(trained), runs[rival].measure(trained))


@claim(
    "1.14",
    "LRN with ReLU improves generalisation a little (AlexNet)",
    source=PURPOSE_OF_LRN,
    recipes={"lrn": alexnet(lrn=True), "without": alexnet()},
)
def test_lrn_improves_alexnet(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.lrn.test_accuracy, runs.without.test_accuracy)


@claim(
    "1.15",
    "LRN brings VGG nothing: VGG11 without it is no worse than with it after the first convolution",
    source=VGGNET,
    recipes={"without": vgg(11), "lrn": vgg(11, lrn=True)},
)
def test_vgg_needs_no_lrn(runs: Runs, verdict: Judge) -> None:
    verdict.not_worse(runs.without.test_accuracy, runs.lrn.test_accuracy, delta=0.01)


@claim(
    "1.16",
    "Overlapping pooling, 3×3 with stride 2, generalises better than 2×2 with stride 2 (AlexNet)",
    source=ALEXNET,
    recipes={"overlapping": alexnet(), "plain": alexnet(pool="plain")},
)
def test_overlapping_pooling_generalises_better(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.overlapping.test_accuracy, runs.plain.test_accuracy)


@claim(
    "1.17",
    "Dropout in the fully connected layers curbs overfitting (AlexNet: training accuracy, in "
    "evaluation mode on the images as they are, − test accuracy)",
    source=ALEXNET,
    recipes={"without": alexnet(dropout=0.0), "dropout": alexnet()},
)
def test_dropout_curbs_overfitting(runs: Runs, verdict: Judge) -> None:
    verdict.greater(
        runs.without.measure(measure.evaluated_gap), runs.dropout.measure(measure.evaluated_gap)
    )


@claim(
    "1.32",
    "LRN reduces overfitting (AlexNet: training accuracy, in evaluation mode on the images as they "
    "are, − test accuracy)",
    source=PURPOSE_OF_LRN,
    recipes={"without": alexnet(), "lrn": alexnet(lrn=True)},
)
def test_lrn_curbs_overfitting(runs: Runs, verdict: Judge) -> None:
    verdict.greater(
        runs.without.measure(measure.evaluated_gap), runs.lrn.measure(measure.evaluated_gap)
    )


@claim(
    "1.31",
    "LeakyReLU, PReLU, ELU and SELU improve the final accuracy on ReLU's (four convolutions)",
    source=ALEXNET_VGG.at("AlexNet: non-saturating neurons"),
    recipes=lambda rival: {rival: four_layers(rival), "relu": four_layers("relu")},
)
@pytest.mark.parametrize("rival", ["leaky_relu", "prelu", "elu", "selu"])
def test_successors_are_more_accurate(runs: Runs, verdict: Judge, rival: str) -> None:
    verdict.greater(runs[rival].test_accuracy, runs.relu.test_accuracy)


@claim(
    "1.35",
    "At the same input region, stacked 3×3 convolutions learn better than one large filter (two "
    "3×3 for each 5×5, four convolutions)",
    source=ALEXNET_VGG.at("VGGNet: why 3×3 filters alone"),
    recipes={"stacked": four_layers("relu", stacked=True), "large": four_layers("relu")},
)
def test_stacked_filters_learn_better(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.stacked.test_accuracy, runs.large.test_accuracy)
