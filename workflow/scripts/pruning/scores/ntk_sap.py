"""NTK-SAP (Wang, Li, Sun: NTK-SAP: improving neural network pruning by aligning training dynamics, ICLR 2023): which
weights matter for the spectrum of the neural tangent kernel. It needs rounds: `iterations` in config/methods.yaml."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from pruning.networks import prunable
from pruning.scores import Examples, Scores, Stream

PERTURBATION = 0.01
"""Standard deviation of dw: the default of the method's published code."""


def score(network: nn.Module, examples: Examples, stream: Stream) -> Scores:
    """|dD/dm|, D the mean over inputs of |f(m * w) - f(m * (w + dw))|^2, f the logits, inputs and dw Gaussian.

    D is an estimate of the trace of the neural tangent kernel. Inputs are standard normal; of the examples only shape
    and number are read. Inputs and dw are new in each round; several chunks of inputs share dw, and the absolute value
    is taken of the mean over all. m is 1 where a weight is not 0. Batch norm has the statistics of the inputs under the
    weights w, in both terms, and no derivative goes through them; all this as in the published code. Unlike there, w is
    not drawn anew for each round: it is the state that is pruned, as for every score of this study.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = 1.0  # so that its running statistics are those of the last inputs
    weights = {name: weight.detach() for name, weight in prunable(network).items()}
    perturbed = {name: weight + PERTURBATION * _normal(stream, name, weight) for name, weight in weights.items()}
    masks = {name: (weight != 0).to(weight.dtype).requires_grad_() for name, weight in weights.items()}
    scores = {name: torch.zeros_like(weight) for name, weight in weights.items()}

    def logits(values: dict[str, Tensor]) -> Tensor:
        masked = {name: masks[name] * value for name, value in values.items()}
        output: Tensor = functional_call(network, masked, (images,))
        return output

    image = examples.first_image()
    inputs = _normal(stream, "inputs", image.expand(len(examples.labels), *image.shape[1:]))
    for images, _, share in Examples(inputs, examples.labels, at_once=examples.at_once).chunks():
        network.train()
        with torch.no_grad():
            network(images)
        network.eval()
        distance = (logits(weights) - logits(perturbed)).square().sum(dim=1).mean()
        gradients = torch.autograd.grad(distance, list(masks.values()))
        for name, gradient in zip(scores, gradients, strict=True):
            scores[name] += share * gradient
    return {name: values.abs() for name, values in scores.items()}


def _normal(stream: Stream, part: str, like: Tensor) -> Tensor:
    values = stream("score noise", part).standard_normal(tuple(like.shape), dtype=np.float32)
    return torch.empty_like(like).copy_(torch.from_numpy(values))  # in memory as `like` is
