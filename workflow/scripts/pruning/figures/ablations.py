"""Test accuracy of each method and of its ablations against sparsity: a panel a network and method."""

import pandas as pd
from matplotlib.figure import Figure

from pruning.drawing import curves, style
from pruning.drawing.accuracy_table import HEADING as HEADING
from pruning.drawing.accuracy_table import table as table
from pruning.figures import About


@style.applied()
def draw(cells: pd.DataFrame, about: About) -> Figure:
    """A block of panels a network, in it a panel a method and a curve an ablation."""
    pruned = cells[cells.method != style.DENSE]
    titles = {method: name for method, (name, _) in style.methods(set(pruned.method), about.labels).items()}
    entries = {name: entry for name, entry in style.ABLATIONS.items() if name in set(pruned.ablation)}
    return curves.draw_blocks(cells.assign(panel=cells.method, curve=cells.ablation), titles, entries)
