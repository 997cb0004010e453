"""Keep Snakemake's planning from finding out for every job what is the same for all jobs of a rule.

Of every job that is to be run, Snakemake 9 looks whether its script is there, through layers of a cache of sources;
whenever it calls a function of a rule, it works out the function's parameters from its signature; each of its lists
with names, of which a job has six, makes two guards against the use of reserved names; and each job keeps five sets of
files of kinds that it seldom has, a kilobyte. Here each is done once. Python's collector of garbage, which finds little
in a plan that only grows, looks less often.

Without the private names that this replaces (another version of Snakemake) all is as before: slower, with the same
plan.
"""

import gc
from collections.abc import Callable
from typing import Any

import snakemake.common
import snakemake.dag
import snakemake.iocontainers
import snakemake.jobs
import snakemake.rules

SPECIAL_FILES = ("temp_output", "protected_output", "touch_output", "pipe_or_service_output", "_queue_input")
"""sets that a job fills when it is made, and only reads from then on"""


def enable() -> None:
    gc.set_threshold(2_000, *gc.get_threshold()[1:])
    if hasattr(snakemake.common, "get_function_params") and hasattr(snakemake.rules, "get_function_params"):
        parameters = once_a_function(snakemake.common.get_function_params)
        snakemake.common.get_function_params = snakemake.rules.get_function_params = parameters
    if hasattr(snakemake.dag, "ScriptProcessor"):
        snakemake.dag.ScriptProcessor.process_job = once_a_script(snakemake.dag.ScriptProcessor.process_job)
    if hasattr(snakemake.iocontainers, "AttributeGuard"):
        once_a_name(snakemake.iocontainers.AttributeGuard)
    no_empty_sets(snakemake.jobs.Job)


def once_a_function(look_up: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`look_up`, the parameters of a function, that works them out once."""
    found: dict[Any, Any] = {}

    def parameters(function: Any) -> Any:
        # A method that is bound to other objects, which may not be hashable, has the same parameters.
        key = getattr(function, "__func__", function), hasattr(function, "__self__")
        if key not in found:
            found[key] = look_up(function)
        return found[key]

    return parameters


def once_a_script(check: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """`check`, whether the script of a job is there, that looks once for all jobs of a rule."""
    checked = set()

    def process_job(processor: Any, job: Any) -> None:
        script = processor.script_type, getattr(job.rule, processor.script_type), job.rule
        if script not in checked:
            check(processor, job)
            # A name with wildcards may be that of another script for each job.
            if "{" not in str(script[1]):
                checked.add(script)

    return process_job


def once_a_name(guard: type) -> None:
    """From now on, let all guards of a name be one object."""
    made: dict[str, Any] = {}

    def new(cls: type, name: str | None = None) -> Any:
        # Without a name for a copy, which gets its name later.
        return object.__new__(cls) if name is None else made.setdefault(name, object.__new__(cls))

    guard.__new__ = new  # type: ignore[method-assign, assignment]


def no_empty_sets(job: type) -> None:
    """From now on, let all jobs share one set of the special files that they do not have."""
    nothing: frozenset[str] = frozenset()
    make = job.__init__  # type: ignore[misc]

    def initialise(self: Any, *arguments: Any, **more: Any) -> None:
        make(self, *arguments, **more)
        for name in SPECIAL_FILES:
            if getattr(self, name, None) == nothing:
                setattr(self, name, nothing)

    job.__init__ = initialise  # type: ignore[misc]
