"""Ten classes of ImageNet, 64 x 64 pixels, in ImageNet's layout: its code on real pictures, without its numbers.

They are enlarged as ImageNet's pictures are made small. No result on them says anything about ImageNet.
"""

from dataclasses import replace
from pathlib import Path

from pruning.datasets import Split, imagenet, imagenette64_tiny
from pruning.picture_folders import Layout
from pruning.picture_folders import imagenet as imagenet_layout

DESCRIPTION = replace(imagenet.DESCRIPTION, train=9469, test=3925, classes=10, source=imagenette64_tiny.SOURCE)
LAYOUT = Layout("imagenette64", "imagenet", imagenette64_tiny.CLASSES, (858, 993), (357, 419))


def read(folder: Path) -> tuple[Split, Split]:
    """The indices of the training and the validation pictures, checked."""
    train, test = imagenet_layout(folder, LAYOUT)
    return imagenet.index(folder, train), imagenet.index(folder, test)
