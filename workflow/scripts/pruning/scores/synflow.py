"""SynFlow (Tanaka, Kunin, Yamins, Ganguli: Pruning neural networks without any data by iteratively conserving synaptic
flow, NeurIPS 2020). It needs its 100 rounds: `iterations` in config/methods.yaml."""

import torch
from torch import nn

from pruning.networks import prunable
from pruning.scores import Examples, Scores, Stream


def score(network: nn.Module, examples: Examples, stream: Stream) -> Scores:
    """|w * dR/dw|, R the sum of the logits for one image of ones, every parameter replaced by its absolute value.

    Batch norm in evaluation mode: its running statistics are part of the function and are left as they are (0 and 1 at
    initialisation). In float64, because products of absolute weights over the depth of a network leave float32. Reads
    of the examples only their shape.
    """
    network.eval().double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    weights = prunable(network)
    ones = torch.ones_like(examples.first_image(), dtype=torch.float64)
    flow = network(ones).sum()
    gradients = torch.autograd.grad(flow, list(weights.values()))
    return {
        name: (weight.detach() * gradient).abs()
        for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
    }
