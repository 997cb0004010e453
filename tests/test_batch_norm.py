"""Batch norm whose second derivative is in closed form, against torch's own and against finite differences."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from pruning.batch_norm import twice_differentiable

SHAPES = [(6, 3, 4, 5), (9, 3)]


def norms(shape: tuple[int, ...]) -> tuple[nn.Module, nn.Module]:
    """Two equal batch norms, the second one as torch has it."""
    found = []
    for _ in range(2):
        torch.manual_seed(0)
        norm = (nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d)(shape[1]).double()
        with torch.no_grad():
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_()
        found.append(norm)
    twice_differentiable(found[0])
    return found[0], found[1]


def inputs(shape: tuple[int, ...]) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    values = 2 * torch.randn(shape, dtype=torch.float64, generator=generator) + 1
    if len(shape) == 4:
        values = values.to(memory_format=torch.channels_last)
    return values.requires_grad_()


def derivatives(norm: nn.Module, x: Tensor) -> list[Tensor]:
    """Outputs, gradients by input and weights, and gradients of the length of the first of these."""
    outputs = norm(x)
    positions = torch.arange(outputs.numel(), dtype=torch.float64).view(outputs.shape)
    parts = [x, norm.weight, norm.bias]
    first = torch.autograd.grad((outputs**3 * positions).sum(), parts, create_graph=True)
    return [outputs, *first, *torch.autograd.grad(first[0].square().sum(), parts)]


@pytest.mark.parametrize("shape", SHAPES)
def test_derivatives_are_those_of_torch(shape: tuple[int, ...]) -> None:
    ours, theirs = norms(shape)
    for found, expected in zip(derivatives(ours, inputs(shape)), derivatives(theirs, inputs(shape)), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_second_derivative_is_that_of_small_differences(shape: tuple[int, ...]) -> None:
    norm, _ = norms(shape)
    x, along = inputs(shape), inputs(shape).detach().roll(1, 0)

    def slope(values: Tensor) -> Tensor:
        outputs = functional.softplus(norm(values))
        return torch.autograd.grad(outputs.square().sum(), values, create_graph=True)[0]

    (found,) = torch.autograd.grad((slope(x) * along).sum(), x)
    step = 1e-6
    there, here = (slope((x + sign * step * along).detach().requires_grad_()) for sign in (1, -1))
    torch.testing.assert_close(found, (there - here).detach() / (2 * step), rtol=1e-5, atol=1e-7)


def test_what_it_has_no_derivative_of_is_said() -> None:
    norm, _ = norms(SHAPES[0])
    first = torch.autograd.grad(norm(inputs(SHAPES[0])).square().sum(), [norm.bias], create_graph=True)
    with pytest.raises(NotImplementedError, match="only the derivative by the input"):
        torch.autograd.grad(first[0].sum(), [norm.weight])


def test_running_statistics_stay_as_they_are() -> None:
    norm, _ = norms(SHAPES[0])
    norm(inputs(SHAPES[0]))
    assert not norm.running_mean.any()
    assert (norm.running_var == 1).all()
