"""Datasets, one file each. A file `NAME.py` here defines `DESCRIPTION` and `read(folder)`; its name registers it.

Images are stored as bytes, (examples, height, width, channels), and normalised when they are used:
(pixel / scale - mean) / standard deviation, a channel. Nothing here imports torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from pruning import PruningError, registry
from pruning.files import file_digest


@dataclass(frozen=True)
class Description:
    """What is known of a dataset before it is read: enough to plan a study."""

    train: int
    """training examples"""
    test: int
    """test examples"""
    classes: int
    shape: tuple[int, int, int]
    """height, width, channels"""
    scale: float
    """the largest pixel value: pixels are divided by it"""
    mean: tuple[float, ...] | None
    """a channel, after scaling; None: the training set's own"""
    deviation: tuple[float, ...] | None
    """standard deviation a channel, after scaling; None: the training set's own"""
    augmentation: str
    """`none`; `flip and crop`: mirror at random, then crop at random from a frame of 4 zero pixels; or
    `random resized crop`: resize a random part to the whole and mirror at random"""
    licence: str
    source: str
    files: Mapping[str, str] = field(default_factory=dict)
    """{path below the data folder: MD5} of the publisher's files"""
    shorter_edge: int | None = None
    """for pictures that are decoded when they are used: to how many pixels their shorter edge is resized before the
    middle is cut out; None: images are prepared once"""
    made_with: tuple[str, ...] = ()
    """packages, beside numpy, that make the images; their versions are recorded"""


class Images(Protocol):
    """Bytes (examples, height, width, channels): an array, or pictures that read like one."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, chosen: slice | np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Split:
    """Images (uint8: examples, height, width, channels), or an index of pictures to decode (`pictures`), and labels
    (int64)."""

    images: Images
    labels: np.ndarray


class Module(Protocol):
    DESCRIPTION: Description

    def read(self, folder: Path) -> tuple[Split, Split]:
        """The training and the test split, from the publisher's files below `folder`."""


def find(name: str) -> Module:
    return cast(Module, registry.find("datasets", name))


def describe(name: str) -> Description:
    return find(name).DESCRIPTION


def check_files(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Refuse, by name, a file that is there and is not the publisher's; return the names of those that are missing."""
    missing = []
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            missing.append(name)
        elif (found := file_digest(path, "md5")) != expected:
            raise PruningError(
                f"{path} is not the official file: its MD5 is {found} ({path.stat().st_size} bytes), it should be"
                f" {expected}. It is corrupt, cut short or another file under this name. Delete it, then put the"
                " official file there or let the workflow download it."
            )
    return missing


def missing_files(dataset: str, folder: Path, files: Mapping[str, str], missing: list[str], why: str) -> PruningError:
    """The error for files that are not there and could not be downloaded."""
    lines = "\n".join(f"  {folder / name}   MD5 {files[name]}" for name in missing)
    return PruningError(
        f"The {dataset} data is not complete and could not be downloaded ({why}). Missing:\n{lines}\n"
        "Put these files there, or set `data` in the config (or --config data=FOLDER) to the folder that has them."
    )
