"""How the panels of a figure are laid out: two side by side, or a block of small ones a network."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pruning.drawing import style
from pruning.figures import About
from pruning.tables import in_order_of_sparsity

MOST_COLUMNS = 4


def networks_and_sparsities(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """What has a panel of its own where a panel shows one network at one sparsity, in order."""
    return [
        (network, sparsity)
        for network in sorted(rows.network.unique())
        for sparsity in in_order_of_sparsity(rows.sparsity[rows.network == network])
    ]


def heading(network: str, sparsity: str, about: About) -> str:
    """The title of such a panel. Where it stands at the end of a range, that says how sure this is."""
    ends = [name for name, (_, end) in about.ranges.get(network, {}).items() if Decimal(str(end)) == Decimal(sparsity)]
    return "\n".join([f"{network}, {sparsity}% removed", *(f"end of {name}" for name in ends)])


def grid(count: int) -> tuple[Figure, list[Axes], float]:
    """A figure with `count` panels, two side by side, and about how many inches a panel is wide."""
    columns = min(2, max(1, count))
    rows = max(1, -(-count // columns))
    size = (style.TWO_COLUMNS, rows * (3.2 if columns == 1 else 2.3))
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels[count:]:
        axes.set_axis_off()
    return figure, panels[:count], style.TWO_COLUMNS / columns - 0.6


def blocks(
    names: Mapping[str, str], titles: Mapping[str, str], x: str, y: str, same_x: bool
) -> tuple[Figure, dict[tuple[str, str], Axes], float]:
    """A block of rows for every key of `names`, in it a panel for every key of `titles`: the figure, its panels by both
    keys, and about how many inches a panel is wide.

    The name of a block stands above it. Its panels have the same axes, with numbers at the left and under the last
    panel of each column; with `same_x` the horizontal axis is that of all blocks.
    """
    names, titles = names or {"": ""}, titles or {"": ""}
    rows = -(-len(titles) // MOST_COLUMNS)
    columns = -(-len(titles) // rows)
    width = style.TWO_COLUMNS if columns > 2 else style.ONE_COLUMN
    height = (1.5 if columns > 2 else 2.0) * rows + (0.2 if same_x else 0.6)
    figure = Figure(figsize=(width, height * len(names)), layout="constrained")
    subplots = figure.subplots(rows * len(names), columns, squeeze=False)
    panels = {}
    for number, name in enumerate(names):
        block = subplots[number * rows : (number + 1) * rows]
        above = {"xy": (0, 1), "xycoords": "axes fraction", "xytext": (-24, 17), "textcoords": "offset points"}
        # As wide as it likes: room for its height is the empty line above the first titles.
        block[0, 0].annotate(names[name], **above, fontweight="bold").set_in_layout(False)
        for axes in block[:, 0]:
            axes.set_ylabel(y)
        last_block = number + 1 == len(names)
        for place, axes in enumerate(block.flat):
            if place >= len(titles):
                axes.set_axis_off()
                continue
            key = [*titles][place]
            panels[name, key] = axes
            axes.set_title(f"\n{titles[key]}" if place < columns else titles[key])
            lowest = place + columns >= len(titles) and (last_block or not same_x)
            axes.tick_params(labelleft=place % columns == 0, labelbottom=lowest)
            if lowest:
                axes.set_xlabel(x)
            # Below a panel whose row is not the last there is nothing: the space between rows need not grow.
            axes.xaxis.set_in_layout(lowest and place + columns >= rows * columns)
    return figure, panels, width / columns - 0.4


def by_name(names: Sequence[str]) -> dict[str, str]:
    """Keys that are their own names."""
    return {name: name for name in names}
