"""ProsPr (Alizadeh et al.: Prospect pruning: finding trainable weights at initialization using meta-gradients, ICLR
2022): which weights matter for the loss after the first steps of training, not before them."""

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from pruning.networks import prunable
from pruning.scores import Examples, Scores, Stream

STEPS = 3
LEARNING_RATE = 0.1
"""Steps, rate and no momentum are what the command line of the method's published code does unasked. Those of its paper
are unverified."""


def score(network: nn.Module, examples: Examples, stream: Stream) -> Scores:
    """|dL/dm| = |w * dL/dw|, L the mean cross-entropy after three steps of gradient descent that start from m * w.

    The derivative goes through the steps, of which all parameters take part; a pruned weight stays 0 in them. Without
    steps it is SNIP. Batch norm in training mode. All steps and the loss after them see the same examples, as by
    default in the published code. Where there are several chunks of examples, each has its own steps, and the mean is
    taken of the absolute values, weighted by size, as in SNIP.
    """
    network.train()
    start = {name: parameter.detach().requires_grad_() for name, parameter in network.named_parameters()}
    weights = {name: start[name] for name in prunable(network)}
    alive = {name: weight.detach() != 0 for name, weight in weights.items()}
    scores = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for images, labels, share in examples.chunks():
        parameters = start
        for _ in range(STEPS):
            loss = functional.cross_entropy(functional_call(network, parameters, (images,)), labels)
            slopes = torch.autograd.grad(loss, list(parameters.values()), create_graph=True)
            parameters = {
                name: parameter - LEARNING_RATE * slope * alive.get(name, 1)
                for (name, parameter), slope in zip(parameters.items(), slopes, strict=True)
            }
        loss = functional.cross_entropy(functional_call(network, parameters, (images,)), labels)
        gradients = torch.autograd.grad(loss, list(weights.values()))
        for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
            scores[name] += share * (weight.detach() * gradient).abs()
    return scores
