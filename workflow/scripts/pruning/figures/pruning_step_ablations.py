"""Accuracy of methods and of their ablations against the step at which they prune: a panel a network and method."""

import pandas as pd
from matplotlib.figure import Figure

from pruning.drawing import steps, style
from pruning.figures import About
from pruning.figures.pruning_step import HEADING as HEADING
from pruning.figures.pruning_step import table as table


@style.applied()
def draw(cells: pd.DataFrame, about: About) -> Figure:
    """A curve an ablation, in panels of one network, sparsity and method."""
    pruned = steps.with_steps(cells, about)
    panel = pruned.network + "/" + pruned.sparsity + "/" + pruned.base
    pruned = pruned.assign(panel=panel, curve=pruned.ablation)
    methods = style.in_order(set(pruned.base), about.labels)
    found = sorted(set(panel), key=lambda name: (name.split("/")[:2], methods.index(name.split("/")[2])))
    titles = {
        name: "{}, {}% removed: {}".format(*name.split("/")[:2], style.label(name.split("/")[2], about.labels))
        for name in found
    }
    looks = {name: look for name, look in style.ABLATIONS.items() if name in set(pruned.ablation)}
    return steps.draw(steps.with_dense(pruned, cells, titles), about, titles, looks)
