"""VGG-19 for small images as in GraSP's experiments: 16 convolutions and one linear layer.

Our reading: the architecture's file is missing from the copy of GraSP's code that could be read, so it has the form of
the study's VGG-16, convolutions with bias among it.
"""

from torch import nn

from pruning.networks.vgg16 import VGG, Plan

PLAN: Plan = (
    *(64, 64, "pool", 128, 128, "pool", 256, 256, 256, 256, "pool"),
    *(512, 512, 512, 512, "pool", 512, 512, 512, 512, "average"),
)


def build(shape: tuple[int, int, int], classes: int) -> nn.Module:
    return VGG(shape[2], classes, PLAN)
