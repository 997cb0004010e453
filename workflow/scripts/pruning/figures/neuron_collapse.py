"""How many neurons lost most of what leads into them, a panel a network and sparsity. From masks alone."""

import pandas as pd
from matplotlib.figure import Figure

from pruning.drawing import style
from pruning.figures import About
from pruning.figures.accuracy import curve_label, curve_look
from pruning.tables import in_order_of_sparsity, mean_and_deviation

HEADING = (
    "Neurons (units of linear layers, channels of convolutions) that lost at least so many percent of the weights that"
    " lead into them, in percent of all neurons: mean ± sample standard deviation over n seeds. 100: nothing is left."
)
SHOWN = (50, 80, 90, 95, 99, 100)
"""the thresholds of the table"""


def table(neurons: pd.DataFrame, about: About) -> pd.DataFrame:
    """Rows network, sparsity, ablation and method; columns thresholds."""
    names = ["network", "ablation", "method", "sparsity"]
    rows = [
        dict(zip(names, key, strict=True))
        | {str(t): mean_and_deviation(group.share[group.threshold == t]) for t in SHOWN}
        | {"n": group.seed.nunique()}
        for key, group in neurons.groupby(names, sort=False)
    ]
    return pd.DataFrame(rows, columns=[*names, *map(str, SHOWN), "n"])


@style.applied()
def draw(neurons: pd.DataFrame, about: About) -> Figure:
    """A curve a method and ablation: mean share of neurons against the share of incoming weights that they lost."""
    methods = style.in_order(set(neurons.method), about.labels)
    present = set(zip(neurons.method, neurons.ablation, strict=True))
    keys = [(method, ablation) for method in methods for ablation in style.ABLATIONS if (method, ablation) in present]
    places = [
        (network, sparsity)
        for network in sorted(neurons.network.unique())
        for sparsity in in_order_of_sparsity(neurons.sparsity[neurons.network == network])
    ]
    columns = min(2, max(1, len(places)))
    rows = max(1, -(-len(places) // columns))
    figure = Figure(figsize=(style.TWO_COLUMNS, 1.1 + 2.3 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False, sharey=True).flat)
    looks = {key: curve_look(*key, style.looks(methods)) for key in keys}
    names = {key: curve_label(*key, about.labels) for key in keys}
    for axes, (network, sparsity) in zip(panels, places, strict=False):
        here = neurons[(neurons.network == network) & (neurons.sparsity == sparsity)]
        for key in keys:
            cells = here[(here.method == key[0]) & (here.ablation == key[1])]
            share = cells.groupby("threshold").share.mean()
            look = looks[key].line() | {"markersize": 3, "markevery": (5 * keys.index(key) % 10, 10)}
            axes.plot(share.index.tolist(), share.tolist(), label=names[key], clip_on=False, **look)
        axes.axvline(float(sparsity), color="0.4", linewidth=0.7, zorder=1.5)
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
        axes.set_title(f"{network}, {sparsity}% removed")
        axes.set_xlabel("incoming weights removed, at least (%)")
        axes.set_ylabel("neurons (%)")
        axes.label_outer(remove_inner_ticks=False)
        axes.set_xlabel("incoming weights removed, at least (%)")
    for axes in panels[len(places) :]:
        axes.set_axis_off()
    counts = neurons.groupby(["network", "method", "sparsity", "ablation"]).seed.nunique().tolist()
    note = f"{style.seeds(counts)} The upright line is the sparsity of the whole network." if counts else ""
    style.legend(figure, [style.handle(names[key], looks[key]) for key in keys], note)
    return figure
