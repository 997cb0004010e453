"""How many weights each method is left with from each training step on, if it may lose one point of accuracy."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pruning.drawing import style
from pruning.figures import About
from pruning.tables import in_order_of_sparsity

TOLERANCE = 1.0
"""points of accuracy below the dense network"""
HEADING = (
    "The highest sparsity at which a method stays within one point of the dense network's accuracy (mean over seeds of"
    " the paired difference), with every lower sparsity of the study within it too. from update: the step from which on"
    " the network has so few weights, counted from the start of all training. In retrospect: the mask is known only"
    " after training to the end. Empty: no sparsity of the study."
)


def table(cells: pd.DataFrame, about: About) -> pd.DataFrame:
    """Rows network and method."""
    rows = []
    dense = cells[cells.method == style.DENSE].set_index(["network", "seed"]).accuracy
    pruned = cells[(cells.method != style.DENSE) & (cells.ablation == "none")]
    for network in sorted(pruned.network.unique()):
        here = pruned[pruned.network == network]
        for method in style.in_order(set(here.method), about.labels):
            steps, end = about.steps[network][method], about.updates[network]["end"]
            best, difference = "", float("nan")
            for sparsity in in_order_of_sparsity(here.sparsity[here.method == method]):
                group = here[(here.method == method) & (here.sparsity == sparsity)]
                lost = float((group.set_index("seed").accuracy - dense[network]).mean())
                if not lost >= -TOLERANCE:
                    break
                best, difference = sparsity, lost
            # A network that keeps its trained weights has been trained to the end before.
            begin = steps["prune_at"] if steps["prune_at"] < end else steps["rewind_to"]
            rows.append(
                {
                    "network": network,
                    "method": method,
                    "sparsity": best,
                    "weights left (%)": 100 - float(best) if best else float("nan"),
                    "difference": difference,
                    "from update": begin,
                    "to update": begin + end - steps["schedule_from"],
                    "in retrospect": "yes" if begin < steps["prune_at"] else "no",
                    "n": int(here[here.method == method].seed.nunique()),
                }
            )
    columns = ["network", "method", "sparsity", "weights left (%)", "difference", "from update", "to update"]
    return pd.DataFrame(rows, columns=[*columns, "in retrospect", "n"])


@style.applied()
def draw(cells: pd.DataFrame, about: About) -> Figure:
    """A panel a network: the share of weights against the training step, a line a method."""
    rows = table(cells, about)
    networks = list(rows.network.unique())
    methods = style.in_order(set(rows.method), about.labels)
    looks = style.looks(methods)
    columns = min(2, max(1, len(networks)))
    lines = max(1, -(-len(networks) // columns))
    size = (style.TWO_COLUMNS, 1.3 + lines * (3.0 if columns == 1 else 2.3))
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(lines, columns, squeeze=False).flat)
    for axes, network in zip(panels, networks, strict=False):
        end = about.updates[network]["end"]
        found = rows[(rows.network == network) & (rows.sparsity != "")]
        for row in found.to_dict("records"):
            look = looks[row["method"]]
            begin, stop, left = row["from update"], row["to update"], row["weights left (%)"]
            retrospect = row["in retrospect"] == "yes"
            line = look.line() | {"linestyle": (0, (2, 2)) if retrospect else "-"}
            axes.plot([begin, begin, stop], [100, left, left], markevery=[1], clip_on=False, **line)
        axes.axvline(end, color="0.6", linewidth=0.8)
        axes.set_yscale("log")
        lowest = found["weights left (%)"].min() if len(found) else 10
        ticks = [tick for tick in (100, 50, 20, 10, 5, 2, 1, 0.5) if tick >= lowest / 2]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.set_ylim(ticks[-1], 110)
        axes.set_xlim(-0.02 * end, 2.02 * end)
        axes.set_title(network)
        axes.set_xlabel("update, counted from the start of all training")
        axes.set_ylabel("weights left (%)")
    for axes in panels[len(networks) :]:
        axes.set_axis_off()
    handles = [style.handle(style.label(method, about.labels), looks[method]) for method in methods]
    handles.append(Line2D([], [], color="0.6", linewidth=0.8, label="End of the schedule"))
    note = (
        "The fewest weights within one point of the dense network. Dashed: known in retrospect only."
        " A method without a line stays within it at no sparsity of the study."
    )
    style.legend(figure, handles, note)
    return figure
