"""Rounding: how many weights a mask keeps that the same mask, summed in another order, does not.

    python benchmarks/rounding.py                two networks, some ten minutes on 2 cores

Masks at 86.6% of the initial weights of seed 0, from 100 examples of noise: in float32, as the study makes them
(SynFlow in float64), and in float64, each with one thread and with two. Not of speed, and as easily repeated.
"""

import sys
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow/scripts"))

from side_by_side import machine, table

from pruning import networks
from pruning.initialisation import draw_state
from pruning.masks import kept_count
from pruning.scores import Examples
from pruning.scoring import Pruning, make_mask

METHODS = {"snip": 1, "grasp": 1, "snip in 10 rounds": 10, "synflow in 100 rounds": 100}


def kept(architecture: str, method: str, precision: torch.dtype, threads: int) -> np.ndarray:
    """Which of all prunable weights the mask keeps."""
    torch.set_num_threads(threads)
    network = networks.build(architecture, (32, 32, 3), 10)
    network.load_state_dict(draw_state(network, "kaiming-normal", 0))
    images = torch.randn(100, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    images = images.to(precision).contiguous(memory_format=torch.channels_last)
    number = partial(kept_count, sparsity=Decimal("86.6"))
    pruning = Pruning(method.partition(" ")[0], METHODS[method], number, "none", 0)
    mask = make_mask(network.to(precision), Examples(images, torch.arange(100) % 10), pruning)
    return np.concatenate([tensor.ravel() for tensor in mask.values()])


def main() -> None:
    print(machine(), end="\n\n", flush=True)
    rows = []
    for architecture in ("resnet20", "vgg16"):
        for method in METHODS:
            masks = {
                (precision, threads): kept(architecture, method, precision, threads)
                for precision in (torch.float32, torch.float64)
                for threads in (1, 2)
            }
            lost = [
                (masks[precision, 1] & ~masks[precision, 2]).sum() / masks[precision, 1].sum()
                for precision in (torch.float32, torch.float64)
            ]
            both = (masks[torch.float32, 1] & ~masks[torch.float64, 1]).sum() / masks[torch.float64, 1].sum()
            rows.append([architecture, method, *(f"{share:.2%}" for share in (*lost, both))])
    print(table(["network", "method", "float32, 1 or 2 threads", "float64, 1 or 2 threads", "float32 or 64"], rows))


if __name__ == "__main__":
    main()
