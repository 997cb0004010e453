"""A few of the pictures of imagenette64-folders: 10 a class to train and 5 to test. For updates that take minutes."""

from dataclasses import replace
from pathlib import Path

from pruning.datasets import Split, imagenet, imagenette64_folders
from pruning.picture_folders import first_of_each_class
from pruning.picture_folders import imagenet as imagenet_layout

DESCRIPTION = replace(imagenette64_folders.DESCRIPTION, train=100, test=50)


def read(folder: Path) -> tuple[Split, Split]:
    """The indices of the first pictures of each class, in the order of their names."""
    train, test = imagenet_layout(folder, imagenette64_folders.LAYOUT)
    return (
        imagenet.index(folder, first_of_each_class(train, 10)),
        imagenet.index(folder, first_of_each_class(test, 5)),
    )
