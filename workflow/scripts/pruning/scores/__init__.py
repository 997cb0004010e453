"""Scores, one file each: how much a method wants to keep each weight. A file `NAME.py` here registers the score `NAME`.

Each defines

    score(network, examples, stream) -> {tensor name: scores of the tensor's shape}

with higher = keep. `network` is a copy that the score may do with as it likes: pruned weights are zero in it.
`examples` are the scoring examples (the same for every score of a seed, not augmented). `stream(purpose, part)` gives a
random generator of the cell's seed. What is shared by all methods (how many weights stay, rounds, ties, ablations) is
not the business of a score: see `selection` and `scoring`.
"""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor, nn

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


def names() -> list[str]:
    return sorted(path.stem.replace("_", "-") for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def module_name(score: str) -> str:
    return f"pruning.scores.{score.replace('-', '_')}"


def find(score: str) -> Score:
    function: Score = importlib.import_module(module_name(score)).score
    return function
