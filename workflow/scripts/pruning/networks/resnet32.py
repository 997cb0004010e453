"""ResNet-32 for small images as in GraSP's experiments: five blocks a stage, twice the channels of He et al. (2016).

Our reading: the architecture's file is missing from the copy of GraSP's code that could be read; code that derives from
it has these widths and projection shortcuts.
"""

from torch import nn

from pruning.networks.resnet20 import ResNet


def build(shape: tuple[int, int, int], classes: int) -> nn.Module:
    return ResNet(shape[2], classes, blocks=5, widths=(32, 64, 128))
