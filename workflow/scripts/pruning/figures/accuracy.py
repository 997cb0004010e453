"""Test accuracy against sparsity, one panel a network: every method as it is, and the dense network."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy

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
    size = (style.TWO_COLUMNS, 1.1 + rows * (3.2 if columns == 1 else 2.3))
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    sparsity_axis = curves.SparsityAxis(cells.sparsity[cells.method != style.DENSE])
    shifts = sparsity_axis.dodge(len(methods))
    width = size[0] / columns - 0.6
    marker = sparsity_axis.marker_size(width)
    drawn: list[list[Summary]] = []
    any_range = bool(methods) and any(ranges.get(network) for network in networks)
    for axes, network in zip(panels, networks, strict=False):
        here = cells[cells.network == network]
        dense = curves.dense_of(here)
        lines = {method: curves.curve(here[here.method == method]) for method in methods}
        for shift, (method, points) in zip(shifts, lines.items(), strict=True):
            if points:
                curves.plot_curve(axes, points, look[method], style.label(method, labels), shift, marker)
        curves.plot_dense(axes, dense)
        drawn.append(curves.drawn(lines.values(), dense))
        curves.accuracy_axis(axes, drawn[-1])
        sparsity_axis.apply(axes, width)
        if methods:
            mark_ranges(axes, ranges.get(network, {}), sparsity_axis.gap / 4)
        axes.set_title(network, pad=18 if any_range else 6)
        axes.set_xlabel(curves.SPARSITY)
        axes.set_ylabel(curves.ACCURACY)
    for axes in panels[len(networks) :]:
        axes.set_axis_off()
    note = curves.note(drawn)
    if any(look[method].baseline for method in methods):
        note += " Open markers: baselines."
    handles = [style.handle(style.label(method, labels), look[method]) for method in methods]
    if style.DENSE in set(cells.method):
        handles.append(curves.dense_entry())
    style.legend(figure, handles, note)
    return figure


def mark_ranges(axes: Axes, ranges: Mapping[str, Sequence[float]], margin: float) -> None:
    """A named line above the panel for each range of sparsities, as far as the panel shows it."""
    left, right = axes.get_xlim()
    figure = axes.get_figure(root=True)
    line, text = (offset_copy(axes.get_xaxis_transform(), figure, y=y, units="points") for y in (5, 6))
    for name, (first, last) in ranges.items():
        low, high = max(curves.position(first) - margin, left), min(curves.position(last) + margin, right)
        if low < high:
            axes.plot([low, high], [1, 1], color="0.5", linewidth=1.5, transform=line, clip_on=False)
            axes.text((low + high) / 2, 1, name, transform=text, ha="center", va="bottom", fontsize=7, color="0.3")
