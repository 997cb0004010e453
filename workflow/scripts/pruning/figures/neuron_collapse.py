"""How many neurons lost most of what leads into them, a panel a network and sparsity. From masks alone."""

import pandas as pd
from matplotlib.figure import Figure

from pruning.drawing import panels, style
from pruning.figures import About
from pruning.tables import mean_and_deviation

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
    entries = style.methods_and_ablations(neurons, about.labels)
    places = panels.networks_and_sparsities(neurons)
    figure, grid, _ = panels.grid(len(places))
    neurons = neurons.assign(key=neurons.method + "/" + neurons.ablation).sort_values("seed")
    for axes, (network, sparsity) in zip(grid, places, strict=True):
        here = neurons[(neurons.network == network) & (neurons.sparsity == sparsity)]
        for number, (key, (name, look)) in enumerate(entries.items()):
            share = here[here.key == key].groupby("threshold").share.mean()
            if len(share):
                # A marker every tenth threshold, of each curve at another place.
                line = look.line() | {"markersize": 3.5, "markevery": (7 * number % 10, 10)}
                axes.plot(share.index.tolist(), share.tolist(), label=name, clip_on=False, **line)
        axes.axvline(float(sparsity), color="0.4", linewidth=0.7, zorder=1.5)
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
        axes.set_title(panels.heading(network, sparsity, about))
        axes.set_xlabel("incoming weights removed, at least (%)")
        axes.set_ylabel("neurons (%)")
    counts = neurons.groupby(["network", "key", "sparsity"]).seed.nunique().tolist()
    note = f"{style.seeds(counts)} The upright line is the sparsity of the whole network." if counts else ""
    style.legend(figure, style.handles(entries), note)
    return figure
