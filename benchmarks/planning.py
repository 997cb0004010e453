"""Planning: what passes before the first job starts, and where there is little or nothing to do.

    python benchmarks/planning.py                three rounds, some ten minutes on 2 cores
    python benchmarks/planning.py --rounds 1

* a plan: a dry run of 20,050 jobs, none of which has run;
* what Snakemake itself takes: a dry run of as many jobs of three plain rules, without functions and parameters;
* nothing to do: Snakemake on 2,064 finished cells and all their tables and figures;
* one figure: `accuracy` of those cells, its rows, table and pictures gone.

The finished cells are made up: two real ones, of the dense network and of a lottery ticket, are copied to the places of
all others, with other names in them and accuracies drawn at random, and are marked as finished by `snakemake --touch`.
So there are as many files of the right size and as much for Snakemake to compare, and the numbers in the figure mean
nothing.
"""

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

from workflow_runs import ROOT, Cost, copy_workflow, print_table, run, spread

sys.path.insert(0, str(ROOT / "workflow/scripts"))

from pruning.config_files import read_yaml
from pruning.files import read_json, write_json
from pruning.masks import load_mask, save_mask
from pruning.study import DENSE, Cell, Study, Tables

CELL = "results/cells/{network}/{method}/{sparsity}/{ablation}/seed{seed}"
TWENTY_THOUSAND_JOBS = """
sparsities: [10, 20, 30, 36, 48.8, 59, 67.2, 73.8, 79, 83.2, 86.6, 89.3, 91.4, 93.1, 94.5, 95.6]
seeds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
"""
PLAIN_RULES = """
CELLS = range(6683)
rule all:
    input: lambda _: [f"results/{cell}/evaluation.json" for cell in CELLS]
rule prune:
    output: "results/{cell}/mask.npz"
    log: "results/logs/{cell}/prune.log"
    shell: "touch {output}"
rule train:
    input: "results/{cell}/mask.npz"
    output: "results/{cell}/predictions.npz", "results/{cell}/training.csv"
    log: "results/logs/{cell}/train.log"
    shell: "touch {output}"
rule evaluate:
    input: rules.prune.output, rules.train.output
    output: "results/{cell}/evaluation.json"
    log: "results/logs/{cell}/evaluate.log"
    shell: "touch {output}"
"""
"""three jobs a cell, as the workflow has them: 20,050 jobs"""
TWO_THOUSAND_CELLS = """
seeds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
"""
TOUCH_WITHOUT_WAITING = """
import sys
from snakemake.cli import main
from snakemake.executors.touch import Executor
Executor.SLEEPING_TIME = 0
main(sys.argv[1:])
"""
STUDY = ("--cores", "2", "--configfile", "study.yaml")
PLAN, PLAIN, NOTHING, FIGURE = "a plan of 20,050 jobs", "as many jobs of plain rules", "nothing to do", "one figure"
BOUNDS = {PLAN: (25, 500), PLAIN: (None, None), NOTHING: (10, None), FIGURE: (12, None)}
"""seconds, and MB"""


def finish(folder: Path) -> None:
    """Make all cells of the study of `folder`, as finished as Snakemake can tell, and really all tables and figures."""
    config = {**read_yaml(folder / "config/config.yaml"), **read_yaml(folder / "study.yaml")}
    tables = Tables.read(folder / "config/networks.yaml", folder / "config/methods.yaml", folder / "workflow/schemas")
    cells = Study(config, tables).cells
    models = {
        True: Cell("lenet300-digits", DENSE, "0", "none", 0),
        False: Cell("lenet300-digits", "lottery", "86.6", "none", 0),
    }
    run(folder, *STUDY, "--", *(f"{place(cell)}/evaluation.json" for cell in models.values()))
    numbers = random.Random(0)
    for cell in cells:
        model = models[cell.method == DENSE]
        if cell != model:
            imitate(folder / place(model), folder / place(cell), cell, numbers)
    touch = (sys.executable, "-c", TOUCH_WITHOUT_WAITING)
    run(
        folder, "--configfile", "study.yaml", "--cores", "1", "--touch", "--", "results/tables/cells.csv", command=touch
    )
    run(folder, "--configfile", "study.yaml", "--cores", "1")


def place(cell: Cell) -> str:
    return CELL.format(**vars(cell))


def imitate(model: Path, folder: Path, cell: Cell, numbers: random.Random) -> None:
    """Copy the cell in `model` to `folder`, as `cell`."""
    shutil.copytree(model, folder)
    mask, about = load_mask(folder / "mask.npz")
    save_mask(folder / "mask.npz", mask, {**about, "cell": vars(cell)})
    evaluation = read_json(folder / "evaluation.json")
    evaluation["cell"] = vars(cell)
    evaluation["metrics"]["accuracy"] -= numbers.random()
    write_json(folder / "evaluation.json", evaluation)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        empty, finished = (copy_workflow(Path(temporary) / name) for name in ("empty", "finished"))
        plain = Path(temporary) / "plain"
        plain.mkdir()
        (plain / "Snakefile").write_text(PLAIN_RULES)
        (empty / "study.yaml").write_text(TWENTY_THOUSAND_JOBS)
        (finished / "study.yaml").write_text(TWO_THOUSAND_CELLS)
        finish(finished)
        costs: dict[str, list[Cost]] = {name: [] for name in BOUNDS}
        for _ in range(options.rounds):
            costs[PLAN].append(run(empty, "--dry-run", "--quiet", "rules", *STUDY))
            costs[PLAIN].append(run(plain, "--dry-run", "--quiet", "rules", "--cores", "2"))
            costs[NOTHING].append(run(finished, *STUDY))
            if "Nothing to be done" not in (finished / "output.txt").read_text():
                sys.exit("there was something to do")
            for path in [*finished.glob("results/*/accuracy.*"), *finished.glob("results/tables/rows/accuracy.*")]:
                path.unlink()
            costs[FIGURE].append(run(finished, *STUDY, "--", "results/figures/accuracy.pdf"))
    rows = [["", "s, median (range)", "bound", "CPU s", "MB", "bound"]]
    for name, (seconds, memory) in BOUNDS.items():
        wall, cpu, peak = ([getattr(cost, key) for cost in costs[name]] for key in ("wall", "cpu", "memory"))
        rows.append([name, spread(wall), str(seconds or ""), spread(cpu), spread(peak, 0), str(memory or "")])
    print_table(rows)


if __name__ == "__main__":
    main()
