"""Test accuracy against effective sparsity: weights that lie on no path from input to output count as removed."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pruning.drawing import curves, panels, style
from pruning.figures import About
from pruning.tables import in_order_of_sparsity

HEADING = (
    "Means over seeds. effective: percent of the prunable weights that are removed or lie on no path from input to"
    " output. accuracy: of the method's cells with the sparsity of the row. accuracy at: where the effective sparsity"
    " is that of the row, interpolated between the method's cells; nothing where it has none so sparse or so dense,"
    " but for a twentieth of a step that removes 20% of what remains. rank and rank at: place by either accuracy (1 is"
    " best) among the methods that have both, so that a difference between the two is a change of order."
)
ROUNDING = 0.05
"""how far beyond a method's cells a sparsity may lie, in steps of the axis: cells miss their sparsity by part of a
weight"""


def table(cells: pd.DataFrame, about: About) -> pd.DataFrame:
    """Rows network, sparsity and method: the methods in order at equal sparsity and at equal effective sparsity."""
    means = over_seeds(cells)
    curve_of = dict(iter(means.groupby(["network", "method"])))
    means["accuracy at"] = [
        accuracy_at(curve_of[network, method], float(sparsity))
        for network, method, sparsity in zip(means.network, means.method, means.sparsity, strict=True)
    ]
    # Means that differ in the rounding of their sums are equal.
    means[["accuracy", "accuracy at"]] = means[["accuracy", "accuracy at"]].round(9)
    both = means[means["accuracy at"].notna()].groupby(["network", "sparsity"])
    for rank, accuracy in (("rank", "accuracy"), ("rank at", "accuracy at")):
        means[rank] = both[accuracy].rank(ascending=False, method="min").astype("Int64")
    order = {sparsity: place for place, sparsity in enumerate(in_order_of_sparsity(means.sparsity))}
    means = means.sort_values("sparsity", key=lambda column: column.map(order), kind="stable")
    return means[["network", "sparsity", "method", "effective", "accuracy", "rank", "accuracy at", "rank at"]]


def over_seeds(cells: pd.DataFrame) -> pd.DataFrame:
    """The unmodified pruned cells of each network, method and sparsity: mean effective sparsity and accuracy."""
    pruned = cells[(cells.method != style.DENSE) & (cells.ablation == "none")]
    names = ["network", "method", "sparsity"]
    rows = [
        dict(zip(names, key, strict=True))
        | {"effective": group.sort_values("seed").effective_sparsity.mean(), "accuracy": curves.over_seeds(group).mean}
        for key, group in pruned.groupby(names, sort=False)
    ]
    return pd.DataFrame(rows, columns=[*names, "effective", "accuracy"]).astype({"effective": float, "accuracy": float})


def accuracy_at(means: pd.DataFrame, effective_sparsity: float) -> float:
    """Accuracy of a method at an effective sparsity in percent, from its `means`; NaN outside of what they span.

    Linear between them, on the axis of the figures, where each step removes as large a share of what remains.
    """
    found = means[means.effective < 100].sort_values("effective")
    places = [curves.position(value) for value in found.effective]
    place = curves.position(effective_sparsity)
    if not places or not places[0] - ROUNDING <= place <= places[-1] + ROUNDING:
        return float("nan")
    return float(np.interp(place, places, found.accuracy))


@style.applied()
def draw(cells: pd.DataFrame, about: About) -> Figure:
    """A panel a network, in it a curve a method through the means of its unmodified cells."""
    cells = cells[cells.ablation == "none"]
    networks = sorted(cells.network.unique())
    pruned = cells[cells.method != style.DENSE]
    entries = style.methods(set(pruned.method), about.labels)
    means = over_seeds(cells)
    figure, grid, width = panels.grid(len(networks))
    marker = curves.SparsityAxis(pruned.sparsity).marker_size(width)
    drawn = []
    for axes, network in zip(grid, networks, strict=True):
        dense = curves.dense_of(cells[cells.network == network])
        points = [dense] if dense else []
        places: list[float] = []
        for method, entry in entries.items():
            # Where no seed has a path left there is no place: the axis never ends.
            found = means[(means.network == network) & (means.method == method) & (means.effective < 100)]
            if len(found):
                found = found.sort_values("effective")
                accuracy = curves.curve(pruned[(pruned.network == network) & (pruned.method == method)])
                summaries = [accuracy[sparsity] for sparsity in found.sparsity]
                at = [curves.position(effective) for effective in found.effective]
                curves.plot_points(axes, at, summaries, entry, marker)
                points += summaries
                places += at
        curves.plot_dense(axes, dense)
        drawn.append(points)
        if points:
            curves.accuracy_axis(axes, points)
        curves.round_sparsities(axes, places, width)
        axes.set_title(network)
        axes.set_xlabel("effective sparsity (% of the prunable weights)")
        axes.set_ylabel(curves.ACCURACY)
    note = curves.note([points for points in drawn if points])
    if (means.effective >= 100).any():
        note += " Not drawn: cells of which no seed has a path from input to output left."
    style.legend(figure, style.handles(entries) + curves.dense_entries(cells), note)
    return figure
