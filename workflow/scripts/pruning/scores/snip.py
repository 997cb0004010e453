"""SNIP (Lee, Ajanthan, Torr: Single-shot network pruning based on connection sensitivity, ICLR 2019)."""

import torch
from torch import nn
from torch.nn import functional

from pruning.networks import prunable
from pruning.scores import Examples, Scores, Stream


def score(network: nn.Module, examples: Examples, stream: Stream) -> Scores:
    """|w * g| with g the gradient of the mean cross-entropy by w; the normalisation by the sum changes no ranking.

    Batch norm in training mode (statistics of the scoring examples). Where there are several chunks of examples, the
    mean of |w * g| of each, weighted by its size. (Authors' code.)
    """
    network.train()
    weights = prunable(network)
    scores = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for images, labels, share in examples.chunks():
        loss = functional.cross_entropy(network(images), labels)
        gradients = torch.autograd.grad(loss, list(weights.values()))
        for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
            scores[name] += share * (weight.detach() * gradient).abs()
    return scores
