"""VGG-16 for small images, in the form of the authors' code: 13 convolutions with bias, each with batch norm and ReLU,
a 2x2 average pool at the end, one linear layer (after Simonyan and Zisserman 2015)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

Plan = tuple[int | str, ...]
"""widths of convolutions, `pool` for a maximum and `average` for an average over 2x2"""
PLAN: Plan = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "average")
MANY = 16
"""maps of 2x2 from which on putting the weights in place for one product costs less than it saves"""


class Convolution(nn.Conv2d):
    """3x3 with padding. Of small maps on a CPU one product: for 2x2 in a third of the time, for 4x4 in two thirds.

    (Of 8x8, gathering the neighbourhoods costs more than the product saves.)
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(channels, width, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        if images.device.type == "cpu" and self.bias is not None:
            if images.shape[2:] == (2, 2) and len(images) >= MANY:
                return of_2x2_maps(images, self.weight, self.bias)
            if images.shape[2:] == (4, 4):
                return of_neighbourhoods(images, self.weight, self.bias)
        return super().forward(images)


def of_2x2_maps(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The convolution of `images` (n, channels, 2, 2) with `weight` (width, channels, 3, 3) and padding 1.

    Each of the 4 outputs of a map reads all 4 inputs, through 4 of the 9 weights: a linear layer.
    """
    taps = weight.permute(0, 2, 3, 1)
    rows = [taps[:, 1 - y : 3 - y, 1 - x : 3 - x].flatten(1) for y in (0, 1) for x in (0, 1)]
    outputs = functional.linear(images.permute(0, 2, 3, 1).flatten(1), torch.cat(rows), bias.repeat(4))
    return outputs.view(len(images), 2, 2, len(weight)).permute(0, 3, 1, 2)


def of_neighbourhoods(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The convolution of `images` (n, channels, height, width) with `weight` (width, channels, 3, 3) and padding 1.

    A linear layer, of the 9 inputs that each output reads.
    """
    height, width = images.shape[2:]
    padded = functional.pad(images.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    read = torch.cat([padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)], -1)
    return functional.linear(read, weight.permute(0, 2, 3, 1).flatten(1), bias).permute(0, 3, 1, 2)


class VGG(nn.Module):
    """Convolutions after `plan`, then hidden linear layers of the widths `hidden`, then the output layer."""

    def __init__(self, channels: int, classes: int, plan: Plan, hidden: tuple[int, ...] = ()) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in plan:
            if isinstance(width, str):
                layers.append(nn.MaxPool2d(2) if width == "pool" else nn.AvgPool2d(2))
            else:
                layers += [Convolution(channels, width), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                channels = width
        self.features = nn.Sequential(*layers)
        layers = []
        for width in hidden:
            layers += [nn.Linear(channels, width), nn.BatchNorm1d(width), nn.ReLU(inplace=True)]
            channels = width
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Linear(channels, classes)

    def forward(self, images: Tensor) -> Tensor:
        features = self.hidden(self.features(images).flatten(1))
        logits: Tensor = self.output(features)
        return logits


def build(shape: tuple[int, int, int], classes: int) -> nn.Module:
    return VGG(shape[2], classes, PLAN)
