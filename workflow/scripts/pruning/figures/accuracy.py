"""Test accuracy against sparsity, one panel a network: every method as it is, and the dense network."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pruning.figures import curves, style
from pruning.statistics import Summary

Ranges = Mapping[str, Mapping[str, Sequence[float]]]
"""{network: {name of a range: its lowest and highest sparsity}}"""


@style.applied()
def draw(cells: pd.DataFrame, labels: Mapping[str, str], ranges: Ranges) -> Figure:
    """The figure for the unmodified cells of cells.csv. `labels` names and orders the methods."""
    cells = cells[cells.ablation == "none"]
    networks = sorted(cells.network.unique())
    methods = style.in_order(set(cells.method) - {style.DENSE}, labels)
    look = style.looks(methods)
    columns = min(2, max(1, len(networks)))
    rows = max(1, -(-len(networks) // columns))
    size = (style.TWO_COLUMNS, 1.1 + rows * (2.9 if columns == 1 else 2.3))
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    sparsity_axis = curves.SparsityAxis(cells.sparsity[cells.method != style.DENSE])
    shifts = sparsity_axis.dodge(len(methods))
    width = size[0] / columns - 0.6
    marker = sparsity_axis.marker_size(width)
    summaries: list[Summary] = []
    any_range = any(ranges.get(network) for network in networks)
    for axes, network in zip(panels, networks, strict=False):
        here = cells[cells.network == network]
        dense = curves.dense_of(here)
        lines = {method: curves.curve(here[here.method == method]) for method in methods}
        for shift, (method, points) in zip(shifts, lines.items(), strict=True):
            if points:
                curves.plot_curve(axes, points, look[method], style.label(method, labels), shift, marker)
        curves.plot_dense(axes, dense)
        points = list(chain.from_iterable(line.values() for line in lines.values()))
        here_all = [*points, *([dense] if dense else [])]
        curves.accuracy_axis(axes, here_all)
        sparsity_axis.apply(axes, width)
        mark_ranges(axes, ranges.get(network, {}), sparsity_axis.gap / 4)
        axes.set_title(network, pad=16 if any_range else 6)
        axes.set_xlabel(curves.SPARSITY)
        axes.set_ylabel(curves.ACCURACY)
        summaries += here_all
    for axes in panels[len(networks) :]:
        axes.set_axis_off()
    note = curves.note(summaries)
    if any(look[method].baseline for method in methods):
        note += "\nOpen markers: baselines."
    handles: list[Any] = [style.handle(style.label(method, labels), look[method]) for method in methods]
    style.legend(figure, [*handles, curves.dense_entry()], note)
    return figure


def mark_ranges(axes: Axes, ranges: Mapping[str, Sequence[float]], margin: float) -> None:
    """A named line above the panel for each range of sparsities, as far as the panel shows it."""
    left, right = axes.get_xlim()
    above = axes.get_xaxis_transform()
    for name, (first, last) in ranges.items():
        low, high = max(curves.position(first) - margin, left), min(curves.position(last) + margin, right)
        if low < high:
            axes.plot([low, high], [1.03, 1.03], color="0.5", linewidth=1.5, transform=above, clip_on=False)
            axes.text((low + high) / 2, 1.05, name, transform=above, ha="center", va="bottom", fontsize=7, color="0.3")
