"""What the convolutional networks share: their checks, the width dial, AlexNet's normalisation."""

import math

import torch
from torch import Tensor, nn

SIDE = 32  # pixels; every convolutional network here is the form for 32×32 images


def image_channels(shape: tuple[int, ...]) -> int:
    """The channels of a (channels, 32, 32) image; raises ValueError for any other shape."""
    if len(shape) != 3 or shape[0] < 1 or tuple(shape[1:]) != (SIDE, SIDE):
        raise ValueError(f"shape must be (channels, {SIDE}, {SIDE}), not {tuple(shape)}")
    return shape[0]


def one_of(what: str, value: object, choices: tuple[object, ...]) -> None:
    """Raise ValueError, naming the choices, unless `value` is one of them.

    The type counts too: 3.0 is no kernel size, and 1 is not True.
    """
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        names = ", ".join(map(repr, choices))
        raise ValueError(f"{what} must be one of {names}, not {value!r}")


def scale(channels: int, width: float) -> int:
    """`channels` times `width`, rounded; raises ValueError when that leaves no channel."""
    if isinstance(width, bool) or not isinstance(width, int | float) or not math.isfinite(width):
        raise ValueError(f"width must be a finite number, not {width!r}")
    scaled = round(channels * width)
    if scaled < 1:
        raise ValueError(f"width {width!r} leaves no channel of {channels}")
    return scaled


def dropout_layer(dropout: float) -> nn.Dropout:
    """Dropout of a share of 0 or more and below 1; raises ValueError for anything else.

    There is a layer even at 0, so that the names of those after it do not change.
    """
    number = isinstance(dropout, int | float) and not isinstance(dropout, bool)
    if not number or not 0 <= dropout < 1:
        raise ValueError(f"dropout must be 0 or more and below 1, not {dropout!r}")
    return nn.Dropout(float(dropout))


class LocalResponseNorm(nn.LocalResponseNorm):
    """Local response normalisation with AlexNet's formula and constants.

    Channel i of the output is aᵢ / (k + α Σⱼ aⱼ²)^β, the sum over the n channels around i, with
    k = 2, n = 5, α = 1e-4, β = 0.75 (Krizhevsky, Sutskever, Hinton 2012, section 3.3). torch's
    layer divides its `alpha` by n, so it is given n α.

    Takes and returns (batch, channels, height, width).
    """

    def __init__(self) -> None:
        super().__init__(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)

    def forward(self, x: Tensor) -> Tensor:
        """The normalised x, computed in float32: in bfloat16 the sum would vanish beside k."""
        return super().forward(x.float()).to(x.dtype)


class ConvNet(nn.Module):
    """Convolutional `features`, flattened, then a `classifier`: AlexNet's and VGG's two halves.

    Takes x of shape (batch, channels, 32, 32), returns logits (batch, classes).
    """

    def __init__(self, features: nn.Sequential, classifier: nn.Sequential) -> None:
        super().__init__()
        self.features = features
        self.classifier = classifier

    def forward(self, x: Tensor) -> Tensor:
        """Logits of x."""
        logits: Tensor = self.classifier(torch.flatten(self.features(x), 1))
        return logits
