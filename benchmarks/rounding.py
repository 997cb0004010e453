"""Rounding: the share of the weights that a mask keeps and the same mask, summed in another order, does not.

    python benchmarks/rounding.py                two networks, some ten minutes on 2 cores

Masks at 86.6% of the initial weights of seed 0, from 100 examples of noise: in float32, as the study makes them
(SynFlow in float64), and in float64, each with one thread and with two. No measurement of speed.
"""

import sys
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow/scripts"))

from side_by_side import machine, table

from pruning import networks
from pruning.initialisation import draw_state
from pruning.masks import kept_count
from pruning.scores import Examples
from pruning.scoring import Pruning, make_mask

METHODS = {"snip": 1, "grasp": 1, "snip in 10 rounds": 10, "synflow in 100 rounds": 100}
COMPARED = (
    (torch.float32, torch.float32, 2),
    (torch.float64, torch.float64, 2),
    (torch.float32, torch.float64, 1),
)
"""the precision of a mask made with one thread; precision and threads of another"""


def initial(architecture: str, precision: torch.dtype) -> tuple[nn.Module, torch.Tensor]:
    """A network with its initial weights, and noise for it."""
    network = networks.build(architecture, (32, 32, 3), 10)
    network.load_state_dict(draw_state(network, "kaiming-normal", 0))
    images = torch.randn(100, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return network.to(precision), images.to(precision).contiguous(memory_format=torch.channels_last)


def kept(architecture: str, method: str, precision: torch.dtype, threads: int) -> np.ndarray:
    """Which of all prunable weights the mask keeps."""
    torch.set_num_threads(threads)
    network, images = initial(architecture, precision)
    number = partial(kept_count, sparsity=Decimal("86.6"))
    pruning = Pruning(method.partition(" ")[0], METHODS[method], number, "none", 0)
    mask = make_mask(network, Examples(images, torch.arange(100) % 10), pruning)
    return np.concatenate([tensor.ravel() for tensor in mask.values()])


def gradient(architecture: str, precision: torch.dtype) -> torch.Tensor:
    """The gradient of the loss by all weights, batch norm in training mode; two threads."""
    torch.set_num_threads(2)
    network, images = initial(architecture, precision)
    loss = functional.cross_entropy(network.train()(images), torch.arange(100) % 10)
    gradients = torch.autograd.grad(loss, list(networks.prunable(network).values()))
    return torch.cat([one.double().flatten() for one in gradients])


def main() -> None:
    print(machine(), end="\n\n", flush=True)
    rows = []
    for architecture in ("resnet20", "vgg16"):
        exact = gradient(architecture, torch.float64)
        error = (gradient(architecture, torch.float32) - exact).norm() / exact.norm()
        print(f"{architecture}: a gradient in float32 is {error:.2%} away from that in float64", flush=True)
        for method in METHODS:
            masks = {
                (precision, threads): kept(architecture, method, precision, threads)
                for precision in (torch.float32, torch.float64)
                for threads in (1, 2)
            }
            pairs = [((one, 1), (other, threads)) for one, other, threads in COMPARED]
            shares = [(masks[first] & ~masks[second]).sum() / masks[first].sum() for first, second in pairs]
            rows.append([architecture, method, *(f"{share:.2%}" for share in shares)])
    print(table(["network", "method", "float32, 1 or 2 threads", "float64, 1 or 2 threads", "float32 or 64"], rows))


if __name__ == "__main__":
    main()
