"""Processes that end together."""

import signal
import sys


def end_with_parent() -> None:
    """Have the system end this process when the one that started it ends (Linux).

    Without it the jobs of a Snakemake that was killed go on, and write into the results of the next one.
    """
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
