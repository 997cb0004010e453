"""How far a study is, from its files alone: `python workflow/scripts/status.py [STUDY.yaml]` (make status).

Done: evaluated. Running: a job of the cell holds the lock of its log. Failed: a log of the cell ends with an error.
Missing: all others, also those that were begun and stopped. Diverged cells are among the done ones. No rule is looked
at, so what is out of date counts as done.
"""

import fcntl
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import yaml
from snakemake.utils import update_config

from places import CELL, LOG
from pruning import PruningError
from pruning.study import Cell, Study, Tables
from pruning.tables import markdown_rows

STATES = ("done", "running", "failed", "missing")
ERROR = " ERROR "
AGAIN = "the attempts above were killed or failed"
"""stands in a log before what the last attempt says"""
MOST_LISTED = 20


def main(files: list[str]) -> None:
    config: dict = {}
    for file in ["config/config.yaml", *files]:
        if not Path(file).is_file():
            raise PruningError(f"There is no study {file}")
        update_config(config, yaml.safe_load(Path(file).read_text(encoding="utf-8")))
    tables = Tables.read(Path("config/networks.yaml"), Path("config/methods.yaml"), Path("workflow/schemas"))
    study = Study.read(config, [Path("config/config.yaml"), *map(Path, files)], tables, Path("workflow/schemas"))
    found = {cell: state(cell) for cell in study.cells}
    print(markdown_rows(table(found)))
    failed = [log for cell, word in found.items() if word == "failed" for log in logs_of(cell) if failure(log)]
    names = {network for cell in found for network in (cell.network, tables.network(cell.network).row["dataset"])}
    failed += [log for log in other_logs(names) if failure(log)]
    for log in failed[:MOST_LISTED]:
        print(f"\nfailed: {log}\n  {failure(log)}")
    if len(failed) > MOST_LISTED:
        print(f"\nand {len(failed) - MOST_LISTED} more")


def table(found: dict[Cell, str]) -> pd.DataFrame:
    """How many cells are in which state, a row a network and method, and their sum."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for cell, word in found.items():
        for key in ((cell.network, cell.method), ("all", "")):
            counts.setdefault(key, Counter())[word] += 1
    rows = [
        {
            "network": network,
            "method": method,
            "cells": count.total(),
            "done": count["done"] + count["diverged"],
            **{word: count[word] for word in STATES[1:]},
            "diverged": count["diverged"],
        }
        for (network, method), count in sorted(counts.items(), key=lambda item: item[0][0] == "all")
    ]
    return pd.DataFrame(rows)


def state(cell: Cell) -> str:
    """One of STATES, or `diverged` for a cell that is done and did."""
    try:
        text = Path(CELL.format(**vars(cell)), "evaluation.json").read_text(encoding="utf-8")
        return "diverged" if '"diverged": true' in text else "done"
    except FileNotFoundError:
        logs = logs_of(cell)
        if any(map(is_locked, logs)):
            return "running"
        return "failed" if any(map(failure, logs)) else "missing"


def is_locked(log: Path) -> bool:
    """Whether the job that writes `log` is alive, on whichever machine shares this file system's locks."""
    try:
        with log.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError, FileNotFoundError):  # Snakemake deletes a log when its job starts
        return True
    except OSError:  # a file system without locks: what runs there counts as missing
        return False
    return False


def failure(log: Path) -> str:
    """What a log says of its job's failure; nothing where it has not failed."""
    _, _, attempt = log.read_text(encoding="utf-8", errors="replace").rpartition(AGAIN)
    _, _, text = attempt.partition(ERROR)
    return text.strip().splitlines()[0] if text else ""


def logs_of(cell: Cell) -> list[Path]:
    return sorted(Path(LOG.format(**vars(cell))).rglob("*.log"))


def other_logs(names: set[str]) -> list[Path]:
    """Those of what belongs to no cell: of the networks and datasets with these `names`, of tables and figures."""
    logs = [log for log in Path("results/logs").rglob("*.log") if "cells" not in log.parts]
    return sorted(log for log in logs if log.parent.name not in ("data", "networks", "costs") or log.stem in names)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except PruningError as error:
        sys.exit(f"\n{error}.\n")
