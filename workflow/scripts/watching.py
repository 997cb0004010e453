"""While a study runs: a line for each finished cell, with how many there are and how long the rest may take.

With `--quiet rules`, it stands instead of Snakemake's own lines, three and more a job. (`--quiet progress` would keep
Snakemake from telling even this module what is finished.) A job that fails is named with its log in any case.
"""

import contextlib
import logging
import sys
import time
from pathlib import Path
from typing import Any

from snakemake.logging import logger
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from pruning.files import read_json


def enable(workflow: Any, evaluation: str) -> None:
    """From now on, follow what this Snakemake does; `evaluation` is the file of a finished cell, with its wildcards."""
    quiet = workflow.output_settings.quiet or ()
    if not workflow.is_main_process or Quietness.ALL in quiet:
        return
    if Quietness.RULES in quiet:
        for handler in logger.handlers:
            if handler.name == "DefaultStreamHandler":
                handler.addFilter(is_worth_a_line)
    logger.addHandler(CellLines(evaluation))


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Whether a record of Snakemake's is none of those that say of every job that it is chosen, started or finished."""
    of_every_job = (LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.PROGRESS)
    return getattr(record, "event", None) not in of_every_job and record.getMessage() != "Select jobs to execute..."


class CellLines(logging.Handler):
    """Writes its lines to stderr, from the events that Snakemake logs."""

    def __init__(self, evaluation: str) -> None:
        super().__init__()
        self.evaluation, self.running, self.total, self.done, self.began = evaluation, {}, 0, 0, time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if line := self.line(record):
                print(line, file=sys.stderr, flush=True)
        except Exception:
            # Whatever is wrong with a line, the study goes on.
            self.handleError(record)

    def line(self, record: Any) -> str:
        """What is to be said of an event; nothing of most."""
        match getattr(record, "event", None):
            case LogEvent.RUN_INFO:
                self.total, self.began = record.stats.get("evaluate", 0), time.monotonic()
            case LogEvent.JOB_INFO:
                self.running[record.jobid] = record.rule_name, dict(record.wildcards)
            case LogEvent.JOB_FINISHED:
                rule, wildcards = self.running.pop(record.job_id, ("", {}))
                if rule == "evaluate":
                    self.done += 1
                    return self.finished(wildcards)
            case LogEvent.JOB_ERROR:
                rule, wildcards = self.running.get(record.jobid, (record.rule_name, {}))
                return f"failed: {rule} {'/'.join(wildcards.values())}: see {', '.join(record.log)}"
        return ""

    def finished(self, wildcards: dict[str, str]) -> str:
        left = (time.monotonic() - self.began) / self.done * (self.total - self.done)
        path = Path(self.evaluation.format(**wildcards))
        accuracy = ""
        with contextlib.suppress(OSError):  # on a cluster it may be seen here only later
            accuracy = f" {read_json(path)['metrics']['accuracy']:.2f}%"
        return f"{self.done}/{self.total} cells, {duration(left)} left: {'/'.join(path.parent.parts[2:])}{accuracy}"


def duration(seconds: float) -> str:
    """About how long: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 100:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 6000 else f"about {seconds / 3600:.1f} h"
