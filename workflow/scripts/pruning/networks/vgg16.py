"""VGG-16 for small images, in the form of the authors' code: 13 convolutions with bias, each with batch norm and ReLU,
a 2x2 average pool at the end, one linear layer (after Simonyan and Zisserman 2015)."""

from torch import Tensor, nn

WIDTHS = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512)


class VGG16(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in WIDTHS:
            if isinstance(width, str):
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
        self.features = nn.Sequential(*layers, nn.AvgPool2d(2))
        self.output = nn.Linear(512, classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.output(self.features(images).flatten(1))
        return logits


def build(shape: tuple[int, int, int], classes: int) -> nn.Module:
    return VGG16(shape[2], classes)
