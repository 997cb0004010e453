"""What all figures look like: sizes, fonts, and a colour, marker and dash pattern a method, the same everywhere.

Colours are those of Okabe and Ito (methods) and of Tol (ablations), which colour-blind readers can tell apart; markers
and dashes tell the same in grey.
"""

import itertools
import math
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

DENSE = "dense"
TWO_COLUMNS, ONE_COLUMN = 6.75, 3.25
"""widths in inches of a figure across a page of two columns and of one in a single column"""

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture on every machine
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 0,
    "lines.linewidth": 1.1,
    "lines.markersize": 4,
    "lines.markeredgewidth": 0.8,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,  # TrueType: text stays text
    "svg.hashsalt": "pruning",  # the same names inside the file each time
}


@dataclass(frozen=True)
class Look:
    """How a curve is drawn. Baselines, between or below which the methods are looked at, have open markers."""

    colour: str
    marker: str
    dashes: tuple[float, ...] = ()
    baseline: bool = False

    def line(self) -> dict[str, Any]:
        """Keywords of `Axes.plot` and `Axes.errorbar`."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": (0, self.dashes) if self.dashes else "-",
            "markerfacecolor": "white" if self.baseline else self.colour,
        }


Entries = dict[str, tuple[str, Look]]
"""{what is drawn: what it is called and how it is drawn}, in the order of a legend"""

METHODS = {
    "magnitude": Look("#E69F00", "s"),
    "snip": Look("#0072B2", "o", (6, 1)),
    "grasp": Look("#009E73", "^", (4, 1, 1, 1)),
    "grasp-magnitude": Look("#CC79A7", "v", (2, 1)),
    "synflow": Look("#D55E00", "D", (5, 1, 1, 1, 1, 1)),
    "random": Look("#808080", "o", (1, 1), baseline=True),
    "magnitude-after": Look("#000000", "s", (6, 2), baseline=True),
    "lottery": Look("#56B4E9", "D", (6, 2, 1, 2), baseline=True),
    # Variants: the colour of the original.
    "snip-iterative": Look("#0072B2", "X", (1, 1.5)),
    "grasp-iterative": Look("#009E73", "P", (1, 2)),
    "synflow-one-shot": Look("#D55E00", "*", (3, 1.5)),
    "random-magnitude": Look("#E69F00", "<", (3, 1)),
    "random-snip": Look("#0072B2", ">", (3, 1, 1, 1)),
    "random-grasp": Look("#009E73", "d", (4, 2)),
    "random-synflow": Look("#D55E00", "p", (4, 1.5, 1, 1.5)),
    "magnitude-after-iterative": Look("#000000", "p", (1, 2.5), baseline=True),
    "lottery-iterative": Look("#56B4E9", "h", (2, 2), baseline=True),
}
ABLATIONS = {
    "none": ("Unmodified", Look("#000000", "o")),
    "shuffle": ("Shuffled in each layer", Look("#44AA99", "s", (5, 1))),
    "reinit": ("Reinitialised", Look("#882255", "^", (3, 1, 1, 1))),
    "invert": ("Inverted", Look("#DDAA33", "v", (1, 1))),
}
DENSE_COLOUR = "black"

# What a method that is not listed above may look like.
OTHER_COLOURS = ("#332288", "#999933", "#882255", "#44AA99")
OTHER_MARKERS = "<>dXP*ph"
OTHER_DASHES = ((3, 2), (1, 2), (4, 1, 1, 1, 1, 1))


@contextmanager
def applied() -> Iterator[None]:
    """A context, also a decorator, in which this style holds and no matplotlibrc of the user's does."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RC)
        yield


def looks(methods: Iterable[str]) -> dict[str, Look]:
    """How each method is drawn.

    A method not listed above has its look from its name, whatever else is in the study; only where two meet at one
    marker does the later in the alphabet move on to the next. NAME@STEP keeps the colour of NAME.
    """
    found = {method: METHODS[method] for method in methods if method in METHODS}
    used = dict.fromkeys(OTHER_MARKERS, 0)
    for method in sorted(set(methods) - set(METHODS)):
        number = zlib.crc32(method.encode())
        start = number % len(OTHER_MARKERS)
        marker = min(OTHER_MARKERS[start:] + OTHER_MARKERS[:start], key=used.__getitem__)
        dashes = OTHER_DASHES[(OTHER_MARKERS.index(marker) + used[marker]) % len(OTHER_DASHES)]
        used[marker] += 1
        base = METHODS.get(method.partition("@")[0], Look(OTHER_COLOURS[number % len(OTHER_COLOURS)], marker))
        found[method] = replace(base, marker=marker, dashes=dashes)
    return found


def in_order(methods: Collection[str], labels: Mapping[str, str]) -> list[str]:
    """Methods in the order of `labels`, baselines last; NAME@STEP after NAME; those without a label in the end."""
    order = [*labels]
    look = looks(methods)

    def place(method: str) -> tuple[bool, int, int, str]:
        base = method.partition("@")[0]
        return look[method].baseline, order.index(base) if base in order else len(order), len(method), method

    return sorted(methods, key=place)


def label(method: str, labels: Mapping[str, str]) -> str:
    """What a method is called in figures: `SNIP`, `SNIP @ 500it`."""
    base, at, step = method.partition("@")
    return f"{labels.get(base, base)} @ {step}" if at else labels.get(base, base)


def methods(names: Collection[str], labels: Mapping[str, str]) -> Entries:
    """What methods are called and how they are drawn, in order."""
    found = looks(names)
    return {method: (label(method, labels), found[method]) for method in in_order(names, labels)}


def methods_and_ablations(rows: pd.DataFrame, labels: Mapping[str, str]) -> Entries:
    """The same of every method with every ablation among `rows`; keys are METHOD/ABLATION.

    An ablation has the colour of its method, and marker and dashes of its own.
    """
    present = set(rows.method + "/" + rows.ablation)
    found = {}
    for method, (name, look) in methods(set(rows.method), labels).items():
        for ablation, (words, ablated) in ABLATIONS.items():
            if ablation == "none":
                found[f"{method}/none"] = (name, look)
            else:
                found[f"{method}/{ablation}"] = (f"{name}, {words.lower()}", replace(ablated, colour=look.colour))
    return {key: entry for key, entry in found.items() if key in present}


def dodge(count: int, width: float) -> list[float]:
    """How far to move each of `count` curves aside, so that bars at one place stand side by side over `width`."""
    return [(i - (count - 1) / 2) * width / max(count, 1) for i in range(count)]


def tick_labels(axes: Axes, places: Sequence[float], texts: Sequence[str], width: float) -> None:
    """Ticks with labels below a panel about `width` inches wide whose limits are set: upright where they would touch
    lying down, and without those that would touch all the same."""
    low, high = axes.get_xlim()
    inches = [(place - low) / (high - low) * width for place in places]
    longest = 0.07 * (max(map(len, texts), default=0) + 1)
    lying = all(after - before > longest for before, after in itertools.pairwise(inches))
    shown, last = [], -math.inf
    for text, place in zip(texts, inches, strict=True):
        fits = place - last > 0.13
        shown.append(text if fits else "")
        last = place if fits else last
    axes.set_xticks(places, shown, rotation=0 if lying else 90)


LINE = 0.15
"""height in inches of a line of the legend"""


def legend(figure: Figure, handles: Sequence[Line2D], note: str) -> None:
    """A legend below all panels, under a line that says what points and bars are. The figure grows by its height."""
    width = figure.get_figwidth()
    longest = max((len(str(handle.get_label())) for handle in handles), default=0)
    columns = max(1, int(width / (0.45 + 0.058 * longest)))
    title = "\n".join(fill(line, int(width / 0.055)) for line in note.splitlines())
    lines = -(-len(handles) // columns) + len(title.splitlines())
    figure.set_figheight(figure.get_figheight() + LINE * (lines + 1))
    figure.legend(
        handles=list(handles),
        title=title,
        loc="outside lower center",
        alignment="left",
        ncols=columns,
        handlelength=3.2,
    )


def seeds(counts: Sequence[int]) -> str:
    """What a point is, in words, where `counts` are the numbers of seeds that occur."""
    if not counts:
        return ""
    if max(counts) == 1:
        return "One seed."
    return f"Mean over {min(counts)}{f' to {max(counts)}' if min(counts) < max(counts) else ''} seeds."


def handles(entries: Entries) -> list[Line2D]:
    """The legend's entries of curves."""
    return [handle(name, look) for name, look in entries.values()]


def handle(name: str, look: Look) -> Line2D:
    """The legend entry of a curve."""
    return Line2D([], [], label=name, **look.line())


def mark(figure: Figure, text: str) -> None:
    """Write `text` above all panels, where it cannot be overlooked; they make room for it."""
    figure.suptitle(text, fontsize=8, color="#D55E00")


def save(figure: Figure, path: Path) -> None:
    """Write `figure` in the format that the suffix of `path` names, without dates: the same picture, the same bytes."""
    nothing = {".pdf": "CreationDate", ".svg": "Date", ".png": "Software"}
    with applied():
        figure.savefig(path, metadata={nothing[path.suffix]: None})
