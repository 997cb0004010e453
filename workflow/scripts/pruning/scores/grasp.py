"""GraSP (Wang, Zhang, Grosse: Picking winning tickets before training by preserving gradient flow, ICLR 2020)."""

import torch
from torch import nn
from torch.nn import functional

from pruning.batch_norm import twice_differentiable
from pruning.networks import prunable
from pruning.scores import Examples, Scores, Stream

TEMPERATURE = 200.0
"""Part of the method, not a unit: at 200 the softmax is nearly uniform and its Hessian has another shape."""


def score(network: nn.Module, examples: Examples, stream: Stream) -> Scores:
    """+w * (H g), g and H gradient and Hessian of the mean cross-entropy of logits / 200, by the prunable weights.

    The paper's score is -w * (H g) and removes the highest, so this keeps the highest of +w * (H g). Batch
    norm in training mode. g and H see the same examples (splitting them, as the GraSP code does, only saves memory).
    Where there are several chunks of examples, the signed mean over them, weighted by size. (Authors' code.)
    """
    network.train()
    twice_differentiable(network)
    weights = prunable(network)
    tensors = list(weights.values())
    scores = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for images, labels, share in examples.chunks():
        loss = functional.cross_entropy(network(images) / TEMPERATURE, labels)
        gradients = torch.autograd.grad(loss, tensors, create_graph=True)
        # d/dw <stop(g), g(w)> = H g
        product = torch.stack([(gradient.detach() * gradient).sum() for gradient in gradients]).sum()
        hessian_gradients = torch.autograd.grad(product, tensors)
        for (name, weight), hessian_gradient in zip(weights.items(), hessian_gradients, strict=True):
            scores[name] += share * weight.detach() * hessian_gradient
    return scores
