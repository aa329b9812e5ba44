"""Probes against plain autograd, brute force, and networks whose answer is known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cvclaims.data.dataset import Dataset, from_arrays
from cvclaims.models import MLP, StackedMLP, build
from cvclaims.training import probes
from cvclaims.training.losses import cross_entropy
from cvclaims.training.probes import Gradients, Units, boundary, histograms

FEATURES, CLASSES = 2, 2
Batch = tuple[Tensor, Tensor]
Change = Callable[[MLP], None]


def mlp(seed: int = 0, hidden: tuple[int, ...] = (6, 5), activation: str = "relu") -> MLP:
    network = build("mlp", (FEATURES,), CLASSES, seed, hidden=hidden, activation=activation)
    assert isinstance(network, MLP)
    return network


def batches(*sizes: int, networks: int) -> list[Batch]:
    """Inputs (S, B, F) and labels (S, B), another for each network."""
    generator = torch.Generator().manual_seed(0)
    return [
        (
            torch.randn(networks, size, FEATURES, generator=generator),
            torch.randint(0, CLASSES, (networks, size), generator=generator),
        )
        for size in sizes
    ]


def step(stack: StackedMLP, batch: Batch) -> list[Tensor]:
    """Forward and backward, without an update; returns the hidden activations."""
    (x, y), hidden = batch, list[Tensor]()
    logits = stack(x, hidden)
    _, gradient = cross_entropy(logits.detach(), y)
    for parameter in stack.parameters():
        parameter.grad = None
    torch.autograd.backward(logits, gradient)
    return hidden


def linear(network: MLP, layer: int) -> nn.Linear:
    found = network.layers[layer]
    assert isinstance(found, nn.Linear)
    return found


def dataset(train: list[tuple[float, float]], test: list[tuple[float, float]]) -> Dataset:
    parts = [
        (np.array(points, dtype=np.float32), np.arange(len(points)) % 2) for points in (train, test)
    ]
    return from_arrays("moons", parts[0], parts[1])


class TestGradients:
    SEEDS = (3, 8)

    def plain(self, i: int, epoch: list[Batch]) -> list[dict[str, Tensor]]:
        """Network i's gradients at each step, by autograd alone."""
        network = mlp(self.SEEDS[i])
        found = []
        for x, y in epoch:
            loss = F.cross_entropy(network(x[i]), y[i])
            gradients = torch.autograd.grad(loss, list(network.parameters()))
            names = [name for name, _ in network.named_parameters()]
            found.append(dict(zip(names, gradients, strict=True)))
        return found

    def test_norms_are_means_over_the_steps_of_an_epoch(self) -> None:
        first, second = batches(4, 4, 3, networks=2), batches(9, networks=2)
        stack = StackedMLP([mlp(seed) for seed in self.SEEDS])
        probe = Gradients(stack)
        for epoch in (first, second):
            for batch in epoch:
                step(stack, batch)
                probe.after_backward()
            probe.after_epoch(len(epoch))
        for i in range(2):
            found = probe.result(i, 2)
            for e, epoch in enumerate((first, second)):
                steps = self.plain(i, epoch)
                for name in steps[0]:
                    norms = [gradients[name].norm().item() for gradients in steps]
                    got = found["gradient_norms"][name][e]
                    assert got == pytest.approx(np.mean(norms), rel=1e-4), name
                wholes = [
                    math.sqrt(sum(g.square().sum().item() for g in gradients.values()))
                    for gradients in steps
                ]
                assert found["gradient_norm"][e] == pytest.approx(np.mean(wholes), rel=1e-4)
                last = [g.abs().mean().item() for g in steps[-1].values()]
                assert found["gradient_mean_abs"][e] == pytest.approx(np.mean(last), rel=1e-4)

    def test_results_end_with_the_run(self) -> None:
        stack = StackedMLP([mlp()])
        probe = Gradients(stack)
        for batch in batches(4, 4, 4, networks=1):
            step(stack, batch)
            probe.after_backward()
            probe.after_epoch(1)
        assert len(probe.result(0, 3)["gradient_norm"]) == 3
        short = probe.result(0, 2)
        assert len(short["gradient_norm"]) == len(short["gradient_mean_abs"]) == 2
        assert {len(norms) for norms in short["gradient_norms"].values()} == {2}
        assert short["gradient_norm"] == probe.result(0, 3)["gradient_norm"][:2]


def units_of(networks: list[MLP], *epochs: list[Batch]) -> list[dict[str, dict[str, list[float]]]]:
    """What `Units` finds of each network over these epochs."""
    stack = StackedMLP(networks)
    probe = Units(stack)
    for epoch in epochs:
        for batch in epoch:
            probe.after_backward(step(stack, batch))
        probe.after_epoch(sum(y.shape[1] for _, y in epoch))
    return [probe.result(i, len(epochs)) for i in range(len(networks))]


def dead_by_brute_force(network: MLP, i: int, epoch: list[Batch]) -> list[float]:
    """The share of units without output and without gradient, sample by sample."""
    alive = [torch.zeros(linear(network, layer).out_features, dtype=torch.bool) for layer in (0, 1)]
    for x, y in epoch:
        for sample, label in zip(x[i], y[i], strict=True):
            below = [linear(network, 0)(sample)]
            below.append(linear(network, 1)(network.activation(below[0])))
            hidden = [network.activation(z) for z in below]
            loss = F.cross_entropy(linear(network, 2)(hidden[1]), label)
            for layer, gradient in enumerate(torch.autograd.grad(loss, below)):
                alive[layer] |= hidden[layer].ne(0) | gradient.ne(0)
    return [1 - a.float().mean().item() for a in alive]


def silence(layer: int, *units: int) -> Change:
    """Make units of a layer put out nothing for any input of ordinary size."""

    def change(network: MLP) -> None:
        with torch.no_grad():
            linear(network, layer).bias[list(units)] = -1000.0

    return change


class TestUnits:
    def test_exactly_the_silenced_units_are_dead(self) -> None:
        network = mlp()
        with torch.no_grad():
            for layer in (0, 1):
                linear(network, layer).bias.fill_(1.0)  # the others are wide awake
        silence(0, 1, 4)(network)
        silence(1, 0)(network)
        (found,) = units_of([network], batches(30, 20, networks=1))
        assert found["dead"] == {
            "layer1": [pytest.approx(2 / 6)],
            "layer2": [pytest.approx(1 / 5)],
        }

    @pytest.mark.parametrize("activation", ["relu", "leaky_relu", "sigmoid"])
    def test_dead_is_what_brute_force_finds(self, activation: str) -> None:
        networks = [mlp(seed, activation=activation) for seed in range(4)]
        silence(0, 0, 1, 2)(networks[1])
        silence(1, 3)(networks[2])
        silence(0, *range(6))(networks[3])
        epoch = batches(5, 4, networks=4)
        for i, found in enumerate(units_of(networks, epoch)):
            expected = dead_by_brute_force(networks[i], i, epoch)
            assert found["dead"]["layer1"] == pytest.approx(expected[:1])
            assert found["dead"]["layer2"] == pytest.approx(expected[1:])

    def test_a_leaky_unit_never_dies(self) -> None:
        network = mlp(activation="leaky_relu")
        silence(0, 1, 4)(network)
        silence(1, 0)(network)
        (found,) = units_of([network], batches(30, networks=1))
        assert found["dead"] == {"layer1": [0.0], "layer2": [0.0]}

    @pytest.mark.parametrize(("activation", "dead"), [("leaky_relu", 0.0), ("relu", 1.0)])
    def test_an_output_of_zero_with_a_gradient_is_not_dead(
        self, activation: str, dead: float
    ) -> None:
        network = mlp(activation=activation)
        with torch.no_grad():
            linear(network, 0).weight.zero_()
            linear(network, 0).bias.zero_()
        (found,) = units_of([network], batches(20, networks=1))
        assert found["dead"]["layer1"] == [dead]

    def test_one_sample_in_one_batch_keeps_a_unit_alive(self) -> None:
        network = mlp(hidden=(1, 1))
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.fill_(1.0)
        quiet = (torch.full((1, 3, FEATURES), -9.0), torch.zeros(1, 3, dtype=torch.int64))
        one = (torch.tensor([[[-9.0, -9.0], [9.0, 9.0]]]), torch.zeros(1, 2, dtype=torch.int64))
        found = units_of([network], [quiet, quiet], [quiet, one], [one, quiet], [quiet])[0]
        assert found["dead"]["layer1"] == [1.0, 0.0, 0.0, 1.0]
        # Its bias alone keeps the second layer's unit awake.
        assert found["dead"]["layer2"] == [0.0, 0.0, 0.0, 0.0]

    def test_a_unit_that_speaks_to_nobody_is_not_dead(self) -> None:
        network = mlp(hidden=(3, 3))
        with torch.no_grad():
            linear(network, 1).weight[:, 2] = 0.0  # no gradient comes back to unit 2
            linear(network, 0).bias[2] = 50.0  # but it has an output
        (found,) = units_of([network], batches(20, networks=1))
        assert (
            found["dead"]["layer1"] == dead_by_brute_force(network, 0, batches(20, networks=1))[:1]
        )
        assert found["dead"]["layer1"][0] < 1 / 3 + 1e-6

    @pytest.mark.parametrize("activation", ["relu", "leaky_relu", "sigmoid"])
    def test_non_positive_is_the_share_over_units_and_samples(self, activation: str) -> None:
        networks = [mlp(seed, activation=activation) for seed in range(2)]
        epochs = batches(5, 2, networks=2), batches(7, networks=2)
        for i, found in enumerate(units_of(networks, *epochs)):
            for e, epoch in enumerate(epochs):
                x = torch.cat([batch[0][i] for batch in epoch])
                for layer, activations in enumerate(networks[i].activations(x), 1):
                    share = (activations <= 0).float().mean().item()
                    assert found["non_positive"][f"layer{layer}"][e] == pytest.approx(share)
            if activation == "sigmoid":
                assert found["non_positive"] == {"layer1": [0.0, 0.0], "layer2": [0.0, 0.0]}

    def test_results_end_with_the_run(self) -> None:
        stack = StackedMLP([mlp()])
        probe = Units(stack)
        for batch in batches(4, 4, 4, networks=1):
            probe.after_backward(step(stack, batch))
            probe.after_epoch(4)
        short, whole = probe.result(0, 2), probe.result(0, 3)
        for name in ("dead", "non_positive"):
            for layer in ("layer1", "layer2"):
                assert short[name][layer] == whole[name][layer][:2]


class TestHistograms:
    DATA = dataset([(x / 10, -x / 5) for x in range(-20, 30)], [(99.0, 99.0)] * 3)

    def test_counts_are_numpys_over_the_training_samples(self) -> None:
        networks = [mlp(seed) for seed in range(2)]
        for i, network in enumerate(networks):
            found = histograms(StackedMLP(networks), self.DATA, i)["histograms"]
            assert list(found) == ["layer1", "layer2"]
            for part, activations in zip(
                found.values(), network.activations(self.DATA.train_x), strict=True
            ):
                values = activations.detach().numpy().ravel()
                counts, edges = np.histogram(values, probes.HISTOGRAM_BINS)
                assert part["edges"] == pytest.approx(edges.tolist(), rel=1e-4, abs=1e-5)
                # A value at an edge may fall to either side of it.
                off = np.abs(np.array(part["counts"]) - counts / len(values))
                assert off.max() <= 2 / len(values)

    def test_shares_sum_to_one_between_edges_that_ascend(self) -> None:
        found = histograms(StackedMLP([mlp()]), self.DATA, 0)["histograms"]["layer1"]
        assert len(found["edges"]) == len(found["counts"]) + 1 == probes.HISTOGRAM_BINS + 1
        assert sum(found["counts"]) == pytest.approx(1)
        assert found["edges"] == sorted(set(found["edges"]))
        activations = mlp().activations(self.DATA.train_x)[0]
        assert found["edges"][0] == pytest.approx(activations.min().item(), rel=1e-4, abs=1e-5)
        assert found["edges"][-1] == pytest.approx(activations.max().item(), rel=1e-4, abs=1e-5)

    def test_no_more_samples_than_are_needed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(probes, "HISTOGRAM_SAMPLES", 10)
        found = histograms(StackedMLP([mlp()]), self.DATA, 0)["histograms"]["layer1"]
        activations = mlp().activations(self.DATA.train_x[:10])[0]
        assert found["edges"][-1] == pytest.approx(activations.max().item(), rel=1e-4, abs=1e-5)

    def test_a_diverged_network_has_none_and_its_neighbour_has(self) -> None:
        lost = mlp(1)
        with torch.no_grad():
            linear(lost, 1).weight[0, 0] = math.nan
        stack = StackedMLP([mlp(), lost])
        assert list(histograms(stack, self.DATA, 1)["histograms"]) == ["layer1"]
        assert list(histograms(stack, self.DATA, 0)["histograms"]) == ["layer1", "layer2"]


def half_plane(x: float, y: float) -> MLP:
    """Class 1 where x · first + y · second > 0, sharply."""
    network = mlp(hidden=())
    with torch.no_grad():
        linear(network, 0).weight.copy_(torch.tensor([[0.0, 0.0], [x, y]]) * 1000)
        linear(network, 0).bias.zero_()
    return network


class TestBoundary:
    DATA = dataset([(-1.0, -3.0), (0.5, 0.0)], [(2.0, 0.0), (0.0, 1.0)])
    N = probes.BOUNDARY_GRID

    def found(self, *networks: MLP, i: int = 0) -> dict[str, list[float]]:
        result: dict[str, list[float]] = boundary(StackedMLP(networks), self.DATA, i)["boundary"]
        return result

    def test_it_reaches_half_a_unit_beyond_all_data(self) -> None:
        found = self.found(half_plane(1, 0))
        assert found["x"] == [-1.5, 2.5]
        assert found["y"] == [-3.5, 1.5]

    def grid(self, *networks: MLP, i: int = 0) -> np.ndarray:
        grid = np.array(self.found(*networks, i=i)["probability"])
        assert grid.shape == (self.N, self.N)
        return grid

    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        return np.linspace(-1.5, 2.5, self.N), np.linspace(-3.5, 1.5, self.N)

    def test_columns_are_x_ascending(self) -> None:
        xs, _ = self.axes()
        expected = np.tile(xs > 0, (self.N, 1))
        assert (self.grid(half_plane(1, 0)) == expected).all()
        assert (self.grid(half_plane(-1, 0)) == ~expected).all()

    def test_rows_are_y_ascending(self) -> None:
        _, ys = self.axes()
        expected = np.tile(ys > 0, (self.N, 1)).T
        assert (self.grid(half_plane(0, 1)) == expected).all()
        assert (self.grid(half_plane(0, -1)) == ~expected).all()

    def test_each_point_has_the_probability_of_class_1_there(self) -> None:
        network = mlp(3)
        xs, ys = self.axes()
        points = torch.tensor([[x, y] for y in ys for x in xs], dtype=torch.float32)
        expected = network(points).softmax(1)[:, 1].view(self.N, self.N).detach().numpy()
        np.testing.assert_allclose(self.grid(network), expected, atol=6e-4)

    def test_of_the_network_that_was_asked_for(self) -> None:
        both = half_plane(1, 0), half_plane(0, 1)
        assert (self.grid(*both, i=1) == self.grid(half_plane(0, 1))).all()

    def test_three_digits_are_enough(self) -> None:
        for value in self.grid(mlp(3)).ravel().tolist():
            assert value == round(value, 3)
