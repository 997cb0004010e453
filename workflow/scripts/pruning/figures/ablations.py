"""Test accuracy of each method and of its ablations against sparsity: a panel a network and method."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from pruning.figures import curves, style
from pruning.statistics import Summary

MOST_COLUMNS = 4


@style.applied()
def draw(cells: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """The figure for all cells of cells.csv: a block of rows a network, in it a panel a method."""
    networks = sorted(cells.network.unique())
    pruned = cells[cells.method != style.DENSE]
    methods = style.in_order(set(pruned.method), labels)
    ablations = [name for name in style.ABLATIONS if name in set(pruned.ablation)]
    block = max(1, -(-len(methods) // MOST_COLUMNS))
    columns = max(1, -(-len(methods) // block))
    width = style.TWO_COLUMNS if columns > 2 else style.ONE_COLUMN
    rows = block * max(1, len(networks))
    figure = Figure(figsize=(width, 1.2 + (1.55 if columns > 2 else 2.1) * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    sparsity_axis = curves.SparsityAxis(pruned.sparsity)
    shifts = dict(zip(ablations, sparsity_axis.dodge(len(ablations)), strict=True))
    marker = sparsity_axis.marker_size(width / columns - 0.4)
    drawn: list[list[Summary]] = []
    for number, network in enumerate(networks):
        here = cells[cells.network == network]
        dense = curves.dense_of(here)
        lines = {
            (method, ablation): curves.curve(here[(here.method == method) & (here.ablation == ablation)])
            for method in methods
            for ablation in ablations
        }
        drawn.append(curves.drawn(lines.values(), dense))
        block_panels = panels[number * block : (number + 1) * block]
        for place, axes in enumerate(block_panels.flat):
            if place >= max(1, len(methods)):
                axes.set_axis_off()
                continue
            curves.plot_dense(axes, dense)
            if methods:
                method = methods[place]
                axes.set_title(style.label(method, labels))
                for ablation in ablations:
                    line, (name, look) = lines[method, ablation], style.ABLATIONS[ablation]
                    if line:
                        curves.plot_curve(axes, line, look, name, shifts[ablation], marker)
            curves.accuracy_axis(axes, drawn[-1])
            sparsity_axis.apply(axes, width / columns - 0.4)
            # Numbers stand at the left, and under the last panel of each column.
            axes.tick_params(labelleft=place % columns == 0)
            lowest = number + 1 == len(networks) and place + columns >= len(methods)
            axes.tick_params(labelbottom=lowest)
            if lowest:
                axes.set_xlabel("sparsity (%)")
            # Below a panel whose row is not the last there is nothing: the space between rows need not grow.
            axes.xaxis.set_in_layout(lowest and place + columns >= block * columns)
        for axes in block_panels[:, 0]:
            axes.set_ylabel(f"{network}\n{curves.ACCURACY}")
    handles = [style.handle(*style.ABLATIONS[ablation]) for ablation in ablations]
    if style.DENSE in set(cells.method):
        handles.append(curves.dense_entry())
    style.legend(figure, handles, curves.note(drawn))
    return figure
