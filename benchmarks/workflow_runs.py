"""What the benchmarks of the workflow share: a copy of it to run in, commands that are timed, and their table."""

import ctypes
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
WORKFLOW = ("Snakefile", "config", "envs", "profiles", "workflow")


def copy_workflow(folder: Path) -> Path:
    """A copy of the workflow without results, in the new `folder`."""
    folder.mkdir()
    for name in WORKFLOW:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


@dataclass
class Cost:
    """What a command took: wall-clock and CPU seconds of all its processes, and the largest one's memory in MB."""

    wall: float
    cpu: float
    memory: float


def run(folder: Path, *arguments: str, command: Sequence[str] = (str(SNAKEMAKE),)) -> Cost:
    """Run Snakemake with `arguments` in `folder`. Ends the benchmark where it fails."""
    adopt_orphans()
    began = time.perf_counter()
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen([*command, *arguments], cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit((folder / "output.txt").read_text())
    cpu = usage.ru_utime + usage.ru_stime
    memory = usage.ru_maxrss / 1024
    # The server of the jobs outlives Snakemake for a moment.
    while True:
        try:
            _, _, usage = os.wait3(0)
        except ChildProcessError:
            return Cost(wall, cpu, memory)
        cpu += usage.ru_utime + usage.ru_stime


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent ends, so that they can be waited for (Linux)."""
    if sys.platform == "linux":
        set_child_subreaper = 36
        ctypes.CDLL(None).prctl(set_child_subreaper, 1)


def spread(values: Sequence[float], digits: int = 1) -> str:
    """`12.3 (11.9 to 13.0)`: median, lowest and highest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Rows as Markdown, the first as the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
        if number == 0:
            print("| " + " | ".join("-" * width for width in widths) + " |")
