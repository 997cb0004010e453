"""Make the files of a list of jobs without Snakemake, for a machine that has only what envs/training.yaml lists.

    snakemake -n --quiet rules --cores 1 --config job_list=jobs.txt  where Snakemake is
    python workflow/scripts/run_job_list.py jobs.txt                 elsewhere, in a copy of this folder

One job after another, each in a process of its own; what is there already is not made again. When it was killed, start
it again: trainings go on from their checkpoints. `make take` takes the results in where Snakemake is.
"""

import argparse
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy  # noqa: F401 - imported once, for all jobs
import torch  # noqa: F401


class Named(list[Any]):
    """A list some of whose items have a name, as scripts read it of `snakemake`."""

    def __init__(self, items: list[Any], names: dict[str, Any]) -> None:
        super().__init__(items)
        self.names = names
        self.get, self.items = names.get, names.items

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["names"][name]
        except KeyError:
            raise AttributeError(name) from None


class Job:
    """What a script reads of `snakemake`."""

    def __init__(self, line: str) -> None:
        about = json.loads(line)
        self.script, self.config = about.pop("script"), about.pop("config")
        self.input, self.output, self.params, self.wildcards, self.log, self.resources = (
            Named(**about[kind]) for kind in ("input", "output", "params", "wildcards", "log", "resources")
        )

    def run(self) -> bool:
        """Run the script in a child process; whether it ended well."""
        for path in map(Path, [*self.output, *self.log]):
            path.parent.mkdir(parents=True, exist_ok=True)
        if (child := os.fork()) == 0:
            runpy.run_path(str(Path(__file__).parent / self.script), {"snakemake": self}, "__main__")
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def main(list_of_jobs: Path) -> int:
    failed = []
    jobs = [Job(line) for line in list_of_jobs.read_text(encoding="utf-8").splitlines()]
    if not jobs:
        sys.exit(
            f"\n{list_of_jobs} has no jobs: write it with `snakemake -n --quiet rules`, where they are not done yet.\n"
        )
    for number, job in enumerate(jobs, 1):
        name = job.output[0]
        if all(Path(path).exists() for path in job.output):
            continue
        print(f"{number} of {len(jobs)}: {name}", flush=True)
        if absent := [path for path in job.input if not Path(path).exists()]:
            failed.append(f"{name}: {absent[0]} is not here, and not in the list before it")
        elif not job.run():
            failed.append(f"{name}: see {job.log[0]}" if job.log else name)
    if failed:
        print("Not made:", *failed, sep="\n  ")
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list_of_jobs", type=Path)
    sys.exit(main(**vars(parser.parse_args())))
