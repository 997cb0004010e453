"""Training: updates a second and a whole epoch (data, augmentation, masks, evaluation), beside open_lth's.

    python benchmarks/training.py                                        ours against the machine's bound
    python benchmarks/training.py --open-lth PATH/TO/open_lth            open_lth's own loop in the same run

Images are random bytes in the shape of the real ones, in number a whole epoch of MNIST and a part of one of CIFAR-10.
The number that counts is the throughput of the whole machine: one process with all cores, or a process a core.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import peers
from side_by_side import ROOT, Contender, Seconds, fastest_product, in_turn, machine, spread, table

NETWORKS = {
    # row of networks.yaml: its name at open_lth, training and test images of a run
    "lenet300-mnist": ("mnist_lenet_300_100", 60_000, 10_000),
    "resnet20-cifar10": ("cifar_resnet_20", 16 * 128, 410),
    "vgg16-cifar10": ("cifar_vgg_16", 4 * 128, 102),
}


def ours(
    meet: Callable[[], object],
    name: str,
    train_images: int,
    test_images: int,
    device: str = "cpu",
    precision: str = "fp32",
) -> Seconds:
    """An epoch of the training loop under a random mask, in the recipe of the row `name`."""
    import numpy as np
    import torch

    from network_job import keep_memory, prepare_gpu
    from pruning import batches, networks
    from pruning.cost import made_data
    from pruning.cuda_graph import FIRST
    from pruning.initialisation import draw_state
    from pruning.study import Tables
    from pruning.training import Recipe, from_state, train

    tables = Tables.read(ROOT / "config/networks.yaml", ROOT / "config/methods.yaml", ROOT / "workflow/schemas")
    row = tables.network(name)
    network = networks.build(row.row["architecture"], row.data.shape, row.data.classes).to(device)
    keep_memory()
    prepare_gpu(precision == "tf32")
    recipe = Recipe.read({**row.row, **row.training(), "epochs": 2, "precision": precision})
    # The last updates of an epoch, to be warm: on a GPU, the fourth is recorded. Then the epoch that is timed.
    warm = max(0, -(-train_images // recipe.batch_size) - FIRST - 1)
    start = from_state(network, draw_state(network, row.row["initialiser"], 0), warm)
    draw = np.random.default_rng(0)
    mask = {name: draw.random(tuple(weight.shape)) > 0.8 for name, weight in networks.prunable(network).items()}
    made = made_data(row.data, train_images, test_images)
    resident = batches.of_data(made, recipe.batch_size, 0, torch.device(device))
    stamps: list[float] = []

    class Stamped:
        """The batches, and when each was asked for."""

        def __getattr__(self, attribute: str) -> Any:
            return getattr(resident, attribute)

        def epoch(self, epoch: int, first: int) -> Iterator[Any]:
            stamps.clear()
            stamps.append(time.perf_counter())
            for batch in resident.epoch(epoch, first):
                yield batch
                stamps.append(time.perf_counter())
            if device == "cuda":
                torch.cuda.synchronize()  # an update has been launched when the next batch is asked for, not done
                stamps[-1] = time.perf_counter()

    def after_epoch(rows: list[Any], _: object) -> None:
        if len(rows) == 1:
            meet()

    end = train(network, mask, recipe, Stamped(), start, after_epoch=after_epoch)  # type: ignore[arg-type]
    return {"update": (stamps[-1] - stamps[0]) / (len(stamps) - 1), "epoch": float(end.rows[1]["seconds"])}


def operations(name: str) -> float:
    """Floating-point operations of the products of an update: forward, and twice as many backward, but none for the
    gradient by the images."""
    from pruning import networks, wiring
    from pruning.study import Tables

    tables = Tables.read(ROOT / "config/networks.yaml", ROOT / "config/methods.yaml", ROOT / "workflow/schemas")
    row = tables.network(name)
    network = networks.build(row.row["architecture"], row.data.shape, row.data.classes)
    weights = {key: weight.numel() for key, weight in networks.prunable(network).items()}
    layers = [
        weights[connection["tensor"]] * connection["positions"]
        for connection in wiring.trace(network, row.data.shape)["connections"]
        if "tensor" in connection
    ]
    return 2.0 * row.row["batch_size"] * (3 * sum(layers) - layers[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--open-lth", default=None, metavar="CHECKOUT")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    print(machine(), end="\n\n", flush=True)
    rows = []
    for name in options.networks:
        theirs, train_images, test_images = NETWORKS[name]
        shapes = {f"1 process, {cores} threads": (1, cores), f"{cores} processes, 1 thread": (cores, 1)}
        contenders = [Contender(f"bound, {how}", fastest_product, (), *shape) for how, shape in shapes.items()] + [
            Contender(f"ours, {how}", ours, (name, train_images, test_images), *shape) for how, shape in shapes.items()
        ]
        if options.open_lth:
            checkout = str(Path(options.open_lth).resolve())
            contenders += [
                Contender(
                    f"open_lth, {kind}, {how}",
                    peers.open_lth,
                    (checkout, theirs, 128, train_images, test_images, kind == "its loader"),
                    *shape,
                )
                for kind in ("its loader", "batches in memory")
                for how, shape in shapes.items()
            ]
        times = in_turn(contenders, options.rounds)
        giga = operations(name) / 1e9
        bound = min(statistics.median(times[f"bound, {how}"].pop("seconds")) for how in shapes) * giga
        best = min(statistics.median(times[f"ours, {how}"]["update"]) for how in shapes)
        best_epoch = min(statistics.median(times[f"ours, {how}"]["epoch"]) for how in shapes)
        for contender, found in times.items():
            if found:
                update, epoch = statistics.median(found["update"]), statistics.median(found["epoch"])
                rows.append(
                    [
                        name,
                        contender,
                        spread([1 / seconds for seconds in found["update"]]),
                        f"{bound / update:.0%}",
                        spread(found["epoch"]),
                        f"{update / best:.2f}",
                        f"{epoch / best_epoch:.2f}",
                    ]
                )
        print(f"{name}: {giga:.3g} GFLOP an update, bound {giga / bound:.0f} GFLOP/s, {bound:.3g} s", flush=True)
    heading = ["network", "contender", "updates a second", "of the bound", "epoch, s", "update / ours", "epoch / ours"]
    print("\n" + table(heading, rows))


if __name__ == "__main__":
    main()
