"""Random streams: one for each purpose, none shared, so that no choice depends on what else was drawn before it.

A stream is named by the replicate's seed, a purpose and, where there are several draws of one kind, the tensor or
the epoch. Neighbouring seeds share nothing (never `seed + i`), and no stream depends on the method, the sparsity, the
ablation or the order of jobs: two cells of one seed differ in what is studied and in nothing else.
"""

import hashlib
from collections.abc import Callable

import numpy as np

PURPOSES = (
    "initial weights",  # per tensor
    "data order",  # per epoch
    "augmentation",  # per epoch
    "scoring examples",
    "random scores",  # per tensor
    "score noise",  # per tensor and round of scoring
    "ties",  # per tensor
    "shuffle",  # per tensor
    "reinit",  # per tensor
)
NEW_EACH_ROUND = ("score noise",)


def stream(seed: int, purpose: str, part: str | int = "") -> np.random.Generator:
    """The generator of one purpose of one replicate; `part` names the tensor or the epoch where there are several."""
    if purpose not in PURPOSES:
        raise ValueError(f"no random stream is called {purpose!r}; there are {', '.join(PURPOSES)}")
    digest = hashlib.sha256(f"{seed}/{purpose}/{part}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def of_round(seed: int, number: int) -> Callable[[str, str], np.random.Generator]:
    """`stream` of one replicate for a score's round 1, 2, ...: what is not in NEW_EACH_ROUND is the same in each."""

    def draw(purpose: str, part: str = "") -> np.random.Generator:
        return stream(seed, purpose, f"{part}/{number}" if purpose in NEW_EACH_ROUND else part)

    return draw
