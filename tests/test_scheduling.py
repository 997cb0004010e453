"""Snakemake's scheduler looks again once, however many looks were asked for."""

import threading
import time

from snakemake.scheduling.job_scheduler import JobScheduler

import scheduling


class Scheduler:
    def __init__(self) -> None:
        self._open_jobs = threading.Semaphore(0)

    def looks(self) -> int:
        """How many looks have come due since the last call."""
        count = 0
        while self._open_jobs.acquire(blocking=False):
            count += 1
        return count


def test_looks_that_are_asked_for_together_are_one() -> None:
    scheduler = Scheduler()
    for _ in range(20):
        scheduling.look_once(scheduler, 0.05)
    assert scheduler.looks() == 0
    assert scheduler._open_jobs.acquire(timeout=10)
    time.sleep(0.2)
    assert scheduler.looks() == 0


def test_a_look_that_was_had_can_be_asked_for_again() -> None:
    scheduler = Scheduler()
    for _ in range(3):
        scheduling.look_once(scheduler, 0.01)
        assert scheduler._open_jobs.acquire(timeout=10)


def test_snakemake_still_has_what_is_replaced() -> None:
    """Another version of Snakemake may not need it any more: then it goes."""
    assert hasattr(JobScheduler, "_schedule_reevalutation")
