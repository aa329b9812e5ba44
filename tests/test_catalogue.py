"""The catalogue promises names: here every room is asked for what it says."""

import inspect
from collections.abc import Sequence

import pytest
import torch
from torch import nn

from cvclaims.catalogue import (
    INITS,
    LOSSES,
    OPTIMIZERS,
    PROBES,
    SCALES,
    SCHEDULERS,
    known,
)
from cvclaims.data.load import load
from cvclaims.models import build
from cvclaims.models.init import initialise
from cvclaims.models.mlp import activation_of
from cvclaims.plugins import settings
from cvclaims.recipe import Recipe
from cvclaims.specs import ACTIVATIONS, DATASETS, MODELS, built
from cvclaims.training import losses
from cvclaims.training.loop import train
from cvclaims.training.optim import Optimizers, learning_rate

TINY = Recipe(
    data="moons",
    train_size=8,
    test_size=4,
    batch_size=4,
    model_args={"hidden": (4,)},
    lr=0.1,
    epochs=1,
)


class TestKnown:
    def test_a_known_name_is_given_back(self) -> None:
        assert known("loss", "mse", LOSSES) == "mse"
        assert known("model", "mlp", MODELS) == "mlp"

    def test_another_is_told_the_nearest_and_all(self) -> None:
        with pytest.raises(ValueError) as caught:
            known("colour", "blu", iter(["red", "green", "blue"]))
        assert str(caught.value) == (
            "unknown colour 'blu': did you mean 'blue'? known are red, green, blue"
        )

    def test_nothing_is_suggested_where_nothing_is_near(self) -> None:
        with pytest.raises(ValueError, match=r"^unknown colour 'x': known are red, green$"):
            known("colour", "x", ["red", "green"])

    @pytest.mark.parametrize("odd", [None, 1, 1.5, True, ["red"], {"red": 1}])
    def test_what_is_no_word_is_unknown(self, odd: object) -> None:
        with pytest.raises(ValueError, match=r"^unknown colour "):
            known("colour", odd, ["red"])


@pytest.mark.parametrize(
    "names", [ACTIVATIONS, INITS, LOSSES, OPTIMIZERS, SCHEDULERS, PROBES, SCALES], ids=len
)
def test_no_name_stands_twice(names: Sequence[str]) -> None:
    assert len(set(names)) == len(names) > 0


def test_every_model_has_a_builder_and_no_builder_is_left_out() -> None:
    assert all(callable(built(spec.build)) for spec in MODELS.values())


@pytest.mark.parametrize("name", MODELS)
def test_a_builder_takes_the_arguments_of_the_catalogue(name: str) -> None:
    shape, classes, *rest = inspect.signature(built(MODELS[name].build)).parameters.values()
    assert (shape.name, classes.name) == ("shape", "classes")
    assert [p.name for p in rest] == list(MODELS[name].args)
    for p in rest:
        assert p.default in (inspect.Parameter.empty, MODELS[name].args[p.name]), p.name
    network = build(name, (3, 32, 32), 10).eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_every_loss_is_there() -> None:
    assert tuple(losses.LOSSES) == LOSSES


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_is_what_its_facts_say(name: str) -> None:
    facts, data = DATASETS[name], load(name, None, allow_stand_in=True)
    assert data.train_x.shape[1:] == facts.shape
    assert data.test_x.shape[1:] == facts.shape
    assert data.classes == facts.classes
    assert data.train_y.bincount().ne(0).tolist() == [True] * len(facts.classes)
    if not data.stand_in:
        assert (len(data.train_x), len(data.test_x)) == (facts.train, facts.test)
        assert (len(data.train_y), len(data.test_y)) == (facts.train, facts.test)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_there(name: str) -> None:
    x = torch.linspace(-3, 3, 7)
    slope = 0.25
    expected = {
        "relu": nn.ReLU(),
        "leaky_relu": nn.LeakyReLU(slope),
        "sigmoid": nn.Sigmoid(),
    }[name](x)
    torch.testing.assert_close(activation_of(name, slope)(x), expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_is_there(name: str) -> None:
    parameter = torch.nn.Parameter(torch.ones(1, 1, 1))
    optimizers = Optimizers([parameter], [TINY.but(optimizer=name)])
    assert parameter.grad is not None
    parameter.grad.fill_(1.0)
    optimizers.step()
    assert parameter.item() < 1


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_is_there(name: str) -> None:
    recipe = TINY.but(scheduler=name, gamma=0.5, step_size=1 if name == "step" else None)
    assert learning_rate(recipe, 0) == 0.1
    assert learning_rate(recipe, 1) < 0.1


@pytest.mark.parametrize("name", INITS)
def test_every_init_is_there(name: str) -> None:
    initialise(nn.Linear(2, 2), name, 0.01, 0)


def test_no_room_takes_what_the_catalogue_does_not_name() -> None:
    with pytest.raises(ValueError, match="unknown activation 'gelu'"):
        activation_of("gelu", 0.01)
    with pytest.raises(ValueError, match="unknown init 'orthogonal'"):
        initialise(nn.Linear(2, 2), "orthogonal", 0.01, 0)
    with pytest.raises(ValueError, match="unknown model 'lenet'"):
        build("lenet", (3,), 2)
    with pytest.raises(ValueError, match="did you mean 'hidden'"):
        build("mlp", (3,), 2, hiden=(4,))


@pytest.mark.parametrize("name", PROBES)
def test_every_probe_is_recorded_when_asked_for(name: str) -> None:
    (plain,) = train([(TINY, 0)], load("moons", None), torch.device("cpu"))
    (probed,) = train([(TINY.but(probes=(name,)), 0)], load("moons", None), torch.device("cpu"))
    assert set(plain.probes) == {"gradient_norm", "gradient_norms", "gradient_mean_abs"}
    more = {"units": {"non_positive", "dead", "histograms"}}.get(name, {name})
    assert set(probed.probes) - set(plain.probes) == more


def test_the_option_offers_the_scales() -> None:
    assert ("auto", *SCALES) == settings.SCALES
