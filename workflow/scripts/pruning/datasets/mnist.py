"""MNIST: 60,000 training and 10,000 test images of 28 x 28 grey pixels, read through torchvision."""

from pathlib import Path

import numpy as np

from pruning import PruningError
from pruning.datasets import Description, Split, check_files, missing_files

DESCRIPTION = Description(
    train=60_000,
    test=10_000,
    classes=10,
    shape=(28, 28, 1),
    scale=255.0,
    mean=(0.1307,),
    deviation=(0.3081,),
    augmentation="none",
    licence="usually given as CC BY-SA 3.0 (Y. LeCun, C. Cortes)",
    source="Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits",
    files={
        "MNIST/raw/train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "MNIST/raw/train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "MNIST/raw/t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "MNIST/raw/t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    },
)
UNPACKED = {
    "MNIST/raw/train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "MNIST/raw/train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "MNIST/raw/t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "MNIST/raw/t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""What torchvision unpacks from the official files, and then reads without looking at them again."""


def read(folder: Path) -> tuple[Split, Split]:
    """The official splits; the files are downloaded where they are missing and there is a network."""
    import torchvision.datasets

    class MNIST(torchvision.datasets.MNIST):  # type: ignore[misc]
        """torchvision prefers a folder `processed`, left by its old versions, to the files that were checked."""

        def _check_legacy_exist(self) -> bool:
            return False

    missing = check_files(folder, DESCRIPTION.files)
    if check_files(folder, UNPACKED):
        try:
            MNIST(folder, download=True)  # unpacks what is there, downloads what is not
        except (OSError, RuntimeError) as error:
            if not missing:
                raise PruningError(
                    f"The MNIST files in {folder} cannot be unpacked beside themselves: {error}."
                ) from None
            missing = check_files(folder, DESCRIPTION.files)
            raise missing_files("MNIST", folder, DESCRIPTION.files, missing, str(error)) from None
        check_files(folder, UNPACKED)
    splits = []
    for train in (True, False):
        dataset = MNIST(folder, train=train, download=False)
        splits.append(Split(dataset.data.numpy()[..., None], dataset.targets.numpy().astype(np.int64)))
    return splits[0], splits[1]
