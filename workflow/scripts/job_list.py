"""Write down the jobs of a dry run, for a machine without Snakemake (run_job_list.py)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from snakemake.executors.dryrun import Executor

import pruning.fingerprint

MADE_LATER = ("results/tables/", "results/figures/", "results/report.html", "results/interactive.html")
"""what is made where the cells are taken in"""
plain_run = Executor.run_job
modules_of: dict[str, tuple[str, ...]] = {}
"""of each fingerprint that the rules asked for, the modules that it is of"""


@cache
def fingerprint(*modules: str) -> str:
    """That of pruning/fingerprint.py, once for all jobs, and remembered for the list."""
    found = pruning.fingerprint.fingerprint(*modules)
    modules_of[found] = modules
    return found


def enable(path: str) -> None:
    """From now on, a dry run of this process writes its jobs to `path`, a line a job, in an order that can be run."""
    Path(path).write_text("", encoding="utf-8")

    def run(executor: Executor, job: Any) -> None:
        if job.rule.script and not str(job.output[0]).startswith(MADE_LATER):
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(described(job))}\n")
        plain_run(executor, job)

    Executor.run_job = run


def described(job: Any) -> dict[str, Any]:
    """What a script reads of `snakemake`, as JSON, and the fingerprints in it with their modules."""
    config = job.rule.workflow.globals["config"]
    recipe = job.params.get("recipe", {})
    found = [value for value in (*job.params, *recipe.values()) if isinstance(value, str) and value in modules_of]
    return {
        "script": Path(job.rule.script).name,
        "code": {value: modules_of[value] for value in found},
        **{kind: named(getattr(job, kind)) for kind in ("input", "output", "params", "wildcards", "log")},
        "resources": {"items": [], "names": {"gpu": job.resources.get("gpu", 0)}},
        "config": {key: config[key] for key in ("data", "checkpoint_seconds")} | {"elsewhere": None},
    }


def named(values: Any) -> dict[str, Any]:
    """A list of Snakemake's: its items, and those that have a name."""
    items = [value if isinstance(value, dict | int) else str(value) for value in values]
    places = dict(values._get_names())
    names = {name: items[i] if j is None else items[i:j] for name, (i, j) in places.items()}
    return {"items": items, "names": names}
