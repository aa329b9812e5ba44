"""VGG for 32×32 images: 11, 13, 16 and 19 layers, and 50."""

from torch import nn

from cvclaims.models.convolution import Conv2d
from cvclaims.models.parts import (
    ConvNet,
    LocalResponseNorm,
    dropout_layer,
    image_channels,
    one_of,
    scale,
)

# Convolutions in each of the five blocks: configurations A, B, D, E of the paper, and VGG-50,
# which spreads 47 so that the names agree with the report's: its block 5 starts at features.78.
BLOCKS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
    50: (9, 9, 9, 10, 10),
}
CHANNELS = (64, 128, 256, 512, 512)
HIDDEN = 4096
KERNELS = (3, 7)
HEADS = ("mlp", "linear")


def vgg(
    shape: tuple[int, ...],
    classes: int,
    *,
    depth: int = 16,
    kernel: int = 3,
    batch_norm: bool = False,
    lrn: bool = False,
    head: str = "mlp",
    dropout: float = 0.5,
    width: float = 1.0,
) -> ConvNet:
    """VGG (Simonyan, Zisserman 2015): five blocks of convolutions, each ending in a 2×2 max-pool.

    Feature maps go 32 → 16 → 8 → 4 → 2 → 1, so the classifier sees one pixel of 512 channels.
    Without `lrn`, names are torchvision's: features.N, and classifier.0, 3, 6 in the "mlp" head.

    Args:
        shape: (channels, 32, 32).
        classes: number of logits.
        depth: layers with weights, in the "mlp" head: 11, 13, 16, 19 or 50.
        kernel: side of every convolution's kernel, 3 or 7; padding keeps the size.
        batch_norm: batch norm between each convolution, which keeps its bias, and its ReLU.
        lrn: local response normalisation after the first convolution's ReLU, AlexNet's constants.
        head: "mlp", 512-4096-4096-classes; or "linear", 512-classes.
        dropout: share of each hidden layer of the "mlp" head that is dropped; 0 for none. The
            "linear" head has no hidden layer and ignores it.
        width: factor on all hidden channels and features.

    Raises ValueError for an argument that makes no network.
    """
    one_of("depth", depth, tuple(BLOCKS))
    one_of("kernel", kernel, KERNELS)
    one_of("batch_norm", batch_norm, (True, False))
    one_of("lrn", lrn, (True, False))
    one_of("head", head, HEADS)
    inputs = image_channels(shape)
    layers: list[nn.Module] = []
    for convs, channels in zip(BLOCKS[depth], CHANNELS, strict=True):
        outputs = scale(channels, width)
        for _ in range(convs):
            layers.append(Conv2d(inputs, outputs, kernel, padding=kernel // 2))
            if batch_norm:
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.ReLU(inplace=True))
            inputs = outputs
        layers.append(nn.MaxPool2d(2, 2))
    if lrn:
        layers.insert(3 if batch_norm else 2, LocalResponseNorm())
    features = nn.Sequential(*layers)
    if head == "linear":
        return ConvNet(features, nn.Sequential(nn.Linear(inputs, classes)))
    return ConvNet(features, mlp_head(inputs, scale(HIDDEN, width), classes, dropout))


def mlp_head(inputs: int, hidden: int, classes: int, dropout: float) -> nn.Sequential:
    """VGG's three linear layers: inputs - hidden - hidden - classes, (batch, inputs) to logits."""
    return nn.Sequential(
        nn.Linear(inputs, hidden),
        nn.ReLU(inplace=True),
        dropout_layer(dropout),
        nn.Linear(hidden, hidden),
        nn.ReLU(inplace=True),
        dropout_layer(dropout),
        nn.Linear(hidden, classes),
    )
