"""Section 3.3: what ResNet-50 gains in training when its last batch norms start at γ = 0.

The report finds it faster and steadier at first, with a higher best, and no better in the end.
That a block then starts as its shortcut, which the report gives as the reason, is the claim in
test_zero_gamma.py.
"""

import pytest

from claims.resnet_mini_cifar.protocol import (
    MINI_CIFAR,
    trained_longer,
    with_and_without_zero_gamma,
)
from cvclaims import Judge, Runs, claim, measure

pytestmark = pytest.mark.gpu

ZERO_GAMMA = MINI_CIFAR.at("3.3, figure 6")
BOTH = with_and_without_zero_gamma()
LAST = {"zero_gamma": 0.9013, "default": 0.9033}


@claim(
    "4.08",
    "With γ = 0 ResNet-50 starts faster: mean test accuracy over epochs 1 to 5",
    source=ZERO_GAMMA,
    recipes=BOTH,
    reported={"zero_gamma": 0.8216, "default": 0.7679},
)
def test_zero_gamma_starts_faster(runs: Runs, verdict: Judge) -> None:
    early = measure.mean_of("test_accuracy", 1, 5)
    verdict.greater(runs.zero_gamma.measure(early), runs.default.measure(early))


@claim(
    "4.08",
    "With γ = 0 ResNet-50 starts steadier: standard deviation over epochs 1 to 5",
    source=ZERO_GAMMA,
    recipes=BOTH,
    case="spread",
)
def test_zero_gamma_starts_steadier(runs: Runs, verdict: Judge) -> None:
    spread = measure.std_of("test_accuracy", 1, 5)
    verdict.greater(runs.default.measure(spread), runs.zero_gamma.measure(spread))


@claim(
    "4.09",
    "With γ = 0 the training loss is lower from the first epoch (mean of epoch 1)",
    source=ZERO_GAMMA,
    recipes=BOTH,
)
def test_zero_gamma_starts_with_the_lower_loss(runs: Runs, verdict: Judge) -> None:
    loss = measure.first("train_loss")
    verdict.greater(runs.default.measure(loss), runs.zero_gamma.measure(loss))


@claim(
    "4.10",
    "With γ = 0 ResNet-50 reaches a higher best",
    source=ZERO_GAMMA,
    recipes=BOTH,
    reported={"zero_gamma": 0.9140, "default": 0.9033},
    case="best",
)
def test_zero_gamma_has_the_higher_best(runs: Runs, verdict: Judge) -> None:
    peak = measure.best("test_accuracy")
    verdict.greater(runs.zero_gamma.measure(peak), runs.default.measure(peak))


@claim(
    "4.10",
    "With γ = 0 ResNet-50 ends no better (within a point)",
    source=ZERO_GAMMA,
    recipes=BOTH,
    reported=LAST,
    case="last, no better",
)
def test_zero_gamma_ends_no_better(runs: Runs, verdict: Judge) -> None:
    verdict.not_worse(runs.default.test_accuracy, runs.zero_gamma.test_accuracy, delta=0.01)


@claim(
    "4.10",
    "With γ = 0 ResNet-50 ends no worse (within a point)",
    source=ZERO_GAMMA,
    recipes=BOTH,
    reported=LAST,
    case="last, no worse",
)
def test_zero_gamma_ends_no_worse(runs: Runs, verdict: Judge) -> None:
    verdict.not_worse(runs.zero_gamma.test_accuracy, runs.default.test_accuracy, delta=0.01)


@claim(
    "4.16",
    "With γ = 0 the training loss is lower throughout (mean over all epochs)",
    source=ZERO_GAMMA,
    recipes=BOTH,
)
def test_zero_gamma_keeps_the_lower_loss(runs: Runs, verdict: Judge) -> None:
    loss = measure.mean_of("train_loss", 1)
    verdict.greater(runs.default.measure(loss), runs.zero_gamma.measure(loss))


@claim(
    "4.17",
    "A longer training with warm-up and cosine would help γ = 0 at the end: its gain after 45 "
    "epochs is larger than after 15",
    source=MINI_CIFAR.at("3.3, interpretation: a prediction"),
    recipes={**BOTH, **{f"{name}_longer": trained_longer(r) for name, r in BOTH.items()}},
)
def test_a_longer_training_helps_zero_gamma(runs: Runs, verdict: Judge) -> None:
    longer = runs.zero_gamma_longer.test_accuracy - runs.default_longer.test_accuracy
    verdict.greater(longer, runs.zero_gamma.test_accuracy - runs.default.test_accuracy)
