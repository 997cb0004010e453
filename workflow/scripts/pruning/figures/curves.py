"""Accuracy against sparsity: the axes and curves that several figures share."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from pruning.figures import style
from pruning.statistics import Summary, summarise
from pruning.tables import in_order_of_sparsity

SPARSITY = "sparsity (% of the prunable weights removed)"
ACCURACY = "test accuracy (%)"

Curve = dict[str, Summary]
"""{sparsity: accuracy over the seeds}"""


def position(sparsity: str | float) -> float:
    """Place on the sparsity axis: each step of 1 removes 20% of what remains."""
    return math.log(1 - float(sparsity) / 100) / math.log(0.8)


def curve(cells: pd.DataFrame) -> Curve:
    """The accuracy of `cells`, one method and ablation on one network, in order of sparsity."""
    return {s: summarise(cells.accuracy[cells.sparsity == s].tolist()) for s in in_order_of_sparsity(cells.sparsity)}


def dense_of(cells: pd.DataFrame) -> Summary | None:
    accuracy = cells.accuracy[cells.method == style.DENSE]
    return summarise(accuracy.tolist()) if len(accuracy) else None


def plot_curve(axes: Axes, points: Curve, look: style.Look, label: str, shift: float) -> None:
    """Means, joined by a line, with bars of one sample standard deviation; no bar for a single replicate."""
    summaries = list(points.values())
    axes.errorbar(
        [position(sparsity) + shift for sparsity in points],
        [summary.mean for summary in summaries],
        yerr=[summary.deviation for summary in summaries] if any(s.n > 1 for s in summaries) else None,
        label=label,
        elinewidth=0.7,
        **look.line(),
    )


def plot_dense(axes: Axes, dense: Summary | None) -> None:
    """The dense network: a line at its mean in a band of one sample standard deviation."""
    if dense is None:
        return
    axes.axhline(dense.mean, color=style.DENSE_COLOUR, linewidth=0.8, zorder=1.5)
    if dense.n > 1:
        low, high = dense.mean - dense.deviation, dense.mean + dense.deviation
        axes.axhspan(low, high, color=style.DENSE_COLOUR, alpha=0.13, linewidth=0, zorder=1.4)


class SparsityAxis:
    """The sparsities of a study on a horizontal axis, equally far apart when each removes 20% of what remains."""

    def __init__(self, sparsities: Iterable[str]) -> None:
        self.sparsities = in_order_of_sparsity(sparsities)
        self.places = [position(sparsity) for sparsity in self.sparsities]
        gaps = np.diff(self.places)
        self.gap = float(min(gaps.min(), 3)) if len(gaps) else 2.0

    def dodge(self, count: int) -> list[float]:
        """How far aside `count` curves go: together over 0.4 of the smallest distance between sparsities."""
        return style.dodge(count, 0.4 * self.gap)

    def apply(self, axes: Axes, width: float) -> None:
        """Ticks and limits of `axes`, which are about `width` inches wide."""
        if not self.places:
            axes.set_xticks([])
            return
        margin = self.gap / 3
        low, high = self.places[0] - margin, self.places[-1] + margin
        axes.set_xlim(low, high)
        style.tick_labels(axes.xaxis, self.places, self._labels(0.13 * (high - low) / width), width)

    def _labels(self, room: float) -> list[str]:
        """Sparsities as text, without those that would come nearer to the one before than `room`."""
        labels, last = [], -math.inf
        for sparsity, place in zip(self.sparsities, self.places, strict=True):
            fits = place - last >= room
            labels.append(sparsity if fits else "")
            last = place if fits else last
        return labels


@dataclass(frozen=True)
class AccuracyAxis:
    """An accuracy axis whose part below `knee` is compressed where networks fell far: all are seen, and so are the
    differences among those near the dense network. Without such networks it is an ordinary axis."""

    low: float
    knee: float
    high: float

    NEAR = 0.9
    """share of the dense accuracy from which on the axis is never compressed"""
    COMPRESSED = 0.28
    """share of the axis that the compressed part takes"""

    @classmethod
    def over(cls, dense: Summary | None, points: Sequence[Summary]) -> "AccuracyAxis":
        """The axis for `points` and `dense`, of one network."""
        every = [*points, *([dense] if dense else [])]
        if not every:
            return cls(0, 0, 100)
        bars = [0 if math.isnan(s.deviation) else s.deviation for s in every]
        reference = dense.mean if dense else max(s.mean for s in every)
        near = [s.mean - bar for s, bar in zip(every, bars, strict=True) if s.mean >= cls.NEAR * reference]
        knee = max(0, math.floor(max(min(near), cls.NEAR * reference) - 0.25))
        top = max(s.mean + bar for s, bar in zip(every, bars, strict=True))
        far = len(near) < len(every)
        return cls(0 if far else knee, knee, top + max(0.05 * (top - knee), 0.1))

    @property
    def is_compressed(self) -> bool:
        return self.low < self.knee

    def forward(self, accuracy: np.ndarray) -> np.ndarray:
        """Height on the axis, from 0 to 1, of an accuracy."""
        below = self.COMPRESSED * (np.asarray(accuracy) - self.low) / (self.knee - self.low)
        above = self.COMPRESSED + (1 - self.COMPRESSED) * (np.asarray(accuracy) - self.knee) / (self.high - self.knee)
        return np.where(below < self.COMPRESSED, below, above)

    def backward(self, height: np.ndarray) -> np.ndarray:
        """The accuracy at a height on the axis."""
        below = self.low + np.asarray(height) / self.COMPRESSED * (self.knee - self.low)
        above = self.knee + (np.asarray(height) - self.COMPRESSED) / (1 - self.COMPRESSED) * (self.high - self.knee)
        return np.where(np.asarray(height) < self.COMPRESSED, below, above)

    def apply(self, axes: Axes) -> None:
        ticks = [float(t) for t in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(self.knee, min(self.high, 100))]
        ticks = [tick for tick in ticks if self.knee <= tick <= min(self.high, 100)]
        if self.is_compressed:
            axes.set_yscale("function", functions=(self.forward, self.backward))
            heights = dict(zip(ticks, self.forward(np.array(ticks)), strict=True))
            ticks = [t for t in ticks if heights[t] - self.COMPRESSED > 0.05]
            ticks = [float(t) for t in (0, 25, 50, 75) if self.forward(np.array(t)) < self.COMPRESSED - 0.05] + [
                float(self.knee),
                *ticks,
            ]
            axes.axhspan(self.low, self.knee, color=style.SHADE, linewidth=0, zorder=0)
        axes.set_ylim(self.low, self.high)
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])


def key(dense: bool, compressed: bool) -> list[Artist]:
    """Legend entries of what every panel has beside its curves."""
    entries: list[Artist] = []
    if dense:
        entries.append(Line2D([], [], color=style.DENSE_COLOUR, linewidth=0.8, label="Dense network"))
    if compressed:
        entries.append(Patch(color=style.SHADE, label="compressed part of the axis"))
    return entries


def note(summaries: Iterable[Summary]) -> str:
    """What points and bars are, in words."""
    counts = sorted({summary.n for summary in summaries})
    if not counts:
        return ""
    if counts == [1]:
        return "One seed: no error bars."
    seeds = f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
    return f"Mean over {seeds}; bars, and the band of the dense network: ± one sample standard deviation."
