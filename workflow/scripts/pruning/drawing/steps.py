"""Accuracy against the training step at which a method prunes, or to which it rewinds."""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pruning.drawing import curves, style
from pruning.figures import About
from pruning.statistics import Summary

UPDATE = "update (cube-root axis)"
DROP: dict[str, Any] = {"color": "0.6", "linewidth": 0.8, "linestyle": (0, (2, 2))}


def with_steps(cells: pd.DataFrame, about: About) -> pd.DataFrame:
    """Pruned cells with three columns more.

    base: the method without its step. update: when it prunes; of one that prunes the trained network, to which update
    it rewinds. across: whether there is one update only of this method and several of others, so that it is no curve
    but a line across the panel.
    """
    cells = cells[cells.method != style.DENSE]
    steps = [about.steps[network][method] for network, method in zip(cells.network, cells.method, strict=True)]
    ends = [about.updates[network]["end"] for network in cells.network]
    updates = [
        step["rewind_to"] if step["prune_at"] == end else step["prune_at"]
        for step, end in zip(steps, ends, strict=True)
    ]
    cells = cells.assign(base=[method.partition("@")[0] for method in cells.method], update=updates)
    counts = cells.groupby(["network", "base"])["update"].transform("nunique")
    return cells.assign(across=(counts == 1) & (counts.groupby(cells.network).transform("max") > 1))


def plot(
    axes: Axes, cells: pd.DataFrame, dense: Summary | None, entries: style.Entries, axis: "StepAxis", width: float
) -> list[Summary]:
    """Draw the curves of `cells`, which have a column `curve`, on a panel about `width` inches wide.

    Returns all points of the panel, for its accuracy axis.
    """
    curves.plot_dense(axes, dense)
    drawn = [dense] if dense else []
    for shift, (key, entry) in zip(axis.dodge(len(entries)), entries.items(), strict=True):
        here = cells[cells.curve == key]
        if here.across.any():
            line = curves.over_seeds(here)
            axes.axhline(line.mean, label=entry[0], linewidth=1.1, **_line(entry[1]))
            drawn.append(line)
        elif len(here):
            points = {
                update: curves.over_seeds(here[here["update"] == update]) for update in sorted(set(here["update"]))
            }
            places = [axis.place(update) + shift for update in points]
            curves.plot_points(axes, places, list(points.values()), entry, axis.marker_size(width))
            drawn += points.values()
    axis.apply(axes, width)
    return drawn


def _line(look: style.Look) -> dict[str, Any]:
    return {key: value for key, value in look.line().items() if key in ("color", "linestyle")}


def handles(cells: pd.DataFrame, pruned: pd.DataFrame, entries: style.Entries, about: About) -> list[Line2D]:
    """The legend's entries; a method that is a line across has no marker there either."""
    across = set(pruned.curve[pruned.across])
    shown = {key: (name, replace(look, marker="") if key in across else look) for key, (name, look) in entries.items()}
    found = style.handles(shown) + curves.dense_entries(cells)
    if any(about.updates[network]["milestones"] for network in pruned.network.unique()):
        found.append(Line2D([], [], label="Drop of the learning rate", **DROP))
    return found


def rewinds(about: About, methods: Iterable[str], networks: Iterable[str]) -> str:
    """A sentence on the networks whose own rewind step is a recollection of the paper, where it is shown."""
    unsure = [network for network in dict.fromkeys(networks) if about.rewinds.get(network) == "unverified"]
    shown = {"lottery", "lottery-iterative"} & set(methods)
    return f" The step to which lottery tickets rewind is unverified: {', '.join(unsure)}." if unsure and shown else ""


def note(panels: Iterable[list[Summary]], pruned: pd.DataFrame, about: About) -> str:
    """What points, bars and axes are, in words."""
    text = curves.note([summaries for summaries in panels if summaries])
    text += "\nUpdate: at which the weights are scored and pruned; of a lottery ticket, to which they are rewound."
    if pruned.across.any():
        text += " Lines across: methods with one such update only, at whatever place."
    return text + rewinds(about, pruned.method, pruned.network)


class StepAxis:
    """Updates on a horizontal axis, at the cube root of their number: there is room for early and for late ones."""

    def __init__(self, updates: Iterable[int], milestones: Iterable[int] = ()) -> None:
        self.updates, self.milestones = sorted(set(updates)) or [0], list(milestones)
        self.places = [self.place(update) for update in self.updates]

    def place(self, update: float) -> float:
        return float(update ** (1 / 3))

    @property
    def span(self) -> float:
        return self.places[-1] - self.places[0] or 1.0

    def dodge(self, count: int) -> list[float]:
        """How far aside `count` curves go."""
        return style.dodge(count, 0.03 * self.span if len(self.places) > 2 else 0.1 * self.span)

    def marker_size(self, width: float) -> float:
        """Of markers, in points, on a panel about `width` inches wide."""
        return min(4, max(2.2, 22 * width / (3 + len(self.places))))

    def apply(self, axes: Axes, width: float) -> None:
        """Ticks, limits and drops of the learning rate on `axes`, which are about `width` inches wide."""
        margin = 0.05 * self.span
        axes.set_xlim(self.places[0] - margin, self.places[-1] + margin)
        for milestone in self.milestones:
            axes.axvline(self.place(milestone), **DROP)
        ticks = self.ticks(0.17 / width * (self.span + 2 * margin))
        style.tick_labels(axes, [self.place(tick) for tick in ticks], [str(tick) for tick in ticks], width)

    def ticks(self, room: float) -> list[int]:
        """The updates themselves where they leave each other `room`, else round numbers that do."""
        if all(after - before >= room for before, after in itertools.pairwise(self.places)):
            return self.updates
        low, high = self.updates[0], self.updates[-1]
        found = [low] if low == 0 else []
        for number in sorted(first * 10**power for power in range(8) for first in (1, 2, 5)):
            if low <= number <= high and all(self.place(number) - self.place(other) >= 1.5 * room for other in found):
                found.append(number)
        return found
