"""VGG-D for images of 32 x 32 as in SNIP's experiments: VGG-16 with two hidden linear layers of 512 units.

Batch norm stands behind these layers too, in place of dropout. (SNIP's published code.)
"""

from torch import nn

from pruning.networks import vgg16


def build(shape: tuple[int, int, int], classes: int) -> nn.Module:
    return vgg16.VGG(shape[2], classes, (*vgg16.PLAN[:-1], "pool"), hidden=(512, 512))
