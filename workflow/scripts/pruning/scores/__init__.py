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

CHUNK = 256
"""Examples that are scored at once. The datasets of 10 classes need one chunk."""


@dataclass(frozen=True)
class Examples:
    """The scoring examples of a replicate: normalised images (examples, channels, height, width) and labels."""

    images: Tensor
    labels: Tensor

    def chunks(self) -> Iterator[tuple[Tensor, Tensor, float]]:
        """Images and labels, at most `CHUNK` at once, and the share of all examples that they are."""
        for start in range(0, len(self.labels), CHUNK):
            labels = self.labels[start : start + CHUNK]
            yield self.images[start : start + CHUNK], labels, len(labels) / len(self.labels)


Stream = Callable[[str, str], np.random.Generator]
Scores = dict[str, Tensor]
Score = Callable[[nn.Module, Examples, Stream], Scores]


def find(name: str) -> Score:
    function: Score = registry.find("scores", name).score
    return function
