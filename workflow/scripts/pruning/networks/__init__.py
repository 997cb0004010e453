"""Architectures, one file each. A file here defines `build(shape, classes)`; its name registers it.

What is prunable is the same for all: the weight tensor of every convolution and every linear layer, the first
convolution, the 1x1 shortcuts and the output layer included. Biases and batch norm are not. (Authors' code.)
"""

import numpy as np
import torch
from torch import Tensor, nn

from pruning import registry
from pruning.masks import Mask


def build(architecture: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network for images of `shape` (height, width, channels); its values are torch's, not yet the study's.

    It lies channels-last in memory, as the images do (`normalisation`).
    """
    network: nn.Module = registry.find("networks", architecture).build(shape, classes)
    return network.to(memory_format=torch.channels_last)


def prunable(network: nn.Module) -> dict[str, Tensor]:
    """{tensor name: parameter} of the weights that pruning may remove, in the order of the network's definition."""
    return {
        f"{name}.weight": module.weight
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }


def all_kept(network: nn.Module) -> Mask:
    """The mask of the dense network."""
    return {name: np.ones(tuple(weight.shape), dtype=bool) for name, weight in prunable(network).items()}
