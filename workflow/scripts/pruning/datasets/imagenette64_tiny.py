"""Ten classes of ImageNet, 64 x 64 pixels, in TinyImageNet's layout: its code on real pictures, without its numbers.

The pictures are those of Imagenette 2, cut square and made small. No result on them says anything about TinyImageNet.
"""

from dataclasses import replace
from pathlib import Path

from pruning.datasets import Split, tinyimagenet
from pruning.picture_folders import Layout
from pruning.picture_folders import tinyimagenet as tinyimagenet_layout

CLASSES = (
    *("n01440764", "n02102040", "n02979186", "n03000684", "n03028079"),
    *("n03394916", "n03417042", "n03425413", "n03445777", "n03888257"),
)
SOURCE = "J. Howard, Imagenette 2 (fast.ai): ten classes of ImageNet; here at 64 x 64 pixels"
DESCRIPTION = replace(tinyimagenet.DESCRIPTION, train=9469, test=3925, classes=10, source=SOURCE)
LAYOUT = Layout("imagenette64", "tiny-imagenet-200", CLASSES, (858, 993), (357, 419))


def read(folder: Path) -> tuple[Split, Split]:
    """The training and the validation pictures, checked and decoded."""
    train, test = tinyimagenet_layout(folder, LAYOUT)
    return tinyimagenet.decode(train), tinyimagenet.decode(test)
