"""ResNet-50 (He et al. 2016) in torchvision's form, v1.5: where a stage starts, the 3x3 convolution has the stride."""

from torch import nn


def build(shape: tuple[int, int, int], classes: int) -> nn.Module:
    # Importing torchvision takes seconds: only whoever builds such a network pays for it.
    from torchvision.models import resnet50

    network: nn.Module = resnet50(num_classes=classes)
    return network
