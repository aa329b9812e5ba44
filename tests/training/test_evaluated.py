"""Accuracy on the training images as they are, and seeds of a recipe's own."""

import pytest
import torch

from cvclaims.data.dataset import Dataset
from cvclaims.data.load import load
from cvclaims.models import build_for
from cvclaims.recipe import Recipe
from cvclaims.training.loop import Trained, stackable, train
from cvclaims.training.session import Session

CPU = torch.device("cpu")
NAME = "evaluated_train_accuracy"
MOONS = Recipe(
    data="moons",
    train_size=100,
    model_args={"hidden": (16,)},
    optimizer="adam",
    lr=0.02,
    epochs=5,
    batch_size=20,
    probes=(NAME,),
)
# Dropout and augmentation make what is seen in training another thing.
IMAGES = Recipe(
    data="cifar10",
    train_size=60,
    test_size=30,
    augment=("crop", "flip", "cutout"),
    model="alexnet",
    model_args={"dropout": 0.9, "width": 1 / 8},
    lr=0.01,
    epochs=2,
    batch_size=30,
    probes=(NAME,),
)


def data_for(recipe: Recipe) -> Dataset:
    return load(recipe.data, None, allow_stand_in=True)


def trained(recipe: Recipe, seed: int = 0) -> Trained:
    (result,) = train([(recipe, seed)], data_for(recipe), CPU)
    return result


def learned(result: Trained) -> dict[str, list[float]]:
    return {name: curve for name, curve in result.curves.items() if name != "seconds"}


@pytest.mark.parametrize("recipe", [MOONS, IMAGES], ids=["perceptron", "convolutions"])
def test_it_is_what_testing_on_the_training_images_gives(recipe: Recipe) -> None:
    data = data_for(recipe)
    session = Session([(recipe, 0)], data, CPU)
    with session.running():
        for epoch in range(recipe.epochs):
            session.optimizers.set_epoch(epoch)
            session.train_epoch()
        session.networks.eval()
        x, y = session.data.train_x, session.data.train_y
        inputs = session.batches.shaped(session.data.normalise(x), 1)
        right = session.networks(inputs)[0].argmax(1) == y
    assert trained(recipe).probes[NAME] == pytest.approx(right.float().mean().item())


@pytest.mark.parametrize("recipe", [MOONS, IMAGES], ids=["perceptron", "convolutions"])
def test_to_look_changes_nothing(recipe: Recipe) -> None:
    plain = trained(recipe.but(probes=()))
    assert NAME not in plain.probes
    assert learned(plain) == learned(trained(recipe))


def test_each_network_of_a_stack_has_its_own() -> None:
    pairs = [(MOONS, 0), (MOONS.but(lr=1e-6), 0)]
    results = train(pairs, data_for(MOONS), CPU)
    alone = [trained(*pair).probes[NAME] for pair in pairs]
    assert [result.probes[NAME] for result in results] == pytest.approx(alone, abs=0.011)
    assert alone[0] > alone[1] + 0.1


def test_early_stopping_goes_back_before_it_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    look = Session.evaluated_train_accuracy

    def watched(session: Session) -> torch.Tensor:
        seen.append(torch.cat([p.detach().flatten() for p in session.networks.parameters()]))
        return look(session)

    monkeypatch.setattr(Session, "evaluated_train_accuracy", watched)
    stopping = MOONS.but(lr=0.2, epochs=60, patience=3)
    losses = trained(stopping).curves["test_loss"]
    kept = losses.index(min(losses)) + 1
    assert kept == len(losses) - 3
    for epochs in (kept, kept + 3):
        trained(stopping.but(patience=None, epochs=epochs))
    went_back, there, beyond = seen
    assert torch.equal(went_back, there)
    assert not torch.equal(went_back, beyond)


class TestOwnSeeds:
    def test_two_recipes_of_one_seed_start_alike_without_and_apart_with_them(self) -> None:
        for own in (False, True):
            recipes = [MOONS.but(own_seeds=own, batch_size=size) for size in (10, 20)]
            first, second = (
                torch.cat([p.flatten() for p in build_for(recipe, 3).parameters()])
                for recipe in recipes
            )
            assert torch.equal(first, second) is not own
        assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1].item()) < 0.5

    def test_they_see_the_samples_in_an_order_of_their_own(self) -> None:
        orders = []
        for rate in (0.1, 0.2):
            session = Session([(MOONS.but(own_seeds=True, lr=rate), 3)], data_for(MOONS), CPU)
            session.batches.shuffle()
            orders.append(session.batches.order)
        assert not torch.equal(*orders)

    def test_a_run_repeats_and_another_seed_is_another(self) -> None:
        own = IMAGES.but(own_seeds=True)
        assert learned(trained(own, 1)) == learned(trained(own, 1))
        assert learned(trained(own, 1)) != learned(trained(own, 2))
        assert learned(trained(own, 1)) != learned(trained(IMAGES, 1))

    def test_in_a_stack_too(self) -> None:
        own = MOONS.but(own_seeds=True)
        pairs = [(own, 0), (own.but(lr=0.05), 0)]
        assert len({stackable(recipe) for recipe, _ in pairs}) == 1
        both = train(pairs, data_for(MOONS), CPU)
        for result, pair in zip(both, pairs, strict=True):
            alone = trained(*pair)
            assert result.curves["train_loss"] == pytest.approx(
                alone.curves["train_loss"], rel=1e-3
            )
