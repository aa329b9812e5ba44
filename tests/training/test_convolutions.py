"""Convolutional networks against a plain torch loop, written out here: same learning."""

import gc
import math
import weakref
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cvclaims.data.augment import Augmentation
from cvclaims.data.dataset import Dataset
from cvclaims.data.stand_in import stand_in
from cvclaims.recipe import Recipe
from cvclaims.seeds import stream
from cvclaims.training import session as session_module
from cvclaims.training.graph import Graphs, Kept
from cvclaims.training.loop import Trained, train
from cvclaims.training.precision import precision_on
from cvclaims.training.session import Session, data_of
from tests.training.exact import network_of, precise

CPU = torch.device("cpu")
BASE = Recipe(
    data="cifar10",
    train_size=100,
    test_size=60,
    model="vgg",
    model_args={"depth": 11, "batch_norm": True, "dropout": 0.0, "width": 1 / 16},
    lr=0.002,
    momentum=0.9,
    weight_decay=5e-4,
    epochs=3,
    batch_size=40,  # so that the last batch of an epoch has 20
)
DROPPING = BASE.but(model_args={**BASE.model_args, "dropout": 0.5})
KINDS = {
    "vgg": BASE,
    "augmented": BASE.but(augment=("crop", "flip")),
    "step": BASE.but(scheduler="step", step_size=2, gamma=0.1),
    "cosine": BASE.but(scheduler="cosine"),
    "three classes, raw": BASE.but(classes=("bird", "airplane", "cat"), pixels="raw"),
    "resnet": BASE.but(model="resnet", model_args={"width": 1 / 16}, lr=5e-4),
    "conv4": BASE.but(model="conv4", model_args={"width": 1 / 4}, init="xavier_uniform"),
}


@pytest.fixture(scope="module")
def images() -> Dataset:
    return stand_in("cifar10")


def rates(recipe: Recipe) -> list[float]:
    """Each epoch's rate, by torch's own schedules."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], recipe.lr)
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None
    if recipe.scheduler == "step":
        assert recipe.step_size is not None
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, recipe.step_size, recipe.gamma)
    if recipe.scheduler == "cosine":
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs)
    found = []
    for _ in range(recipe.epochs):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if schedule is not None:
            schedule.step()
    return found


def plain_train(recipe: Recipe, seed: int, data: Dataset) -> dict[str, list[float]]:
    """The recipe with torch's own optimiser, one step at a time, in torch's usual layout."""
    data = data_of(recipe, data)
    network = network_of(recipe, seed)
    optimizer = torch.optim.SGD(
        network.parameters(), 1.0, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    order = torch.Generator().manual_seed(stream(seed, "order"))
    drawing = torch.Generator().manual_seed(stream(seed, "augment"))
    augment = Augmentation(recipe.augment, data.normalise)
    samples, batch = len(data.train_x), recipe.batch_size or 0
    curves: dict[str, list[float]] = {
        name: [] for name in ("train_loss", "test_accuracy", "test_loss", "gradient_norm", "lr")
    }
    for rate in rates(recipe):
        optimizer.param_groups[0]["lr"] = rate
        rows = torch.split(torch.randperm(samples, generator=order), batch)
        draws = torch.split(
            torch.rand(samples, augment.draws, dtype=torch.float32, generator=drawing), batch
        )
        total, norms = 0.0, []
        network.train()
        for row, draw in zip(rows, draws, strict=True):
            x = data.train_x[row]
            x = augment(x, draw) if recipe.augment else data.normalise(x)
            loss = F.cross_entropy(network(x.contiguous()), data.train_y[row])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            norms.append(math.sqrt(sum(norm**2 for norm in gradient_norms(network))))
            optimizer.step()
            total += loss.item() * len(row)
        network.eval()
        with torch.no_grad():
            logits = network(data.normalise(data.test_x))
        curves["train_loss"].append(total / samples)
        curves["test_loss"].append(F.cross_entropy(logits, data.test_y).item())
        curves["test_accuracy"].append((logits.argmax(1) == data.test_y).float().mean().item())
        curves["gradient_norm"].append(sum(norms) / len(norms))
        curves["lr"].append(rate)
    return curves


def gradient_norms(network: torch.nn.Module) -> list[float]:
    return [p.grad.norm().item() for p in network.parameters() if p.grad is not None]


def assert_same(recipe: Recipe, seed: int, data: Dataset, result: Trained) -> None:
    expected = plain_train(recipe, seed, data)
    got = {**result.curves, "gradient_norm": result.probes["gradient_norm"]}
    for name, curve in expected.items():
        assert got[name] == pytest.approx(curve, rel=1e-8), name


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", KINDS)
def test_it_learns_what_plain_torch_learns(name: str, images: Dataset) -> None:
    data = precise(images)
    (result,) = train([(KINDS[name], 5)], data, CPU)
    assert_same(KINDS[name], 5, data, result)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_repeats_bit_for_bit_and_seeds_differ(precision: str, images: Dataset) -> None:
    recipe = DROPPING.but(augment=("crop", "flip"), precision=precision, epochs=2)
    first, again, other = (train([(recipe, seed)], images, CPU)[0] for seed in (7, 7, 8))
    for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
        assert first.curves[name] == again.curves[name]
    assert first.probes == again.probes
    assert first.curves["train_loss"] != other.curves["train_loss"]


def test_the_global_random_state_neither_matters_nor_moves(images: Dataset) -> None:
    recipe = DROPPING.but(epochs=1)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = train([(recipe, 1)], images, CPU)[0]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert train([(recipe, 1)], images, CPU)[0].curves["train_loss"] == first.curves["train_loss"]


def test_dropout_is_off_in_the_test_and_on_in_training(images: Dataset) -> None:
    with_dropout, without = (
        train([(recipe.but(epochs=1), 0)], images, CPU)[0] for recipe in (DROPPING, BASE)
    )
    assert with_dropout.curves["train_loss"] != without.curves["train_loss"]
    session = Session([(DROPPING, 0)], images, CPU)
    with session.running():
        assert torch.equal(session.test(), session.test())


def test_class_accuracy_is_that_of_the_chosen_classes(images: Dataset) -> None:
    recipe = KINDS["three classes, raw"]
    (result,) = train([(recipe, 0)], images, CPU)
    share = data_of(recipe, images).test_y.bincount(minlength=3) / 60
    overall = sum(a * s for a, s in zip(result.class_accuracy, share.tolist(), strict=True))
    assert overall == pytest.approx(result.curves["test_accuracy"][-1], abs=1e-6)


def test_vanished_gradients_are_measured_and_not_rounded_to_zero(images: Dataset) -> None:
    args = {"depth": 50, "width": 1 / 16, "dropout": 0.0}
    recipe = BASE.but(model_args=args, train_size=8, batch_size=8, epochs=1, lr=1e-9, momentum=0.0)
    norms = train([(recipe, 0)], images, CPU)[0].probes["gradient_norms"]
    first, last = norms["features.0.weight"][0], norms["classifier.6.bias"][0]
    assert 0 < first < 1e-9 < last


def test_convolutional_networks_do_not_stack(images: Dataset) -> None:
    with pytest.raises(ValueError, match="convolutions"):
        train([(BASE, 0), (BASE, 1)], images, CPU)


class Uncaptured:
    """In the place of CUDA graphs: carries the work out as it is."""

    def __init__(self, device: torch.device) -> None:
        del device

    def warm_up(self, work: Callable[[], None]) -> None:
        for _ in range(3):
            work()

    def capture(self, work: Callable[[], None]) -> Callable[[], None]:
        return work


def after_epochs(session: Session, epochs: int) -> list[Tensor]:
    """Metrics of each epoch and all parameters."""
    found = []
    for epoch in range(epochs):
        session.optimizers.set_epoch(epoch)
        found += [session.train_epoch(), session.test()]
    return [*found, *(p.detach().clone() for p in session.networks.parameters())]


def assert_equal(first: Sequence[Tensor], second: Sequence[Tensor]) -> None:
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", ["augmented", "cosine", "resnet"])
def test_the_step_that_is_captured_is_the_step(
    name: str, images: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, captured = (Session([(KINDS[name], 3)], images, CPU) for _ in range(2))
    with plain.running():
        expected = after_epochs(plain, 2)
    monkeypatch.setattr(session_module, "Graphs", Uncaptured)
    with captured.running():
        captured._captured()  # warms up, and must leave no trace of it
        assert_equal(after_epochs(captured, 2), expected)
    assert captured.gradients.result(0, 2) == plain.gradients.result(0, 2)


def test_what_is_kept_is_put_back_in_place() -> None:
    tensors = [torch.ones(2), torch.zeros(3)]
    kept = Kept(tensors)
    for tensor in tensors:
        tensor.fill_(7)
    kept.restore()
    assert [t.tolist() for t in tensors] == [[1, 1], [0, 0, 0]]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")
@pytest.mark.parametrize("name", KINDS)
def test_captured_and_eager_steps_agree_on_a_gpu(name: str, images: Dataset) -> None:
    cuda = torch.device("cuda")
    found = []
    for capture in (False, True):
        session = Session([(KINDS[name], 3)], images, cuda, capture=capture)
        with session.running():
            session.train_steps(6)  # two epochs; in more, cuDNN's rounding grows in either
        found.append([p.detach().clone() for p in session.networks.parameters()])
    for eager, captured in zip(*found, strict=True):
        torch.testing.assert_close(captured, eager, rtol=1e-3, atol=1e-4)


def test_what_a_captured_graph_reads_lives_as_long_as_its_replay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A graph holds addresses: the tensors that a step closes over must not be freed."""
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: None)
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: None)
    monkeypatch.setattr(torch.cuda, "graph", lambda *a, **k: nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: SimpleNamespace(replay=lambda: None))

    def captured() -> tuple[Callable[[], None], "weakref.ref[Tensor]"]:
        rows = torch.arange(3)

        def work() -> None:
            rows.sum()

        return Graphs(CPU).capture(work), weakref.ref(rows)

    replay, rows = captured()
    gc.collect()
    replay()
    assert rows() is not None
    del replay
    gc.collect()
    assert rows() is None


def test_steps_go_round_the_training_data(images: Dataset) -> None:
    first, second = (Session([(BASE, 0)], images, CPU) for _ in range(2))
    with first.running():
        first.train_steps(2)
        first.train_steps(4)  # 3 steps an epoch
    with second.running():
        second.train_epoch()
        second.train_epoch()
    assert_equal(list(first.networks.parameters()), list(second.networks.parameters()))


@pytest.mark.parametrize(
    ("wanted", "device", "found"),
    [
        *[("bf16", "cuda:0", "bf16"), ("tf32", "cuda:0", "tf32"), ("fp32", "cuda:0", "fp32")],
        *[("bf16", "cuda:1", "fp32"), ("tf32", "cuda:1", "fp32"), ("tf32", "cpu", "fp32")],
        *[("bf16", "mps", "fp32"), ("tf32", "mps", "fp32")],
    ],
)
def test_the_precision_of_a_device(
    wanted: str, device: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    capability = {0: (8, 0), 1: (7, 5)}
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda of: capability[of.index])
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    assert precision_on(wanted, torch.device(device)) == found


@pytest.mark.parametrize("able", [True, False])
def test_a_processor_without_bfloat16_computes_in_fp32(
    able: bool, images: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: able)
    (result,) = train([(BASE.but(precision="bf16", epochs=1), 0)], images, CPU)
    assert result.precision == ("bf16" if able else "fp32")
