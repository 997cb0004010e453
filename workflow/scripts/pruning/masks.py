"""Masks: which weights stay. A mask is a dictionary {tensor name: boolean array}, True = kept.

On disk a mask is packed to a bit a weight, beside a JSON text that says what made it.
"""

import json
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np

from pruning.files import checksum, read_arrays, write_arrays

Mask = dict[str, np.ndarray]


def removed_count(prunable: int, sparsity: Decimal) -> int:
    """How many of `prunable` weights go at `sparsity` percent: exact, halves rounded up, never through a float."""
    return int((prunable * sparsity / 100).to_integral_value(rounding=ROUND_HALF_UP))


def kept_count(prunable: int, sparsity: Decimal) -> int:
    return prunable - removed_count(prunable, sparsity)


def count(mask: Mask) -> int:
    """How many weights the mask keeps."""
    return sum(int(np.count_nonzero(array)) for array in mask.values())


def size(mask: Mask) -> int:
    """How many weights the mask speaks of."""
    return sum(array.size for array in mask.values())


def mask_checksum(mask: Mask) -> str:
    return checksum(*(mask[name] for name in sorted(mask)))


def save_mask(path: str | Path, mask: Mask, about: Mapping[str, Any]) -> None:
    """Write `mask` and what made it; the bytes of the file depend on these alone."""
    header = {"shapes": {name: list(array.shape) for name, array in mask.items()}, "about": about}
    arrays = {name: np.packbits(array) for name, array in mask.items()}
    write_arrays(path, {"header": np.array(json.dumps(header)), **arrays})


def load_mask(path: str | Path) -> tuple[Mask, dict[str, Any]]:
    """The mask in `path` and what made it."""
    arrays = read_arrays(path)
    header = json.loads(str(arrays["header"]))
    mask = {
        name: np.unpackbits(arrays[name], count=int(np.prod(shape))).astype(bool).reshape(shape)
        for name, shape in header["shapes"].items()
    }
    return mask, header["about"]
