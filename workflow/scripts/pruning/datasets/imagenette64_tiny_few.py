"""A few of the pictures of imagenette64-tiny: 20 a class to train and 20 to test. For updates that take seconds."""

from dataclasses import replace
from pathlib import Path

from pruning.datasets import Split, imagenette64_tiny, tinyimagenet
from pruning.picture_folders import first_of_each_class
from pruning.picture_folders import tinyimagenet as tinyimagenet_layout

DESCRIPTION = replace(imagenette64_tiny.DESCRIPTION, train=200, test=200)


def read(folder: Path) -> tuple[Split, Split]:
    """The first pictures of each class, in the order of their names."""
    train, test = tinyimagenet_layout(folder, imagenette64_tiny.LAYOUT)
    return tinyimagenet.decode(first_of_each_class(train, 20)), tinyimagenet.decode(first_of_each_class(test, 20))
