"""What the cells of a study were made from, with and on: every different value once, and how many cells have it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from pruning.study import DENSE

COLUMNS = ["what", "value", "cells"]


def provenance_table(evaluations: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows what and value, in the order in which `facts` says them."""
    counts = Counter(fact for evaluation in evaluations for fact in facts(evaluation))
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
