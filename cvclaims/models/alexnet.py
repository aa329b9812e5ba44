"""AlexNet for 32×32 images."""

from torch import nn

from cvclaims.models.convolution import Conv2d
from cvclaims.models.parts import (
    SIDE,
    ConvNet,
    LocalResponseNorm,
    dropout_layer,
    image_channels,
    one_of,
    scale,
)

POOLS = ("overlapping", "plain")

# Output channels and kernel of each convolution: torchvision's, but for the first kernel.
CONVS = ((64, 3), (192, 5), (384, 3), (256, 3), (256, 3))
POOLED = (0, 1, 4)  # convolutions that a max-pool follows
NORMALISED = (0, 1)  # convolutions that local response normalisation follows
HIDDEN = 4096


def alexnet(
    shape: tuple[int, ...],
    classes: int,
    *,
    lrn: bool = False,
    pool: str = "overlapping",
    dropout: float = 0.5,
    width: float = 1.0,
) -> ConvNet:
    """AlexNet (Krizhevsky, Sutskever, Hinton 2012), with the channels of torchvision's.

    The first convolution, 11×11 with stride 4 on ImageNet, is 3×3 with stride 1 here; the second
    stays 5×5, the others 3×3; padding keeps the size. Feature maps go 32 → 16 → 8 → 4, and three
    linear layers follow. Without `lrn`, names are torchvision's: convolutions at features.0, 3,
    6, 8, 10, linear layers at classifier.1, 4, 6.

    Args:
        shape: (channels, 32, 32).
        classes: number of logits.
        lrn: local response normalisation after the first and the second convolution's ReLU.
        pool: "overlapping", 3×3 windows with stride 2, as in the paper; or "plain", 2×2 with
            stride 2. Both halve the map, so that nothing else differs between them.
        dropout: share of the inputs of the first two linear layers that is dropped; 0 for none.
        width: factor on all hidden channels and features.

    Raises ValueError for a shape, pool, dropout or width that makes no network.
    """
    one_of("pool", pool, POOLS)
    one_of("lrn", lrn, (True, False))
    inputs = image_channels(shape)
    layers: list[nn.Module] = []
    for i, (channels, kernel) in enumerate(CONVS):
        outputs = scale(channels, width)
        layers += [Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.ReLU(inplace=True)]
        if lrn and i in NORMALISED:
            layers.append(LocalResponseNorm())
        if i in POOLED:
            layers.append(max_pool(pool))
        inputs = outputs
    side = SIDE // 2 ** len(POOLED)
    hidden = scale(HIDDEN, width)
    classifier = nn.Sequential(
        dropout_layer(dropout),
        nn.Linear(inputs * side * side, hidden),
        nn.ReLU(inplace=True),
        dropout_layer(dropout),
        nn.Linear(hidden, hidden),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, classes),
    )
    return ConvNet(nn.Sequential(*layers), classifier)


def max_pool(pool: str) -> nn.MaxPool2d:
    """A max-pool that halves an even side, its windows overlapping or not."""
    # Without padding, 3×3 windows would give 15, 7, 3 and so a smaller classifier than 2×2 ones.
    return nn.MaxPool2d(3, 2, padding=1) if pool == "overlapping" else nn.MaxPool2d(2, 2)
