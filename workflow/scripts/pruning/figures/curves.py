"""Accuracy against sparsity: the axes and curves that several figures share."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pruning.figures import style
from pruning.statistics import Summary, summarise
from pruning.tables import in_order_of_sparsity

SPARSITY = "sparsity (% of the prunable weights removed)"
ACCURACY = "test accuracy (%), log scale of the error"

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


def plot_curve(axes: Axes, points: Curve, look: style.Look, label: str, shift: float, size: float) -> None:
    """Means, joined by a line, with bars of one sample standard deviation; no bar for a single replicate."""
    summaries = list(points.values())
    axes.errorbar(
        [position(sparsity) + shift for sparsity in points],
        [summary.mean for summary in summaries],
        yerr=[summary.deviation for summary in summaries] if any(s.n > 1 for s in summaries) else None,
        label=label,
        elinewidth=0.7,
        markersize=size,
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

    def marker_size(self, width: float) -> float:
        """Of markers, in points, on a panel about `width` inches wide."""
        return min(4, 45 * width / (3 + len(self.places)))

    def apply(self, axes: Axes, width: float) -> None:
        """Ticks and limits of `axes`, which are about `width` inches wide."""
        if not self.places:
            axes.set_xticks([])
            return
        margin = max(self.gap / 3, 0.03 * (self.places[-1] - self.places[0]))
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


def accuracy_axis(axes: Axes, summaries: Sequence[Summary]) -> None:
    """An accuracy axis over `summaries` that is logarithmic in the error: networks that fell to chance are seen, and so
    are differences of a fraction of a percent among those near the dense network."""
    axes.set_yscale("function", functions=(height, accuracy_at))
    bars = [0 if math.isnan(summary.deviation) else summary.deviation for summary in summaries]
    ends = [s.mean + sign * bar for s, bar in zip(summaries, bars, strict=True) for sign in (-1, 1)]
    low, high = (float(height(end)) for end in (max(min(ends, default=0), 0), max(ends, default=90)))
    margin = max(0.05 * (high - low), 0.01)
    low, high = low - margin, high + margin
    axes.set_ylim(float(accuracy_at(low)), float(accuracy_at(high)))
    ticks = _round_accuracies(low, high)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])


LEAST_ERROR = 0.05
"""percent, below which errors are not told apart: a logarithm has no place for 0"""


def height(accuracy: np.ndarray | float) -> np.ndarray:
    """Place on the accuracy axis of an accuracy in percent."""
    return -np.log10(np.maximum(100 - np.asarray(accuracy), LEAST_ERROR))


def accuracy_at(place: np.ndarray | float) -> np.ndarray:
    """The accuracy in percent at a place on the accuracy axis."""
    return 100 - 10 ** -np.asarray(place)


def _round_accuracies(low: float, high: float) -> list[float]:
    """The roundest accuracies between two places on the axis that leave each other room for a label."""
    room = 0.1 * (high - low)
    ticks: list[float] = []
    for step in (50, 10, 5, 2, 1, 0.5, 0.2, 0.1):
        for tick in (100 - step * i for i in range(1, math.floor(100 / step) + 1)):
            place = float(height(tick))
            if low <= place <= high and all(abs(place - height(other)) >= room for other in ticks):
                ticks.append(round(tick, 1))
    return sorted(ticks)


def dense_entry() -> Artist:
    """The legend entry of the dense network."""
    return Line2D([], [], color=style.DENSE_COLOUR, linewidth=0.8, label="Dense network")


def note(summaries: Iterable[Summary]) -> str:
    """What points and bars are, in words."""
    counts = sorted({summary.n for summary in summaries})
    if not counts:
        return ""
    if counts == [1]:
        return "One seed: no error bars."
    seeds = f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
    return f"Mean over {seeds}; bars, and the band of the dense network: ± one sample standard deviation."
