"""Accuracy against sparsity in small panels: a block of rows a network, with the same accuracy axis throughout."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from pruning.drawing import curves, style
from pruning.statistics import Summary

MOST_COLUMNS = 4


def draw(cells: pd.DataFrame, titles: Mapping[str, str], looks: Mapping[str, tuple[str, style.Look]]) -> Figure:
    """A panel for every network and every key of `titles`, in it a curve for every key of `looks` (its name and look).

    `cells` says with the columns `panel` and `curve` which belong where; the dense networks among them are in all.
    """
    networks = sorted(cells.network.unique())
    pruned = cells[cells.method != style.DENSE]
    block = max(1, -(-len(titles) // MOST_COLUMNS))
    columns = max(1, -(-len(titles) // block))
    width = style.TWO_COLUMNS if columns > 2 else style.ONE_COLUMN
    rows = block * max(1, len(networks))
    figure = Figure(figsize=(width, 1.2 + (1.55 if columns > 2 else 2.1) * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    sparsity_axis = curves.SparsityAxis(pruned.sparsity)
    shifts = dict(zip(looks, sparsity_axis.dodge(len(looks)), strict=True))
    marker = sparsity_axis.marker_size(width / columns - 0.4)
    drawn: list[list[Summary]] = []
    for number, network in enumerate(networks):
        here = cells[cells.network == network]
        dense = curves.dense_of(here)
        lines = {
            (panel, name): curves.curve(here[(here.panel == panel) & (here.curve == name)])
            for panel in titles
            for name in looks
        }
        drawn.append(curves.drawn(lines.values(), dense))
        block_panels = panels[number * block : (number + 1) * block]
        for place, axes in enumerate(block_panels.flat):
            if place >= max(1, len(titles)):
                axes.set_axis_off()
                continue
            curves.plot_dense(axes, dense)
            if titles:
                panel, title = list(titles.items())[place]
                axes.set_title(title)
                for key, (name, look) in looks.items():
                    if lines[panel, key]:
                        curves.plot_curve(axes, lines[panel, key], look, name, shifts[key], marker)
            curves.accuracy_axis(axes, drawn[-1])
            sparsity_axis.apply(axes, width / columns - 0.4)
            # Numbers stand at the left, and under the last panel of each column.
            axes.tick_params(labelleft=place % columns == 0)
            lowest = number + 1 == len(networks) and place + columns >= len(titles)
            axes.tick_params(labelbottom=lowest)
            if lowest:
                axes.set_xlabel("sparsity (%)")
            # Below a panel whose row is not the last there is nothing: the space between rows need not grow.
            axes.xaxis.set_in_layout(lowest and place + columns >= block * columns)
        for axes in block_panels[:, 0]:
            axes.set_ylabel(f"{network}\n{curves.ACCURACY}")
    handles = [style.handle(name, look) for name, look in looks.values()]
    if style.DENSE in set(cells.method):
        handles.append(curves.dense_entry())
    style.legend(figure, handles, curves.note(drawn))
    return figure
