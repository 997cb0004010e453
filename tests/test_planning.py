"""Planning that finds out once what is the same for many jobs: it plans the same, and misses what it missed before."""

import inspect
import pickle
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import snakemake.cli  # Snakemake's modules import one another in a circle, which must begin here
import snakemake.common
import snakemake.dag
import snakemake.iocontainers
import snakemake.jobs
import snakemake.rules

import planning
from workflow_copy import WorkflowCopy


def test_snakemake_still_has_what_is_replaced() -> None:
    """Another version of Snakemake may not need it any more: then it goes."""
    assert snakemake.common.get_function_params is snakemake.rules.get_function_params
    assert "process_job" in vars(snakemake.dag.ScriptProcessor)
    assert "__new__" not in vars(snakemake.iocontainers.AttributeGuard)
    assert all(f"self.{name}" in inspect.getsource(snakemake.jobs.Job.__init__) for name in planning.SPECIAL_FILES)


class Resource:
    """As Snakemake's: one that is no key of a dictionary."""

    __hash__ = None  # type: ignore[assignment]

    def evaluate(self, wildcards: Any, attempt: int) -> None: ...


def test_parameters_of_a_function_are_worked_out_once_and_are_those_of_that_function() -> None:
    asked = []

    def look_up(function: Any) -> list[str]:
        asked.append(function)
        return list(inspect.signature(function).parameters)

    parameters = planning.once_a_function(look_up)
    for _ in range(3):
        assert parameters(Resource().evaluate) == ["wildcards", "attempt"]
        assert parameters(Resource.evaluate) == ["self", "wildcards", "attempt"]
        assert parameters(look_up) == ["function"]
    assert len(asked) == 3


@dataclass(frozen=True)
class Rule:
    name: str
    script: str


def test_a_script_is_looked_for_once_a_rule_but_for_each_job_where_its_name_has_wildcards() -> None:
    looked = []

    def check(_: Any, job: Any) -> None:
        looked.append(job.rule.name)

    process_job = planning.once_a_script(check)
    for rule in (Rule("plain", "a.py"), Rule("same", "a.py"), Rule("each", "{method}.py")):
        for _ in range(3):
            process_job(SimpleNamespace(script_type="script"), SimpleNamespace(rule=rule))
    assert looked == ["plain", "same", "each", "each", "each"]


class Guard:
    """As Snakemake's."""

    def __init__(self, name: str) -> None:
        self.name = name


def test_guards_of_a_name_are_one_and_copies_keep_their_names() -> None:
    planning.once_a_name(Guard)
    index, sort = Guard("index"), Guard("sort")
    assert Guard("index") is index is not sort
    copies = [pickle.loads(pickle.dumps(guard, protocol=4)) for guard in (index, sort)]
    assert [guard.name for guard in (index, sort, *copies)] == ["index", "sort"] * 2


class Job:
    """As Snakemake's, with a temporary file."""

    def __init__(self, files: set[str], *, log: str) -> None:
        self.temp_output, self.protected_output, self.touch_output = set(files), set[str](), set[str]()
        self.log = log


def test_jobs_share_the_sets_that_are_empty_and_keep_those_that_are_not() -> None:
    planning.no_empty_sets(Job)
    first, second = Job({"a"}, log="1"), Job({"b"}, log="2")
    assert first.protected_output is second.touch_output == set()
    assert (first.temp_output, second.temp_output) == ({"a"}, {"b"})
    assert (first.log, second.log) == ("1", "2")
    assert not hasattr(first, "pipe_or_service_output")


RULE = """

rule missing:
    output:
        "missing.txt",
    script:
        "workflow/scripts/missing.py"
"""


def test_a_script_that_is_not_there_is_missed_before_anything_runs(tmp_path: Path) -> None:
    workflow = WorkflowCopy.make(tmp_path)
    workflow.append("Snakefile", RULE)
    output = workflow.run_without_jobs("-n", "missing.txt", code=1)
    assert "missing.py" in output
    assert "Job stats" not in output


def test_the_plan_is_the_same_without(tmp_path: Path) -> None:
    workflow = WorkflowCopy.make(tmp_path)
    jobs = workflow.plan()
    workflow.replace("workflow/rules/common.smk", "planning.enable()\n", "")
    assert workflow.plan() == jobs
    assert len(jobs) > 60
