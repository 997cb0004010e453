"""Make the files of a list of jobs without Snakemake, for a machine that has only what envs/training.yaml lists.

    snakemake -n --quiet rules --cores 1 --config job_list=jobs.txt  where Snakemake is
    python workflow/scripts/run_job_list.py jobs.txt                 elsewhere, in a copy of this folder

One job after another, each in a process of its own; what is there already is not made again. When it was killed, start
it again: trainings go on from their checkpoints. `make take` takes the results in where Snakemake is.

A list of other code than here is refused: its records would claim to be of code that did not run.
"""

import argparse
import contextlib
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy  # noqa: F401 - imported once, for all jobs
import torch  # noqa: F401

from pruning.fingerprint import fingerprint


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
        self.code: dict[str, list[str]] = about.get("code", {})
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


def of_other_code(jobs: list[Job]) -> list[str]:
    """The scripts of `jobs` that are other code here than where the list was written."""
    is_here: dict[tuple[str, ...], str] = {}
    for modules in {tuple(modules) for job in jobs for modules in job.code.values()}:
        with contextlib.suppress(FileNotFoundError):  # a module that is not here at all
            is_here[modules] = fingerprint(*modules)
    # A list of a version before this check has no fingerprints to compare.
    differ = [
        job.script
        for job in jobs
        if not job.code or any(is_here.get(tuple(modules)) != found for found, modules in job.code.items())
    ]
    return sorted(set(differ))


def main(list_of_jobs: Path) -> int:
    failed = []
    jobs = [Job(line) for line in list_of_jobs.read_text(encoding="utf-8").splitlines()]
    if not jobs:
        sys.exit(
            f"\n{list_of_jobs} has no jobs: write it with `snakemake -n --quiet rules`, where they are not done yet.\n"
        )
    if other := of_other_code(jobs):
        sys.exit(
            f"\n{list_of_jobs} was written by another version of {', '.join(other)}, or of what they import, than is"
            " here: check out the version here that wrote the list.\n"
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
