"""TinyImageNet: 100,000 training and 10,000 validation pictures of 64 x 64 pixels, 200 classes, crops that are resized.

The labels of its test pictures were never published: the validation pictures are the test split. (Authors' code.)
"""

from pathlib import Path

import numpy as np

from pruning import PruningError
from pruning.datasets import Description, Split
from pruning.picture_folders import Labelled, Layout, class_list, tinyimagenet
from pruning.pictures import open_picture

DESCRIPTION = Description(
    train=100_000,
    test=10_000,
    classes=200,
    shape=(64, 64, 3),
    scale=255.0,
    # The constants of the authors' code. They were meant for pixels that had been standardised once before.
    mean=(-0.021, -0.0354, -0.0376),
    deviation=(1.21, 1.20, 1.25),
    augmentation="random resized crop",
    licence="that of ImageNet: research that is not commercial",
    source="Y. Le, X. Yang, Tiny ImageNet Visual Recognition Challenge, 2015 (Stanford CS 231N)",
    made_with=("pillow",),
)
LAYOUT = Layout("TinyImageNet", "tiny-imagenet-200", class_list("tinyimagenet"), (500, 500), (50, 50))


def read(folder: Path) -> tuple[Split, Split]:
    """The training and the validation pictures of tiny-imagenet-200, checked and decoded."""
    train, test = tinyimagenet(folder, LAYOUT)
    return decode(train), decode(test)


def decode(labelled: Labelled) -> Split:
    """Pictures that have the size of the dataset already. Raises PruningError for one that has not."""
    images = np.empty((len(labelled), *DESCRIPTION.shape), dtype=np.uint8)
    for image, (path, _) in zip(images, labelled, strict=True):
        picture = open_picture(path)
        if picture.size != (64, 64):
            raise PruningError(f"{path} has {picture.width} x {picture.height} pixels, and 64 x 64 are expected.")
        image[:] = np.asarray(picture)
    return Split(images, np.array([number for _, number in labelled], dtype=np.int64))
