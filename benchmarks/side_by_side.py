"""Contenders timed in turn: in every round each runs once, in processes of its own, so that a busy machine is busy for
all of them."""

import multiprocessing
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow/scripts"))

Seconds = dict[str, float]
"""{what was timed: seconds}"""


@dataclass(frozen=True)
class Contender:
    """`work(meet, *arguments)` in `copies` processes at once, each with `threads` threads of torch.

    It calls `meet()` when it is warm, and times what follows: the copies then start together.
    """

    name: str
    work: Callable[..., Seconds]
    arguments: tuple[Any, ...] = ()
    copies: int = 1
    threads: int = 1


def _run(contender: Contender, barrier: Any, results: Any) -> None:
    import torch

    torch.set_num_threads(contender.threads)
    torch.manual_seed(0)
    results.put(contender.work(barrier.wait, *contender.arguments))


def once(contender: Contender) -> Seconds:
    """One run: of each time the seconds a copy took, divided by the number of copies (throughput of the machine)."""
    spawn = multiprocessing.get_context("spawn")
    barrier, results = spawn.Barrier(contender.copies), spawn.SimpleQueue()
    processes = [spawn.Process(target=_run, args=(contender, barrier, results)) for _ in range(contender.copies)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        if process.exitcode:
            raise SystemExit(f"{contender.name} ended with {process.exitcode}")
    found = [results.get() for _ in processes]
    return {key: statistics.mean(times[key] for times in found) / contender.copies for key in found[0]}


def in_turn(contenders: list[Contender], rounds: int) -> dict[str, dict[str, list[float]]]:
    """{contender: {what was timed: seconds, one a round}}"""
    times: dict[str, dict[str, list[float]]] = {contender.name: {} for contender in contenders}
    for number in range(rounds):
        for contender in contenders:
            print(f"round {number + 1} of {rounds}: {contender.name}", file=sys.stderr, flush=True)
            for key, seconds in once(contender).items():
                times[contender.name].setdefault(key, []).append(seconds)
    return times


def table(heading: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(values: list[float], digits: int = 3) -> str:
    """Median, and least to most."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}g} ({low:.{digits}g} to {high:.{digits}g})"


def machine() -> str:
    """What the numbers were measured on, in a line."""
    import os
    import platform

    import torch

    from job import processor

    return (
        f"Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} cores of {processor()},"
        f" load {os.getloadavg()[0]:.1f} at the start"
    )


def fastest_product(meet: Callable[[], object]) -> Seconds:
    """Seconds of 10^9 floating-point operations: the fastest of a large product of matrices and two convolutions that
    fill the caches well. What the machine gives to float32 at best, as far as torch can ask for it."""
    import time

    import torch
    from torch.nn import functional

    matrix = torch.randn(2048, 2048)
    works: list[tuple[Callable[[], object], float]] = [(lambda: matrix @ matrix, 2 * 2048**3)]
    for channels, side in ((64, 8), (128, 16)):
        images = torch.randn(128, channels, side, side).to(memory_format=torch.channels_last)
        kernel = torch.randn(channels, channels, 3, 3).to(memory_format=torch.channels_last)
        works.append(
            (
                lambda images=images, kernel=kernel: functional.conv2d(images, kernel, padding=1),
                2 * 128 * side**2 * channels**2 * 9,
            )
        )
    best = float("inf")
    for work, _ in works:
        work()
    meet()
    for work, operations in works:
        for _ in range(10):
            began = time.perf_counter()
            work()
            best = min(best, (time.perf_counter() - began) / operations)
    return {"seconds": best * 1e9}
