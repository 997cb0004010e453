"""From a state to a mask: scoring examples, rounds of scoring and selection, and the ablations of the mask."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from pruning import PruningError
from pruning.ablations import shuffle
from pruning.data import Data
from pruning.masks import Mask, size
from pruning.networks import all_kept, prunable
from pruning.normalisation import normalise
from pruning.quotas import BY_SHAPE, Quotas
from pruning.scores import Examples, find
from pruning.selection import kept_after_round, select, select_by_quotas
from pruning.streams import of_round, stream

EXAMPLES_A_CLASS = 10


@dataclass(frozen=True)
class CountsOf:
    """Quotas: the counts a layer of the mask that a score makes in so many rounds, not ablated."""

    score: str
    iterations: int


@dataclass(frozen=True)
class Pruning:
    """How a mask is made: a score, its rounds, how many weights stay, and the ablation."""

    score: str
    iterations: int
    kept: Callable[[int], int]
    """number of weights kept of so many prunable ones"""
    ablation: str
    seed: int
    quotas: str | CountsOf | None = None
    """what fixes the number kept in each layer: a name in `quotas.BY_SHAPE`, or another score. None: one ranking"""


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
    a result, not an error. Raises PruningError, naming score and tensor, where a score is not finite; and where quotas
    are to be filled in several rounds.
    """
    draw = partial(stream, pruning.seed)
    mask = all_kept(network) if earlier is None else earlier
    total = size(mask)
    keep = pruning.kept(total)
    if keep == 0:
        raise PruningError(f"This sparsity leaves none of the {total} prunable weights. Ask for a lower one.")
    quotas = _quotas(network, examples, pruning, keep)
    pruned_copy, values = copy.deepcopy(network), network.state_dict()
    for round_number in range(1, pruning.iterations + 1):
        restore(pruned_copy, values, mask)
        scores = find(pruning.score)(pruned_copy, examples, of_round(pruning.seed, round_number))
        _check(pruning.score, scores, prunable(network))
        arrays = {name: values.cpu().numpy() for name, values in scores.items()}
        ties, invert = partial(draw, "ties"), pruning.ablation == "invert"
        try:
            if quotas:
                mask = select_by_quotas(arrays, mask, quotas, ties, invert=invert)
            else:
                kept = kept_after_round(total, keep, round_number, pruning.iterations)
                mask = select(arrays, mask, kept, ties, invert=invert)
        except PruningError as error:
            raise PruningError(f"Score {pruning.score}, round {round_number}, {error}.") from None
    return shuffle(mask, partial(draw, "shuffle")) if pruning.ablation == "shuffle" else mask


def _check(score: str, scores: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    """Raise PruningError where a score is not of every prunable tensor, in its shape."""
    found, expected = ({name: tuple(tensor.shape) for name, tensor in given.items()} for given in (scores, weights))
    for name in {**expected, **found}:
        if found.get(name) != expected.get(name):
            given = f"has the shape {found[name]}" if name in found else "is missing"
            wanted = f"{expected[name]} is expected" if name in expected else "the network has no such prunable weights"
            raise PruningError(f"Score {score}: {name} {given}; {wanted}. It is to be as `prunable(network)` is.")


@torch.no_grad()
def restore(pruned_copy: nn.Module, values: Mapping[str, Tensor], mask: Mask) -> None:
    """Give a network the `values` again that it had, whatever a score has made of them, with what `mask` removes zero.

    Where a score has changed the precision, they are in that: it will change it again.
    """
    for name, tensor in pruned_copy.state_dict().items():
        tensor.copy_(values[name])
        if name in mask:
            tensor.mul_(torch.from_numpy(mask[name]).to(tensor.device))


def _quotas(network: nn.Module, examples: Examples, pruning: Pruning, keep: int) -> Quotas | None:
    if pruning.quotas is None:
        return None
    if pruning.iterations > 1:
        raise PruningError(f"Quotas go with one round, not with {pruning.iterations}: the first would fill them.")
    if isinstance(pruning.quotas, str):
        return BY_SHAPE[pruning.quotas]({name: tuple(weight.shape) for name, weight in prunable(network).items()}, keep)
    other = replace(pruning, **vars(pruning.quotas), ablation="none", quotas=None)
    return {name: int(np.count_nonzero(array)) for name, array in make_mask(network, examples, other).items()}
