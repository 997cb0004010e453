"""3x3 convolutions of small maps by Winograd's minimal filtering, F(2x2, 3x3) (Lavin and Gray 2016, section 4.1).

A tile D of 4x4 inputs and the 3x3 weights W give 2x2 outputs Y with 16 products in place of 36:

    Y = A' [(G W G') * (B' D B)] A        ' transposed, * element by element

Summed over channels, each of the 16 elements is a product of matrices: tiles x channels, channels x outputs. A CPU
makes these faster than convolutions of maps that are small and have many channels, and as precisely (tests). What is
zero for a dead channel is exactly zero here, too; a gradient that is zero because of where a map has zeros may be a
rounding error.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

INPUTS = torch.tensor([[1.0, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
"""B'"""
WEIGHTS = torch.tensor([[1.0, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
"""G"""
OUTPUTS = torch.tensor([[1.0, 1, 1, 0], [0, 1, -1, -1]])
"""A'"""


def convolution(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The convolution of `images` (n, channels, height, width) with `weight` (outputs, channels, 3, 3) and `bias`
    (outputs), padding 1, stride 1; height and width are even. Can be differentiated twice."""
    number, channels, height, width = images.shape
    padded = functional.pad(images.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    tiles = on_both_sides(INPUTS, Tiles.apply(padded)).view(16, -1, channels)
    # In this order, whose gradient lies in memory almost as weights do that are channels-last.
    taps = on_both_sides(WEIGHTS, weight.permute(2, 3, 0, 1).reshape(9, -1)).view(16, -1, channels)
    outputs = on_both_sides(OUTPUTS, (tiles @ taps.transpose(1, 2)).view(16, -1))
    maps = outputs.view(2, 2, number, height // 2, width // 2, -1).permute(2, 3, 0, 4, 1, 5)
    return (maps.reshape(number, height, width, -1) + bias).permute(0, 3, 1, 2)


def on_both_sides(matrix: Tensor, values: Tensor) -> Tensor:
    """M V M' for every V, the square matrices whose elements, row by row, are the columns of `values`."""
    matrix = matrix.to(values)
    return torch.kron(matrix, matrix) @ values


class Tiles(Function):
    """The tiles of 4x4, each 2 behind the one before, of maps (n, height, width, channels): (16, all the rest).

    Height and width are even.
    """

    @staticmethod
    def forward(context: Any, maps: Tensor) -> Tensor:
        context.shape = maps.shape
        number, height, width, channels = maps.shape
        image, row, column, channel = maps.stride()
        shape = 4, 4, number, height // 2 - 1, width // 2 - 1, channels
        return maps.as_strided(shape, (row, column, image, 2 * row, 2 * column, channel)).reshape(16, -1)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        maps: Tensor = SumOfTiles.apply(gradient, context.shape)
        return maps


class SumOfTiles(Function):
    """The transpose of `Tiles`: maps of `shape`, the sum of their tiles."""

    @staticmethod
    def forward(_: Any, tiles: Tensor, shape: tuple[int, ...]) -> Tensor:
        number, height, width, channels = shape
        maps = tiles.new_zeros(shape)
        down, across = height // 2 - 1, width // 2 - 1
        elements = tiles.view(4, 4, number, down, across, channels)
        for y in range(4):
            for x in range(4):
                maps[:, y : y + 2 * down : 2, x : x + 2 * across : 2] += elements[y, x]
        return maps

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return Tiles.apply(gradient), None
