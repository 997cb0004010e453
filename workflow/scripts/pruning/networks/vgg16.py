"""VGG-16 for small images, in the form of the authors' code: 13 convolutions with bias, each with batch norm and ReLU,
a 2x2 average pool at the end, one linear layer (after Simonyan and Zisserman 2015)."""

import torch
from torch import Tensor, nn

from pruning import winograd

Plan = tuple[int | str, ...]
"""widths of convolutions, `pool` for a maximum and `average` for an average over 2x2"""
PLAN: Plan = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "average")
SMALL, MANY = 8, 16
"""height of maps up to which Winograd's way is the faster on a CPU, measured with batches; fewer maps, as the one of
SynFlow, are left to torch"""


class Convolution(nn.Conv2d):
    """3x3 with padding; of many small maps on a CPU, by Winograd's minimal filtering."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(channels, width, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        number, _, height, width = images.shape
        small = number >= MANY and height <= SMALL and height % 2 == 0 and width == height
        if small and images.device.type == "cpu" and self.bias is not None and not torch.is_autocast_enabled("cpu"):
            return winograd.convolution(images, self.weight, self.bias)
        return super().forward(images)


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
