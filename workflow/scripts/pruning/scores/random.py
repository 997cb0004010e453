"""Random pruning: a uniform draw a weight, one a seed, so that masks of higher sparsity lie inside those of lower.

The draws of all tensors are ranked together, so each layer loses about, not exactly, the same share. (Authors' code.)
"""

import torch
from torch import nn

from pruning.networks import prunable
from pruning.scores import Examples, Scores, Stream


def score(network: nn.Module, examples: Examples, stream: Stream) -> Scores:
    """u ~ U[0, 1) a weight, in float64; reads neither weights nor examples."""
    return {
        name: torch.from_numpy(stream("random scores", name).random(tuple(weight.shape)))
        for name, weight in prunable(network).items()
    }
