"""Tables: one tidy row a cell, and the accuracy table in the form of the paper's."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd

from pruning.masks import Mask
from pruning.statistics import paired_differences, summarise

LAYER_COLUMNS = (
    "tensor",
    "weights",
    "kept",
    "pruned",
    "density",
    "effective",
    "neurons",
    "neurons_without_incoming",
    "neurons_without_outgoing",
)
THRESHOLDS = range(101)
CELL_COLUMNS = ("network", "method", "sparsity", "ablation", "seed")
TYPES = {"str": "str", "int": "int64", "float": "float64", "bool": "bool"}


def cell_row(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that cells.csv may have a column for, from one evaluation.json."""
    metrics, run = evaluation["metrics"], evaluation["run"]
    return {
        **evaluation["cell"],
        **{name: value for name, value in metrics.items() if name != "layers"},
        "scoring_seconds": run["scoring"]["scoring_seconds"],
        "training_seconds": run["training"]["training_seconds"],
        "engine": run["training"]["engine"],
        "device": run["training"]["device"],
    }


def cells_table(evaluations: Iterable[Mapping[str, Any]], schema: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """One row a cell with the columns of `schema` (name, type, unit, meaning), in the order of `evaluations`."""
    names = [column["name"] for column in schema]
    table = pd.DataFrame([{name: row[name] for name in names} for row in map(cell_row, evaluations)], columns=names)
    return table.astype({column["name"]: TYPES[column["type"]] for column in schema})


def layers_table(evaluations: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a prunable tensor of a cell: what the mask leaves of it. `layer` counts from the input, from 0."""
    rows = [
        {**evaluation["cell"], "layer": place, **{name: layer[name] for name in LAYER_COLUMNS}}
        for evaluation in evaluations
        for place, layer in enumerate(evaluation["metrics"]["layers"])
    ]
    return pd.DataFrame(rows, columns=[*CELL_COLUMNS, "layer", *LAYER_COLUMNS])


def neurons_table(masks: Iterable[tuple[Mask, Mapping[str, Any]]]) -> pd.DataFrame:
    """One row a cell and threshold from 0 to 100: of all neurons of its prunable layers, the share (in percent) that
    have lost at least so many percent of the weights that lead into them.

    Neurons are the units of linear layers and the channels of convolutions. Of masks with what `masks.load_mask` says
    of them.
    """
    rows = []
    for mask, about in masks:
        kept, incoming = (
            np.concatenate([count(array.reshape(len(array), -1)) for array in mask.values()])
            for count in (lambda array: array.sum(axis=1), lambda array: np.full(len(array), array.shape[1]))
        )
        # Whole numbers: 100 * 0.3 is not 30, and a threshold that is met must count.
        share = [100 * float(np.mean(100 * (incoming - kept) >= threshold * incoming)) for threshold in THRESHOLDS]
        cell = {**about["cell"], "neurons": len(kept)}
        rows += [{**cell, "threshold": t, "share": s} for t, s in zip(THRESHOLDS, share, strict=True)]
    return pd.DataFrame(rows, columns=[*CELL_COLUMNS, "neurons", "threshold", "share"])


def read_table(path: str) -> pd.DataFrame:
    """A table as it was written: sparsities stay exact decimals, `none` stays a word."""
    return pd.read_csv(path, dtype={"sparsity": "str"}, keep_default_na=False, na_values=[""])


def in_order_of_sparsity(sparsities: Iterable[str]) -> list[str]:
    return sorted(set(sparsities), key=Decimal)


def accuracy_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Rows network, ablation and method; columns sparsities; mean ± sample standard deviation of accuracy in percent.

    Column 0 is the dense network in every row. `n` is the number of replicates (a range where cells differ);
    `collapsed` and `diverged` count such cells in the row, which are part of the means.
    """
    dense = cells[cells.method == "dense"]
    pruned = cells[cells.method != "dense"]
    sparsities = in_order_of_sparsity(pruned.sparsity)
    rows = []
    for (network, ablation, method), group in pruned.groupby(["network", "ablation", "method"], sort=False):
        columns = {"0": dense[dense.network == network], **{s: group[group.sparsity == s] for s in sparsities}}
        counts = {len(part) for part in columns.values() if len(part)}
        rows.append(
            {
                "network": network,
                "ablation": ablation,
                "method": method,
                **{sparsity: mean_and_deviation(part.accuracy) for sparsity, part in columns.items()},
                "n": "-".join(str(n) for n in sorted({min(counts), max(counts)})),
                "collapsed": int(group.collapsed.sum()),
                "diverged": int(group.diverged.sum()),
            }
        )
    return pd.DataFrame(rows, columns=["network", "ablation", "method", "0", *sparsities, "n", "collapsed", "diverged"])


def mean_and_deviation(values: pd.Series) -> str:
    """`93.10 ± 0.25`: mean and sample standard deviation; the mean alone of one value, nothing of none."""
    if values.empty:
        return ""
    summary = summarise(values.tolist())
    return f"{summary.mean:.2f}" if summary.n < 2 else f"{summary.mean:.2f} ± {summary.deviation:.2f}"


def statistics_table(cells: pd.DataFrame) -> pd.DataFrame:
    """One row a network, method, sparsity and ablation: accuracy over seeds, and its paired difference to `none`.

    Mean, sample standard deviation, n, and the 95% interval of the mean (Student's t); `difference` is the mean over
    seeds of the ablation's accuracy minus that of the unmodified method with the same seed, in points, with interval.
    """
    names = ["network", "method", "sparsity", "ablation"]
    accuracy = {
        key: dict(zip(group.seed, group.accuracy, strict=True)) for key, group in cells.groupby(names, sort=False)
    }
    rows = []
    for (network, method, sparsity, ablation), by_seed in accuracy.items():
        row = dict(zip(names, (network, method, sparsity, ablation), strict=True)) | vars(
            summarise([*by_seed.values()])
        )
        unmodified = accuracy.get((network, method, sparsity, "none"), {})
        if ablation != "none" and set(by_seed) & set(unmodified):
            pairs = paired_differences(by_seed, unmodified)
            row |= {"pairs": pairs.n, "difference": pairs.mean}
            row |= {"difference_low": pairs.low, "difference_high": pairs.high}
        rows.append(row)
    columns = ["n", "mean", "deviation", "low", "high", "pairs", "difference", "difference_low", "difference_high"]
    return pd.DataFrame(rows, columns=[*names, *columns]).astype({"pairs": "Int64"})


def to_markdown(table: pd.DataFrame, heading: str) -> str:
    """`heading`, and one Markdown table a network and ablation."""
    parts = [f"### {title}\n\n{markdown_rows(body)}" for title, body in _parts(table)]
    return "\n\n".join([fill(heading, 120), *parts]) + "\n"


def markdown_rows(table: pd.DataFrame) -> str:
    """A Markdown table, words at the left and numbers at the right."""
    lines = [" | ".join(table.columns), " | ".join(["---"] + ["--:"] * (len(table.columns) - 1))]
    lines += [" | ".join(_text(value) for value in row) for row in table.itertuples(index=False)]
    return "\n".join(f"| {line} |" for line in lines)


def to_latex(table: pd.DataFrame, heading: str) -> str:
    """One booktabs table a network and ablation, `heading` in its caption; needs \\usepackage{booktabs}."""
    parts = []
    for title, body in _parts(table):
        header = [f"{name}%" if re.fullmatch(r"[\d.]+", name) else name for name in body.columns]
        lines = [
            " & ".join(_latex(_text(value)) for value in row) + r" \\" for row in [header, *body.to_numpy().tolist()]
        ]
        parts.append(
            "\n".join(
                [
                    rf"\begin{{table}}\caption{{{_latex(f'{title}. {heading}')}}}",
                    rf"\begin{{tabular}}{{l{'r' * (len(body.columns) - 1)}}}",
                    r"\toprule",
                    lines[0],
                    r"\midrule",
                    *lines[1:],
                    r"\bottomrule",
                    r"\end{tabular}\end{table}",
                ]
            )
        )
    return "\n\n".join(parts) + "\n"


def _parts(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """A table a network and ablation, with its title."""
    keys = [name for name in ("network", "ablation") if name in table.columns]
    for names, group in table.groupby(keys, sort=False):
        yield ", ".join(ABLATION_TITLES.get(str(name), str(name)) for name in names), group.drop(columns=keys)


def _text(value: Any) -> str:
    """A value of a table as a reader wants it; nothing for a number that is not there."""
    if pd.isna(value):
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _latex(text: str) -> str:
    return text.translate(LATEX)


LATEX = str.maketrans(
    {
        **{sign: rf"\{sign}" for sign in "_%&#${}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "±": r"$\pm$",
        "<": "$<$",
        ">": "$>$",
        "\u2212": "$-$",
    }
)


ABLATION_TITLES = {
    "none": "unmodified",
    "shuffle": "masks shuffled in each layer",
    "reinit": "weights drawn anew",
    "invert": "scores inverted",
}
