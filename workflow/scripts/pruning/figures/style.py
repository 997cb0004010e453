"""What all figures look like: sizes, fonts, and a colour, marker and dash pattern a method, the same everywhere.

Colours are those of Okabe and Ito (methods) and of Tol (ablations), which colour-blind readers can tell apart; markers
and dashes tell the same in grey.
"""

import itertools
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

DENSE = "dense"
TWO_COLUMNS, ONE_COLUMN = 6.75, 3.25
"""widths in inches of a figure across a page of two columns and of one in a single column"""

RC = {
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


METHODS = {
    "magnitude": Look("#E69F00", "s"),
    "snip": Look("#0072B2", "o", (6, 1)),
    "grasp": Look("#009E73", "^", (4, 1, 1, 1)),
    "grasp-magnitude": Look("#CC79A7", "v", (2, 1)),
    "synflow": Look("#D55E00", "D", (5, 1, 1, 1, 1, 1)),
    "random": Look("#808080", "o", (1, 1), baseline=True),
    "magnitude-after": Look("#000000", "s", (6, 2), baseline=True),
    "lottery": Look("#56B4E9", "D", (6, 2, 1, 2), baseline=True),
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
OTHER_LINES = [*itertools.product("<>dXP*", ((3, 2), (1, 2), (4, 1, 1, 1, 1, 1)))]


def applied() -> AbstractContextManager[None]:
    """A context, also a decorator, in which this style holds."""
    return matplotlib.rc_context(RC)


def looks(methods: Iterable[str]) -> dict[str, Look]:
    """How each method is drawn.

    A method not listed above has its look from its name, whatever else is in the study (unless two names meet at one
    look: then the later in the alphabet moves on to the next). NAME@STEP keeps the colour of NAME.
    """
    found = {method: METHODS[method] for method in methods if method in METHODS}
    free = list(OTHER_LINES)
    for method in sorted(set(methods) - set(METHODS)):
        number = zlib.crc32(method.encode())
        free = free or list(OTHER_LINES)
        wanted = OTHER_LINES[number % len(OTHER_LINES)]
        marker, dashes = wanted if wanted in free else free[0]
        free.remove((marker, dashes))
        base = METHODS.get(method.partition("@")[0])
        colour = base.colour if base else OTHER_COLOURS[number % len(OTHER_COLOURS)]
        found[method] = Look(colour, marker, dashes, baseline=base is not None and base.baseline)
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


def dodge(count: int, width: float) -> list[float]:
    """How far to move each of `count` curves aside, so that bars at one place stand side by side over `width`."""
    return [(i - (count - 1) / 2) * width / max(count, 1) for i in range(count)]


def tick_labels(axis: Axis, places: Sequence[float], texts: Sequence[str], width: float) -> None:
    """Ticks with labels below an axis about `width` inches wide: upright where they would touch lying down."""
    room = width / max(1, len(texts))
    longest = max(map(len, texts), default=0)
    axis.set_ticks(places, texts, rotation=0 if 0.07 * (longest + 1) < room else 90)


def legend(figure: Figure, handles: Sequence[Artist], note: str) -> None:
    """A legend below all panels, under a line that says what points and bars are."""
    longest = max((len(str(handle.get_label())) for handle in handles), default=0)
    columns = max(1, int(figure.get_figwidth() / (0.45 + 0.058 * longest)))
    figure.legend(
        handles=list(handles), title=note, loc="outside lower center", alignment="left", ncols=columns, handlelength=3.2
    )


def handle(name: str, look: Look) -> Line2D:
    """The legend entry of a curve."""
    return Line2D([], [], label=name, **look.line())


def save(figure: Figure, path: Path) -> None:
    """Write `figure` in the format that the suffix of `path` names, without dates: the same picture, the same bytes."""
    nothing = {".pdf": "CreationDate", ".svg": "Date", ".png": "Software"}
    with applied():
        figure.savefig(path, metadata={nothing[path.suffix]: None})
