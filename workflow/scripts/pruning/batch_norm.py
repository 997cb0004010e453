"""Batch norm in training mode with a second derivative in closed form.

torch has one too, put together from some thirty passes over the activations, which are most of the cost of a product
with the Hessian. Here it is nine. Notation, a channel: n values x, their mean m, r = 1 / sqrt(variance + eps),
h = (x - m) r, weight w, gradient g by the output. With <.> the mean over the n values, the first derivative is

    dx = w r (g - <g> - h <g h>),   dw = n <g h>,   db = n <g>

and for a function of dx whose gradient is v, with s = <v g> - <v> <g> - <v h> <g h>,

    by g:  w r (v - <v> - h <v h>),   which is the first derivative with v in place of g
    by x:  - w r^2 (h (s - 2 <v h> <g h>) + <g h> (v - <v>) + <v h> (g - <g>))
    by w:  n r s
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

KEEP_ALL = (True, True, True)


class _First(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        output: Tensor
        output, mean, r = torch.native_batch_norm(x, weight, bias, None, None, True, 0.0, eps)
        ctx.save_for_backward(x, weight, mean, r)
        ctx.eps = eps  # type: ignore[attr-defined]
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return (*_Second.apply(gradient, *ctx.saved_tensors, ctx.eps), None)


class _Second(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, gradient: Tensor, x: Tensor, weight: Tensor, mean: Tensor, r: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        by_x, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, None, None, mean, r, True, eps, KEEP_ALL
        )
        ctx.save_for_backward(gradient, x, weight, mean, r, by_weight, by_bias)
        ctx.eps = eps
        ctx.set_materialize_grads(False)
        return by_x, by_weight, by_bias

    @staticmethod
    def backward(
        ctx: Any, v: Tensor | None, v_weight: Tensor | None, v_bias: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        if v_weight is not None or v_bias is not None:
            raise NotImplementedError("only the derivative by the input is differentiated again")
        if v is None:
            return (None,) * 6
        g, x, weight, mean, r, n_gh, n_g = ctx.saved_tensors
        by_g, n_vh, n_v = torch.ops.aten.native_batch_norm_backward(
            v, x, weight, None, None, mean, r, True, ctx.eps, KEEP_ALL
        )
        n = x.numel() // len(weight)
        vh, mean_v, gh, mean_g = n_vh / n, n_v / n, n_gh / n, n_g / n
        s = (v * g).sum([0, *range(2, x.dim())]) / n - mean_v * mean_g - vh * gh
        of_h = r * (s - 2 * vh * gh)
        by_x = channel(-(of_h * mean + gh * mean_v + vh * mean_g), x).addcmul(x, channel(of_h, x))
        by_x.addcmul_(v, channel(gh, x)).addcmul_(g, channel(vh, x)).mul_(channel(-weight * r * r, x))
        return by_g, by_x, n * r * s, None, None, None


def channel(values: Tensor, like: Tensor) -> Tensor:
    """A value a channel, in a shape that goes with `like` (examples, channels, ...)."""
    return values.view(1, -1, *[1] * (like.dim() - 2))


def twice_differentiable(network: nn.Module) -> None:
    """Let the batch norm of `network` be computed as above; its running statistics then stay as they are."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.forward = partial(_normalise, module)  # type: ignore[method-assign]


def _normalise(norm: nn.BatchNorm1d | nn.BatchNorm2d, x: Tensor) -> Tensor:
    output: Tensor = _First.apply(x, norm.weight, norm.bias, norm.eps)
    return output
