"""The verdicts on the paper's claims: the difference of two sides with its interval, a row a claim and method."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pruning.claims import ABSENT, FAILS, HOLDS, UNDECIDED
from pruning.drawing import style

LOOKS = {
    HOLDS: style.Look("#0072B2", "o"),
    FAILS: style.Look("#D55E00", "s"),
    UNDECIDED: style.Look("#666666", "D", baseline=True),
}
EXPECTED_COLOUR = "#009E73"
LARGEST = 100.0
"""points, beyond which no difference of percentages lies"""
ROW, EDGES = 0.125, 1.2
"""inches: height of a row, and of what stands above and below a block of rows"""


@style.applied()
def draw(verdicts: pd.DataFrame, claims: Mapping[str, Any], labels: Mapping[str, str]) -> Figure:
    """The figure for the rows of claims.csv that are differences; a block a network, in it a panel a range.

    `claims` is the content of claims.yaml; `labels` names the methods.
    """
    shown = verdicts[(verdicts.verdict != ABSENT) & verdicts.expected.isin(REGIONS)]
    networks = list(dict.fromkeys(shown.network))
    # An explicit range has no panel of its own: its rows stand in the first, and say which it is.
    ranges = [name for name in ("matching", "extreme") if name in set(shown.range)] or ["range"]
    blocks = {network: _rows(shown[shown.network == network], labels) for network in networks}
    heights = [EDGES / 2 + ROW * len(rows) for rows in blocks.values()]
    figure = Figure(figsize=(style.TWO_COLUMNS, EDGES + sum(heights)), layout="constrained")
    panels = figure.subplots(max(1, len(blocks)), len(ranges), squeeze=False, height_ratios=heights or None)
    for (network, rows), line in zip(blocks.items(), panels, strict=False):
        here = shown[shown.network == network]
        sure = "".join(f" ({words})" for words in here.ranges_are.map(_words).unique() if words)
        for axes, name in zip(line, ranges, strict=True):
            first = name == ranges[0]
            _panel(axes, here[(here.range == name) | (first & ~here.range.isin(ranges))], rows, claims["margin"])
            _limits(axes, here, claims["margin"])
            axes.set_title(f"{network}\n{name} sparsities{sure}", loc="left")
            axes.tick_params(labelleft=first, left=False)
            axes.set_xlabel("difference (points)")
        for text, (_, method) in zip(line[0].get_yticklabels(), rows, strict=True):
            text.set_fontweight("normal" if method else "bold")
    if not blocks:
        for axes in panels.flat:
            axes.set_axis_off()
    _legend(figure, shown, claims)
    return figure


REGIONS = {
    "not below": (-1, math.inf),
    "above": (0, math.inf),
    "below": (-math.inf, 0),
    "within": (-1, 1),
}
"""where a claim holds, in margins"""


def _rows(here: pd.DataFrame, labels: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """{claim and method: what stands beside the row} from the top; a row without method is the heading of a claim."""
    rows = {}
    for claim, group in here.groupby("claim", sort=False):
        rows[str(claim), ""] = str(claim)
        for row in group.to_dict("records"):
            explicit = "" if row["range"] in ("matching", "extreme") else f", {row['range']}%"
            rows[str(claim), row["method"]] = style.label(row["method"], labels) + explicit
    return rows


def _panel(axes: Axes, here: pd.DataFrame, rows: Mapping[tuple[str, str], str], margin: float) -> None:
    """Interval, estimate and verdict of each row; the region in which its claim holds lies behind it."""
    places = {row: place for place, row in enumerate(rows)}
    for row in here.to_dict("records"):
        place, look = places[row["claim"], row["method"]], LOOKS[row["verdict"]]
        low, high = (min(max(margin * end, -10 * LARGEST), 10 * LARGEST) for end in REGIONS[row["expected"]])
        axes.fill_betweenx([place - 0.5, place + 0.5], low, high, color=EXPECTED_COLOUR, alpha=0.15, linewidth=0)
        axes.plot([row["low"], row["high"]], [place, place], color=look.colour)
        axes.plot(row["estimate"], place, **{**look.line(), "linestyle": "none", "markersize": 4.5})
        axes.annotate(
            f"{row['verdict']} ({row['n']})" + (f" @ {step}" if (step := _words(row["step"])) else ""),
            (1, place),
            xytext=(3, 0),
            textcoords="offset points",
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=6.5,
            color=look.colour,
            annotation_clip=False,
        )
    for end in (-margin, margin):
        axes.axvline(end, color="0.4", linewidth=0.6, linestyle=":")
    axes.axvline(0, color="0.4", linewidth=0.6)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [*rows.values()])
    axes.grid(axis="y", visible=False)


def _words(entry: Any) -> str:
    """What stands in a column of claims.csv: where it is empty, reading gives a number."""
    return entry if isinstance(entry, str) else ""


def _limits(axes: Axes, here: pd.DataFrame, margin: float) -> None:
    """An axis that is linear up to one point and logarithmic beyond, so that margin and collapse are both seen."""
    ends = pd.concat([here.low, here.high, here.estimate, pd.Series([-2 * margin, 2 * margin])])
    low, high = float(ends.min()), float(ends.max())
    axes.set_xscale("symlog", linthresh=1, linscale=0.8)
    axes.set_xlim(1.4 * max(low, -LARGEST), 1.4 * min(high, LARGEST))
    low, high = axes.get_xlim()
    ticks = [tick for tick in (-100, -10, -1, 0, 1, 10, 100) if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])


def _legend(figure: Figure, shown: pd.DataFrame, claims: Mapping[str, Any]) -> None:
    handles = [style.handle(verdict, look) for verdict, look in LOOKS.items() if verdict in set(shown.verdict)]
    handles.append(Line2D([], [], color=EXPECTED_COLOUR, alpha=0.3, linewidth=6, label="where the claim would hold"))
    steps = " @: the step that decides." if shown.step.map(_words).any() else ""
    note = (
        f"Mean difference over seeds (their number in brackets) and {100 * claims['level']:g}% interval; dotted: the"
        f" margin of ± {claims['margin']:g} points. Verdicts are adjusted over the methods and ranges of a claim,"
        f" intervals are not.{steps}\nDifference axis: logarithmic beyond ± 1."
    )
    style.legend(figure, handles, note)
