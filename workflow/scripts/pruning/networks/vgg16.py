"""VGG-16 for small images, in the form of the authors' code: 13 convolutions with bias, each with batch norm and ReLU,
a 2x2 average pool at the end, one linear layer (after Simonyan and Zisserman 2015)."""

from torch import Tensor, nn

Plan = tuple[int | str, ...]
"""widths of convolutions, `pool` for a maximum and `average` for an average over 2x2"""
PLAN: Plan = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "average")


class VGG(nn.Module):
    """Convolutions after `plan`, then hidden linear layers of the widths `hidden`, then the output layer."""

    def __init__(self, channels: int, classes: int, plan: Plan, hidden: tuple[int, ...] = ()) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in plan:
            if isinstance(width, str):
                layers.append(nn.MaxPool2d(2) if width == "pool" else nn.AvgPool2d(2))
            else:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
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
