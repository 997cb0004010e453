"""What the scripts of all rules share: a log, errors for people, the device, and the record of a run."""

import contextlib
import fcntl
import logging
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gpus
from processes import end_with_parent
from pruning import PruningError
from pruning.files import write_text

# As early as a script can: torch, which most of them import next, takes seconds. Tests import this module, too.
if hasattr(sys.modules["__main__"], "snakemake"):
    end_with_parent()


@contextmanager
def reporting(log: str) -> Iterator[logging.Logger]:
    """Log to the file `log`, locked as long as the job runs (`status.py` looks at that).

    A mistake of the user ends the job with its message, there and on the screen. Snakemake deletes `log` before it
    starts a job. So that the log of an attempt that was killed or failed survives, it is also kept beside, as
    `log`.unfinished, until an attempt ends well: each later one begins its log with it.
    """
    # A logger of its own: jobs can run side by side in one process.
    logger, unfinished = logging.getLogger(f"pruning.{log}"), Path(f"{log}.unfinished")
    logger.setLevel(logging.INFO)
    try:
        earlier = unfinished.read_text(encoding="utf-8", errors="replace") if unfinished.exists() else ""
        write_text(log, f"{earlier.rstrip()}\n" if earlier else "")
        for path in (log, unfinished):
            handler = logging.FileHandler(path, encoding="utf-8")
            with contextlib.suppress(OSError):  # a file system without locks: what runs there counts as missing
                fcntl.flock(handler.stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S"))
            logger.addHandler(handler)
        if earlier:
            logger.info("the attempts above were killed or failed; this is another")
        yield logger
    except PruningError as error:
        logger.error("%s", error)
        print(f"\n{error}\n", file=sys.stderr)
        sys.exit(1)
    except Exception:
        logger.exception("This is a fault of the program, not of its use:")
        raise
    else:
        unfinished.unlink()
    finally:
        for handler in [*logger.handlers]:
            logger.removeHandler(handler)
            handler.close()


def choose_device(given_gpu: bool) -> Any:
    """The device of this job: the CPU, or a GPU if it was given one. Raises PruningError where there is none."""
    import torch

    if not given_gpu:
        return torch.device("cpu")
    gpus.take()
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
        self.versions: dict[str, str] = {}
        """{package: version} of what the data were made with"""

    def record(self, **more: Any) -> dict[str, Any]:
        modules = [sys.modules[name] for name in ("torch", "numpy", "safetensors") if name in sys.modules]
        packages = {module.__name__: str(module.__version__) for module in modules}
        if str(self.device).startswith("cuda"):
            packages["cudnn"] = str(sys.modules["torch"].backends.cudnn.version())
        return {
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - self.clock, 6),
            "host": platform.node(),
            "engine": str(self.device).split(":")[0],
            "device": device_name(self.device),
            "peak_memory_mb": peak_memory_mb(),
            "versions": {"python": platform.python_version(), **packages, **self.versions},
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
