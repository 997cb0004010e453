"""Test accuracy against sparsity, one panel a network: every method, and the dense network."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import offset_copy

from pruning.drawing import curves, panels, style
from pruning.drawing.accuracy_table import HEADING as HEADING
from pruning.drawing.accuracy_table import table as table
from pruning.figures import About
from pruning.statistics import Summary, summarise


@style.applied()
def draw(cells: pd.DataFrame, about: About) -> Figure:
    """A panel a network, in it a curve a method; an ablation that is among the rows is a curve of its own."""
    networks = sorted(cells.network.unique())
    pruned = cells[cells.method != style.DENSE]
    entries = style.methods_and_ablations(pruned, about.labels)
    figure, grid, width = panels.grid(len(networks))
    sparsity_axis = curves.SparsityAxis(pruned.sparsity)
    shifts = sparsity_axis.dodge(len(entries))
    marker = sparsity_axis.marker_size(width)
    drawn = []
    certainties: dict[str, None] = {}
    any_range = bool(entries) and any(about.ranges.get(network) for network in networks)
    for axes, network in zip(grid, networks, strict=True):
        here = cells[cells.network == network]
        dense = curves.dense_of(here)
        key_of = here.method + "/" + here.ablation
        lines = {key: curves.curve(here[key_of == key]) for key in entries}
        for shift, (key, points) in zip(shifts, lines.items(), strict=True):
            if points:
                curves.plot_curve(axes, points, entries[key], shift, marker)
        curves.plot_dense(axes, dense)
        drawn.append(curves.drawn(lines.values(), dense))
        others = plot_published(axes, [row for row in about.published if row["network"] == network], entries)
        certainties |= dict.fromkeys(others)
        curves.accuracy_axis(axes, drawn[-1] + [summary for summaries in others.values() for summary in summaries])
        sparsity_axis.apply(axes, width)
        if entries:
            mark_ranges(axes, about.ranges.get(network, {}), sparsity_axis.gap / 4)
        axes.set_title(network, pad=18 if any_range else 6)
        axes.set_xlabel(curves.SPARSITY)
        axes.set_ylabel(curves.ACCURACY)
    note = curves.note(drawn)
    if any(look.baseline for _, look in entries.values()):
        note += " Open markers: baselines."
    published = [
        Line2D([], [], label=f"Published by others, {certainty}", **star(style.DENSE_COLOUR, certainty))
        for certainty in certainties
    ]
    style.legend(figure, style.handles(entries) + curves.dense_entries(cells) + published, note)
    return figure


def star(colour: str, certainty: str) -> dict[str, Any]:
    """How a number that others published is drawn; open where it is unverified."""
    look = style.Look(colour, "*", baseline=certainty == "unverified")
    return look.line() | {"linestyle": "none", "markersize": 7}


def plot_published(axes: Axes, rows: Sequence[Mapping[str, str]], entries: style.Entries) -> dict[str, list[Summary]]:
    """A star for each number that others published for a method that is drawn: {how sure it is: the numbers}."""
    found: dict[str, list[Summary]] = {}
    for row in rows:
        if f"{row['method']}/none" in entries:
            accuracy = float(row["accuracy"])
            colour = entries[f"{row['method']}/none"][1].colour
            axes.plot(curves.position(row["sparsity"]), accuracy, **star(colour, row["certainty"]))
            found.setdefault(row["certainty"], []).append(summarise([accuracy]))
    return found


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
