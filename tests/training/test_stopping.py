"""Early stopping: when it stops, what it goes back to, and what it looks at."""

import math

import pytest
import torch

from cvclaims.data.dataset import Dataset
from cvclaims.data.load import load
from cvclaims.recipe import Recipe
from cvclaims.training.loop import Trained, train
from cvclaims.training.session import Session, data_of

CPU = torch.device("cpu")
# A rate at which the test loss falls, and rises again as the network overfits.
PLAIN = Recipe(
    data="moons",
    train_size=60,
    model_args={"hidden": (64, 64)},
    optimizer="adam",
    lr=0.02,
    epochs=60,
    batch_size=20,
)
STOPPING = PLAIN.but(patience=4)
HELD = PLAIN.but(patience=4, monitor="held_out_loss", held_out=20)


@pytest.fixture(scope="module")
def moons() -> Dataset:
    return load("moons", None)


def trained(recipe: Recipe, data: Dataset, seed: int = 0) -> Trained:
    (result,) = train([(recipe, seed)], data, CPU)
    return result


def test_it_stops_once_patience_runs_out(moons: Dataset) -> None:
    whole, stopped = (trained(recipe, moons).curves for recipe in (PLAIN, STOPPING))
    losses = whole["test_loss"]
    best = next(e for e in range(60) if min(losses[e + 1 : e + 5]) >= min(losses[: e + 1]))
    best = losses.index(min(losses[: best + 1]))
    assert len(stopped["test_loss"]) == best + 5 < 60
    for name in ("train_loss", "test_loss", "test_accuracy", "lr"):
        assert stopped[name] == whole[name][: best + 5]


def test_the_classes_are_those_of_the_epoch_it_went_back_to(moons: Dataset) -> None:
    result = trained(STOPPING, moons)
    best = result.curves["test_loss"].index(min(result.curves["test_loss"]))
    assert result.curves["test_accuracy"][best] != result.curves["test_accuracy"][-1]
    share = moons.test_y.bincount(minlength=2) / 300
    overall = sum(a * s for a, s in zip(result.class_accuracy, share.tolist(), strict=True))
    assert overall == pytest.approx(result.curves["test_accuracy"][best], abs=1e-6)


def test_patience_that_never_runs_out_trains_to_the_end(moons: Dataset) -> None:
    result = trained(PLAIN.but(patience=60), moons)
    assert len(result.curves["test_loss"]) == 60


def test_held_out_samples_are_not_trained_on_but_monitored(moons: Dataset) -> None:
    data = data_of(HELD, moons)
    assert (len(data.train_y), len(data.held_y if data.held_y is not None else ())) == (40, 20)
    result = trained(HELD, moons)
    held = result.probes["held_out_loss"]
    assert len(held) == len(result.curves["test_loss"]) == held.index(min(held)) + 5
    assert held != result.curves["test_loss"]


def test_the_held_out_loss_is_the_mean_over_the_held_out_samples(moons: Dataset) -> None:
    session = Session([(HELD, 0)], moons, CPU)
    session.test()
    x, y = session.data.held_x, session.data.held_y
    assert x is not None
    assert y is not None
    loss = torch.nn.functional.cross_entropy(session.networks(x[None])[0], y)
    assert session.monitored().tolist() == pytest.approx([loss.item()], rel=1e-5)


def test_a_loss_that_is_never_finite_ends_as_diverged(moons: Dataset) -> None:
    result = trained(STOPPING.but(optimizer="sgd", lr=1e30, loss="mse"), moons)
    assert result.status == "diverged"
    assert not math.isfinite(result.curves["train_loss"][-1])


def test_networks_that_stop_when_they_will_do_not_stack(moons: Dataset) -> None:
    with pytest.raises(ValueError, match="each stops when it will"):
        train([(STOPPING, 0), (STOPPING, 1)], moons, CPU)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"patience": 0}, "patience must be a whole number of 1 or more, not 0"),
        (
            {"patience": 3, "monitor": "accuracy"},
            "unknown monitored curve 'accuracy': known are test_loss, held_out_loss",
        ),
        ({"monitor": "held_out_loss"}, "monitor 'held_out_loss' does nothing without patience"),
        (
            {"patience": 3, "monitor": "held_out_loss"},
            "monitor 'held_out_loss' needs held_out samples, which serve it alone",
        ),
        (
            {"patience": 3, "held_out": 10},
            "monitor 'held_out_loss' needs held_out samples, which serve it alone",
        ),
        (
            {"patience": 3, "monitor": "held_out_loss", "held_out": 60},
            "held_out 60 leaves none of 60 training samples",
        ),
        (
            {"patience": 3, "monitor": "held_out_loss", "held_out": 45},
            "batch_size 20 is more than the 15 samples of 'moons'",
        ),
        ({"held_out": -1}, "held_out must be a whole number of 0 or more, not -1"),
        ({"batch_size": 61}, "batch_size 61 is more than the 60 samples of 'moons'"),
    ],
)
def test_what_cannot_stop_is_refused(changes: dict[str, object], line: str) -> None:
    with pytest.raises(ValueError) as caught:
        PLAIN.but(**changes)
    assert str(caught.value) == line
