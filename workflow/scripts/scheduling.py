"""Keep Snakemake's scheduler from working for nothing.

After each look at the jobs that are ready, Snakemake 9 asks for another look a second later, in case its limit of jobs
a second had held some back. Each of those asks for the next, and each finished job begins another such chain: after a
thousand short jobs the scheduler looks a thousand times a second and takes a core for itself. Here at most one look
waits at a time.

Without the private names that this replaces (another version of Snakemake) all is as before: slower, with the same
results.
"""

import threading
from typing import Any

from snakemake.scheduling.job_scheduler import JobScheduler


def enable() -> None:
    if hasattr(JobScheduler, "_schedule_reevalutation"):
        JobScheduler._schedule_reevalutation = look_once


def look_once(scheduler: Any, delay: float) -> None:
    """Have `scheduler` look again after `delay` seconds, unless it is going to anyway."""
    if getattr(scheduler, "waiting_look", None) is None:

        def look() -> None:
            scheduler.waiting_look = None
            scheduler._open_jobs.release()

        scheduler.waiting_look = threading.Timer(delay, look)
        scheduler.waiting_look.start()
