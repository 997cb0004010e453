"""How many weights each method is left with from each training step on, if it may lose one point of accuracy."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pruning.drawing import curves, panels, steps, style
from pruning.figures import About
from pruning.tables import in_order_of_sparsity

TOLERANCE = 1.0
"""points of accuracy below the dense network"""
HEADING = (
    "The highest sparsity at which a method stays within one point of the dense network's accuracy (mean over seeds of"
    " the paired difference), with every lower sparsity of the study within it too; empty: no sparsity of the study."
    " from update: the step from which on the network has so few weights, counted from the start of all training; to"
    " update: where that training ends. In retrospect: the mask is known only after a training to the end."
)
END: dict[str, Any] = {"color": "0.6", "linewidth": 0.8}


def table(cells: pd.DataFrame, about: About) -> pd.DataFrame:
    """Rows network and method."""
    rows = []
    pruned = cells[(cells.method != style.DENSE) & (cells.ablation == "none")]
    for network in sorted(pruned.network.unique()):
        here = pruned[pruned.network == network]
        dense = cells[(cells.network == network) & (cells.method == style.DENSE)]
        for method in style.in_order(set(here.method), about.labels):
            found = here[here.method == method]
            sparsity, difference = highest_within(found, dense)
            begin, end = updates(about, network, method, sparsity) if sparsity else ("", "")
            rows.append(
                {
                    "network": network,
                    "method": method,
                    "sparsity": sparsity,
                    "weights left (%)": 100 - float(sparsity) if sparsity else float("nan"),
                    "difference": difference,
                    "from update": begin,
                    "to update": end,
                    "in retrospect": "yes" if in_retrospect(about, network, method) else "no",
                    "n": int(found.seed.nunique()),
                }
            )
    columns = ["network", "method", "sparsity", "weights left (%)", "difference", "from update", "to update"]
    return pd.DataFrame(rows, columns=[*columns, "in retrospect", "n"])


def highest_within(cells: pd.DataFrame, dense: pd.DataFrame) -> tuple[str, float]:
    """The highest sparsity of a method within one point of the dense network, and the difference there; `` for none."""
    best, difference = "", float("nan")
    for sparsity in in_order_of_sparsity(cells.sparsity):
        here = cells[cells.sparsity == sparsity]
        pairs = here.set_index("seed").accuracy - dense.set_index("seed").accuracy
        # Rounded, because 97.1 - 98.1 is a little below -1. No seed in both is no evidence: the comparison is false.
        if not round(float(pairs.sort_index().mean()), 9) >= -TOLERANCE:
            break
        best, difference = sparsity, float(pairs.mean())
    return best, difference


def updates(about: About, network: str, method: str, sparsity: str) -> tuple[int, int]:
    """From which update on a method trains with the mask of `sparsity`, and to which: counted from the start of all
    training whose weights it keeps."""
    steps, end = about.steps[network][method], about.updates[network]["end"]
    if steps["rewind_to"] < end:
        return steps["rewind_to"], steps["rewind_to"] + end - steps["schedule_from"]
    # The dense network was trained to the end before, and so was each earlier round.
    rounds = round(curves.position(sparsity)) if method in about.retrained else 1
    return rounds * end, (rounds + 1) * end - steps["schedule_from"]


def in_retrospect(about: About, network: str, method: str) -> bool:
    """Whether a method takes up at an update before the one at which it scored."""
    steps = about.steps[network][method]
    return steps["rewind_to"] < steps["prune_at"]


@style.applied()
def draw(cells: pd.DataFrame, about: About) -> Figure:
    """A panel a network: the share of weights against the training step, a line a method."""
    rows = table(cells, about)
    networks = list(rows.network.unique())
    entries = style.methods(set(rows.method), about.labels)
    figure, grid, width = panels.grid(len(networks))
    for axes, network in zip(grid, networks, strict=True):
        found = rows[(rows.network == network) & (rows.sparsity != "")]
        end = int(about.updates[network]["end"])
        axis = steps.StepAxis([0, end, *found["from update"], *found["to update"]])
        axes.axvline(axis.place(end), zorder=1.5, **END)
        axis.apply(axes, width)
        weights_axis(axes, found["weights left (%)"].min() if len(found) else 50)
        plot(axes, found, entries, axis, end)
        axes.set_title(network)
        axes.set_xlabel("update from the start of all training (cube-root axis)")
        axes.set_ylabel("weights left (%)")
    handles = style.handles(entries)
    handles.append(Line2D([], [], label="End of the schedule", **END))
    note = (
        "The fewest weights within one point of the dense network. Dashed: the mask is known in retrospect only."
        " Lines in one place are drawn side by side."
    )
    note += steps.rewinds(about, rows.method, networks)
    without = sum(rows.sparsity == "")
    if without:
        note += " A method without a line stays within one point at no sparsity of the study."
    style.legend(figure, handles, note)
    return figure


def plot(axes: Axes, rows: pd.DataFrame, entries: style.Entries, axis: steps.StepAxis, end: int) -> None:
    """A line a method: down to the weights that are left where its training takes up, and on to the end of that."""
    asides = zip(beside(rows["from update"]), beside(rows["weights left (%)"]), strict=True)
    low, high = axes.get_ylim()
    for row, (right, up) in zip(rows.to_dict("records"), asides, strict=True):
        begin, stop, left = int(row["from update"]), int(row["to update"]), float(row["weights left (%)"])
        # Of a method that trains in rounds, each one's end before: there 20% of what remains goes.
        updates = [*range(end, begin, end), begin] if begin >= end else [begin]
        weights = [100 * 0.8**number for number in range(len(updates))] + [left * (high / low) ** (0.012 * up)]
        places = [axis.place(update) + 0.012 * axis.span * right for update in updates for _ in range(2)]
        name, look = entries[str(row["method"])]
        dashes = (0, (3, 1.5)) if row["in retrospect"] == "yes" else "-"
        axes.plot(
            [*places, axis.place(stop)],
            [weight for weight in weights for _ in range(2)][1:],
            label=name,
            markevery=[2 * len(updates) - 1],
            clip_on=False,
            **look.line() | {"linestyle": dashes},
        )


def beside(values: Iterable[float]) -> list[float]:
    """How far to move each line aside, in lines, so that those at the same value stand side by side around it."""
    all_values = list(values)
    return [
        all_values[:number].count(value) - (all_values.count(value) - 1) / 2 for number, value in enumerate(all_values)
    ]


def weights_axis(axes: Axes, lowest: float) -> None:
    """A logarithmic axis from 100% down to a little below `lowest`."""
    axes.set_yscale("log")
    ticks = [first * 10.0**power for power in range(2, -4, -1) for first in (5, 2, 1)]
    shown = [tick for tick in ticks if lowest / 1.5 <= tick <= 100]
    axes.set_yticks(shown, [f"{tick:g}" for tick in shown])
    axes.minorticks_off()
    axes.set_ylim(lowest / 1.5, 115)
