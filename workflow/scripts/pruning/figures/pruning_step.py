"""Accuracy of the unmodified methods against the step at which they prune: a panel a network and sparsity."""

import pandas as pd
from matplotlib.figure import Figure

from pruning.drawing import steps, style
from pruning.figures import About
from pruning.tables import in_order_of_sparsity, mean_and_deviation

HEADING = (
    "Test accuracy in percent at the end of training: mean ± sample standard deviation over n seeds. update: when the"
    " method prunes, or, of one that prunes the trained network, to which update it rewinds; of the dense network, the"
    " end. difference to lottery: to the lottery ticket rewound to the same update, mean over the seeds of both."
)


def table(cells: pd.DataFrame, about: About) -> pd.DataFrame:
    """Rows network, ablation, sparsity, method and update; the dense network of each network first."""
    pruned = steps.with_steps(cells, about)
    lottery = pruned[(pruned.base == "lottery") & (pruned.ablation == "none")]
    rewound = lottery.set_index(["network", "sparsity", "update", "seed"]).accuracy
    rows = []
    for network in cells.network.unique():
        dense = cells[(cells.network == network) & (cells.method == style.DENSE)]
        rows.append({"network": network, "ablation": "none", "method": style.DENSE, "sparsity": "0"} | _numbers(dense))
        names = ["network", "ablation", "method", "sparsity"]
        for key, group in pruned[pruned.network == network].groupby(names, sort=False):
            update = steps.step_of(about.steps[network][str(key[2])], about.updates[network]["end"])
            same = pd.MultiIndex.from_frame(group.assign(update=float(update))[rewound.index.names])
            difference = (group.accuracy.to_numpy() - rewound.reindex(same).to_numpy()).tolist()
            rows.append(
                dict(zip(names, key, strict=True))
                | {"update": str(update), "difference to lottery": mean_and_deviation(pd.Series(difference).dropna())}
                | _numbers(group)
            )
    columns = ["network", "ablation", "method", "sparsity", "update", "accuracy", "difference to lottery", "n"]
    return pd.DataFrame(rows, columns=columns).fillna("")


def _numbers(group: pd.DataFrame) -> dict[str, object]:
    return {"accuracy": mean_and_deviation(group.accuracy), "n": len(group)}


@style.applied()
def draw(cells: pd.DataFrame, about: About) -> Figure:
    """A curve a method; those with one step only are lines across."""
    cells = cells[cells.ablation == "none"]
    pruned = steps.with_steps(cells, about)
    titles = {
        f"{network}/{sparsity}": f"{network}, {sparsity}% removed"
        for network in sorted(pruned.network.unique())
        for sparsity in in_order_of_sparsity(pruned.sparsity[pruned.network == network])
    }
    methods = style.in_order(set(pruned.base), about.labels)
    found = style.looks(methods)
    looks = {method: (style.label(method, about.labels), found[method]) for method in methods}
    pruned = pruned.assign(panel=pruned.network + "/" + pruned.sparsity, curve=pruned.base)
    return steps.draw(steps.with_dense(pruned, cells, titles), about, titles, looks)
