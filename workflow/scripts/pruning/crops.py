"""Random crops that are resized: which part of a picture is shown, from numbers drawn for it. Without torch.

As torchvision's RandomResizedCrop: a share of the area and an aspect ratio are tried until they fit into the picture,
at most ten times; otherwise it is the largest part in the middle whose ratio is allowed. The study's numbers are
(0.1, 1) and (0.8, 1.25), and half of the pictures are mirrored. (Authors' code.)
"""

from dataclasses import dataclass

import numpy as np

AREA = (0.1, 1.0)
RATIO = (0.8, 1.25)
"""width by height"""
TRIES = 10
NUMBERS = 2 * TRIES + 3
"""uniform numbers for a picture: areas, ratios, top, left, mirror"""


@dataclass(frozen=True)
class Crops:
    """Parts of pictures in pixels, an array each, and which of them are mirrored."""

    top: np.ndarray
    left: np.ndarray
    height: np.ndarray
    width: np.ndarray
    mirrored: np.ndarray


def draw_numbers(generator: np.random.Generator, examples: int) -> np.ndarray:
    """What the crops of an epoch are made from: (examples, NUMBERS), uniform on [0, 1)."""
    return generator.random((examples, NUMBERS), dtype=np.float32)


def crops(numbers: np.ndarray, height: int, width: int) -> Crops:
    """The crops of pictures of `height` x `width` pixels from the `numbers` (pictures, NUMBERS) drawn for them."""
    numbers = numbers.astype(np.float64)
    area = height * width * (AREA[0] + (AREA[1] - AREA[0]) * numbers[:, :TRIES])
    low, high = np.log(RATIO)
    ratio = np.exp(low + (high - low) * numbers[:, TRIES : 2 * TRIES])
    widths, heights = np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))
    fits = (widths > 0) & (widths <= width) & (heights > 0) & (heights <= height)
    first = np.arange(len(numbers)), fits.argmax(axis=1)
    any_fits = fits[first]
    in_the_middle = _largest(height, width)
    chosen_height = np.where(any_fits, heights[first], in_the_middle[0])
    chosen_width = np.where(any_fits, widths[first], in_the_middle[1])
    down, right, mirror = numbers[:, 2 * TRIES :].T
    top = np.where(any_fits, np.floor(down * (height - chosen_height + 1)), (height - chosen_height) // 2)
    left = np.where(any_fits, np.floor(right * (width - chosen_width + 1)), (width - chosen_width) // 2)
    top, left, chosen_height, chosen_width = (
        place.astype(np.int64) for place in (top, left, chosen_height, chosen_width)
    )
    return Crops(top, left, chosen_height, chosen_width, mirror < 0.5)


def _largest(height: int, width: int) -> tuple[int, int]:
    """Height and width of the largest part whose ratio is allowed."""
    if width / height < RATIO[0]:
        return round(width / RATIO[0]), width
    if width / height > RATIO[1]:
        return height, round(height * RATIO[1])
    return height, width
