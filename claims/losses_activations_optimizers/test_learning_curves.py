"""What the report reads off the curves of experiment C: starts, stalls, failures and ends."""

import pytest

from claims.losses_activations_optimizers.protocol import (
    AS_TEXT,
    HW3,
    adam_with_and_without_decay,
    experiment_c,
    optimizers_at,
)
from cvclaims import Judge, Runs, claim, measure

GRAPH_C = HW3.at("Common question 1, graph C")
QUESTION_1 = HW3.at("Experiment C, question 1")
QUESTION_4 = HW3.at("Experiment C, question 4")

both_data_sets = pytest.mark.parametrize("dataset", ["digits", "fashion_mnist"])
ADAM = {"adam": experiment_c("fashion_mnist", "adam", 0.01)}


@claim(
    "5.27",
    "Adam oscillates most at the start: unsteadiness of the training loss over epochs 1 to 12",
    source=GRAPH_C,
    recipes=lambda dataset: optimizers_at(dataset, 0.01),
)
@both_data_sets
@pytest.mark.parametrize("rival", ["sgd", "momentum"])
def test_adam_oscillates_most(runs: Runs, verdict: Judge, dataset: str, rival: str) -> None:
    oscillation = measure.jitter_of("train_loss", 1, 12)
    verdict.greater(runs.adam.measure(oscillation), runs[rival].measure(oscillation))


@claim(
    "5.28",
    "SGD stalls on Fashion-MNIST: over epochs 20 to 100 its loss falls less than momentum's",
    source=GRAPH_C,
    recipes={
        name: experiment_c("fashion_mnist", name, 0.01, AS_TEXT) for name in ("sgd", "momentum")
    },
)
def test_sgd_stalls(runs: Runs, verdict: Judge) -> None:
    fall = measure.drop("train_loss", 20, 100)
    verdict.greater(runs.momentum.measure(fall), runs.sgd.measure(fall))


@claim(
    "5.29",
    "At rate 0.001 the loss diverges and accuracy stands still",
    source=HW3.at("Common question 2, experiment C"),
    recipes=lambda dataset, optimizer: {optimizer: experiment_c(dataset, optimizer, 0.001)},
    disputed=lambda accuracy: f"its own table has {accuracy} at this rate",
    case=lambda dataset, optimizer: f"{dataset}, {optimizer}",
)
@pytest.mark.parametrize(
    ("dataset", "optimizer", "accuracy"),
    [("fashion_mnist", "adam", 0.89), ("digits", "momentum", 0.81)],
)
def test_a_small_rate_diverges(
    runs: Runs, verdict: Judge, dataset: str, optimizer: str, accuracy: float
) -> None:
    verdict.exact(runs[optimizer].measure(measure.diverged, "diverged"), 1)


@claim(
    "5.33",
    "Adam reaches 88 % test accuracy on Fashion-MNIST (its table has 87 %)",
    source=QUESTION_1,
    recipes=ADAM,
    reported={"adam": 0.88},
)
def test_adam_reaches_88_percent(runs: Runs, verdict: Judge) -> None:
    verdict.level(runs.adam.test_accuracy, 0.88, 0.02)


@claim(
    "5.34",
    "Over the first 20 epochs Adam's loss falls from 0.7 to 0.2, its gradient norm from 1 to 0.1",
    source=HW3.at("Experiment C, questions 3 and 5"),
    recipes=ADAM,
    reported=lambda value: {"adam": value},
    case=lambda name, epoch: f"{name.replace('_', ' ')}, epoch {epoch}",
)
@pytest.mark.parametrize(
    ("name", "epoch", "value"),
    [
        ("train_loss", 1, 0.7),
        ("train_loss", 20, 0.2),
        ("gradient_norm", 1, 1.0),
        ("gradient_norm", 20, 0.1),
    ],
)
def test_adam_early(runs: Runs, verdict: Judge, name: str, epoch: int, value: float) -> None:
    verdict.level(runs.adam.measure(measure.at_epoch(name, epoch)), value, 0.3 * value)


@claim(
    "5.35",
    "Decay keeps Adam from overfitting: a smaller gap between training and test accuracy",
    source=QUESTION_4,
    recipes=adam_with_and_without_decay,
    case=lambda dataset: f"{dataset}, gap",
)
@both_data_sets
def test_decay_keeps_from_overfitting(runs: Runs, verdict: Judge, dataset: str) -> None:
    verdict.greater(
        runs.constant.measure(measure.train_test_gap), runs.decaying.measure(measure.train_test_gap)
    )


@claim(
    "5.35",
    "Adam's training loss is the smoothest of the three",
    source=QUESTION_4,
    recipes=lambda dataset: optimizers_at(dataset, 0.01),
    case=lambda dataset: f"{dataset}, smoothness",
)
@both_data_sets
def test_adam_is_the_smoothest(runs: Runs, verdict: Judge, dataset: str) -> None:
    roughness = measure.step_std_of("train_loss")
    verdict.least(*(runs[name].measure(roughness) for name in ("adam", "sgd", "momentum")))


@claim(
    "5.39",
    "With Adam at 0.1 the loss goes to infinity",
    source=HW3.at("Common question 4"),
    recipes={"adam": experiment_c("fashion_mnist", "adam", 0.1)},
    about_failing=True,
)
def test_adam_diverges(runs: Runs, verdict: Judge) -> None:
    verdict.exact(runs.adam.measure(measure.diverged, "diverged"), 1)
