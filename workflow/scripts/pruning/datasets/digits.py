"""The digits of scikit-learn: 1797 images of 8 x 8 pixels, 17 grey levels. They come with the package: no download."""

from pathlib import Path

import numpy as np

from pruning import PruningError
from pruning.datasets import Description, Split
from pruning.files import checksum

DESCRIPTION = Description(
    train=1437,
    test=360,
    classes=10,
    shape=(8, 8, 1),
    scale=16.0,
    mean=None,
    deviation=None,
    augmentation="none",
    licence="CC BY 4.0",
    source="E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI (test part), in scikit-learn",
    made_with=("scikit-learn",),
)
CHECKSUM = "a749ac1b49cfac5911750c7321b69c701d0306e09f115d8317f121d65790e830"


def read(folder: Path) -> tuple[Split, Split]:
    """A stratified split that is the same for every seed; `folder` is not used."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = digits.images.astype(np.uint8)[..., None]
    labels = digits.target.astype(np.int64)
    train, test = train_test_split(np.arange(len(labels)), test_size=DESCRIPTION.test, stratify=labels, random_state=0)
    splits = Split(images[train], labels[train]), Split(images[test], labels[test])
    found = checksum(*(array for split in splits for array in (split.images[:], split.labels)))
    if found != CHECKSUM:
        raise PruningError(
            f"The digits of this scikit-learn, or its split of them, are not those of the study (checksum {found},"
            f" expected {CHECKSUM}). Install the versions that requirements.txt pins."
        )
    return splits
