"""Inception for 32×32 images: GoogLeNet with 9 or 23 modules, and a small one with 2."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cvclaims.models.convolution import Conv2d
from cvclaims.models.parts import dropout_layer, image_channels, one_of, scale


class Row(NamedTuple):
    """Output channels of an Inception module's convolutions, in the order of GoogLeNet's table."""

    one: int
    reduce_three: int
    three: int
    reduce_five: int
    five: int
    pool: int

    def scaled(self, width: float) -> "Row":
        """The row with `width` times the channels, but no branch below `NARROWEST` by that."""
        return Row(*(max(scale(channels, width), min(channels, NARROWEST)) for channels in self))


# A branch keeps this many channels in a narrow network: with 4 of 16 it would learn too little.
NARROWEST = 16

# Table 1 of the paper: rows 3a-3b, 4a-4e, 5a-5b. A max-pool stands between the stages.
GOOGLENET = (
    (Row(64, 96, 128, 16, 32, 32), Row(128, 128, 192, 32, 96, 64)),
    (
        Row(192, 96, 208, 16, 48, 64),
        Row(160, 112, 224, 24, 64, 64),
        Row(128, 128, 256, 24, 64, 64),
        Row(112, 144, 288, 32, 64, 64),
        Row(256, 160, 320, 32, 128, 128),
    ),
    (Row(256, 160, 320, 32, 128, 128), Row(384, 192, 384, 48, 128, 128)),
)
# Modules in each stage. With the stem's 3 convolutions, 2 layers a module and the last linear
# layer, 9 modules make 22 layers and 23 make 50. The 14 more are spread in proportion.
STAGES = {9: (2, 5, 2), 23: (5, 13, 5)}


class ConvBlock(nn.Module):
    """A convolution with bias that keeps the size, batch norm if wanted, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, batch_norm: bool) -> None:
        super().__init__()
        self.conv = Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        self.bn = nn.BatchNorm2d(outputs) if batch_norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """What the block makes of x: (batch, inputs, h, w) to (batch, outputs, h, w)."""
        return torch.relu_(self.bn(self.conv(x)))


class InceptionModule(nn.Module):
    """Four branches side by side: 1×1; 3×3; 5×5; 3×3 max-pool and 1×1.

    With `reductions`, a 1×1 convolution narrows the input of the 3×3 and of the 5×5 convolution.

    Takes (batch, inputs, h, w), returns the branches' channels, (batch, `outputs`, h, w).
    """

    def __init__(self, inputs: int, row: Row, batch_norm: bool, reductions: bool) -> None:
        super().__init__()

        def block(inputs: int, outputs: int, kernel: int) -> ConvBlock:
            return ConvBlock(inputs, outputs, kernel, batch_norm)

        def narrowed(reduce: int, outputs: int, kernel: int) -> nn.Sequential:
            if not reductions:
                return nn.Sequential(block(inputs, outputs, kernel))
            return nn.Sequential(block(inputs, reduce, 1), block(reduce, outputs, kernel))

        self.outputs = row.one + row.three + row.five + row.pool
        self.branch = nn.ModuleList(
            [
                nn.Sequential(block(inputs, row.one, 1)),
                narrowed(row.reduce_three, row.three, 3),
                narrowed(row.reduce_five, row.five, 5),
                nn.Sequential(nn.MaxPool2d(3, 1, padding=1), block(inputs, row.pool, 1)),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        """The branches' outputs for x, one after the other along the channels."""
        return torch.cat([branch(x) for branch in self.branch], dim=1)


class Inception(nn.Module):
    """A stem, stages of Inception modules, global average pooling, dropout, a linear layer.

    The parts are named as in the report that trains these networks: conv2d (the stem),
    inception_layer.N.branch.0 to 3, linear. Max-pools, 3×3 with stride 2, stand after the stem and
    between stages, and count in N.

    Takes x of shape (batch, channels, 32, 32), returns logits (batch, classes).
    """

    def __init__(
        self,
        stem: list[ConvBlock],
        stages: list[list[Row]],
        classes: int,
        *,
        batch_norm: bool,
        reductions: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.conv2d = nn.Sequential(*stem, half())
        self.inception_layer = nn.Sequential()
        inputs = stem[-1].conv.out_channels
        for i, rows in enumerate(stages):
            if i > 0:
                self.inception_layer.append(half())
            for row in rows:
                module = InceptionModule(inputs, row, batch_norm, reductions)
                self.inception_layer.append(module)
                inputs = module.outputs
        self.dropout = dropout_layer(dropout)
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of x."""
        x = self.inception_layer(self.conv2d(x))
        logits: Tensor = self.linear(self.dropout(x.mean(dim=(2, 3))))
        return logits


def half() -> nn.MaxPool2d:
    """GoogLeNet's max-pool between stages; halves an even side."""
    return nn.MaxPool2d(3, 2, padding=1)


def inception(
    shape: tuple[int, ...],
    classes: int,
    *,
    modules: int = 9,
    batch_norm: bool = True,
    dropout: float = 0.4,
    width: float = 1.0,
) -> Inception:
    """GoogLeNet (Szegedy et al. 2015), "Inception-v1", or with 23 modules "Inception-50".

    The stem keeps the paper's three convolutions, 64, 64 (1×1) and 192, but the first is 3×3 with
    stride 1 instead of 7×7 with stride 2, and of the stem's two max-pools only the second stays:
    the stages work at 16×16, 8×8 and 4×4. Batch norm takes the place of the paper's local response
    normalisation; the auxiliary classifiers are left out. The 5×5 branch is 5×5 (3×3 in
    torchvision).

    Args:
        shape: (channels, 32, 32).
        classes: number of logits.
        modules: 9, in stages of 2, 5 and 2, 22 layers deep as the paper counts; or 23, in stages
            of 5, 13 and 5, 50 layers deep: each stage goes on with copies of its last row (3b,
            4e, 5b).
        batch_norm: batch norm between each convolution, which keeps its bias, and its ReLU.
        dropout: share of the averaged features that is dropped; the paper's 0.4; 0 for none.
        width: factor on all hidden channels.

    Raises ValueError for an argument that makes no network.
    """
    one_of("modules", modules, tuple(STAGES))
    one_of("batch_norm", batch_norm, (True, False))
    first, last = scale(64, width), scale(192, width)
    stem = [
        ConvBlock(image_channels(shape), first, 3, batch_norm),
        ConvBlock(first, first, 1, batch_norm),
        ConvBlock(first, last, 3, batch_norm),
    ]
    stages = []
    for rows, count in zip(GOOGLENET, STAGES[modules], strict=True):
        stage = [*rows, *[rows[-1]] * (count - len(rows))]
        stages.append([row.scaled(width) for row in stage])
    return Inception(stem, stages, classes, batch_norm=batch_norm, reductions=True, dropout=dropout)


def small_inception(
    shape: tuple[int, ...], classes: int, *, reductions: bool = True, width: float = 1.0
) -> Inception:
    """Two modules of GoogLeNet's row 3a after one 3×3 convolution of 64 channels.

    Recovered from the parameter counts of the report that compares it with and without its 1×1
    reductions: 320,042 and 661,386. Batch norm follows every convolution. Max-pools after the stem
    and between the modules, so maps go 32 → 16 → 8; global average pooling and Linear 256-classes.

    Args:
        shape: (channels, 32, 32).
        classes: number of logits.
        reductions: the 1×1 convolutions before the 3×3 and the 5×5 ones. The 1×1 branch and the
            pool's projection stay without them.
        width: factor on all hidden channels.

    Raises ValueError for an argument that makes no network.
    """
    one_of("reductions", reductions, (True, False))
    stem = [ConvBlock(image_channels(shape), scale(64, width), 3, True)]
    row = GOOGLENET[0][0].scaled(width)
    return Inception(
        stem, [[row], [row]], classes, batch_norm=True, reductions=reductions, dropout=0.0
    )
