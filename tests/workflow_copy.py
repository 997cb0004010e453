"""A copy of the workflow in which tests may run Snakemake and change files, with a study of seconds."""

import atexit
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
WORKFLOW = ("Snakefile", "config", "envs", "profiles", "workflow")

ROWS = """
tiny: {base: lenet300-digits, epochs: 3}
two-threads: {base: tiny, threads: 2}
long: {base: lenet300-digits, epochs: 150}
long-too: {base: long}
"""
STUDY = """
networks: [tiny]
methods: [random, snip, magnitude-after, lottery]
sparsities: [86.6]
seeds: [0]
device: cpu
experiments:
  neuron_collapse: {grids: [{}]}
"""
METHODS = ("random", "snip", "magnitude-after", "lottery")
ABLATIONS = ("none", "shuffle", "reinit", "invert")
CELLS = ["dense/0/none", *(f"{method}/86.6/{ablation}" for method in METHODS for ablation in ABLATIONS)]
STAGES = ("prepare_data", "describe_network", "train_dense", "dense_cell", "replay_state", "prune", "train", "evaluate")
"""the rules up to the cells; the others make tables and figures of them"""

PLANNER = """
import json, os, sys
from snakemake.cli import main
for line in sys.stdin:
    folder, output, arguments = json.loads(line)
    if (child := os.fork()) == 0:
        os.chdir(folder)
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(1, 2)
        main(arguments)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs `snakemake` in forks of a process that has imported it: for the many calls that start no job."""


class WorkflowCopy:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def make(cls, folder: Path) -> "WorkflowCopy":
        """A new copy of what belongs to the workflow, without results."""
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *WORKFLOW]
        names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
        for name in filter(None, names):
            if (ROOT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        copy = cls(folder)
        copy.append("config/networks.yaml", ROWS)
        (folder / "study.yaml").write_text(STUDY)
        return copy

    def copy(self, folder: Path) -> "WorkflowCopy":
        """A copy of this one with its results, as up to date as they are here."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return WorkflowCopy(folder)

    def append(self, name: str, text: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(text)

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert text.count(old) == 1
        (self.folder / name).write_text(text.replace(old, new))

    def cell(self, name: str, network: str = "tiny") -> Path:
        """The folder of a cell METHOD/SPARSITY/ABLATION of seed 0."""
        return self.folder / "results/cells" / network / name / "seed0"

    def target(self, name: str, network: str = "tiny") -> str:
        return str(self.cell(name, network).relative_to(self.folder) / "evaluation.json")

    def log(self, name: str, network: str = "tiny") -> str:
        return (self.folder / "results/logs/cells" / network / name).read_text()

    def command(self, *arguments: str, cores: int = 2, config: tuple[str, ...] = ()) -> list[str]:
        """`snakemake` with targets or options, on the tiny study."""
        more = ["--config", *config] if config else []
        return [str(SNAKEMAKE), *arguments, "--cores", str(cores), "--configfile", "study.yaml", *more]

    def run(self, *arguments: str, code: int = 0, cores: int = 2, config: tuple[str, ...] = ()) -> str:
        """Run `snakemake` to its end, check its exit status and return all that it printed."""
        command = self.command(*arguments, cores=cores, config=config)
        done = subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == code, done.stdout
        return done.stdout

    def run_without_jobs(self, *arguments: str, code: int = 0, config: tuple[str, ...] = ()) -> str:
        """As `run`, but quicker; for calls that start no job."""
        output, server = self.folder / "output.txt", planner()
        assert server.stdin
        assert server.stdout
        server.stdin.write(
            json.dumps([str(self.folder), str(output), self.command(*arguments, config=config)[1:]]) + "\n"
        )
        server.stdin.flush()
        found = int(server.stdout.readline())
        assert found == code, output.read_text()
        return output.read_text()

    def plan(self, *targets: str, config: tuple[str, ...] = ()) -> set[str]:
        """The jobs that Snakemake would run now: rule, and its wildcards as a path."""
        jobs = set()
        for block in re.split(r"^(?:local)?rule ", self.run_without_jobs("-n", *targets, config=config), flags=re.M)[
            1:
        ]:
            rule = block.partition(":")[0]
            wildcards = re.search(r"^    wildcards: (.*)$", block, flags=re.M)
            values = [part.partition("=")[2] for part in wildcards[1].split(", ")] if wildcards else []
            jobs.add(f"{rule} {'/'.join(values)}".rstrip())
        return jobs - {"all"}

    def plan_of_cells(self, *targets: str, config: tuple[str, ...] = ()) -> set[str]:
        """The jobs that Snakemake would run now up to the cells. If there are any, the tables are made after them."""
        jobs = self.plan(*targets, config=config)
        found = of_rules(STAGES, jobs)
        assert not found or targets or "cells_table" in jobs
        return found

    def processes(self) -> list[int]:
        """The processes that work in this folder."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink() == self.folder and (process / "cmdline").read_bytes():
                    found.append(int(process.name))
            except OSError:
                continue
        return found


@cache
def planner() -> subprocess.Popen[str]:
    server = subprocess.Popen([sys.executable, "-c", PLANNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.communicate)
    return server


def jobs_of(*cells: str, seed: int = 0) -> set[str]:
    """The jobs that make cells METHOD/SPARSITY/ABLATION and nothing else."""
    return {f"{rule} tiny/{cell}/{seed}" for cell in cells for rule in ("prune", "train", "evaluate")}


def of_rules(rules: tuple[str, ...], jobs: set[str]) -> set[str]:
    return {job for job in jobs if job.split()[0] in rules}


def contents(cell: Path) -> dict[str, object]:
    """All of a cell that has to be the same whenever and however it is made."""
    curve = [line.rpartition(",")[0] for line in (cell / "training.csv").read_text().splitlines()]
    assert (cell / "training.csv").read_text().splitlines()[0].endswith(",seconds")
    return {
        "mask": (cell / "mask.npz").read_bytes(),
        "predictions": (cell / "predictions.npz").read_bytes(),
        "curve": curve,
        "metrics": json.loads((cell / "evaluation.json").read_text())["metrics"],
    }


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
