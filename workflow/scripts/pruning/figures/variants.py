"""Test accuracy of methods beside their variants against sparsity: a panel a network and method."""

import pandas as pd
from matplotlib.figure import Figure

from pruning.drawing import curves, style
from pruning.drawing.accuracy_table import HEADING as HEADING
from pruning.drawing.accuracy_table import table as table
from pruning.figures import About


@style.applied()
def draw(cells: pd.DataFrame, about: About) -> Figure:
    """The unmodified cells: a block of panels a network, in it a panel a method: it and each of its variants."""
    cells = cells[cells.ablation == "none"]
    entries = style.methods(set(cells.method) - {style.DENSE}, about.labels)
    origin = {method: about.variant_of.get(method, method) for method in entries}
    titles = {method: style.label(method, about.labels) for method in dict.fromkeys(origin.values())}
    return curves.draw_blocks(cells.assign(panel=cells.method.map(origin), curve=cells.method), titles, entries)
