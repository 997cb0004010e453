"""Scores, one file each: how much a method wants to keep each weight. A file `NAME.py` here registers the score `NAME`.

Each defines

    score(network, examples, stream) -> {tensor name: scores of the tensor's shape}

with higher = keep. `network` is a copy that the score may do with as it likes: pruned weights are zero in it.
`examples` are the scoring examples (the same for every score of a seed, not augmented). `stream(purpose, part)` gives a
random generator of the cell's seed. What is shared by all methods (how many weights stay, rounds, ties, ablations) is
not the business of a score: see `selection` and `scoring`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from pruning import registry


def as_they_are(images: Tensor) -> Tensor:
    return images


@dataclass(frozen=True)
class Examples:
    """The scoring examples of a replicate, images and labels. Images are kept as `normalise` takes them: as bytes."""

    images: Tensor
    labels: Tensor
    normalise: Callable[[Tensor], Tensor] = as_they_are
    """gives images as a network sees them (examples, channels, height, width)"""
    at_once: int = 256
    """examples that are scored at once: `scoring_batch` of the network"""

    def chunks(self) -> Iterator[tuple[Tensor, Tensor, float]]:
        """Normalised images and labels, at most `at_once`, and the share of all examples that they are."""
        for start in range(0, len(self.labels), self.at_once):
            labels = self.labels[start : start + self.at_once]
            images = self.normalise(self.images[start : start + self.at_once])
            yield images, labels, len(labels) / len(self.labels)

    def first_image(self) -> Tensor:
        """The first image, normalised (1, channels, height, width)."""
        return self.normalise(self.images[:1])


Stream = Callable[[str, str], np.random.Generator]
Scores = dict[str, Tensor]
Score = Callable[[nn.Module, Examples, Stream], Scores]


def find(name: str) -> Score:
    function: Score = registry.find("scores", name).score
    return function
