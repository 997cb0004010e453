"""What the cells of a study were made from, with and on: every different value once, and how many cells have it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from pruning.study import DENSE
from pruning.tables import cells_table

COLUMNS = ["what", "value", "cells"]


def cells_and_provenance(
    evaluations: Iterable[Mapping[str, Any]], schema: Sequence[Mapping[str, str]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table of cells with the columns of `schema`, and that of their provenance, from one pass over `evaluations`.

    A study has tens of thousands, of tens of kilobytes each: none is kept.
    """
    counts: Counter[tuple[str, str]] = Counter()

    def counted() -> Iterator[Mapping[str, Any]]:
        for evaluation in evaluations:
            counts.update(facts(evaluation))
            yield evaluation

    # In this order: the first table counts for the second.
    cells = cells_table(counted(), schema)
    return cells, provenance_table(counts)


def provenance_table(counts: Counter[tuple[str, str]]) -> pd.DataFrame:
    """Rows what and value, in the order in which `facts` says them, and how many cells have it."""
    place = {what: number for number, what in enumerate(dict.fromkeys(what for what, _ in counts))}
    rows = sorted(counts.items(), key=lambda row: (place[row[0][0]], row[0][1]))
    return pd.DataFrame([(what, value, number) for (what, value), number in rows], columns=COLUMNS)


def facts(evaluation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is worth saying of one cell, from its evaluation.json; fingerprints and checksums shortened to 16 digits."""
    network, provenance = evaluation["cell"]["network"], evaluation["provenance"]
    mask, training = provenance["recipes"]["mask"], provenance["recipes"]["training"]
    yield f"data of {network} (SHA-256)", provenance["data"][:16]
    yield "code of training", training["training_code"]
    if evaluation["cell"]["method"] != DENSE:
        yield f"code of the score {mask['score']}", mask["scoring_code"]
    yield f"code of {network}", training["network_code"]
    yield "code of evaluation", provenance["evaluation_code"]
    yield from provenance["versions"]["training"].items()
    run = evaluation["run"]["training"]
    yield "engine", provenance["engines"]["training"]
    yield "device", run["device"]
    yield "host", run["host"]
    yield "day of training", run["started"][:10]
