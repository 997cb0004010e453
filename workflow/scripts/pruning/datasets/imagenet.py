"""ImageNet (ILSVRC 2012): 1,281,167 training and 50,000 validation pictures of many sizes, 1000 classes.

It does not fit into memory: what is prepared is an index, and a picture is decoded when it is used. The validation
pictures are the test split. The layout is that of torchvision's ImageFolder: imagenet/{train,val}/CLASS/*.JPEG.
"""

from pathlib import Path

import numpy as np

from pruning.datasets import Description, Split
from pruning.picture_folders import Labelled, Layout, class_list, imagenet
from pruning.pictures import index_of

DESCRIPTION = Description(
    train=1_281_167,
    test=50_000,
    classes=1000,
    shape=(224, 224, 3),
    scale=255.0,
    mean=(0.485, 0.456, 0.406),
    deviation=(0.229, 0.224, 0.225),
    augmentation="random resized crop",
    shorter_edge=256,
    licence="its own terms of access: research that is not commercial",
    source="O. Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, IJCV 2015",
)
LAYOUT = Layout("ImageNet", "imagenet", class_list("imagenet"), (732, 1300), (50, 50))


def read(folder: Path) -> tuple[Split, Split]:
    """The indices of the training and the validation pictures, checked."""
    train, test = imagenet(folder, LAYOUT)
    return index(folder, train), index(folder, test)


def index(folder: Path, labelled: Labelled) -> Split:
    return Split(
        index_of(folder, (path for path, _ in labelled)), np.array([number for _, number in labelled], dtype=np.int64)
    )
