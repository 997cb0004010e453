"""Figures, a module each. It defines

    table(rows, about)   the numbers that are drawn, as a table; `HEADING` says in words what they are
    draw(rows, about)    a matplotlib Figure

of the rows of an experiment's cells. Neither needs torch, and what is in this file not even matplotlib.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ROWS = {
    "accuracy": "cells",
    "ablations": "cells",
    "layer_density": "layers",
    "effective_sparsity": "cells",
    "neuron_collapse": "neurons",
    "overview": "cells",
    "pruning_step": "cells",
    "pruning_step_ablations": "cells",
    "variants": "cells",
}
"""What each figure is drawn from: a row a cell, a layer of a cell, or a threshold of a cell's neurons (of masks alone).
A new figure is a file here and a line in this list."""


@dataclass(frozen=True)
class About:
    """What a figure may say of networks and methods beside the rows."""

    labels: Mapping[str, str]
    """{method: what it is called}, in order"""
    variant_of: Mapping[str, str]
    """{method: the method that it varies}"""
    ranges: Mapping[str, Mapping[str, Sequence[float]]]
    """{network: {name of a range: its lowest and highest sparsity}}"""
    updates: Mapping[str, Mapping[str, Any]]
    """{network: {"end": length of training, "milestones": drops of the learning rate}}, in updates"""
    steps: Mapping[str, Mapping[str, Mapping[str, int]]]
    """{network: {method: its prune_at, rewind_to and schedule_from}}, in updates"""
    retrained: Collection[str] = ()
    """the methods that remove 20% of what remains a round and train to the end in each"""
