"""Start-up: what a cell costs beside its training: the work of Snakemake, the start of three jobs, mask, evaluation.

    python benchmarks/startup.py                 three rounds, some ten minutes on 2 cores
    python benchmarks/startup.py --rounds 1

Cells of the default study on one core, with one epoch of training in place of thirty: the rest is the same. Two runs of
different size are compared, so that what is paid once, Snakemake's own start and that of the server that has imported
torch, drops out. With `warm_start` jobs are forked from that server; without, each imports torch itself.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from workflow_runs import copy_workflow, print_table, run, spread

CELL = "results/cells/brief/{method}/{sparsity}/{ablation}/seed0"
METHODS = ("random", "magnitude", "snip", "grasp", "synflow")
BOUND = 0.3
"""seconds a cell"""


def cells(methods: int, sparsities: int) -> list[str]:
    return [
        CELL.format(method=method, sparsity=sparsity, ablation=ablation)
        for method in METHODS[:methods]
        for sparsity in (73.8, 86.6, 93.1, 96.5)[:sparsities]
        for ablation in ("none", "shuffle")
    ]


def seconds(folder: Path, chosen: list[str], warm: bool) -> tuple[float, float]:
    """Wall-clock and CPU seconds of a run of the `chosen` cells, from nothing but the data."""
    shutil.rmtree(folder / "results/cells", ignore_errors=True)
    targets = [f"{cell}/evaluation.json" for cell in chosen]
    cost = run(folder, "--cores", "1", "--config", f"warm_start={warm}", "--", *targets)
    return cost.wall, cost.cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sizes = {True: (cells(5, 1), cells(5, 4)), False: (cells(1, 1), cells(2, 1))}
    found: dict[bool, list[tuple[float, ...]]] = {warm: [] for warm in sizes}
    with tempfile.TemporaryDirectory() as temporary:
        folder = copy_workflow(Path(temporary) / "workflow")
        with (folder / "config/networks.yaml").open("a") as file:
            file.write("\nbrief: {base: lenet300-digits, epochs: 1}\n")
        run(folder, "--cores", "1", "--", "results/data/digits/manifest.json", "results/networks/brief.json")
        for _ in range(options.rounds):
            for warm, (few, many) in sizes.items():
                pair = zip(seconds(folder, few, warm), seconds(folder, many, warm), strict=True)
                found[warm].append(tuple((large - small) / (len(many) - len(few)) for small, large in pair))
    rows = [["a cell of one epoch", "s, median (range)", "CPU s", "bound"]]
    for warm, costs in found.items():
        wall, cpu = zip(*costs, strict=True)
        name = "forked from a server" if warm else "each job a new Python"
        rows.append([name, spread(wall, 2), spread(cpu, 2), str(BOUND) if warm else ""])
    print_table(rows)


if __name__ == "__main__":
    main()
