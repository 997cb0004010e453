"""The GPUs of this machine, shared out among jobs: Snakemake counts them and does not say which is whose.

A job takes the GPU that has the fewest jobs: of each GPU there are places 0, 1, 2, ..., and a job takes the first that
is free, in this order. A place is a lock of the operating system, so it is free again when its job ends, however it
does.
How many jobs there are at once is Snakemake's: `--resources gpu=8` are two on each of four GPUs.
"""

import fcntl
import itertools
import os
import tempfile
from pathlib import Path
from threading import Lock
from typing import IO

VISIBLE = "CUDA_VISIBLE_DEVICES"
DEVICES = Path("/dev")
held: list[IO[str]] = []
"""the place of this process: closing the file would give it back"""
taking = Lock()
"""jobs can be threads of one process"""


def devices() -> list[str]:
    """The NVIDIA GPUs that this process may use, told without torch, so that planning stays quick.

    Those that CUDA_VISIBLE_DEVICES names, where it is set (Slurm does), or all, numbered from 0 as CUDA does (in a
    container, a device is named by its number outside).
    """
    if VISIBLE in os.environ:
        return [name.strip() for name in os.environ[VISIBLE].split(",") if name.strip() not in ("", "-1")]
    return [str(number) for number, _ in enumerate(DEVICES.glob("nvidia[0-9]*"))]


def take() -> str | None:
    """Take a place on a GPU until this process ends, and let the process see no other; its name, if there is one.

    To be called before torch looks for GPUs. A process that has a place keeps it for all its jobs.
    """
    with taking:
        return os.environ[VISIBLE] if held else _take()


def _take() -> str | None:
    names = devices()
    if not names:
        return None
    places = Path(tempfile.gettempdir()) / f"pruning-gpus-of-{os.getuid()}"
    places.mkdir(exist_ok=True)
    for number, name in ((number, name) for number in itertools.count() for name in names):
        file = (places / f"{name.replace('/', '_')}.{number}").open("w")
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
        else:
            held.append(file)
            os.environ[VISIBLE] = name
            return name
    raise AssertionError("places are without end")
