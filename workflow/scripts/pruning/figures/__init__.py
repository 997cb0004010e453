"""Figures, a module each. It defines

    table(rows, about)   the numbers that are drawn, as a table; `HEADING` says in words what they are
    draw(rows, about)    a matplotlib Figure

of the rows of an experiment's cells; a caption of its name lies in workflow/report. Neither needs torch, and what is in
this file not even matplotlib.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROWS = {
    **dict.fromkeys(sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py")), "cells"),
    "layer_density": "layers",
    "neuron_collapse": "neurons",
}
"""What each figure is drawn from: a row a cell if nothing else is said here; a layer of a cell, or a threshold of a
cell's neurons (of masks alone)."""


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
    rewinds: Mapping[str, str] = field(default_factory=dict)
    """{network: how sure the step is to which its lottery tickets rewind}"""
    retrained: Collection[str] = ()
    """the methods that remove 20% of what remains a round and train to the end in each"""
    published: Sequence[Mapping[str, str]] = ()
    """lines of config/published.csv for these networks and methods"""
