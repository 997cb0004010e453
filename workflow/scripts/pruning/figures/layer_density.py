"""What each method leaves of each layer: density against layer, a panel a network and sparsity."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pruning.figures import style
from pruning.tables import in_order_of_sparsity

PANELS = 3
"""sparsities of a network that are shown"""
NARROW = 8
"""layers up to which panels stand side by side"""


@style.applied()
def draw(layers: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """The figure for the unmodified cells of layers.csv: mean density over the seeds."""
    layers = layers[layers.ablation == "none"]
    networks = sorted(layers.network.unique())
    pruned = layers[layers.method != style.DENSE]
    methods = style.in_order(set(pruned.method), labels)
    look = style.looks(methods)
    shifts = dict(zip(methods, style.dodge(len(methods), 0.6), strict=True))
    shown = {network: spread(in_order_of_sparsity(pruned.sparsity[pruned.network == network])) for network in networks}
    names = {network: in_network_order(layers[layers.network == network]) for network in networks}
    rows = {network: 1 if len(names[network]) <= NARROW else max(1, len(shown[network])) for network in networks}
    figure = Figure(figsize=(style.TWO_COLUMNS, 1.4 + 1.65 * max(1, sum(rows.values()))), layout="constrained")
    grid = figure.add_gridspec(max(1, sum(rows.values())), PANELS)
    top = 0
    for network in networks:
        sparsities = shown[network] or [""]
        for number, sparsity in enumerate(sparsities):
            wide = len(names[network]) > NARROW
            axes = figure.add_subplot(grid[top + number, :] if wide else grid[top, number])
            cells = pruned[(pruned.network == network) & (pruned.sparsity == sparsity)]
            for method in methods:
                plot_method(axes, cells[cells.method == method], names[network], look[method], labels, shifts[method])
            if sparsity:
                axes.axhline(100 - float(sparsity), color="0.4", linewidth=0.7, zorder=1.5)
            axes.set_title(f"{network}, {sparsity}% removed" if sparsity else f"{network}, nothing pruned")
            set_axes(axes, names[network], smallest(pruned[pruned.network == network]), wide)
            if not wide or number + 1 == len(sparsities):
                axes.set_xlabel("layer, from input to output")
            else:
                axes.tick_params(labelbottom=False)
            if wide or number == 0:
                axes.set_ylabel("weights kept (%)")
            else:
                axes.tick_params(labelleft=False)
        top += rows[network]
    handles: list[Any] = [style.handle(style.label(method, labels), look[method]) for method in methods]
    if methods:
        handles.append(Line2D([], [], color="0.4", linewidth=0.7, label="Whole network"))
    seeds = sorted({group.seed.nunique() for _, group in pruned.groupby(["network", "method", "sparsity"])})
    style.legend(figure, handles, note(seeds))
    return figure


def spread(sparsities: Sequence[str]) -> list[str]:
    """The lowest, the highest and what lies evenly between, as many as there are panels for."""
    if len(sparsities) <= PANELS:
        return list(sparsities)
    return [sparsities[round(i * (len(sparsities) - 1) / (PANELS - 1))] for i in range(PANELS)]


def in_network_order(layers: pd.DataFrame) -> list[str]:
    """The tensors of a network, from input to output."""
    return [str(tensor) for tensor in layers.sort_values("layer").tensor.unique()]


def smallest(layers: pd.DataFrame) -> float:
    """The power of ten at or below the smallest density that is not 0: where the logarithmic axis ends."""
    above = layers.density[layers.density > 0]
    return float(10 ** math.floor(math.log10(above.min()))) if len(above) else 1.0


def plot_method(
    axes: Axes,
    cells: pd.DataFrame,
    names: Sequence[str],
    look: style.Look,
    labels: Mapping[str, str],
    shift: float,
) -> None:
    """The mean density of each layer; a small mark at 0 for a layer that is empty with some seeds and not with others."""
    if cells.empty:
        return
    density = cells.groupby("tensor").density.agg(["mean", "min"]).reindex(names)
    places = [place + shift for place in range(len(names))]
    name = style.label(str(cells.method.iloc[0]), labels)
    axes.plot(places, density["mean"].tolist(), label=name, clip_on=False, **look.line())
    at_times = ((density["min"] == 0) & (density["mean"] > 0)).tolist()
    if any(at_times):
        marks = [place for place, empty in zip(places, at_times, strict=True) if empty]
        axes.plot(marks, [0] * len(marks), **look.line() | {"linestyle": "", "markersize": 2.5}, clip_on=False)


def set_axes(axes: Axes, names: Sequence[str], lowest: float, wide: bool) -> None:
    """A logarithmic density axis with a place for 0, and the layers' names below."""
    axes.set_yscale("symlog", linthresh=lowest, linscale=0.6)
    decades = [10.0**power for power in range(round(math.log10(lowest)), 3)]
    axes.set_yticks([0, *decades], ["0", *(f"{decade:g}" for decade in decades)])
    axes.minorticks_off()
    axes.set_ylim(0, 130)
    axes.set_xlim(-0.5, len(names) - 0.5)
    texts = [name.removesuffix(".weight") for name in names]
    style.tick_labels(axes.xaxis, range(len(names)), texts, style.TWO_COLUMNS * 0.9 / (1 if wide else PANELS))


def note(seeds: Sequence[int]) -> str:
    """What is drawn, in words."""
    if not seeds:
        return ""
    if seeds == [1]:
        return "One seed. At 0: no weight left in the layer."
    number = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return f"Mean over {number} seeds. At 0: no weight left in the layer (small mark: with some seeds only)."
