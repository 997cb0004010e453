"""Prepared data: a dataset as four arrays that can be memory-mapped, and a manifest that says what they are.

Of a dataset that does not fit into memory, the two arrays of images are indices of its pictures, which stay where they
are and are decoded when they are used (`pictures`).
"""

import json
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from pruning import PruningError
from pruning.datasets import Images, Split, find
from pruning.files import checksum, read_json, replacing, text_digest, write_json
from pruning.pictures import Pictures

MANIFEST = "manifest.json"
IDENTITY = ("arrays", "classes", "scale", "mean", "deviation", "augmentation", "shape", "shorter_edge")
"""What of a manifest says how a network sees the data"""
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True)
class Data:
    """A prepared dataset. Images are bytes (examples, height, width, channels), or pictures to decode; labels int64."""

    train: Split
    test: Split
    classes: int
    scale: float
    mean: np.ndarray
    deviation: np.ndarray
    augmentation: str
    checksum: str
    versions: dict[str, str] = field(default_factory=dict)
    """{package: version} of what made the images"""


def prepare(name: str, source: Path, destination: Path) -> None:
    """Read dataset `name` from the publisher's files below `source` and write arrays and manifest to `destination`."""
    module = find(name)
    about = module.DESCRIPTION
    train, test = module.read(source)
    arrays = dict(zip(ARRAYS, (train.images[:], train.labels, test.images[:], test.labels), strict=True))
    _check(name, arrays)
    mean, deviation = about.mean, about.deviation
    if mean is None or deviation is None:
        mean, deviation = _moments(arrays["train_images"], about.scale)
    in_files = {"shape": list(about.shape), "shorter_edge": about.shorter_edge}
    for array_name, array in arrays.items():
        with replacing(destination / f"{array_name}.npy") as temporary:
            np.save(temporary, np.ascontiguousarray(array), allow_pickle=False)
    write_json(
        destination / MANIFEST,
        {
            "dataset": name,
            "source": about.source,
            "licence": about.licence,
            "files": dict(about.files),
            "classes": about.classes,
            "scale": about.scale,
            "mean": list(mean),
            "deviation": list(deviation),
            "augmentation": about.augmentation,
            **(in_files if about.shorter_edge else {}),
            "versions": {package: version(package) for package in about.made_with},
            "arrays": {key: {"shape": list(a.shape), "checksum": checksum(a)} for key, a in arrays.items()},
            "train_count_a_class": np.bincount(train.labels, minlength=about.classes).tolist(),
            "test_count_a_class": np.bincount(test.labels, minlength=about.classes).tolist(),
        },
    )


def load(folder: Path, source: Path = Path(), workers: int = 1) -> Data:
    """The prepared dataset in `folder`, memory-mapped, every array checked against the manifest.

    Where images are pictures in files, they lie below `source`, which may have moved since they were indexed, and
    `workers` threads decode them; their bytes do not depend on it.

    Raises PruningError, naming the file, where one is missing or is not what was prepared.
    """
    try:
        manifest: dict[str, Any] = read_json(folder / MANIFEST)
    except (OSError, ValueError) as error:
        raise PruningError(f"{folder / MANIFEST} cannot be read ({error}). Delete {folder} to prepare it.") from None
    arrays = {}
    for name, entry in manifest["arrays"].items():
        path = folder / f"{name}.npy"
        try:
            # Copy on write: the pages are shared by all processes, and torch may have a writable view.
            array = np.load(path, mmap_mode="c", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise PruningError(f"{path} cannot be read ({error}). Delete {folder} to prepare it again.") from None
        if checksum(array) != entry["checksum"]:
            raise PruningError(f"{path} is not the file that was prepared. Delete {folder} to prepare it again.")
        arrays[name] = array

    def images(split: str) -> Images:
        array: np.ndarray = arrays[f"{split}_images"]
        if "shorter_edge" not in manifest:
            return array
        return Pictures(source, array, tuple(manifest["shape"]), manifest["shorter_edge"], workers)

    return Data(
        train=Split(images("train"), arrays["train_labels"]),
        test=Split(images("test"), arrays["test_labels"]),
        classes=manifest["classes"],
        scale=manifest["scale"],
        mean=np.array(manifest["mean"], dtype=np.float32),
        deviation=np.array(manifest["deviation"], dtype=np.float32),
        augmentation=manifest["augmentation"],
        checksum=text_digest(json.dumps({key: manifest[key] for key in IDENTITY if key in manifest}, sort_keys=True)),
        # Pictures in files are decoded here and now; other images were made when they were prepared.
        versions={"pillow": version("pillow")} if "shorter_edge" in manifest else manifest.get("versions", {}),
    )


def _moments(images: np.ndarray, scale: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation a channel of scaled pixels."""
    axes = (0, 1, 2)
    return (
        tuple(float(x) / scale for x in images.mean(axes, dtype=np.float64)),
        tuple(float(x) / scale for x in images.std(axes, dtype=np.float64)),
    )


def _check(name: str, arrays: dict[str, np.ndarray]) -> None:
    about = find(name).DESCRIPTION
    an_image = () if about.shorter_edge else about.shape
    expected = {
        "train_images": (about.train, *an_image),
        "train_labels": (about.train,),
        "test_images": (about.test, *an_image),
        "test_labels": (about.test,),
    }
    for key, shape in expected.items():
        if arrays[key].shape != shape:
            raise PruningError(f"Dataset {name}: {key} has shape {arrays[key].shape}, expected {shape}.")
    for key in ("train_labels", "test_labels"):
        if set(np.unique(arrays[key]).tolist()) != set(range(about.classes)):
            raise PruningError(f"Dataset {name}: {key} must hold every class from 0 to {about.classes - 1}.")
