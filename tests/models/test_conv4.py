"""The four-layer network of AlexNet's figure 1."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from cvclaims.models.conv4 import conv4

IMAGE = (3, 32, 32)


def test_four_convolutions_and_one_linear_layer() -> None:
    network = conv4(IMAGE, 10)
    convs = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [32, 32, 64, 64]
    assert {conv.kernel_size for conv in convs} == {(5, 5)}
    assert str(network.classifier) == str(nn.Sequential(nn.Linear(64 * 4 * 4, 10)))
    assert sum(p.numel() for p in network.parameters()) == 192_042


@pytest.mark.parametrize(
    ("activation", "layer"),
    [
        ("relu", nn.ReLU),
        ("leaky_relu", nn.LeakyReLU),
        ("prelu", nn.PReLU),
        ("elu", nn.ELU),
        ("selu", nn.SELU),
        ("tanh", nn.Tanh),
        ("sigmoid", nn.Sigmoid),
    ],
)
def test_the_activation_follows_every_convolution(activation: str, layer: type[nn.Module]) -> None:
    layers = list(conv4(IMAGE, 10, activation=activation).features)
    after = [layers[i + 1] for i, part in enumerate(layers) if isinstance(part, nn.Conv2d)]
    assert [type(part) for part in after] == [layer] * 4
    kinds = (nn.Conv2d, nn.MaxPool2d, layer)
    assert all(isinstance(part, kinds) for part in layers)


def test_stacked_it_has_two_3x3_for_each_5x5_and_sees_as_much() -> None:
    plain, stacked = conv4(IMAGE, 10), conv4(IMAGE, 10, stacked=True)
    convs = [layer for layer in stacked.modules() if isinstance(layer, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels) for c in convs] == [
        *((3, 32), (32, 32), (32, 32), (32, 32), (32, 64), (64, 64), (64, 64), (64, 64)),
    ]
    assert {conv.kernel_size for conv in convs} == {(3, 3)}
    assert sum(isinstance(layer, nn.ReLU) for layer in stacked.modules()) == 8
    assert str(stacked.classifier) == str(plain.classifier)
    seen = []
    for network in (plain, stacked):
        image = torch.rand(1, *IMAGE, requires_grad=True)
        for parameter in network.parameters():
            nn.init.constant_(parameter, 0.01)
        before_pool = network.features[: next(_pools(network))]
        before_pool(image)[0, 0, 16, 16].backward()
        assert image.grad is not None
        seen.append(image.grad[0, 0].nonzero().tolist())
    assert seen[0] == seen[1]
    assert len(seen[0]) == 25


def _pools(network: Any) -> Iterator[int]:
    return (i for i, layer in enumerate(network.features) if isinstance(layer, nn.MaxPool2d))


def test_activations_share_the_weights_of_one_seed() -> None:
    states = []
    for activation in ("relu", "tanh", "sigmoid"):
        torch.manual_seed(0)
        states.append(conv4(IMAGE, 10, activation=activation).state_dict())
    assert states[0].keys() == states[1].keys() == states[2].keys()
    assert all(torch.equal(states[0][name], states[2][name]) for name in states[0])


@pytest.mark.parametrize("classes", [3, 10])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_logits_of_a_narrow_network(activation: str, classes: int) -> None:
    network = conv4(IMAGE, classes, activation=activation, width=0.125)
    logits = network(torch.randn(2, *IMAGE))
    assert logits.shape == (2, classes)
    assert logits.isfinite().all()


def test_width_scales_every_hidden_layer() -> None:
    network = conv4(IMAGE, 10, width=0.25)
    sizes = [p.shape[0] for name, p in network.named_parameters() if "bias" in name]
    assert sizes == [8, 8, 16, 16, 10]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            {"activation": "gelu"},
            "activation must be one of 'relu', 'leaky_relu', 'prelu', 'elu', 'selu', 'tanh', "
            "'sigmoid', not 'gelu'",
        ),
        ({"width": 0.01}, "width 0.01 leaves no channel of 32"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(args: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        conv4(IMAGE, 10, **args)
    assert str(refusal.value) == message
