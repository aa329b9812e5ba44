"""The loop against a plain torch loop, written out here: same networks, same learning."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cvclaims.data.dataset import Dataset
from cvclaims.data.load import load
from cvclaims.models import MLP, build_for
from cvclaims.recipe import Recipe
from cvclaims.seeds import stream
from cvclaims.training.loop import Trained, stackable, train
from tests.training.exact import network_of, precise

CPU = torch.device("cpu")
BASE = Recipe(
    data="digits",
    train_size=150,
    test_size=60,
    model_args={"hidden": (24, 12)},
    lr=0.05,
    epochs=8,
    batch_size=64,
)
UPDATES = {
    "sgd": BASE,
    "momentum": BASE.but(momentum=0.9),
    "decay": BASE.but(weight_decay=0.1),
    "adam": BASE.but(optimizer="adam", lr=0.01),
    "adamw": BASE.but(optimizer="adamw", lr=0.01, weight_decay=0.1),
    "exponential": BASE.but(scheduler="exponential", gamma=0.7),
}


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits", None)


@pytest.fixture
def exact(digits: Dataset, float64: None) -> Dataset:
    return precise(digits)


def plain_loss(recipe: Recipe, logits: Tensor, y: Tensor) -> Tensor:
    if recipe.loss == "cross_entropy":
        return F.cross_entropy(logits, y)
    target = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    return F.mse_loss(logits if recipe.loss == "mse" else logits.softmax(1), target)


def plain_optimizer(recipe: Recipe, network: nn.Module) -> torch.optim.Optimizer:
    parameters, decay = list(network.parameters()), recipe.weight_decay
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, recipe.lr, momentum=recipe.momentum, weight_decay=decay, foreach=False
        )
    if recipe.optimizer == "adam":
        return torch.optim.Adam(parameters, recipe.lr, weight_decay=decay, foreach=False)
    return torch.optim.AdamW(parameters, recipe.lr, weight_decay=decay, foreach=False)


def plain_precision(recipe: Recipe) -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bf16")


def plain_train(recipe: Recipe, seed: int, data: Dataset) -> dict[str, list[float]]:
    """The recipe with torch's own network, optimiser and schedule, one step at a time."""
    data = data.subset(recipe.train_size, recipe.test_size)
    network = network_of(recipe, seed)
    optimizer = plain_optimizer(recipe, network)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, recipe.gamma)
    generator = torch.Generator().manual_seed(stream(seed, "order"))
    samples = len(data.train_x)
    batch = recipe.batch_size or samples
    curves: dict[str, list[float]] = {
        name: [] for name in ("train_loss", "test_accuracy", "gradient_norm", "lr")
    }
    for _ in range(recipe.epochs):
        order = torch.randperm(samples, generator=generator)
        loss_sum, norms = 0.0, []
        for rows in torch.split(order, batch):
            with plain_precision(recipe):
                logits = network(data.train_x[rows])
            loss = plain_loss(recipe, logits.float(), data.train_y[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            gradients = [p.grad for p in network.parameters() if p.grad is not None]
            norms.append(math.sqrt(sum(g.square().sum().item() for g in gradients)))
            optimizer.step()
            loss_sum += loss.item() * len(rows)
        with torch.no_grad(), plain_precision(recipe):
            right = network(data.test_x).argmax(1) == data.test_y
        curves["train_loss"].append(loss_sum / samples)
        curves["test_accuracy"].append(right.float().mean().item())
        curves["gradient_norm"].append(sum(norms) / len(norms))
        curves["lr"].append(float(schedule.get_last_lr()[0]))
        schedule.step()
    return curves


def assert_same(recipe: Recipe, seed: int, data: Dataset, results: list[Trained]) -> None:
    expected = plain_train(recipe, seed, data)
    got = {**results[0].curves, "gradient_norm": results[0].probes["gradient_norm"]}
    for name, curve in expected.items():
        rounded = name == "gradient_norm"  # a stack adds up its norms in float32, as it is quicker
        assert got[name] == pytest.approx(curve, rel=1e-5 if rounded else 1e-9), name


@pytest.mark.parametrize("name", UPDATES)
def test_alone_it_learns_what_plain_torch_learns(name: str, exact: Dataset) -> None:
    assert_same(UPDATES[name], 5, exact, train([(UPDATES[name], 5)], exact, CPU))


@pytest.mark.parametrize("loss", ["softmax_mse", "mse"])
def test_every_loss_is_plain_torchs(loss: str, exact: Dataset) -> None:
    recipe = BASE.but(loss=loss)
    assert_same(recipe, 0, exact, train([(recipe, 0)], exact, CPU))


@pytest.mark.parametrize("activation", ["leaky_relu", "sigmoid"])
def test_every_activation_is_plain_torchs(activation: str, exact: Dataset) -> None:
    recipe = BASE.but(model_args={"hidden": (24, 12), "activation": activation})
    assert_same(recipe, 0, exact, train([(recipe, 0)], exact, CPU))


def test_units_are_watched_in_every_hidden_layer(digits: Dataset) -> None:
    still = BASE.but(lr=1e-12, epochs=1, batch_size=None, probes=("units",))
    first, second = train([(still, 0), (still, 1)], digits, CPU)
    for seed, result in enumerate((first, second)):
        network = build_for(still, seed)
        assert isinstance(network, MLP)
        layers = network.activations(digits.subset(150, 60).train_x)
        shares = {f"layer{i + 1}": (a <= 0).float().mean().item() for i, a in enumerate(layers)}
        found = {name: share for name, (share,) in result.probes["non_positive"].items()}
        assert found == pytest.approx(shares)


def test_in_bfloat16_a_stack_learns_what_each_learns_under_torchs_autocast(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    runs = [(BASE.but(precision="bf16", lr=lr), seed) for seed in (0, 1) for lr in (0.05, 0.01)]
    results = train(runs, digits, CPU)
    assert {result.precision for result in results} == {"bf16"}
    plain = [plain_train(recipe, seed, digits) for recipe, seed in runs]
    in_fp32 = [plain_train(recipe.but(precision="fp32"), seed, digits) for recipe, seed in runs]
    for name, ours in (
        ("train_loss", Tensor([result.curves["train_loss"] for result in results])),
        ("gradient_norm", Tensor([result.probes["gradient_norm"] for result in results])),
    ):
        theirs, exact = (Tensor([curves[name] for curves in each]) for each in (plain, in_fp32))
        rounding = (theirs - exact).norm()
        # Products that run otherwise are rounded otherwise, and by as much.
        assert (ours - theirs).norm() < 3 * rounding
        assert (ours - exact).norm() > rounding / 3


def test_a_stack_learns_what_each_network_learns_alone(exact: Dataset) -> None:
    runs = [(recipe, seed) for seed in (0, 1, 2) for recipe in UPDATES.values()]
    for (recipe, seed), result in zip(runs, train(runs, exact, CPU), strict=True):
        assert_same(recipe, seed, exact, [result])


def test_full_batch_with_small_weights(exact: Dataset) -> None:
    recipe = BASE.but(batch_size=None, init="normal", init_std=0.01)
    assert_same(recipe, 3, exact, train([(recipe, 3)], exact, CPU))


def test_a_run_repeats_bit_for_bit_and_seeds_differ(digits: Dataset) -> None:
    first, again, other = (train([(BASE, s)], digits, CPU)[0] for s in (7, 7, 8))
    for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
        assert first.curves[name] == again.curves[name]
    assert first.probes == again.probes
    assert first.curves["train_loss"] != other.curves["train_loss"]


def test_the_global_random_state_neither_matters_nor_moves(digits: Dataset) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = train([(BASE, 1)], digits, CPU)[0]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert train([(BASE, 1)], digits, CPU)[0].curves["train_loss"] == first.curves["train_loss"]


def test_a_diverging_network_ends_alone(exact: Dataset) -> None:
    wild = BASE.but(loss="mse", lr=1e12)
    tame = BASE.but(loss="mse")
    lost, kept = train([(wild, 0), (tame, 0)], exact, CPU)
    assert lost.status == "diverged"
    assert len(lost.curves["train_loss"]) == len(lost.probes["gradient_norm"]) < 8
    assert not math.isfinite(lost.curves["train_loss"][-1])
    assert all(math.isfinite(loss) for loss in lost.curves["train_loss"][:-1])
    assert kept.status == "finished"
    assert_same(tame, 0, exact, [kept])


def test_a_stack_of_diverged_networks_stops_early(digits: Dataset) -> None:
    (lost,) = train([(BASE.but(loss="mse", lr=1e6, epochs=100), 0)], digits, CPU)
    assert lost.status == "diverged"
    assert len(lost.curves["seconds"]) < 10


def test_class_accuracy_averages_to_test_accuracy(digits: Dataset) -> None:
    (result,) = train([(BASE, 0)], digits, CPU)
    share = digits.subset(150, 60).test_y.bincount(minlength=10) / 60
    overall = sum(a * s for a, s in zip(result.class_accuracy, share.tolist(), strict=True))
    assert overall == pytest.approx(result.curves["test_accuracy"][-1], abs=1e-6)


def test_parameters_are_counted_once(digits: Dataset) -> None:
    results = train([(BASE, 0), (BASE, 1)], digits, CPU)
    expected = 64 * 24 + 24 + 24 * 12 + 12 + 12 * 10 + 10
    assert [r.numbers["parameters"] for r in results] == [expected, expected]


def test_recipes_that_differ_in_more_than_the_update_do_not_stack(digits: Dataset) -> None:
    assert stackable(BASE) == stackable(UPDATES["adamw"])
    with pytest.raises(ValueError, match="one stack"):
        train([(BASE, 0), (BASE.but(epochs=3), 0)], digits, CPU)


def test_a_pause_after_an_epoch_is_not_counted(digits: Dataset) -> None:
    paused = []

    def pause() -> float:
        paused.append(1)
        return 1000.0

    (result,) = train([(BASE.but(epochs=3), 0)], digits, CPU, pause=pause)
    assert len(paused) == 2  # none after the last
    first, *later = result.curves["seconds"]
    assert first > 0
    assert all(seconds < -900 for seconds in later)
