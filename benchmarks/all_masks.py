"""Masks of every method on every network: how long they take, how much memory, and which layers they empty.

    python benchmarks/all_masks.py                                          all networks at 98.2%; hours on a CPU
    python benchmarks/all_masks.py --networks resnet20-cifar10 --sparsity 99.9
    python benchmarks/all_masks.py --networks resnet50-imagenet --methods synflow

Initial weights of seed 0. Images are noise, a few and not 10 a class: counts and finite scores do not depend on it, the
seconds of methods that look at examples do. Each mask is made in a process of its own. A mask with another number of
weights than asked for, and a score that is not finite, end the script.
"""

import argparse
import multiprocessing
import os
import resource
import sys
import time
from decimal import Decimal
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from pruning.masks import count, kept_count, size
from pruning.study import Network, Tables


def measure(network: Network, score: str, iterations: int, quotas: str | None, sparsity: Decimal, examples: int) -> str:
    import torch

    from pruning import networks
    from pruning.initialisation import draw_state
    from pruning.scores import Examples
    from pruning.scoring import Pruning, make_mask

    torch.set_num_threads(min(network.row["threads"], len(os.sched_getaffinity(0))))
    height, width, channels = network.data.shape
    built = networks.build(network.row["architecture"], network.data.shape, network.data.classes)
    built.load_state_dict(draw_state(built, network.row["initialiser"], 0))
    images = torch.randn(examples, channels, height, width, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(examples) % network.data.classes
    given = Examples(images, labels, at_once=network.row["scoring_batch"])
    began = time.perf_counter()
    kept = partial(kept_count, sparsity=sparsity)
    mask = make_mask(built, given, Pruning(score, iterations, kept, "none", 0, quotas))
    seconds = time.perf_counter() - began
    expected = kept_count(size(mask), sparsity)
    if count(mask) != expected:
        raise SystemExit(f"{network.name}, {score}: {count(mask)} weights kept, {expected} expected")
    empty = sum(not kept.any() for kept in mask.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return f"{count(mask):>9} of {size(mask):>10}  {empty:>3} of {len(mask):>3} empty  {seconds:>8.1f} s  {peak:>6} MB"


def main() -> None:
    tables = Tables.read(ROOT / "config/networks.yaml", ROOT / "config/methods.yaml", ROOT / "workflow/schemas")
    # Those that score a trained network score its magnitudes; those with another method's quotas make its mask first.
    methods = [
        name for name, row in tables.methods.items() if row["prune_at"] == 0 and row.get("quotas") not in tables.methods
    ]
    first: dict[tuple[object, ...], str] = {}
    for name, network in tables.networks.items():
        first.setdefault((network.row["architecture"], network.data.shape, network.data.classes), name)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(first.values()), help="default: each once")
    parser.add_argument("--methods", nargs="+", default=methods)
    parser.add_argument("--sparsity", type=Decimal, default=Decimal("98.2"))
    parser.add_argument("--examples", type=int, default=10)
    options = parser.parse_args()
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for name in options.networks:
            for method in options.methods:
                row = tables.methods[method]
                network = tables.network(name)
                how = (row["score"], row["iterations"], row.get("quotas"))
                work = (network, *how, options.sparsity, options.examples)
                print(f"{name:<32} {method:<16} {options.sparsity}%  {pool.apply(measure, work)}", flush=True)


if __name__ == "__main__":
    main()
