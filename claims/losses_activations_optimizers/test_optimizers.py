"""Experiment C: SGD, SGD with momentum, and Adam, at rates 0.1, 0.01 and 0.001.

The report finds that momentum gains 3 points over SGD, that Adam starts fastest and is steadiest,
that Adam fails at 0.1, and that 0.001 is too slow for SGD. In one place it has Adam converge
first, in another SGD: both stand here as claims.
"""

import pytest

from claims.losses_activations_optimizers.protocol import (
    HW3,
    SCHEDULES,
    adam_with_and_without_decay,
    case,
    experiment_c,
    optimizers_at,
    optimizers_at_best,
)
from cvclaims import Judge, Runs, claim, measure

TABLE_C = HW3.at("Quantitative analysis, experiment C")
EXPERIMENT_C = HW3.at("Experiment C")

both_data_sets = pytest.mark.parametrize("dataset", ["digits", "fashion_mnist"])
both_schedules = pytest.mark.parametrize("schedule", SCHEDULES)


def case_of_data(dataset: str, schedule: str) -> str:
    """The data set, and the schedule where it is the text's."""
    return case(dataset, schedule)


# data set, optimiser, rate, final accuracy, and how far a run may lie from it
PUBLISHED = [
    ("fashion_mnist", "sgd", 0.1, 0.89, 0.02),
    ("fashion_mnist", "momentum", 0.1, 0.88, 0.02),
    ("fashion_mnist", "adam", 0.1, 0.10, 0.02),
    ("fashion_mnist", "sgd", 0.01, 0.86, 0.02),
    ("fashion_mnist", "momentum", 0.01, 0.89, 0.02),
    ("fashion_mnist", "adam", 0.01, 0.87, 0.02),
    ("fashion_mnist", "adam", 0.001, 0.89, 0.02),
    ("digits", "sgd", 0.1, 0.97, 0.02),
    ("digits", "adam", 0.1, 0.66, 0.10),
    ("digits", "sgd", 0.01, 0.84, 0.02),
    ("digits", "momentum", 0.01, 0.98, 0.02),
    ("digits", "momentum", 0.001, 0.81, 0.02),
]


@claim(
    "5.18",
    "The published final accuracy",
    source=TABLE_C,
    recipes=lambda dataset, optimizer, lr: {optimizer: experiment_c(dataset, optimizer, lr)},
    reported=lambda optimizer, accuracy: {optimizer: accuracy},
)
@pytest.mark.parametrize(
    ("dataset", "optimizer", "lr", "accuracy", "within"),
    PUBLISHED,
    ids=[f"{dataset}, {optimizer} {lr}" for dataset, optimizer, lr, *_ in PUBLISHED],
)
def test_published_accuracy(
    runs: Runs,
    verdict: Judge,
    dataset: str,
    optimizer: str,
    lr: float,
    accuracy: float,
    within: float,
) -> None:
    verdict.level(runs[optimizer].test_accuracy, accuracy, within)


@claim(
    "5.19",
    "Momentum gains over plain SGD at rate 0.01 (about 3 points)",
    source=EXPERIMENT_C,
    recipes=lambda dataset, schedule: optimizers_at(dataset, 0.01, schedule),
    reported=lambda dataset: {
        "fashion_mnist": {"momentum": 0.89, "sgd": 0.86},
        "digits": {"momentum": 0.98, "sgd": 0.84},
    }[dataset],
    case=case_of_data,
)
@both_data_sets
@both_schedules
def test_momentum_gains(runs: Runs, verdict: Judge, dataset: str, schedule: str) -> None:
    verdict.greater(runs.momentum.test_accuracy, runs.sgd.test_accuracy)


@claim(
    "5.20",
    "Adam at rate 0.1 fails: chance level on Fashion-MNIST",
    source=TABLE_C,
    recipes={"adam": experiment_c("fashion_mnist", "adam", 0.1)},
    reported={"adam": 0.10},
    about_failing=True,
)
def test_adam_fails_at_a_large_rate(runs: Runs, verdict: Judge) -> None:
    verdict.below(runs.adam.test_accuracy, 0.5)


@claim(
    "5.21",
    "Too small a rate is too slow: SGD at 0.001 lags SGD at 0.1",
    source=HW3.at("Experiment C, question 2"),
    recipes=lambda dataset: {
        "rate_0_1": experiment_c(dataset, "sgd", 0.1),
        "rate_0_001": experiment_c(dataset, "sgd", 0.001),
    },
)
@both_data_sets
def test_a_small_rate_is_slow(runs: Runs, verdict: Judge, dataset: str) -> None:
    verdict.greater(runs.rate_0_1.test_accuracy, runs.rate_0_001.test_accuracy, margin=0.1)


@claim(
    "5.22",
    "Adam converges fastest at the start: lowest training loss over epochs 1 to 3",
    source=HW3.at("Experiment C, question 3"),
    recipes=optimizers_at_best,
    case=lambda rival, dataset, schedule: case(f"{rival}-{dataset}", schedule),
)
@both_data_sets
@pytest.mark.parametrize("rival", ["sgd", "momentum"])
@both_schedules
def test_adam_starts_fastest(
    runs: Runs, verdict: Judge, dataset: str, rival: str, schedule: str
) -> None:
    early_loss = measure.mean_of("train_loss", 1, 3)
    verdict.greater(runs[rival].measure(early_loss), runs.adam.measure(early_loss))


@claim(
    "5.23",
    "SGD converges first (the report elsewhere; contradicts 5.22)",
    source=HW3.at("Common question 1, graph C"),
    recipes=lambda dataset: optimizers_at_best(dataset),
)
@both_data_sets
@pytest.mark.parametrize("rival", ["momentum", "adam"])
def test_sgd_converges_first(runs: Runs, verdict: Judge, dataset: str, rival: str) -> None:
    converged = measure.epochs_to_share_of_best("test_accuracy", 0.95)
    verdict.sooner(runs.sgd.measure(converged), runs[rival].measure(converged))


@claim(
    "5.24",
    "Final training loss: Adam below SGD with momentum below SGD",
    source=HW3.at("Experiment C, question 1"),
    recipes=lambda schedule: optimizers_at("fashion_mnist", 0.01, schedule),
    reported={"sgd": 0.45, "momentum": 0.25, "adam": 0.09},
    case=lambda schedule: case("", schedule),
)
@both_schedules
def test_final_training_loss(runs: Runs, verdict: Judge, schedule: str) -> None:
    verdict.order(runs.sgd.train_loss, runs.momentum.train_loss, runs.adam.train_loss)


@claim(
    "5.25",
    "Exponential decay steadies Adam: less late oscillation than with a constant rate",
    source=HW3.at("Experiment C, question 4"),
    recipes=adam_with_and_without_decay,
    case=lambda dataset: f"{dataset}, oscillation",
)
@both_data_sets
def test_decay_steadies_adam(runs: Runs, verdict: Judge, dataset: str) -> None:
    oscillation = measure.std_of("test_accuracy", -10)
    verdict.greater(runs.constant.measure(oscillation), runs.decaying.measure(oscillation))


@claim(
    "5.25",
    "Exponential decay costs Adam no accuracy",
    source=HW3.at("Experiment C, question 4"),
    recipes=adam_with_and_without_decay,
    case=lambda dataset: f"{dataset}, accuracy",
)
@both_data_sets
def test_decay_costs_no_accuracy(runs: Runs, verdict: Judge, dataset: str) -> None:
    verdict.not_worse(runs.decaying.test_accuracy, runs.constant.test_accuracy, delta=0.005)


@claim(
    "5.26",
    "Gradient norms vary least with Adam, then SGD with momentum, then SGD",
    source=HW3.at("Experiment C, conclusion"),
    recipes=lambda dataset, schedule: optimizers_at(dataset, 0.01, schedule),
    case=case_of_data,
)
@both_data_sets
@both_schedules
def test_gradient_stability(runs: Runs, verdict: Judge, dataset: str, schedule: str) -> None:
    variation = measure.variation_of("gradient_norm")
    verdict.order(*(runs[name].measure(variation) for name in ("sgd", "momentum", "adam")))
