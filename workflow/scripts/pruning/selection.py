"""Selection: one global ranking, an exact number of weights kept.

All prunable weights of a network are ranked together, without any normalisation a layer; only under quotas is each
layer ranked alone. Equal scores are put in a random order (the stream `ties`), not in the order of their index, which
would empty layers from one end.
"""

from collections.abc import Callable

import numpy as np

from pruning import PruningError
from pruning.masks import Mask
from pruning.quotas import Quotas

Scores = dict[str, np.ndarray]
Ties = Callable[[str], np.random.Generator]


def select(scores: Scores, alive: Mask, keep: int, ties: Ties, *, invert: bool = False) -> Mask:
    """The mask of the `keep` highest scores among the weights that are alive; a dead weight never comes back.

    `ties(name)` is the generator that orders equal scores in a tensor. `invert` negates the whole ranking, ties
    included: without rounds, what it keeps is what the plain selection would remove.

    Raises PruningError for a score that is not finite and where fewer than `keep` weights are alive.
    """
    names = list(scores)
    of_tensor = {name: scores[name][alive[name]] for name in names}
    for name, values in of_tensor.items():
        if not np.isfinite(values).all():
            raise PruningError(f"{name}: {np.count_nonzero(~np.isfinite(values))} scores are not finite")
    candidates = np.concatenate(list(of_tensor.values()))
    if not 0 <= keep <= len(candidates):
        raise PruningError(f"cannot keep {keep} of {len(candidates)} weights")
    if invert:
        candidates = -candidates
    chosen = _highest(candidates, keep, lambda: _tie_keys(names, alive, ties, invert))
    mask, start = {}, 0
    for name in names:
        mask[name] = np.zeros_like(alive[name])
        stop = start + len(of_tensor[name])
        mask[name][alive[name]] = chosen[start:stop]
        start = stop
    return mask


def select_by_quotas(scores: Scores, alive: Mask, quotas: Quotas, ties: Ties, *, invert: bool = False) -> Mask:
    """The mask of each layer's `quotas[name]` highest scores, each layer ranked alone; all else as in `select`."""
    return {
        name: select({name: values}, {name: alive[name]}, quotas[name], ties, invert=invert)[name]
        for name, values in scores.items()
    }


def kept_after_round(prunable: int, keep: int, round_number: int, rounds: int) -> int:
    """How many weights stay after round 1..rounds when the density falls by the same factor in each.

    Density after round i of n is d^(i/n) (Tanaka et al. 2020); the last round keeps exactly `keep`.
    """
    if round_number == rounds:
        return keep
    density = (keep / prunable) ** (round_number / rounds)
    return round(prunable * float(density))


def _highest(values: np.ndarray, keep: int, tie_keys: Callable[[], np.ndarray]) -> np.ndarray:
    """A boolean array with exactly `keep` True: the highest values, equal ones by their tie keys."""
    if keep == 0:
        return np.zeros(len(values), dtype=bool)
    threshold = np.partition(values, len(values) - keep)[len(values) - keep]
    chosen: np.ndarray = values > threshold
    missing = keep - np.count_nonzero(chosen)
    (equal,) = np.nonzero(values == threshold)
    if missing < len(equal):
        equal = equal[np.argpartition(tie_keys()[equal], missing)[:missing]]
    chosen[equal] = True
    return chosen


def _tie_keys(names: list[str], alive: Mask, ties: Ties, invert: bool) -> np.ndarray:
    keys = np.concatenate([ties(name).random(alive[name].shape)[alive[name]] for name in names])
    return -keys if invert else keys
