"""Test accuracy against effective sparsity: weights that lie on no path from input to output count as removed."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pruning.drawing import curves, style
from pruning.figures import About
from pruning.tables import in_order_of_sparsity

HEADING = (
    "Means over seeds. effective: percent of the prunable weights that are removed or lie on no path from input to"
    " output. rank: place of the method's accuracy among those pruned to the same sparsity (1 is best). accuracy at:"
    " accuracy where the effective, not the nominal, sparsity is that of the row, interpolated between the method's"
    " cells; nothing where it has none so sparse or so dense. rank at: place by that accuracy, among the methods that"
    " have one."
)


def table(cells: pd.DataFrame, about: About) -> pd.DataFrame:
    """Rows network, method and sparsity: the methods in order at equal sparsity and at equal effective sparsity."""
    pruned = cells[(cells.method != style.DENSE) & (cells.ablation == "none")]
    names = ["network", "sparsity", "method"]
    means = pruned.groupby(names, sort=False)[["effective_sparsity", "accuracy"]].mean().reset_index()
    means["rank"] = means.groupby(["network", "sparsity"]).accuracy.rank(ascending=False, method="min").astype("Int64")
    curve_of = dict(iter(means.groupby(["network", "method"])))
    means["accuracy at"] = [
        accuracy_at(curve_of[network, method], float(sparsity))
        for network, sparsity, method in means[names].astype(str).to_numpy().tolist()
    ]
    by_sparsity = means.groupby(["network", "sparsity"])["accuracy at"]
    means["rank at"] = by_sparsity.rank(ascending=False, method="min").astype("Int64")
    order = {sparsity: place for place, sparsity in enumerate(in_order_of_sparsity(means.sparsity))}
    means = means.sort_values("sparsity", key=lambda column: column.map(order), kind="stable")
    return means.rename(columns={"effective_sparsity": "effective"})


def accuracy_at(curve: pd.DataFrame, effective_sparsity: float) -> float:
    """Accuracy of a method at an effective sparsity in percent; NaN outside of what its cells span.

    Linear between cells, on the axis of the figures, where each step removes as large a share of what remains.
    """
    found = curve[curve.effective_sparsity < 100].sort_values("effective_sparsity")
    places = [curves.position(value) for value in found.effective_sparsity]
    place = curves.position(effective_sparsity)
    return float(np.interp(place, places, found.accuracy, left=np.nan, right=np.nan)) if places else float("nan")


@style.applied()
def draw(cells: pd.DataFrame, about: About) -> Figure:
    """A panel a network, in it a curve a method through the means of its unmodified cells."""
    cells = cells[cells.ablation == "none"]
    networks = sorted(cells.network.unique())
    pruned = cells[(cells.method != style.DENSE) & (cells.effective_sparsity < 100)]
    methods = style.in_order(set(pruned.method), about.labels)
    looks = style.looks(methods)
    columns = min(2, max(1, len(networks)))
    rows = max(1, -(-len(networks) // columns))
    size = (style.TWO_COLUMNS, 1.1 + rows * (3.2 if columns == 1 else 2.3))
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    drawn = []
    for axes, network in zip(panels, networks, strict=False):
        here = pruned[pruned.network == network]
        dense = curves.dense_of(cells[cells.network == network])
        points = []
        for method in methods:
            groups = [group for _, group in here[here.method == method].groupby("sparsity")]
            groups.sort(key=lambda group: group.effective_sparsity.mean())
            summaries = [curves.over_seeds(group) for group in groups]
            places = [curves.position(group.effective_sparsity.mean()) for group in groups]
            deviations = [summary.deviation for summary in summaries] if any(s.n > 1 for s in summaries) else None
            axes.errorbar(
                places,
                [summary.mean for summary in summaries],
                yerr=deviations,
                label=style.label(method, about.labels),
                elinewidth=0.7,
                **looks[method].line(),
            )
            points += summaries
        curves.plot_dense(axes, dense)
        drawn.append([*points, dense] if dense else points)
        curves.accuracy_axis(axes, drawn[-1])
        sparsities = in_order_of_sparsity(here.sparsity)
        axes.margins(x=0.05)
        axes.set_xlim(axes.get_xlim())
        style.tick_labels(axes, [curves.position(s) for s in sparsities], sparsities, size[0] / columns - 0.6)
        axes.set_title(network)
        axes.set_xlabel("effective sparsity (% of the prunable weights)")
        axes.set_ylabel(curves.ACCURACY)
    for axes in panels[len(networks) :]:
        axes.set_axis_off()
    handles = [style.handle(style.label(method, about.labels), looks[method]) for method in methods]
    if style.DENSE in set(cells.method):
        handles.append(curves.dense_entry())
    style.legend(figure, handles, curves.note(drawn))
    return figure
