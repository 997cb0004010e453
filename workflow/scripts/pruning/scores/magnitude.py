"""Magnitude: |w|. At initialisation it sees only the scale of each layer and chance; after training it is the
method of Han et al. (2015), and the upper benchmark of the study."""

from torch import nn

from pruning.networks import prunable
from pruning.scores import Examples, Scores, Stream


def score(network: nn.Module, examples: Examples, stream: Stream) -> Scores:
    """|w|; uses no examples."""
    return {name: weight.detach().abs() for name, weight in prunable(network).items()}
