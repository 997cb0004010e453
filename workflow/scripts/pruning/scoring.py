"""From a state to a mask: scoring examples, rounds of scoring and selection, and the ablations of the mask."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from pruning import PruningError
from pruning.ablations import shuffle
from pruning.data import Data
from pruning.masks import Mask, size
from pruning.networks import all_kept, prunable
from pruning.normalisation import normalise
from pruning.scores import Examples, find
from pruning.selection import kept_after_round, select
from pruning.streams import stream

EXAMPLES_A_CLASS = 10


@dataclass(frozen=True)
class Pruning:
    """How a mask is made: a score, its rounds, how many weights stay, and the ablation."""

    score: str
    iterations: int
    kept: Callable[[int], int]
    """number of weights kept of so many prunable ones"""
    ablation: str
    seed: int


def scoring_examples(data: Data, seed: int, device: torch.device, at_once: int = 256) -> Examples:
    """The same 10 a class for every score of a seed, from the training set in a random order, not augmented.

    They stay bytes, and `at_once` of them are normalised and scored together.
    """
    order = stream(seed, "scoring examples").permutation(len(data.train.labels))
    labels = data.train.labels[order]
    chosen = np.sort(np.concatenate([np.nonzero(labels == c)[0][:EXAMPLES_A_CLASS] for c in range(data.classes)]))
    if len(chosen) < EXAMPLES_A_CLASS * data.classes:
        short = [c for c in range(data.classes) if np.count_nonzero(labels == c) < EXAMPLES_A_CLASS]
        raise PruningError(f"{EXAMPLES_A_CLASS} scoring examples a class are needed; classes {short} have fewer.")
    picked = order[chosen]
    images = torch.from_numpy(data.train.images[picked]).to(device)
    chosen_labels = torch.from_numpy(data.train.labels[picked]).to(device)
    return Examples(images, chosen_labels, partial(normalise, data=data), at_once)


def make_mask(network: nn.Module, examples: Examples, pruning: Pruning, earlier: Mask | None = None) -> Mask:
    """The mask of `network`'s weights, inside the mask `earlier` if there is one. `network` is only read: every score
    works on a copy.

    Each round scores the same weights with the mask of the round before multiplied in. Layers may end up empty: that is
    a result, not an error. Raises PruningError, naming score and tensor, where a score is not finite.
    """
    draw = partial(stream, pruning.seed)
    mask = all_kept(network) if earlier is None else earlier
    total = size(mask)
    keep = pruning.kept(total)
    if keep == 0:
        raise PruningError(f"This sparsity leaves none of the {total} prunable weights. Ask for a lower one.")
    for round_number in range(1, pruning.iterations + 1):
        pruned_copy = copy.deepcopy(network)
        with torch.no_grad():
            for name, weight in prunable(pruned_copy).items():
                weight.mul_(torch.from_numpy(mask[name]).to(weight.device))
        scores = find(pruning.score)(pruned_copy, examples, draw)
        try:
            mask = select(
                {name: values.cpu().numpy() for name, values in scores.items()},
                mask,
                kept_after_round(total, keep, round_number, pruning.iterations),
                partial(draw, "ties"),
                invert=pruning.ablation == "invert",
            )
        except PruningError as error:
            raise PruningError(f"Score {pruning.score}, round {round_number}, {error}.") from None
    return shuffle(mask, partial(draw, "shuffle")) if pruning.ablation == "shuffle" else mask
