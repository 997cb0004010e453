"""Masks: SNIP, GraSP and SynFlow (100 rounds) on ResNet-20 and VGG-16, beside Synaptic-Flow's.

    python benchmarks/masks.py
    python benchmarks/masks.py --synaptic-flow PATH/TO/Synaptic-Flow     its own `prune_loop` in the same run

90% of the weights go; 100 examples of noise in one batch; from the initial weights to the mask. SynFlow is computed in
float64 here and in float32 there. Every mask of every network: all_masks.py.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import peers
from side_by_side import Contender, Seconds, in_turn, machine, spread, table

METHODS = {"snip": 1, "grasp": 1, "synflow": 100}
NETWORKS = {"resnet20": "resnet20", "vgg16": "vgg16-bn"}
"""architecture: its name at Synaptic-Flow"""


def ours(meet: Callable[[], object], architecture: str, score: str, rounds: int) -> Seconds:
    from decimal import Decimal
    from functools import partial

    import torch

    from network_job import keep_memory
    from pruning import networks
    from pruning.initialisation import draw_state
    from pruning.masks import kept_count
    from pruning.scores import Examples
    from pruning.scoring import Pruning, make_mask

    keep_memory()
    network = networks.build(architecture, (32, 32, 3), 10)
    network.load_state_dict(draw_state(network, "kaiming-normal", 0))
    images = torch.randn(100, 32, 32, 3).permute(0, 3, 1, 2)
    examples = Examples(images, torch.randint(10, (100,)))
    pruning = Pruning(score, rounds, partial(kept_count, sparsity=Decimal(90)), "none", 0)
    make_mask(network, examples, pruning)
    meet()
    began = time.perf_counter()
    make_mask(network, examples, pruning)
    return {"mask": time.perf_counter() - began}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--synaptic-flow", default=None, metavar="CHECKOUT")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    print(machine(), end="\n\n", flush=True)
    rows = []
    for network in options.networks:
        for method in options.methods:
            rounds = METHODS[method]
            contenders = [Contender("ours", ours, (network, method, rounds), threads=cores)]
            if options.synaptic_flow:
                checkout = str(Path(options.synaptic_flow).resolve())
                theirs = (checkout, NETWORKS[network], method, rounds, 0.1)
                contenders.append(Contender("Synaptic-Flow", peers.synaptic_flow, theirs, threads=cores))
            times = {name: found["mask"] for name, found in in_turn(contenders, options.rounds).items()}
            least = statistics.median(times["ours"])
            rows += [
                [network, method, name, spread(found), f"{statistics.median(found) / least:.2f}"]
                for name, found in times.items()
            ]
    print(table(["network", "method", "contender", "seconds a mask", "/ ours"], rows))


if __name__ == "__main__":
    main()
