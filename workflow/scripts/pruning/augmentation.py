"""Augmentation of images that lie in memory: all of a batch at once, where the images are.

Each augmentation draws for every example of an epoch from the stream of that epoch, so that an image is shown the same
way in whatever batch it comes. It gives a function from the numbers of examples to images as they are stored
(examples, height, width, channels), not yet normalised.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pruning.crops import crops, draw_numbers
from pruning.streams import stream

FRAME = 4
"""zero pixels around an image from which a crop is taken"""
Shown = Callable[[Tensor], Tensor]


def flip_and_crop(images: Tensor, draw: np.random.Generator) -> Shown:
    """Mirror half of the images, then crop each at random from a frame of 4 zero pixels. Bytes stay bytes."""
    examples, height, width = images.shape[:3]
    mirrored = draw.random(examples) < 0.5
    top, left = draw.integers(0, 2 * FRAME + 1, (2, examples))
    # Which rows and columns of the framed image are the crop; a mirrored one runs backwards.
    all_rows = top[:, None] + np.arange(height)
    all_columns = left[:, None] + np.arange(width)
    all_columns = np.where(mirrored[:, None], width + 2 * FRAME - 1 - all_columns, all_columns)
    rows, columns = (torch.from_numpy(index).to(images.device) for index in (all_rows, all_columns))

    def shown(chosen: Tensor) -> Tensor:
        framed = functional.pad(images[chosen], (0, 0, FRAME, FRAME, FRAME, FRAME))
        picked = torch.arange(len(chosen), device=images.device)[:, None, None]
        return framed[picked, rows[chosen][:, :, None], columns[chosen][:, None, :]]

    return shown


def random_resized_crop(images: Tensor, draw: np.random.Generator) -> Shown:
    """Resize a random part of each image to its size and mirror half of them (`crops`), in floats from 0 to 255.

    Bilinear between the centres of pixels. A part is never larger than the image, so nothing is to be smoothed, and
    this differs from Pillow's, which the authors used, only in that Pillow rounds to whole grey levels.
    """
    examples, height, width = images.shape[:3]
    part = crops(draw_numbers(draw, examples), height, width)
    top, left, part_height, part_width, mirrored = (
        torch.from_numpy(array).to(images.device)
        for array in (part.top, part.left, part.height, part.width, part.mirrored)
    )

    def shown(chosen: Tensor) -> Tensor:
        rows = _between(top[chosen], part_height[chosen], height)
        columns = _between(left[chosen], part_width[chosen], width)
        columns = torch.where(mirrored[chosen][:, None, None], columns.flip(1), columns)
        return torch.einsum("nyi,nijc,nxj->nyxc", rows, images[chosen].float(), columns)

    return shown


def _between(start: Tensor, length: Tensor, size: int) -> Tensor:
    """(images, size, size): for each row that is shown, the shares of the image's rows of which it is made."""
    pixels = torch.arange(size, device=start.device)
    place = (pixels + 0.5) * (length[:, None] / size) - 0.5
    place = start[:, None] + place.clamp_min(0).minimum(length[:, None] - 1)
    return (1 - (place[:, :, None] - pixels).abs()).clamp_min(0)


AUGMENTATIONS = {"flip and crop": flip_and_crop, "random resized crop": random_resized_crop}


def of_epoch(name: str, images: Tensor, seed: int, epoch: int) -> Shown:
    """How `images` are shown in an epoch of a seed."""
    return AUGMENTATIONS[name](images, stream(seed, "augmentation", epoch))
