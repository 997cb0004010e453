"""What the scripts of all rules share: a log, errors for people, the device, and the record of a run."""

import errno
import logging
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from processes import end_with_parent
from pruning import PruningError

NO_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
"""what the system says where nothing can be written: disk full, quota used up, or no right to write there"""


@contextmanager
def reporting(log: str) -> Iterator[logging.Logger]:
    """Log to the file `log`. A mistake of the user ends the job with its message, there and on the screen.

    Snakemake deletes `log` before it starts a job. So that the log of an attempt that was killed or failed survives, it
    is also kept beside, as `log`.unfinished, until an attempt ends well: each later one begins its log with it.
    """
    end_with_parent()
    unfinished = Path(f"{log}.unfinished")
    with messages():
        earlier = unfinished.read_text(encoding="utf-8", errors="replace") if unfinished.exists() else ""
        Path(log).write_text(f"{earlier.rstrip()}\n" if earlier else "", encoding="utf-8")
        handlers = [logging.FileHandler(path, encoding="utf-8") for path in (log, unfinished)]
    logger = logging.getLogger("pruning")
    logger.setLevel(logging.INFO)
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        logger.addHandler(handler)
    if earlier:
        logger.info("the attempts above were killed or failed; this is another")
    with messages(logger):
        yield logger
    unfinished.unlink()


@contextmanager
def messages(logger: logging.Logger | None = None) -> Iterator[None]:
    """End the job with the message of a mistake that a user can mend; log the traceback of any other."""
    try:
        yield
    except Exception as error:
        if isinstance(error, PruningError):
            message = str(error)
        elif isinstance(error, OSError) and error.errno in NO_PLACE:
            where = error.filename or "A result"
            message = f"{where} cannot be written ({error.strerror}). Make room or give leave, and start again."
        else:
            if logger:
                logger.exception("This is a fault of the program, not of its use:")
            raise
        if logger:
            logger.error("%s", message)
        print(f"\n{message}\n", file=sys.stderr)
        sys.exit(1)


def machine_has_gpu() -> bool:
    """Whether this machine has an NVIDIA GPU, told without torch, so that planning stays quick."""
    return any(Path("/dev").glob("nvidia[0-9]*"))


def choose_device(given_gpu: bool) -> Any:
    """The device of this job: the GPU that it was given, or the CPU. Raises PruningError where there is no such GPU."""
    import torch

    if not given_gpu:
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise PruningError(
            f"This job was given a GPU on {platform.node()}, and torch {torch.__version__} finds none there"
            f" (built for CUDA: {torch.version.cuda}). Mend the driver or the installation, or set `device: cpu`."
        )
    return torch.device("cuda")


class Run:
    """The record of a run: when, where and with what it was made. It is kept apart from the results' own bytes."""

    def __init__(self, device: Any = "cpu") -> None:
        self.device, self.started, self.clock = device, datetime.now(UTC), time.perf_counter()

    def record(self, **more: Any) -> dict[str, Any]:
        packages = {name: metadata.version(name) for name in ("torch", "numpy", "safetensors") if name in sys.modules}
        return {
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - self.clock, 6),
            "host": platform.node(),
            "engine": str(self.device).split(":")[0],
            "device": device_name(self.device),
            "peak_memory_mb": peak_memory_mb(),
            "versions": {"python": platform.python_version(), **packages},
            **more,
        }


def device_name(device: Any) -> str:
    if str(device).startswith("cuda"):
        import torch

        return str(torch.cuda.get_device_name(device))
    return f"cpu ({processor()})"


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def peak_memory_mb() -> int:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)
