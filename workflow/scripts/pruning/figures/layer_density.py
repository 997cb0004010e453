"""What each method leaves of each layer: density against layer, a panel a network and sparsity."""

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pruning.drawing import style
from pruning.figures import About
from pruning.tables import in_order_of_sparsity, mean_and_deviation

PANELS = 3
"""sparsities of a network that are shown"""
NARROW = 8
"""layers up to which panels stand side by side"""


HEADING = (
    "Weights that stay in each layer, in percent: mean ± sample standard deviation over seeds. Columns are"
    " sparsities of the whole network, in percent."
)


def table(layers: pd.DataFrame, about: About) -> pd.DataFrame:
    """Rows network, ablation, method and layer, from input to output; columns sparsities."""
    pruned = layers[layers.method != style.DENSE]
    sparsities = in_order_of_sparsity(pruned.sparsity)
    names = ["network", "ablation", "method"]
    rows = [
        dict(zip(names, key, strict=True))
        | {"tensor": tensor}
        | {sparsity: mean_and_deviation(found.density[found.sparsity == sparsity]) for sparsity in sparsities}
        for key, group in pruned.groupby(names, sort=False)
        for tensor, found in group.sort_values("layer", kind="stable").groupby("tensor", sort=False)
    ]
    return pd.DataFrame(rows, columns=[*names, "tensor", *sparsities])


@style.applied()
def draw(layers: pd.DataFrame, about: About) -> Figure:
    """The figure for the unmodified cells: mean density over the seeds."""
    layers, labels = layers[layers.ablation == "none"], about.labels
    networks = sorted(layers.network.unique())
    pruned = layers[layers.method != style.DENSE]
    entries = style.methods(set(pruned.method), labels)
    shifts = style.dodge(len(entries), 0.6)
    shown = {network: spread(in_order_of_sparsity(pruned.sparsity[pruned.network == network])) for network in networks}
    names = {network: in_network_order(layers[layers.network == network]) for network in networks}
    rows = {network: 1 if len(names[network]) <= NARROW else max(1, len(shown[network])) for network in networks}
    longest = {network: max(map(len, names[network])) for network in networks}
    height = sum(1.4 * rows[network] + 0.25 + 0.055 * longest[network] for network in networks)
    figure = Figure(figsize=(style.TWO_COLUMNS, height), layout="constrained")
    columns = max((len(sparsities) for sparsities in shown.values() if sparsities), default=1)
    grid = figure.add_gridspec(max(1, sum(rows.values())), columns)
    top = 0
    for network in networks:
        wide = len(names[network]) > NARROW
        here = pruned[(pruned.network == network) & pruned.sparsity.isin(shown[network])]
        for number, sparsity in enumerate(shown[network] or [""]):
            axes = figure.add_subplot(grid[top + number, :] if wide else grid[top, number])
            for shift, (method, entry) in zip(shifts, entries.items(), strict=True):
                cells = here[(here.sparsity == sparsity) & (here.method == method)]
                if len(cells):
                    plot_method(axes, cells, names[network], entry, shift)
            if sparsity:
                axes.axhline(100 - float(sparsity), color="0.4", linewidth=0.7, zorder=1.5)
            axes.set_title(f"{network}, {sparsity}% removed" if sparsity else f"{network}, nothing pruned")
            set_axes(axes, names[network], lowest_decade(here.density), 1 if wide else columns)
            # Numbers stand at the left, and names of layers under the last panel of each column.
            if wide or number == 0:
                axes.set_ylabel("weights kept (%)")
            else:
                axes.tick_params(labelleft=False)
            if not wide or number + 1 == rows[network]:
                axes.set_xlabel("layer, from input to output")
            else:
                axes.tick_params(labelbottom=False)
        top += rows[network]
    handles = style.handles(entries)
    if entries:
        handles.append(Line2D([], [], color="0.4", linewidth=0.7, label="Whole network"))
    seeds = pruned.groupby(["network", "method", "sparsity"]).seed.nunique().tolist()
    note = f"{style.seeds(seeds)} At 0: no weight left in the layer" if seeds else ""
    if max(seeds, default=0) > 1:
        note += "; a small mark there: with some of the seeds only"
    style.legend(figure, handles, note and f"{note}.")
    return figure


def spread(sparsities: Sequence[str]) -> list[str]:
    """The lowest, the highest and what lies evenly between, as many as there are panels for."""
    if len(sparsities) <= PANELS:
        return list(sparsities)
    return [sparsities[round(i * (len(sparsities) - 1) / (PANELS - 1))] for i in range(PANELS)]


def in_network_order(layers: pd.DataFrame) -> list[str]:
    """The tensors of a network, from input to output."""
    return [str(tensor) for tensor in layers.sort_values("layer").tensor.unique()]


def lowest_decade(density: pd.Series) -> float:
    """The power of ten at or below the smallest density that is not 0: where the logarithmic axis ends."""
    above = density[density > 0]
    return float(10 ** math.floor(math.log10(above.min()))) if len(above) else 1.0


def plot_method(
    axes: Axes, cells: pd.DataFrame, names: Sequence[str], entry: tuple[str, style.Look], shift: float
) -> None:
    """The mean density of each layer; a small mark at 0 for a layer that is empty with some seeds only."""
    density = cells.sort_values("seed").groupby("tensor").density.agg(["mean", "min"]).reindex(list(names))
    label, look = entry
    places = [place + shift for place in range(len(names))]
    axes.plot(places, density["mean"].tolist(), label=label, clip_on=False, **look.line())
    at_times = ((density["min"] == 0) & (density["mean"] > 0)).tolist()
    marks = [place for place, empty in zip(places, at_times, strict=True) if empty]
    if marks:
        axes.plot(marks, [0] * len(marks), **look.line() | {"linestyle": "", "markersize": 2.5}, clip_on=False)


def set_axes(axes: Axes, names: Sequence[str], lowest: float, columns: int) -> None:
    """A logarithmic density axis with a place for 0, and the layers' names below."""
    axes.set_yscale("symlog", linthresh=lowest, linscale=0.6)
    decades = [10.0**power for power in range(round(math.log10(lowest)), 3)]
    axes.set_yticks([0, *decades], ["0", *(f"{decade:g}" for decade in decades)])
    axes.minorticks_off()
    axes.set_ylim(0, 130)
    axes.set_xlim(-0.5, len(names) - 0.5)
    texts = [name.removesuffix(".weight") for name in names]
    style.tick_labels(axes, range(len(names)), texts, style.TWO_COLUMNS * 0.9 / columns)
