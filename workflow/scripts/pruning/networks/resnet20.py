"""ResNet-20 for small images (He et al. 2016, section 4.2), in the form of the authors' code.

Three stages of three basic blocks at 16, 32 and 64 channels. Where a stage starts with stride 2 the shortcut is a 1x1
convolution with batch norm (a projection, not the padded identity of the original "option A").
"""

from torch import Tensor, nn


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.norm1(self.conv1(images)).relu_()
        features = self.norm2(self.conv2(features))
        features += self.shortcut(images)
        return features.relu_()


class ResNet(nn.Module):
    """Three stages of `blocks` basic blocks; `widths` are their channels."""

    def __init__(self, channels: int, classes: int, blocks: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, widths[0], 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(widths[0])
        layers, inputs = [], widths[0]
        for stage, outputs in enumerate(widths):
            for block in range(blocks):
                layers.append(Block(inputs, outputs, stride=2 if stage > 0 and block == 0 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*layers)
        self.output = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        features = self.norm(self.conv(images)).relu_()
        features = self.blocks(features).mean((2, 3))
        logits: Tensor = self.output(features)
        return logits


def build(shape: tuple[int, int, int], classes: int) -> nn.Module:
    return ResNet(shape[2], classes, blocks=3, widths=(16, 32, 64))
