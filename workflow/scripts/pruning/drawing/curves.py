"""Accuracy against sparsity: the axes and curves that several figures share."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pruning.drawing import panels, style
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
    return {
        sparsity: over_seeds(cells[cells.sparsity == sparsity]) for sparsity in in_order_of_sparsity(cells.sparsity)
    }


def over_seeds(cells: pd.DataFrame) -> Summary:
    """In order of seed, so that the last bits of a sum do not depend on the order of rows."""
    return summarise(cells.sort_values("seed").accuracy.tolist())


def bar(summary: Summary) -> tuple[float, float]:
    """The ends of an error bar: one sample standard deviation; none for a single replicate."""
    deviation = 0 if math.isnan(summary.deviation) else summary.deviation
    return summary.mean - deviation, summary.mean + deviation


def dense_of(cells: pd.DataFrame) -> Summary | None:
    dense = cells[cells.method == style.DENSE]
    return over_seeds(dense) if len(dense) else None


def drawn(lines: Iterable[Curve], dense: Summary | None) -> list[Summary]:
    """All points of a network."""
    points = [summary for line in lines for summary in line.values()]
    return [*points, dense] if dense else points


def plot_curve(axes: Axes, points: Curve, entry: tuple[str, style.Look], shift: float, size: float) -> None:
    """The curve of `points` against sparsity, moved aside by `shift`."""
    places = [position(sparsity) + shift for sparsity in points]
    plot_points(axes, places, list(points.values()), entry, size)


def plot_points(
    axes: Axes, places: Sequence[float], summaries: Sequence[Summary], entry: tuple[str, style.Look], size: float
) -> None:
    """Means, joined by a line, with bars of one sample standard deviation; no bar for a single replicate."""
    name, look = entry
    axes.errorbar(
        list(places),
        [summary.mean for summary in summaries],
        yerr=[summary.deviation for summary in summaries] if any(s.n > 1 for s in summaries) else None,
        label=name,
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
        axes.axhspan(*bar(dense), color=style.DENSE_COLOUR, alpha=0.13, linewidth=0, zorder=1.4)


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
        return min(4, max(2.6, 25 * width / (3 + len(self.places))))

    def apply(self, axes: Axes, width: float) -> None:
        """Ticks and limits of `axes`, which are about `width` inches wide."""
        if not self.places:
            axes.set_xticks([])
            return
        margin = max(self.gap / 3, 0.03 * (self.places[-1] - self.places[0]))
        axes.set_xlim(self.places[0] - margin, self.places[-1] + margin)
        style.tick_labels(axes, self.places, self.sparsities, width)


ROUND = [0, 20, 50, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99, 99.995, 99.998, 99.999]
"""sparsities in percent, about equally far apart"""


def round_sparsities(axes: Axes, places: Sequence[float], width: float) -> None:
    """Limits around `places`, and ticks at round sparsities, on `axes` that are about `width` inches wide."""
    if not places:
        axes.set_xticks([])
        return
    margin = max(0.04 * (max(places) - min(places)), 0.3)
    low, high = min(places) - margin, max(places) + margin
    axes.set_xlim(low, high)
    ticks = [sparsity for sparsity in ROUND if low <= position(sparsity) <= high]
    style.tick_labels(axes, [position(tick) for tick in ticks], [f"{tick:g}" for tick in ticks], width)


def accuracy_limits(summaries: Sequence[Summary]) -> tuple[float, float]:
    """The lowest and highest accuracy that an axis for `summaries` must show: every mean, and bars as far as they lie
    above 0 and below half of the smallest mean error, since a logarithm never ends."""
    lows, highs = zip(*map(bar, summaries), strict=True)
    least_error = max((100 - max(summary.mean for summary in summaries)) / 2, LEAST_ERROR)
    return max(min(lows), 0), min(max(highs), 100 - least_error)


def accuracy_axis(axes: Axes, summaries: Sequence[Summary]) -> None:
    """An accuracy axis that is logarithmic in the error: networks that fell to chance are seen, and so are differences
    of a fraction of a percent near the dense network."""
    axes.set_yscale("function", functions=(height, accuracy_at))
    low, high = (float(height(limit)) for limit in accuracy_limits(summaries))
    margin = max(0.05 * (high - low), 0.01)
    axes.set_ylim(float(accuracy_at(low - margin)), float(accuracy_at(high + margin)))
    ticks = _round_accuracies(low - margin, high + margin)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])


LEAST_ERROR = 0.05
"""percent, below which errors are not told apart: a logarithm has no place for 0"""


def height(accuracy: np.ndarray | float) -> np.ndarray:
    """Place on the accuracy axis of an accuracy in percent."""
    return np.asarray(-np.log10(np.maximum(100 - np.asarray(accuracy), LEAST_ERROR)))


def accuracy_at(place: np.ndarray | float) -> np.ndarray:
    """The accuracy in percent at a place on the accuracy axis."""
    return np.asarray(100 - np.power(10.0, -np.asarray(place)))


def _round_accuracies(low: float, high: float) -> list[float]:
    """Round accuracies between two places on the axis that leave each other room for a label, five or more."""
    round_errors: list[list[float]] = [[100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1]]
    for step in (10, 5, 1, 0.5, 0.1):
        round_errors.append([step * i for i in range(1, math.floor(100 / step) + 1)])
    room = 0.1 * (high - low)
    ticks: list[float] = []
    for errors in round_errors:
        for error in errors:
            place = float(height(100 - error))
            if low <= place <= high and all(abs(place - height(other)) >= room for other in ticks):
                ticks.append(round(100 - error, 1))
        if len(ticks) >= 5:
            break
    return sorted(ticks)


def dense_entries(cells: pd.DataFrame) -> list[Line2D]:
    """The legend entry of the dense network, where it is among `cells`."""
    if style.DENSE not in set(cells.method):
        return []
    return [Line2D([], [], color=style.DENSE_COLOUR, linewidth=0.8, label="Dense network")]


def draw_blocks(cells: pd.DataFrame, titles: Mapping[str, str], entries: style.Entries) -> Figure:
    """A block of panels a network, in it a panel for every key of `titles`, in that a curve for every key of `entries`.

    `cells` say with the columns `panel` and `curve` where they belong; those of dense networks are in all panels.
    """
    networks = sorted(cells.network.unique())
    figure, found, width = panels.blocks(panels.by_name(networks), titles, "sparsity (%)", ACCURACY, same_x=True)
    axis = SparsityAxis(cells.sparsity[cells.method != style.DENSE])
    shifts = dict(zip(entries, axis.dodge(len(entries)), strict=True))
    drawn_of: dict[str, list[Summary]] = {}
    for network in networks:
        here = cells[cells.network == network]
        dense = dense_of(here)
        drawn_of[network] = [dense] if dense else []
        for (name, panel), axes in found.items():
            if name == network:
                plot_dense(axes, dense)
                for key, entry in entries.items():
                    points = curve(here[(here.panel == panel) & (here.curve == key)])
                    if points:
                        plot_curve(axes, points, entry, shifts[key], axis.marker_size(width))
                    drawn_of[network] += points.values()
    for (network, _), axes in found.items():
        accuracy_axis(axes, drawn_of[network])
        axis.apply(axes, width)
    style.legend(figure, style.handles(entries) + dense_entries(cells), note([*drawn_of.values()]))
    return figure


def note(networks: Sequence[Sequence[Summary]]) -> str:
    """What points, bars and the axis are, in words; `networks` holds what is drawn of each."""
    counts = sorted({summary.n for summaries in networks for summary in summaries})
    text = style.seeds(counts)
    if any(count > 1 for count in counts):
        text += " Bars, and the band of the dense network: ± one sample standard deviation."
    text += "\nAccuracy axis: logarithmic in the error."
    limits = [(summaries, accuracy_limits(summaries)) for summaries in networks]
    if any(bar(s)[0] < low or bar(s)[1] > high for summaries, (low, high) in limits for s in summaries):
        text += " Bars that meet its end go on beyond it."
    return text
