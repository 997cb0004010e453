"""Kill a small study at random moments, start it again with the same command, and compare it with an undisturbed run.

    .venv/bin/python tests/kill_anything.py --kills 20        (make test-kill)

SIGKILL goes to the main process, to one of the processes that work for it, or to all of them at once. At the end every
cell and every table has the bytes of the undisturbed run, and each log has what killed attempts had written to it.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from workflow_copy import CELLS, WorkflowCopy, contents

STUDY = """
networks: [tiny]
methods: [random, snip, magnitude-after, lottery]
sparsities: [86.6]
seeds: [0]
device: cpu
checkpoint_seconds: 0
experiments: {neuron_collapse: null, layer_density: null, effective_sparsity: null}
"""
LONGEST = 14.0
"""seconds that a run is left alone, at most: some are killed while they plan, some in their first jobs, some later"""
MADE_OF_BYTES = ("statistics.csv", "claims.csv", "claim_differences.csv", "accuracy.csv", "ablations.csv")
"""tables without times"""


def new_study(folder: Path) -> WorkflowCopy:
    workflow = WorkflowCopy.make(folder)
    workflow.replace("config/networks.yaml", "epochs: 3}", "epochs: 12}")
    (folder / "study.yaml").write_text(STUDY)
    return workflow


def results(workflow: WorkflowCopy) -> dict[str, object]:
    tables = workflow.folder / "results/tables"
    return {cell: contents(workflow.cell(cell)) for cell in CELLS} | {
        name: (tables / name).read_bytes() for name in MADE_OF_BYTES
    }


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


class Trial:
    """One copy of the study, killed until it is finished or killed often enough."""

    def __init__(self, folder: Path, draw: random.Random) -> None:
        self.workflow, self.draw, self.kills = new_study(folder), draw, 0
        self.logs: list[tuple[Path, str]] = []
        """what logs of unfinished attempts held after a kill"""

    def run(self, most_kills: int) -> None:
        while self.start(disturb=self.kills < most_kills) is not True:
            pass

    def start(self, disturb: bool) -> bool:
        """Start the study and, perhaps, kill something of it; whether it ended well."""
        warm = self.draw.random() < 0.8
        command = self.workflow.command(config=() if warm else ("warm_start=False",))
        with (self.workflow.folder / "printed.txt").open("a") as printed:
            main = subprocess.Popen(command, cwd=self.workflow.folder, stdout=printed, stderr=subprocess.STDOUT)
        if disturb:
            with suppress(subprocess.TimeoutExpired):
                main.wait(self.draw.uniform(0, LONGEST))
            if main.poll() is None:
                self.strike(main)
        elif main.wait() != 0:
            raise SystemExit(f"the study fails undisturbed:\n{(self.workflow.folder / 'printed.txt').read_text()}")
        return main.wait() == 0

    def strike(self, main: subprocess.Popen[bytes]) -> None:
        helpers = [pid for pid in self.workflow.processes() if pid != main.pid]
        victim = self.draw.choice(["main process", "job", "everything"])
        if victim == "job" and helpers:
            kill(self.draw.choice(helpers))
        else:
            for pid in [main.pid, *(helpers if victim == "everything" else [])]:
                kill(pid)
            main.wait()
            end = time.monotonic() + 10
            while self.workflow.processes():
                if time.monotonic() > end:
                    raise SystemExit("jobs of a killed Snakemake go on")
                time.sleep(0.02)
        self.kills += 1
        found = list(self.workflow.folder.glob("results/logs/**/*.unfinished"))
        for path in found:
            with suppress(FileNotFoundError):  # of a job that has just ended well
                self.logs.append((path.with_suffix(""), path.read_text().rstrip()))
        print(f"kill {self.kills}: {victim}, {len(found)} jobs under way", flush=True)

    def check(self, expected: dict[str, object]) -> None:
        found = results(self.workflow)
        if different := [name for name in expected if found[name] != expected[name]]:
            raise SystemExit(f"not the bytes of the undisturbed run: {', '.join(different)}")
        for log, text in self.logs:
            if text not in log.read_text():
                raise SystemExit(f"{log} has lost what a killed attempt wrote:\n{text}")
        if rest := [*self.workflow.folder.glob("results/**/*.unfinished"), *self.workflow.folder.glob("results/**/.*")]:
            raise SystemExit(f"left over: {', '.join(map(str, rest))}")
        went_on = sum("going on from update" in log.read_text() for log in {log for log, _ in self.logs})
        print(f"{len(found)} results equal; {len(self.logs)} logs kept; {went_on} trainings went on", flush=True)


def main(kills: int, seed: int) -> None:
    draw = random.Random(seed)
    place = Path(tempfile.mkdtemp())
    undisturbed = new_study(place / "undisturbed")
    undisturbed.run()
    expected, done, number = results(undisturbed), 0, 0
    while done < kills:
        number += 1
        trial = Trial(place / f"killed{number}", draw)
        trial.run(kills - done)
        trial.check(expected)
        done += trial.kills
    print(f"{done} kills in {number} studies")
    shutil.rmtree(place)  # what failed stays to be looked at


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments and victims")
    sys.exit(main(**vars(parser.parse_args())))
