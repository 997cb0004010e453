"""Accuracy of the unmodified methods against the step at which they prune: a panel a network and sparsity."""

import pandas as pd
from matplotlib.figure import Figure

from pruning.drawing import curves, panels, steps, style
from pruning.figures import About
from pruning.tables import mean_and_deviation

HEADING = (
    "Test accuracy in percent at the end of training: mean ± sample standard deviation over n seeds. update: when the"
    " method prunes, or, of one that prunes the trained network, to which update it rewinds. difference to lottery: to"
    " the unmodified lottery ticket rewound to the same update, over the seeds that both have."
)


def table(cells: pd.DataFrame, about: About) -> pd.DataFrame:
    """Rows network, ablation, sparsity, method and update; the dense network of each network first."""
    pruned = steps.with_steps(cells, about)
    same = ["network", "sparsity", "update", "seed"]
    rewound = pruned[(pruned.base == "lottery") & (pruned.ablation == "none")].set_index(same).accuracy
    names = ["network", "ablation", "method", "sparsity", "update"]
    rows = []
    for network in cells.network.unique():
        dense = cells[(cells.network == network) & (cells.method == style.DENSE)]
        if len(dense):
            name = {"network": network, "ablation": "none", "method": style.DENSE, "sparsity": "0", "update": ""}
            rows.append(name | _numbers(dense) | {"difference to lottery": ""})
        for key, group in pruned[pruned.network == network].groupby(names, sort=False):
            difference = group.set_index(same).accuracy - rewound
            if (group.base == "lottery").all() and (group.ablation == "none").all():
                difference = difference[:0]
            rows.append(
                dict(zip(names, map(str, key), strict=True))
                | _numbers(group)
                | {"difference to lottery": mean_and_deviation(difference.dropna())}
            )
    return pd.DataFrame(rows, columns=[*names, "accuracy", "difference to lottery", "n"])


def _numbers(group: pd.DataFrame) -> dict[str, object]:
    return {"accuracy": mean_and_deviation(group.accuracy), "n": len(group)}


@style.applied()
def draw(cells: pd.DataFrame, about: About) -> Figure:
    """A curve a method; one with a single step, among others with several, is a line across."""
    cells = cells[cells.ablation == "none"]
    pruned = steps.with_steps(cells, about)
    pruned = pruned.assign(curve=pruned.base)
    entries = style.methods(set(pruned.base), about.labels)
    places = panels.networks_and_sparsities(pruned)
    figure, grid, width = panels.grid(len(places))
    drawn = []
    for axes, (network, sparsity) in zip(grid, places, strict=True):
        here = pruned[(pruned.network == network) & (pruned.sparsity == sparsity)]
        axis = steps.StepAxis(here["update"][~here.across], about.updates[network]["milestones"])
        dense = curves.dense_of(cells[cells.network == network])
        drawn.append(steps.plot(axes, here, dense, entries, axis, width))
        curves.accuracy_axis(axes, drawn[-1])
        axes.set_title(panels.heading(network, sparsity, about))
        axes.set_xlabel(steps.UPDATE)
        axes.set_ylabel(curves.ACCURACY)
    style.legend(figure, steps.handles(cells, pruned, entries, about), steps.note(drawn, pruned, about))
    return figure
