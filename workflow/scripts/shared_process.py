"""Trainings side by side in one process: each job of Snakemake a thread, with a queue of its own on the GPU.

Small networks leave most of a GPU idle, and processes that share it take turns on it unless MPS is running. With
`side_by_side` in the config, the trainings that run at once (`--resources gpu=8`) share one process for each GPU, which
gets ready once. A cell stays a job with its own files, log and record. Only trainings of one precision and number of
threads share a process: rounding products (tf32) and the threads of a product are switches for all of it. No score is
computed there.
"""

import collections
import multiprocessing
import subprocess
import sys
import traceback
from collections.abc import Callable
from multiprocessing.managers import BaseManager
from pathlib import Path
from threading import Lock
from typing import Any

import gpus

RULES = ("train", "train_round")


class Scripts:
    """Lies in the shared process, which calls `run` in a thread for each thread that asks for it."""

    def run(self, file: str) -> int:
        """Run a script; its exit code."""
        code = compile(Path(file).read_text(encoding="utf-8"), file, "exec")
        names = {"__name__": "__main__", "__file__": file}
        try:
            exec(code, names)
        except SystemExit as end:
            return 1 if end.code else 0
        except Exception:
            traceback.print_exc()
            return 1
        finally:
            names.clear()  # The functions of a script hold them, and they its network and data, on the GPU too.
        return 0


class Process(BaseManager):
    """A process that answers calls of its `Scripts`, each in a thread."""


Process.register("Scripts", Scripts)
Place = tuple[str, int, str]
"""precision, threads and the name of the GPU"""
shared: dict[Place, Any] = {}
"""for each place its process and that one's `Scripts`"""
running: collections.Counter[Place] = collections.Counter()
choosing = Lock()


def takes(script: Any) -> bool:
    """Whether a job is run here."""
    return script.rulename in RULES and bool(script.config["side_by_side"])


def execute(script: Any, file: str, start: Callable[[BaseManager, str], None]) -> None:
    """Run the generated `file` of a job in the process with the fewest others. `start` starts one, for one GPU."""
    recipe = script.params.recipe
    with choosing:
        places = [(recipe["precision"], recipe["threads"], gpu) for gpu in gpus.devices() or [""]]
        place = min(places, key=lambda place: running[place])
        if place not in shared:
            process = Process(ctx=multiprocessing.get_context("forkserver"))
            start(process, place[-1])
            shared[place] = process, process.Scripts()  # type: ignore[attr-defined]
        running[place] += 1
        mine = shared[place]
    try:
        code = mine[1].run(file)
    except (EOFError, ConnectionError):
        code = 1
        print(f"\nThe process that trainings share has ended, and this one with it: {script.log[0]}\n", file=sys.stderr)
        with choosing:
            if shared.get(place) is mine:
                del shared[place]
    finally:
        with choosing:
            running[place] -= 1
    if code:
        raise subprocess.CalledProcessError(code, f"script of rule {script.rulename}")
