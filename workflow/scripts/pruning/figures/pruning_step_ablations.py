"""Accuracy of methods and of their ablations against the step at which they prune: a panel a network and method."""

import pandas as pd
from matplotlib.figure import Figure

from pruning.drawing import curves, panels, steps, style
from pruning.figures import About
from pruning.figures.pruning_step import HEADING as HEADING
from pruning.figures.pruning_step import table as table
from pruning.statistics import Summary


@style.applied()
def draw(cells: pd.DataFrame, about: About) -> Figure:
    """A block of panels a network and sparsity, in it a panel a method and a curve an ablation."""
    pruned = steps.with_steps(cells, about)
    pruned = pruned.assign(block=pruned.network + "/" + pruned.sparsity, curve=pruned.ablation)
    titles = {method: name for method, (name, _) in style.methods(set(pruned.base), about.labels).items()}
    entries = {name: entry for name, entry in style.ABLATIONS.items() if name in set(pruned.ablation)}
    names = {
        f"{network}/{sparsity}": panels.heading(network, sparsity, about).replace("\n", ", ")
        for network, sparsity in panels.networks_and_sparsities(pruned)
    }
    figure, found, width = panels.blocks(names, titles, steps.UPDATE, curves.ACCURACY, same_x=False)
    drawn: list[list[Summary]] = []
    for name in names:
        network = name.split("/")[0]
        here = pruned[pruned.block == name]
        axis = steps.StepAxis(here["update"], about.updates[network]["milestones"])
        dense = curves.dense_of(cells[cells.network == network])
        block = {method: axes for (block, method), axes in found.items() if block == name}
        drawn.append([])
        for method, axes in block.items():
            drawn[-1] += steps.plot(axes, here[here.base == method], dense, entries, axis, width)
        for axes in block.values():
            curves.accuracy_axis(axes, drawn[-1])
    style.legend(figure, steps.handles(cells, pruned, entries, about), steps.note(drawn, pruned, about))
    return figure
