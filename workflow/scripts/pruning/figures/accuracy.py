"""Test accuracy against sparsity, one panel a network: every method, and the dense network."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy

from pruning.drawing import curves, style
from pruning.figures import About
from pruning.figures.ablations import HEADING as HEADING
from pruning.figures.ablations import table as table
from pruning.statistics import Summary


@style.applied()
def draw(cells: pd.DataFrame, about: About) -> Figure:
    """A panel a network, in it a curve a method; an ablation that is among the rows is a curve of its own."""
    networks = sorted(cells.network.unique())
    pruned = cells[cells.method != style.DENSE]
    methods = style.in_order(set(pruned.method), about.labels)
    present = set(zip(pruned.method, pruned.ablation, strict=True))
    keys = [(method, ablation) for method in methods for ablation in style.ABLATIONS if (method, ablation) in present]
    looks = {key: curve_look(*key, style.looks(methods)) for key in keys}
    names = {key: curve_label(*key, about.labels) for key in keys}
    columns = min(2, max(1, len(networks)))
    rows = max(1, -(-len(networks) // columns))
    size = (style.TWO_COLUMNS, 1.1 + rows * (3.2 if columns == 1 else 2.3))
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    sparsity_axis = curves.SparsityAxis(pruned.sparsity)
    shifts = sparsity_axis.dodge(len(keys))
    width = size[0] / columns - 0.6
    marker = sparsity_axis.marker_size(width)
    drawn: list[list[Summary]] = []
    any_range = bool(keys) and any(about.ranges.get(network) for network in networks)
    for axes, network in zip(panels, networks, strict=False):
        here = cells[cells.network == network]
        dense = curves.dense_of(here)
        lines = {key: curves.curve(here[(here.method == key[0]) & (here.ablation == key[1])]) for key in keys}
        for shift, (key, points) in zip(shifts, lines.items(), strict=True):
            if points:
                curves.plot_curve(axes, points, looks[key], names[key], shift, marker)
        curves.plot_dense(axes, dense)
        drawn.append(curves.drawn(lines.values(), dense))
        curves.accuracy_axis(axes, drawn[-1])
        sparsity_axis.apply(axes, width)
        if keys:
            mark_ranges(axes, about.ranges.get(network, {}), sparsity_axis.gap / 4)
        axes.set_title(network, pad=18 if any_range else 6)
        axes.set_xlabel(curves.SPARSITY)
        axes.set_ylabel(curves.ACCURACY)
    for axes in panels[len(networks) :]:
        axes.set_axis_off()
    note = curves.note(drawn)
    if any(look.baseline for look in looks.values()):
        note += " Open markers: baselines."
    handles = [style.handle(names[key], looks[key]) for key in keys]
    if style.DENSE in set(cells.method):
        handles.append(curves.dense_entry())
    style.legend(figure, handles, note)
    return figure


def curve_look(method: str, ablation: str, looks: Mapping[str, style.Look]) -> style.Look:
    """A method as everywhere; an ablation of it in the same colour, with the ablation's marker and dashes."""
    if ablation == "none":
        return looks[method]
    return replace(style.ABLATIONS[ablation][1], colour=looks[method].colour)


def curve_label(method: str, ablation: str, labels: Mapping[str, str]) -> str:
    """`SynFlow`, `SynFlow, shuffled in each layer`."""
    name = style.label(method, labels)
    return name if ablation == "none" else f"{name}, {style.ABLATIONS[ablation][0].lower()}"


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
