"""Accuracy against the training step at which a method prunes, or to which it rewinds."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pruning.drawing import curves, style
from pruning.figures import About
from pruning.statistics import Summary

STEP = "update at which it is pruned (lottery: to which it is rewound)"
DROP: dict[str, Any] = {"color": "0.6", "linewidth": 0.8, "linestyle": (0, (2, 2))}


def step_of(steps: Mapping[str, int], end: int) -> int:
    """The update at which a method prunes; of one that prunes the trained network, the update to which it rewinds."""
    return steps["rewind_to"] if steps["prune_at"] == end else steps["prune_at"]


def with_steps(cells: pd.DataFrame, about: About) -> pd.DataFrame:
    """Pruned cells with the columns `base` (the method without its step) and `update`.

    Methods of which there is one step only have no update (NaN): they are drawn as a line across.
    """
    cells = cells[cells.method != style.DENSE]
    names = zip(cells.network.astype(str), cells.method.astype(str), strict=True)
    updates = [float(step_of(about.steps[net][method], about.updates[net]["end"])) for net, method in names]
    cells = cells.assign(base=[str(method).partition("@")[0] for method in cells.method], update=updates)
    counts = cells.groupby(["network", "base"]).update.transform("nunique")
    return cells.assign(update=cells["update"].where(counts > 1))


def with_dense(pruned: pd.DataFrame, cells: pd.DataFrame, panels: Iterable[str]) -> pd.DataFrame:
    """`pruned` and, for each of `panels` (NETWORK/...), the dense cells of its network."""
    dense = cells[cells.method == style.DENSE]
    copies = [dense[dense.network == panel.split("/")[0]].assign(panel=panel) for panel in panels]
    return pd.concat([pruned, *copies], ignore_index=True)


def draw(
    cells: pd.DataFrame, about: About, titles: Mapping[str, str], looks: Mapping[str, tuple[str, style.Look]]
) -> Figure:
    """A panel for every key of `titles`, in it a curve or a line across for every key of `looks`.

    `cells` are those of `with_steps`, with columns `panel` and `curve`; those of dense networks have no `curve`.
    """
    columns = min(2, max(1, len(titles)))
    rows = max(1, -(-len(titles) // columns))
    figure = Figure(figsize=(style.TWO_COLUMNS, 1.2 + 2.4 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    drawn: list[list[Summary]] = []
    for axes, (panel, title) in zip(panels, titles.items(), strict=False):
        here = cells[cells.panel == panel]
        dense = curves.dense_of(here)
        curves.plot_dense(axes, dense)
        drawn.append([dense] if dense else [])
        updates = about.updates[here.network.iloc[0]]
        axis = StepAxis(here["update"].dropna().tolist(), updates["end"])
        for key, (name, look) in looks.items():
            points = here[here.curve == key]
            without_step = points[points["update"].isna()]
            if len(without_step):
                drawn[-1].append(curves.over_seeds(without_step))
                axes.axhline(drawn[-1][-1].mean, color=look.colour, linewidth=1, linestyle=look.line()["linestyle"])
            by_step = {u: curves.over_seeds(group) for u, group in points.dropna(subset="update").groupby("update")}
            if by_step:
                drawn[-1] += by_step.values()
                axes.errorbar(
                    [axis.place(float(str(update))) for update in by_step],
                    [summary.mean for summary in by_step.values()],
                    yerr=[s.deviation for s in by_step.values()] if any(s.n > 1 for s in by_step.values()) else None,
                    label=name,
                    elinewidth=0.7,
                    markersize=3.5,
                    **look.line(),
                )
        for milestone in updates["milestones"]:
            axes.axvline(axis.place(milestone), **DROP)
        curves.accuracy_axis(axes, drawn[-1])
        axis.apply(axes, style.TWO_COLUMNS / columns - 0.6)
        axes.set_title(title)
        axes.set_xlabel(STEP)
        axes.set_ylabel(curves.ACCURACY)
    for axes in panels[len(titles) :]:
        axes.set_axis_off()
    across = set(cells.curve[cells["update"].isna()])
    handles = [
        style.handle(name, replace(look, marker="") if key in across else look) for key, (name, look) in looks.items()
    ]
    if any(drawn):
        handles.append(curves.dense_entry())
    if any(updates["milestones"] for updates in about.updates.values()):
        handles.append(Line2D([], [], label="Drop of the learning rate", **DROP))
    style.legend(figure, handles, curves.note(drawn))
    return figure


class StepAxis:
    """Updates on a horizontal axis, logarithmic from the first that is not 0, with a place for 0."""

    def __init__(self, updates: list[float], end: int) -> None:
        self.updates, self.end = sorted(set(updates)), end
        self.first = min((update for update in self.updates if update > 0), default=1.0)

    def place(self, update: float) -> float:
        return 1 + math.log10(update / self.first) if update else 0.0

    def apply(self, axes: Axes, width: float) -> None:
        axes.set_xlim(-0.15, self.place(max([*self.updates, self.first])) + 0.15)
        style.tick_labels(
            axes, [self.place(update) for update in self.updates], [f"{u:g}" for u in self.updates], width
        )
