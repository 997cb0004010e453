"""ResNet-18 for small pictures: a first convolution of 3x3 with stride 1, and no max pool. (Authors' code.)"""

from torch import nn

from pruning.networks import resnet18


def build(shape: tuple[int, int, int], classes: int) -> nn.Module:
    network = resnet18.build(shape, classes)
    network.conv1 = nn.Conv2d(shape[2], 64, 3, padding=1, bias=False)
    network.maxpool = nn.Identity()
    return network
