"""Bytes to numbers: images as a network sees them."""

from functools import lru_cache

import torch
from torch import Tensor

from pruning.data import Data


def normalise(images: Tensor, data: Data) -> Tensor:
    """Float32 images (examples, channels, height, width) from bytes (examples, height, width, channels).

    (pixel / scale - mean) / deviation, a channel. The result lies channels-last in memory.
    """
    mean, deviation = (on_device(tuple(values.tolist()), images.device) for values in (data.mean, data.deviation))
    return ((images.float() / data.scale - mean) / deviation).permute(0, 3, 1, 2)


@lru_cache
def on_device(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Kept there: to copy them for each batch would be to wait for the GPU each time."""
    return torch.tensor(values, dtype=torch.float32, device=device)
