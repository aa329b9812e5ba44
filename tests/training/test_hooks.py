"""Looking inside a network, and leaving it as it was."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cvclaims.training.hooks import Hooks

HOOKS = Hooks()


def network() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(5, 4, generator=generator), torch.tensor([0, 1, 2, 0, 1])


class TestGradientNorms:
    def test_each_parameters_norm_is_backwards(self) -> None:
        found = HOOKS.gradient_norms(network(), batch())
        model, (x, y) = network(), batch()
        torch.autograd.backward(F.cross_entropy(model(x), y))
        assert list(found) == ["0.weight", "0.bias", "2.weight", "2.bias"]
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None
            assert found[name] == pytest.approx(parameter.grad.norm().item(), rel=1e-5)

    def test_another_loss(self) -> None:
        x, _ = batch()
        target = torch.ones(5, 3)
        found = HOOKS.gradient_norms(network(), (x, target), F.mse_loss)
        model = network()
        torch.autograd.backward(F.mse_loss(model(x), target))
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None
            assert found[name] == pytest.approx(parameter.grad.norm().item(), rel=1e-5)

    @pytest.mark.parametrize("training", [True, False])
    def test_nothing_is_left_changed(self, training: bool) -> None:
        model = network().train(training)
        before = {name: p.detach().clone() for name, p in model.named_parameters()}
        kept = torch.full((6, 4), 7.0)
        model[0].weight.grad = kept.clone()
        HOOKS.gradient_norms(model, batch())
        HOOKS.activations(model, batch()[0])
        assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
        assert torch.equal(model[0].weight.grad, kept)
        assert model[2].weight.grad is None
        assert model.training is training

    def test_under_no_grad_too(self) -> None:
        expected = HOOKS.gradient_norms(network(), batch())
        with torch.no_grad():
            assert HOOKS.gradient_norms(network(), batch()) == expected

    def test_a_vanished_gradient_is_not_rounded_to_nothing(self) -> None:
        found = HOOKS.gradient_norms(network(), batch())
        faint = HOOKS.gradient_norms(network(), batch(), lambda z, y: 1e-25 * F.cross_entropy(z, y))
        for name, norm in found.items():
            assert faint[name] == pytest.approx(1e-25 * norm, rel=1e-4)

    def test_what_the_loss_does_not_depend_on_has_none(self) -> None:
        model = network()
        model.register_parameter("spare", nn.Parameter(torch.ones(2)))
        model[0].weight.requires_grad_(False)
        found = HOOKS.gradient_norms(model, batch())
        assert (found["spare"], found["0.weight"]) == (0.0, 0.0)
        expected = HOOKS.gradient_norms(network(), batch())
        assert found["2.weight"] == expected["2.weight"] > 0
        assert set(found) == {*expected, "spare"}


class Branching(nn.Module):
    """Calls its parts in another order than it names them, one of them twice."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(4, 2)
        self.first = nn.Linear(4, 4)
        self.unused = nn.Linear(4, 4)
        self.pair = Pair()

    def forward(self, x: Tensor) -> Tensor:
        low, high = self.pair(self.first(self.first(x)))
        logits: Tensor = self.last(low + high)
        return logits


class Pair(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, 2 * x


class TestActivations:
    def test_every_layers_output_by_name(self) -> None:
        model, (x, _) = network(), batch()
        found = HOOKS.activations(model, x)
        assert list(found) == ["0", "1", "2"]
        below = model[0](x)
        torch.testing.assert_close(found["0"], below)
        torch.testing.assert_close(found["1"], below.relu())
        torch.testing.assert_close(found["2"], model(x))
        assert not any(output.requires_grad for output in found.values())

    def test_in_the_order_of_the_calls(self) -> None:
        model, (x, _) = Branching(), batch()
        found = HOOKS.activations(model, x)
        assert list(found) == ["first", "last"]
        torch.testing.assert_close(found["first"], model.first(model.first(x)))
        torch.testing.assert_close(found["last"], model(x))

    def test_a_layer_that_works_in_place_spoils_nothing(self) -> None:
        plain, (x, _) = network(), batch()
        model = nn.Sequential(plain[0], nn.ReLU(inplace=True), plain[2])
        torch.testing.assert_close(HOOKS.activations(model, x), HOOKS.activations(plain, x))
        assert (HOOKS.activations(model, x)["0"] < 0).any()

    def test_nested_modules_have_their_whole_name(self) -> None:
        model = nn.Sequential(network(), nn.Identity())
        assert list(HOOKS.activations(model, batch()[0])) == ["0.0", "0.1", "0.2", "0", "1"]

    def test_no_hook_stays_behind(self) -> None:
        model = network()
        HOOKS.activations(model, batch()[0])
        with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
            HOOKS.activations(model, torch.zeros(5, 3))
        assert not any(module._forward_hooks for module in model.modules())


class TestFlops:
    def test_two_for_each_multiply_add(self) -> None:
        assert HOOKS.flops(network(), batch()[0]) == 2 * 5 * (4 * 6 + 6 * 3)

    def test_of_a_convolution_without_the_memory_for_it(self) -> None:
        with torch.device("meta"):
            model, x = nn.Conv2d(3, 8, 3, padding=1), torch.empty(2, 3, 10, 10)
        assert HOOKS.flops(model, x) == 2 * 2 * 100 * (3 * 9) * 8


class TestSavedBytes:
    @pytest.mark.parametrize("device", ["cpu", "meta"])
    def test_what_each_layer_keeps(self, device: str) -> None:
        x = batch()[0].to(device)
        # The first linear layer keeps x, and ReLU its output, which the second keeps too.
        assert HOOKS.saved_bytes(network().to(device), x) == 4 * 5 * (4 + 6)

    def test_a_layer_that_works_in_place_keeps_nothing_more(self) -> None:
        plain, (x, _) = network(), batch()
        model = nn.Sequential(plain[0], nn.ReLU(inplace=True), plain[2])
        assert HOOKS.saved_bytes(model, x) == HOOKS.saved_bytes(plain, x)

    def test_parameters_and_buffers_are_not_activations(self) -> None:
        model = nn.BatchNorm1d(4).eval()
        assert HOOKS.saved_bytes(model, batch()[0]) == 4 * 5 * 4

    def test_under_no_grad_too(self) -> None:
        expected = HOOKS.saved_bytes(network(), batch()[0])
        with torch.no_grad():
            assert HOOKS.saved_bytes(network(), batch()[0]) == expected > 0
