"""Processes that end together."""

import os
import signal
import sys


def end_with_parent() -> None:
    """Have the system end this process when the one that started it ends (Linux).

    Without it the jobs of a Snakemake that was killed go on, and write into the results of the next one. If that
    happened before the system was asked, this process ends at once.
    """
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
        # An orphan's new parent is of another session than the one that it was started in. That the parent is process 1
        # would not tell: in a container, that may be Snakemake.
        if os.getsid(os.getppid()) != os.getsid(0):
            sys.exit("The process that started this job has ended, and so does the job.")
