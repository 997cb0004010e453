"""GraSP by magnitude: keep the weights whose GraSP score is largest in absolute value, whatever its sign.

A variant in the authors' code (`graspabs`), which a summary of the paper says does better than GraSP as published.
"""

from torch import nn

from pruning.scores import Examples, Scores, Stream, grasp


def score(network: nn.Module, examples: Examples, stream: Stream) -> Scores:
    """|w * (H g)|, the absolute value taken after the mean over examples; all else as in `grasp`."""
    return {name: scores.abs() for name, scores in grasp.score(network, examples, stream).items()}
