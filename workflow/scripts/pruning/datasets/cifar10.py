"""CIFAR-10: 50,000 training and 10,000 test images of 32 x 32 colour pixels, read through torchvision.

The official files are pickles. Their MD5 is checked before anything opens them.
"""

from pathlib import Path

import numpy as np

from pruning.datasets import Description, Split, check_files, missing_files

DESCRIPTION = Description(
    train=50_000,
    test=10_000,
    classes=10,
    shape=(32, 32, 3),
    scale=255.0,
    # The constants of ImageNet, as in the authors' code.
    mean=(0.485, 0.456, 0.406),
    deviation=(0.229, 0.224, 0.225),
    augmentation="flip and crop",
    licence="none stated by its authors; cite the report",
    source="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
    files={
        "cifar-10-batches-py/data_batch_1": "c99cafc152244af753f735de768cd75f",
        "cifar-10-batches-py/data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "cifar-10-batches-py/data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "cifar-10-batches-py/data_batch_4": "634d18415352ddfa80567beed471001a",
        "cifar-10-batches-py/data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "cifar-10-batches-py/test_batch": "40351d587109b95175f43aff81a1287e",
        "cifar-10-batches-py/batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    },
)


def read(folder: Path) -> tuple[Split, Split]:
    """The official splits; the files are downloaded where they are missing and there is a network."""
    from torchvision.datasets import CIFAR10

    if check_files(folder, DESCRIPTION.files):
        try:
            CIFAR10(folder, download=True)
        except (OSError, RuntimeError) as error:
            missing = check_files(folder, DESCRIPTION.files)
            raise missing_files("CIFAR-10", folder, DESCRIPTION.files, missing, str(error)) from None
    splits = []
    for train in (True, False):
        dataset = CIFAR10(folder, train=train, download=False)
        splits.append(Split(dataset.data, np.array(dataset.targets, dtype=np.int64)))
    return splits[0], splits[1]
