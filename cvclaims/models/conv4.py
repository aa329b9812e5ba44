"""The four-layer convolutional network on which AlexNet's paper compares ReLU with tanh."""

from torch import nn

from cvclaims.models.convolution import Conv2d
from cvclaims.models.parts import SIDE, ConvNet, image_channels, one_of, scale

# Each with torch's own slopes.
ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
CHANNELS = (32, 32, 64, 64)
KERNEL, STACKED = 5, (3, 3)
POOLED = (0, 1, 2)  # convolutions that a max-pool follows


def conv4(
    shape: tuple[int, ...],
    classes: int,
    *,
    activation: str = "relu",
    stacked: bool = False,
    width: float = 1.0,
) -> ConvNet:
    """Four convolutions, each with its activation, and one linear layer.

    The paper (Krizhevsky, Sutskever, Hinton 2012, figure 1) says no more of its network than that
    it has four layers and no regularisation. This layout is ours, with the 5×5 kernels and
    32 or 64 channels usual for CIFAR-10 then: 32-32-64-64, 3×3 max-pools with stride 2 after the
    first three, maps 32 → 16 → 8 → 4, then Linear 1024-classes; no dropout, no normalisation.

    Args:
        shape: (channels, 32, 32).
        classes: number of logits.
        activation: a name of `ACTIVATIONS`.
        stacked: two 3×3 convolutions, each with its activation, in the place of each 5×5: the same
            input region by more layers and fewer weights.
        width: factor on all hidden channels.

    Raises ValueError for an argument that makes no network.
    """
    one_of("activation", activation, tuple(ACTIVATIONS))
    one_of("stacked", stacked, (True, False))
    kernels = STACKED if stacked else (KERNEL,)
    inputs = image_channels(shape)
    layers: list[nn.Module] = []
    for i, channels in enumerate(CHANNELS):
        outputs = scale(channels, width)
        for kernel in kernels:
            layers += [Conv2d(inputs, outputs, kernel, padding=kernel // 2)]
            layers += [ACTIVATIONS[activation]()]
            inputs = outputs
        if i in POOLED:
            layers.append(nn.MaxPool2d(3, 2, padding=1))
    side = SIDE // 2 ** len(POOLED)
    classifier = nn.Sequential(nn.Linear(inputs * side * side, classes))
    return ConvNet(nn.Sequential(*layers), classifier)
