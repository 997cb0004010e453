"""Batches of a dataset: of any epoch of a seed, and of the test set. One interface for two kinds of data.

Order of the data and augmentation are functions of (seed, epoch) alone, so a run can take up at any batch of it.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from pruning import augmentation
from pruning.crops import draw_numbers
from pruning.data import Data
from pruning.normalisation import normalise, normalise_all
from pruning.pictures import Pictures
from pruning.streams import stream

CHUNK = 500
"""test images that go through the network at once"""
PICTURES_AT_ONCE = 100
"""the same for pictures that are decoded when they are used"""


class Resident:
    """A dataset on the device."""

    def __init__(self, data: Data, batch_size: int, seed: int, device: torch.device) -> None:
        self.data, self.batch_size, self.seed = data, batch_size, seed
        self.images = torch.from_numpy(data.train.images[:]).to(device)
        self.labels = torch.from_numpy(data.train.labels).to(device)
        self.test_images = normalise_all(torch.from_numpy(data.test.images[:]).to(device), data)
        self.test_labels = torch.from_numpy(data.test.labels).to(device)
        self.augmented = data.augmentation != "none"
        if not self.augmented:
            self.images = normalise_all(self.images, data)

    def epoch(self, epoch: int, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches `first` and later of an epoch: normalised images and labels."""
        examples = len(self.labels)
        order = torch.from_numpy(stream(self.seed, "data order", epoch).permutation(examples)).to(self.labels.device)
        if self.augmented:
            shown = augmentation.of_epoch(self.data.augmentation, self.images, self.seed, epoch)
        for start in range(first * self.batch_size, examples, self.batch_size):
            chosen = order[start : start + self.batch_size]
            images = normalise(shown(chosen), self.data) if self.augmented else self.images.index_select(0, chosen)
            yield images, self.labels[chosen]

    def test(self) -> Iterator[Tensor]:
        """The test images in their order, normalised, some at a time."""
        for start in range(0, len(self.test_labels), CHUNK):
            yield self.test_images[start : start + CHUNK]


class Streamed:
    """A dataset in files, of which two batches at most are in memory: the next is decoded while one is trained on."""

    def __init__(self, data: Data, batch_size: int, seed: int, device: torch.device) -> None:
        assert isinstance(data.train.images, Pictures)
        assert isinstance(data.test.images, Pictures)
        self.data, self.batch_size, self.seed, self.device = data, batch_size, seed, device
        self.pictures, self.test_pictures = data.train.images, data.test.images
        self.labels = torch.from_numpy(data.train.labels).to(device)
        self.test_labels = torch.from_numpy(data.test.labels).to(device)

    def epoch(self, epoch: int, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches `first` and later of an epoch: normalised images and labels."""
        examples = len(self.labels)
        order = stream(self.seed, "data order", epoch).permutation(examples)
        labels = self.labels[torch.from_numpy(order).to(self.device)]
        numbers = None
        if self.data.augmentation != "none":
            numbers = draw_numbers(stream(self.seed, "augmentation", epoch), examples)
        starts = range(first * self.batch_size, examples, self.batch_size)
        batches = [order[start : start + self.batch_size] for start in starts]
        for start, images in zip(starts, self._decoded(self.pictures, batches, numbers), strict=True):
            yield images, labels[start : start + self.batch_size]

    def test(self) -> Iterator[Tensor]:
        """The test images in their order, normalised, some at a time."""
        numbers = np.arange(len(self.test_labels))
        starts = range(0, len(numbers), PICTURES_AT_ONCE)
        yield from self._decoded(self.test_pictures, [numbers[start : start + PICTURES_AT_ONCE] for start in starts])

    def _decoded(
        self, pictures: Pictures, batches: list[np.ndarray], numbers: np.ndarray | None = None
    ) -> Iterator[Tensor]:
        """The pictures of each of `batches`; while one is used, the next is being decoded."""

        def begin(chosen: np.ndarray) -> Callable[[], np.ndarray]:
            return pictures.begin(pictures.index[chosen], None if numbers is None else numbers[chosen])

        following = begin(batches[0])
        for number in range(1, len(batches) + 1):
            images = following()
            if number < len(batches):
                following = begin(batches[number])
            yield normalise(self._on_device(torch.from_numpy(images)), self.data)

    def _on_device(self, images: Tensor) -> Tensor:
        """A GPU fetches them from memory that is pinned, and the host does not wait for it."""
        return images.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else images


Batches = Resident | Streamed


def of_data(data: Data, batch_size: int, seed: int, device: torch.device) -> Batches:
    """The batches of prepared `data`, of the kind that it is."""
    kind = Streamed if isinstance(data.train.images, Pictures) else Resident
    return kind(data, batch_size, seed, device)
