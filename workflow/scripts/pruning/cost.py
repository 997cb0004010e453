"""What a training costs on this machine: the training loop itself, timed for seconds on made images."""

import time
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from pruning.batches import CHUNK, Resident
from pruning.cuda_graph import FIRST
from pruning.data import Data
from pruning.datasets import Description, Split
from pruning.networks import all_kept
from pruning.states import State
from pruning.training import Recipe, from_state, predict, train

WORTH_SECONDS = 3.0
"""how long the timed updates last together, about"""
MOST_ON_CPU = 64
"""examples an update when timed on a CPU: large batches of large images do not fit into its memory"""


def measure(
    network: nn.Module, state: State, recipe: Recipe, about: Description, device: torch.device
) -> dict[str, float | int]:
    """Seconds an example of training (update, augmentation) and of testing `network` from `state`.

    Images are made of random bytes and lie in memory: reading and decoding files is not part of it. The first
    updates, in which memory is got, kernels are chosen and an update is recorded, are not timed.
    """
    batch = min(recipe.batch_size, MOST_ON_CPU) if device.type == "cpu" else recipe.batch_size
    recipe = replace(recipe, batch_size=batch)
    mask = all_kept(network)
    warm = FIRST + 1 if device.type == "cuda" else 1

    def seconds(updates: int) -> float:
        """Of an epoch of so many updates, after the last of one before it. Nothing is learnt: none diverges."""
        resident = Resident(made_data(about, updates * batch), batch, 0, device)
        # The test at the end of an epoch sees one image: next to nothing.
        start = from_state(network, state, updates - warm)
        end = train(network, mask, replace(recipe, epochs=2, learning_rate=0.0), resident, start)
        return float(end.rows[1]["seconds"])

    few = warm + 1
    updates = max(few, min(500, round(WORTH_SECONDS / (seconds(few) / few))))
    training = seconds(updates) / (updates * batch)
    images = torch.zeros(min(about.test, batch, CHUNK), *about.shape[2:], *about.shape[:2], device=device)
    predict(network, [images], recipe.precision)[0].cpu()
    began = time.perf_counter()
    predict(network, [images], recipe.precision)[0].cpu()
    testing = (time.perf_counter() - began) / len(images)
    return {"seconds_an_example": training, "seconds_a_test_example": testing, "updates": updates, "batch_size": batch}


def made_data(about: Description, examples: int, test_examples: int = 1) -> Data:
    """A dataset of random bytes in the shape of another."""
    generator = np.random.default_rng(0)

    def made(count: int) -> Split:
        images = generator.integers(0, 256, (count, *about.shape), dtype=np.uint8)
        return Split(images, generator.integers(0, about.classes, count))

    channels = about.shape[2]
    return Data(
        train=made(examples),
        test=made(test_examples),
        classes=about.classes,
        scale=about.scale,
        mean=np.zeros(channels, dtype=np.float32),
        deviation=np.ones(channels, dtype=np.float32),
        augmentation=about.augmentation,
        checksum="",
    )
