"""Bytes to numbers: images as a network sees them."""

import torch
from torch import Tensor

from pruning.data import Data


def normalise(images: Tensor, data: Data) -> Tensor:
    """Float32 images (examples, channels, height, width) from bytes (examples, height, width, channels).

    (pixel / scale - mean) / deviation, a channel. The result lies channels-last in memory.
    """
    mean = torch.from_numpy(data.mean).to(images.device)
    deviation = torch.from_numpy(data.deviation).to(images.device)
    return ((images.float() / data.scale - mean) / deviation).permute(0, 3, 1, 2)
