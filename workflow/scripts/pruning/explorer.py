"""What the interactive page shows: every point of a study with its cells and their learning curves, as plain lists."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from pruning.drawing import curves, style
from pruning.statistics import summarise
from pruning.tables import in_order_of_sparsity

MOST_EPOCHS = 60
"""of a learning curve that are kept, about; the last is always one of them"""
SYMBOLS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "v": "triangle-down",
    "D": "diamond",
    "d": "diamond-tall",
    "X": "x",
    "P": "cross",
    "*": "star",
    "p": "pentagon",
    "h": "hexagon",
    "<": "triangle-left",
    ">": "triangle-right",
}
"""{marker of matplotlib: that of plotly}"""

LearningCurve = Sequence[Mapping[str, str]]
"""the rows of a training.csv"""


def content(
    cells: pd.DataFrame, labels: Mapping[str, str], curve_of: Callable[[Mapping[str, Any]], LearningCurve]
) -> dict[str, Any]:
    """Everything for the page. `labels` names the methods; `curve_of` gives the learning curve of a row of `cells`."""
    pruned = cells[cells.method != style.DENSE]
    entries = style.methods_and_ablations(pruned, labels)
    networks = {}
    for network, here in cells.groupby("network"):
        keys = here.method + "/" + here.ablation
        series = {}
        for key in (f"{style.DENSE}/none", *entries):
            rows = here[keys == key]
            series[key] = [_point(rows[rows.sparsity == s], curve_of) for s in in_order_of_sparsity(rows.sparsity)]
        networks[network] = {key: points for key, points in series.items() if points}
    return {
        "networks": networks,
        "series": {key: _look(key, *entry) for key, entry in entries.items()},
        "methods": _names(pruned, labels),
        "ablations": {name: words for name, (words, _) in style.ABLATIONS.items() if name in set(pruned.ablation)},
    }


def _names(pruned: pd.DataFrame, labels: Mapping[str, str]) -> dict[str, str]:
    return {method: name for method, (name, _) in style.methods(set(pruned.method), labels).items()}


def _look(key: str, name: str, look: style.Look) -> dict[str, Any]:
    method, _, ablation = key.rpartition("/")
    return {
        "method": method,
        "ablation": ablation,
        "name": name,
        "colour": look.colour,
        "symbol": SYMBOLS[look.marker] + ("-open" if look.baseline else ""),
        "dash": ",".join(f"{length}px" for length in look.dashes) or "solid",
    }


def _point(rows: pd.DataFrame, curve_of: Callable[[Mapping[str, Any]], LearningCurve]) -> dict[str, Any]:
    """Mean and sample standard deviation over seeds, and the single cells, of one place in the study."""
    rows = rows.sort_values("seed")
    summary = summarise(rows.accuracy.tolist())
    first = rows.iloc[0]
    return {
        "cell": f"{first.network}/{first.method}/{first.sparsity}/{first.ablation}",
        "sparsity": first.sparsity,
        "place": curves.position(first.sparsity),
        "mean": summary.mean,
        "deviation": summary.deviation if summary.n > 1 else None,
        "seeds": [
            {
                **{key: row[key] for key in ("seed", "accuracy", "effective_sparsity", "collapsed", "diverged")},
                "curve": _thinned(curve_of(row)),
            }
            for row in _records(rows)
        ],
    }


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


def _thinned(rows: LearningCurve) -> dict[str, list[float]]:
    """Update, test and training accuracy of every n-th epoch counted back from the last."""
    kept = rows[:: -max(1, round(len(rows) / MOST_EPOCHS))][::-1]
    return {
        "update": [int(row["update"]) for row in kept],
        "test": [round(float(row["test_accuracy"]), 2) for row in kept],
        "training": [round(float(row["train_accuracy"]), 2) for row in kept],
    }
