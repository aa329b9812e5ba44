"""ResNet for 32×32 images: 18, 50 and 101 layers."""

import torch
from torch import Tensor, nn

from cvclaims.models.convolution import Conv2d
from cvclaims.models.parts import image_channels, one_of, scale

# Blocks in each of the four stages, and whether they are bottlenecks.
STAGES = {
    18: ((2, 2, 2, 2), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
}
CHANNELS = (64, 128, 256, 512)
EXPANSION = 4  # a bottleneck puts out this many times the channels it works in


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the size at stride 1; no bias, since batch norm follows it."""
    return Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


class Residual(nn.Module):
    """A residual block: relu(residual(x) + shortcut(x)).

    The shortcut is x itself where its shape fits, else a 1×1 projection with batch norm.

    Takes (batch, inputs, height, width), returns (batch, outputs, height/stride, width/stride).
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)
            )

    def shortcut(self, x: Tensor) -> Tensor:
        """What of x goes past the convolutions."""
        if self.downsample is None:
            return x
        projected: Tensor = self.downsample(x)
        return projected

    def residual(self, x: Tensor) -> Tensor:
        """What the convolutions make of x, up to and with the last batch norm."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """The block's output."""
        return torch.relu_(self.residual(x).add_(self.shortcut(x)))


class BasicBlock(Residual):
    """Two 3×3 convolutions, the first with the stride."""

    def __init__(self, inputs: int, channels: int, stride: int, zero_gamma: bool) -> None:
        super().__init__(inputs, channels, stride)
        self.conv1 = conv(inputs, channels, 3, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = conv(channels, channels, 3)
        self.bn2 = nn.BatchNorm2d(channels)
        if zero_gamma:
            nn.init.zeros_(self.bn2.weight)

    def residual(self, x: Tensor) -> Tensor:
        """What the convolutions make of x, up to and with the last batch norm."""
        x = torch.relu_(self.bn1(self.conv1(x)))
        out: Tensor = self.bn2(self.conv2(x))
        return out


class Bottleneck(Residual):
    """1×1, 3×3 and 1×1 convolutions; the last puts out four times the channels.

    The stride is the 3×3 convolution's, as in torchvision; the paper has it in the first 1×1.
    """

    def __init__(self, inputs: int, channels: int, stride: int, zero_gamma: bool) -> None:
        super().__init__(inputs, EXPANSION * channels, stride)
        self.conv1 = conv(inputs, channels, 1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = conv(channels, channels, 3, stride)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = conv(channels, EXPANSION * channels, 1)
        self.bn3 = nn.BatchNorm2d(EXPANSION * channels)
        if zero_gamma:
            nn.init.zeros_(self.bn3.weight)

    def residual(self, x: Tensor) -> Tensor:
        """What the convolutions make of x, up to and with the last batch norm."""
        x = torch.relu_(self.bn1(self.conv1(x)))
        x = torch.relu_(self.bn2(self.conv2(x)))
        out: Tensor = self.bn3(self.conv3(x))
        return out


class ResNet(nn.Module):
    """Deep residual learning (He, Zhang, Ren, Sun 2016), with a stem for 32×32 images.

    The stem is one 3×3 convolution with stride 1 and no max-pool, so maps go 32 → 32 → 16 → 8 → 4
    over layer1 to layer4; global average pooling and one linear layer follow. Names are
    torchvision's: conv1, bn1, layer1.0.conv1 ... layer4, fc.

    Takes x of shape (batch, channels, 32, 32), returns logits (batch, classes).

    Args:
        shape: (channels, 32, 32).
        classes: number of logits.
        depth: layers with weights, projections not counted: 18 (basic blocks), 50 or 101
            (bottlenecks).
        zero_gamma: start the last batch norm of every block with weight 0, so that each block
            starts as its shortcut: relu(shortcut(x)).
        stage1_stride: of layer1's first block. With 2 every stage halves the map, 32 → 16 → 8 → 4 →
            2, for a quarter of the operations.
        width: factor on all hidden channels.

    Raises ValueError for an argument that makes no network.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int,
        *,
        depth: int = 18,
        zero_gamma: bool = False,
        stage1_stride: int = 1,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        one_of("depth", depth, tuple(STAGES))
        one_of("zero_gamma", zero_gamma, (True, False))
        one_of("stage1_stride", stage1_stride, (1, 2))
        first, *_ = widths = [scale(channels, width) for channels in CHANNELS]
        self.conv1 = conv(image_channels(shape), first, 3)
        self.bn1 = nn.BatchNorm2d(first)
        blocks, bottleneck = STAGES[depth]
        block = Bottleneck if bottleneck else BasicBlock
        inputs, stages = first, []
        for i, (count, channels) in enumerate(zip(blocks, widths, strict=True)):
            stage = nn.Sequential()
            for j in range(count):
                stride = 1 if j > 0 else stage1_stride if i == 0 else 2
                stage.append(block(inputs, channels, stride, zero_gamma))
                inputs = EXPANSION * channels if bottleneck else channels
            stages.append(stage)
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of x."""
        x = torch.relu_(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        logits: Tensor = self.fc(x.mean(dim=(2, 3)))
        return logits
