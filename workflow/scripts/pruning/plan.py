"""What a study will cost, before it is run: cells, trainings, hours and disk. Without torch.

Hours are those of trainings and of their tests after every epoch, on one device, as `cost` measured it. Masks take
seconds to minutes each and are not among them.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from pruning.study import DENSE, Cell, Network, Study, Tables

COLUMNS = ["network", "device", "cells", "finished", "epochs left", "seconds an epoch", "hours left", "GB left"]
BYTES_A_PREDICTION = 16
"""label and five classes of two bytes each, and a log-probability of four"""


def plan(study: Study, costs: Mapping[str, Mapping[str, Any]], finished: Callable[[Cell], bool]) -> pd.DataFrame:
    """One row a network, and their sum.

    `costs`: {network: what `cost.measure` found, with `device`, and the network's `parameters` and `prunable` weights}.
    `finished` says of a cell whether it is there. Disk is an upper bound: what is written is compressed.
    """
    cells = with_predecessors(study.cells, study.tables)
    rows = []
    for name in dict.fromkeys(cell.network for cell in cells):
        network, cost = study.tables.network(name), costs[name]
        here = [cell for cell in cells if cell.network == name]
        left = [cell for cell in here if not finished(cell)]
        updates = sum(own_updates(cell, network, study.tables) for cell in left)
        updates += replayed_updates(left, network, study.tables)
        an_epoch = network.data.train * cost["seconds_an_example"] + network.data.test * cost["seconds_a_test_example"]
        rows.append(
            {
                "network": name,
                "device": cost["device"],
                "cells": len(here),
                "finished": len(here) - len(left),
                "epochs left": updates / network.updates_an_epoch,
                "seconds an epoch": an_epoch,
                "hours left": updates / network.updates_an_epoch * an_epoch / 3600,
                "GB left": bytes_of(left, network, cost, study.tables) / 1e9,
            }
        )
    table = pd.DataFrame(rows, columns=COLUMNS)
    sums = {key: table[key].sum() for key in ("cells", "finished", "epochs left", "hours left", "GB left")}
    return pd.concat([table, pd.DataFrame([{"network": "all", "device": "", **sums}])], ignore_index=True)


def with_predecessors(cells: list[Cell], tables: Tables) -> list[Cell]:
    """`cells`, and the cells of earlier rounds that they need."""
    found = dict.fromkeys(cells)
    waiting = list(cells)
    while waiting:
        before = tables.predecessor(waiting.pop())
        if before and before not in found:
            found[before] = None
            waiting.append(before)
    return list(found)


def own_updates(cell: Cell, network: Network, tables: Tables) -> int:
    """How many updates the training of `cell` has."""
    return network.updates - tables.method(cell.method, network).schedule_from


def states(cells: list[Cell], network: Network, tables: Tables) -> set[tuple[int, int]]:
    """(seed, update) of every state of the dense network before its end that `cells` score or start from."""
    methods = ((cell.seed, tables.method(cell.method, network)) for cell in cells)
    return {
        (seed, update)
        for seed, method in methods
        for update in (method.prune_at, method.rewind_to)
        if 0 < update < network.updates
    }


def replayed_updates(cells: list[Cell], network: Network, tables: Tables) -> int:
    """Updates that making those states takes: each from the one before, and on to the end of its epoch."""
    total = 0
    for seed in {cell.seed for cell in cells}:
        before = 0
        for update in sorted(update for other, update in states(cells, network, tables) if other == seed):
            total += network.updates_an_epoch * -(-update // network.updates_an_epoch) - before
            before = update
    return total


def bytes_of(cells: list[Cell], network: Network, cost: Mapping[str, Any], tables: Tables) -> float:
    """Disk that `cells` and the states that they need will take, at most."""
    mask, predictions = float(cost["prunable"]) / 8, BYTES_A_PREDICTION * network.data.test
    ends = sum(cell.method == DENSE or tables.predecessor(cell) is not None for cell in cells)
    # A state in the middle of training has its momentum beside it.
    numbers = (ends + 2 * len(states(cells, network, tables))) * cost["parameters"]
    return float(len(cells) * (mask + predictions) + 4 * numbers)
