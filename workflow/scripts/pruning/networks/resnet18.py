"""ResNet-18 (He et al. 2016) in torchvision's form: before the blocks, a 7x7 convolution and a max pool with stride 2.

The study applies it unchanged to pictures of 64 x 64 pixels. (Authors' code.)
"""

from torch import nn


def build(shape: tuple[int, int, int], classes: int) -> nn.Module:
    # Importing torchvision takes seconds: only whoever builds such a network pays for it.
    from torchvision.models import resnet18

    network: nn.Module = resnet18(num_classes=classes)
    return network
