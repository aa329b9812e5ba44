"""Experiment A: cross-entropy against mean squared error.

The report trains one network on each loss and finds cross-entropy the more accurate and the
sooner to converge; MSE it finds steadier late in training, because its gradients have died.
"""

import pytest

from claims.losses_activations_optimizers.protocol import HW3, OUTPUT_A, experiment_a
from cvclaims import Judge, Runs, claim, measure

both_data_sets = pytest.mark.parametrize("dataset", ["digits", "fashion_mnist"])

LAST_TEN = -10


@claim(
    "5.04",
    "Cross-entropy is more accurate than MSE on Digits",
    source=OUTPUT_A,
    recipes=experiment_a("digits"),
    reported={"cross_entropy": 0.9833, "mse": 0.9694},
)
def test_cross_entropy_is_more_accurate_on_digits(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.cross_entropy.test_accuracy, runs.mse.test_accuracy)


@claim(
    "5.05",
    "Cross-entropy is more accurate than MSE on Fashion-MNIST",
    source=OUTPUT_A,
    recipes=experiment_a("fashion_mnist"),
    reported={"cross_entropy": 0.8904, "mse": 0.8868},
)
def test_cross_entropy_is_more_accurate_on_fashion_mnist(runs: Runs, verdict: Judge) -> None:
    verdict.greater(runs.cross_entropy.test_accuracy, runs.mse.test_accuracy)


@claim(
    "5.06",
    "Cross-entropy converges sooner than MSE",
    source=OUTPUT_A,
    recipes=experiment_a,
    reported=lambda dataset: {
        "digits": {"cross_entropy": 3, "mse": 3},
        "fashion_mnist": {"cross_entropy": 2, "mse": 2},
    }[dataset],
    disputed="its own table shows a tie: epochs 3 and 3, 2 and 2",
)
@both_data_sets
def test_cross_entropy_converges_sooner(runs: Runs, verdict: Judge, dataset: str) -> None:
    converged = measure.epochs_to_share_of_best("test_accuracy", 0.95)
    verdict.sooner(runs.cross_entropy.measure(converged), runs.mse.measure(converged))


@claim(
    "5.07",
    "MSE oscillates less than cross-entropy late in training",
    source=HW3.at("Common question 1, graph A"),
    recipes=experiment_a,
)
@both_data_sets
def test_mse_oscillates_less(runs: Runs, verdict: Judge, dataset: str) -> None:
    oscillation = measure.std_of("test_accuracy", LAST_TEN)
    verdict.greater(runs.cross_entropy.measure(oscillation), runs.mse.measure(oscillation))


@claim(
    "5.08",
    "Late in training MSE's gradients are near 0 beside cross-entropy's",
    source=HW3.at("Experiment A, question 3"),
    recipes=experiment_a,
)
@both_data_sets
def test_mse_gradients_die_late(runs: Runs, verdict: Judge, dataset: str) -> None:
    gradient = measure.mean_of("gradient_norm", LAST_TEN)
    verdict.ratio(runs.cross_entropy.measure(gradient), runs.mse.measure(gradient))


@claim(
    "5.09",
    "Without softmax MSE trains badly",
    source=HW3.at("Experiment A, question 4"),
    recipes=experiment_a,
)
@both_data_sets
def test_mse_needs_softmax(runs: Runs, verdict: Judge, dataset: str) -> None:
    verdict.greater(runs.mse.test_accuracy, runs.mse_without_softmax.test_accuracy)


STALLING = HW3.at("Common question 2, experiment A")


@claim(
    "5.38",
    "With MSE the training loss goes to almost 0: below a tenth of chance's 0.09",
    source=STALLING,
    recipes={"mse": experiment_a("fashion_mnist")["mse"]},
    case="training loss",
)
def test_mse_loss_goes_to_zero(runs: Runs, verdict: Judge) -> None:
    verdict.below(runs.mse.train_loss, 0.009)


@claim(
    "5.38",
    "… while its test accuracy stays at 89 %, over the last ten epochs",
    source=STALLING,
    recipes={"mse": experiment_a("fashion_mnist")["mse"]},
    reported={"mse": 0.89},
    case="test accuracy",
)
def test_mse_accuracy_stays(runs: Runs, verdict: Judge) -> None:
    verdict.level(runs.mse.measure(measure.mean_of("test_accuracy", LAST_TEN)), 0.89, 0.01)
