"""Training on a GPU: whole epochs (data, augmentation, masks, evaluation), by precision, alone and several at once.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --networks lenet300-mnist --at-once 1 8

Images are random bytes, as many as the dataset has. Several at once are processes, as with `--resources gpu=8`: start
MPS first, or they take turns (docs/cluster.md). An update takes at least as long as its products at the speed of a
large one; what keeps small networks from that are memory and launches, so their bounds are printed, too.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from side_by_side import Contender, Seconds, in_turn, machine, spread, table
from training import operations, ours

IMAGES = {"lenet300-mnist": (60_000, 10_000), "resnet20-cifar10": (50_000, 10_000), "vgg16-cifar10": (50_000, 10_000)}
PRECISIONS = ("fp32", "tf32", "bf16")


def bounds(meet: Callable[[], object], device: str) -> Seconds:
    """Seconds of 10^9 operations of a large product in each precision, of 1 GB read and written, and of a launch."""
    import torch

    from network_job import prepare_gpu

    def seconds(work: Callable[[], object], times: int = 20) -> float:
        work()
        began = time.perf_counter()
        for _ in range(times):
            work()
        torch.zeros((), device=device).item()
        return (time.perf_counter() - began) / times

    side = 4096 if device == "cuda" else 512
    matrix, one = torch.randn(side, side, device=device), torch.zeros((), device=device)
    found = {}
    for precision in PRECISIONS:
        prepare_gpu(precision == "tf32")
        factor = matrix.bfloat16() if precision == "bf16" else matrix
        found[precision] = seconds(lambda factor=factor: factor @ factor) / (2 * side**3) * 1e9
    found["memory"] = seconds(matrix.neg) / (2 * matrix.nbytes) * 1e9
    found["launch"] = seconds(lambda: one.add_(1), 2000)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=list(IMAGES), default=list(IMAGES))
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--at-once", nargs="+", type=int, default=[1, 4, 8])
    parser.add_argument("--images", nargs=2, type=int, default=None, help="training and test images, instead of all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    import torch

    print(machine(), torch.cuda.get_device_name() if options.device == "cuda" else "", end="\n\n", flush=True)
    limits = {key: found[0] for key, found in in_turn([Contender("", bounds, (options.device,))], 1)[""].items()}
    print(
        f"{1 / limits['memory']:.0f} GB/s, a launch {limits['launch'] * 1e6:.1f} us; "
        + ", ".join(f"{precision} {1 / limits[precision] / 1000:.3g} TFLOP/s" for precision in PRECISIONS)
    )
    rows = []
    for name in options.networks:
        images = tuple(options.images or IMAGES[name])
        contenders = {
            (precision, copies): Contender(
                f"{precision}, {copies} at once", ours, (name, *images, options.device, precision), copies
            )
            for precision in options.precisions
            for copies in options.at_once
        }
        times = in_turn(list(contenders.values()), options.rounds)
        for (precision, _), contender in contenders.items():
            found = times[contender.name]
            share = operations(name) / 1e9 * limits[precision] / statistics.median(found["update"])
            rows.append([name, contender.name, spread(found["epoch"]), spread(found["update"]), f"{share:.0%}"])
    heading = ["network", "how", "an epoch of one, s", "an update of one, s", "of the bound of products"]
    print("\n" + table(heading, rows))


if __name__ == "__main__":
    main()
