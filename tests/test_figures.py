"""Figures: what is drawn equals the tables, a method looks the same everywhere, nothing overlaps, nothing fails."""

import itertools
import math
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from pruning.drawing import curves, style
from pruning.figures import (
    ROWS,
    About,
    ablations,
    accuracy,
    layer_density,
    overview,
)
from pruning.registry import find

LABELS = {"random": "Random", "magnitude": "Magnitude", "snip": "SNIP", "synflow": "SynFlow", "lottery": "Lottery"}
RANGES = {"net-a": {"matching": [20, 36], "extreme": [48.8, 98.2]}}
NETWORKS = ("net-a", "net-b", "net-c")
SPARSITIES = ("20", "36", "48.8", "98.2")
METHODS = ("random", "snip", "synflow", "lottery", "snip@100it", "my-own")
LAYERS = ("conv.weight", "blocks.0.conv1.weight", "blocks.0.shortcut.0.weight", "output.weight")
EARLY, LATE = (
    (10, 25, 50, 100, 200, 300, 500, 1000),
    (2000, 5000, 8000, 12000, 18000, 25000, 30900, 31700, 47000, 55000),
)
UPDATES = (*EARLY, *LATE)
END = 62560


def made_steps_of(method: str) -> dict[str, int]:
    name, _, step = method.partition("@")
    update = int(step.removesuffix("it") or 0)
    if name == "lottery":
        return {"prune_at": END, "rewind_to": update or 1000, "schedule_from": update or 1000}
    return {"prune_at": update, "rewind_to": update, "schedule_from": update}


WITH_STEPS = [f"{method}@{update}it" for method in METHODS for update in UPDATES if "@" not in method]
ABOUT = About(
    labels=LABELS,
    variant_of={"my-own": "snip"},
    ranges=RANGES,
    updates={network: {"end": END, "milestones": [31280, 46920]} for network in NETWORKS},
    steps={network: {method: made_steps_of(method) for method in (*METHODS, *WITH_STEPS)} for network in NETWORKS},
)


def made_accuracy(method: str, sparsity: str, ablation: str, seed: int) -> float:
    """Something that differs from cell to cell, and at chance for inverted scores."""
    if ablation == "invert" and sparsity == "98.2":
        return 10.0
    return 97 - len(method) / 5 - float(sparsity) / 30 - len(ablation) / 7 + 0.3 * (-1) ** seed * seed


def made_cells(
    networks: tuple[str, ...] = ("net-a", "net-b"),
    methods: tuple[str, ...] = METHODS,
    sparsities: tuple[str, ...] = SPARSITIES,
    kinds: tuple[str, ...] = ("none", "shuffle", "reinit", "invert"),
    seeds: int = 3,
) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = [
        (network, "dense", "0", "none", seed, 97.5 + seed / 4) for network in networks for seed in range(seeds)
    ]
    for network, method, sparsity, kind, seed in itertools.product(networks, methods, sparsities, kinds, range(seeds)):
        rows.append((network, method, sparsity, kind, seed, made_accuracy(method, sparsity, kind, seed)))
    cells = pd.DataFrame(rows, columns=["network", "method", "sparsity", "ablation", "seed", "accuracy"])
    effective = [
        float(sparsity) + (100 - float(sparsity)) / 3 * (method == "snip")
        for sparsity, method in zip(cells.sparsity, cells.method, strict=True)
    ]
    return cells.assign(effective_sparsity=effective, collapsed=False, diverged=False)


def made_steps(
    networks: tuple[str, ...] = ("net-a", "net-b"),
    methods: tuple[str, ...] = METHODS,
    sparsities: tuple[str, ...] = SPARSITIES,
    seeds: int = 3,
) -> pd.DataFrame:
    """Cells of methods at as many steps as there are `sparsities`."""
    at_steps = [name for name in methods if name in ("snip", "synflow", "lottery")]
    names = [*methods, *(f"{name}@{update}it" for name in at_steps for update in UPDATES[-len(sparsities) :])]
    return made_cells(networks, tuple(dict.fromkeys(names)), ("86.6",), ("none", "shuffle"), seeds)


def made_neurons(
    networks: tuple[str, ...] = ("net-a", "net-b"),
    methods: tuple[str, ...] = METHODS,
    sparsities: tuple[str, ...] = SPARSITIES,
    seeds: int = 3,
) -> pd.DataFrame:
    rows = [
        (
            *cell,
            threshold,
            100 * min(1.0, (100 - threshold + cell[4]) / (100 - float(cell[2]) / (1 + len(cell[1]) / 9))),
        )
        for cell in itertools.product(networks, methods, sparsities[-1:], ("none", "shuffle"), range(seeds))
        for threshold in range(0, 101, 2)
    ]
    names = ["network", "method", "sparsity", "ablation", "seed", "threshold", "share"]
    return pd.DataFrame(rows, columns=names)


def made_layers(
    networks: tuple[str, ...] = ("net-a", "net-b"),
    methods: tuple[str, ...] = METHODS,
    sparsities: tuple[str, ...] = SPARSITIES,
    seeds: int = 3,
    names: tuple[str, ...] = LAYERS,
) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = [
        (network, "dense", "0", "none", seed, place, name, 100.0)
        for network, seed, (place, name) in itertools.product(networks, range(seeds), enumerate(names))
    ]
    for network, method, sparsity, seed, (place, name) in itertools.product(
        networks, methods, sparsities, range(seeds), enumerate(names)
    ):
        density = (100 - float(sparsity)) * (1 + seed / 10) / (1 + place)
        if method == "synflow" and "shortcut" in name:
            density = 0.0
        rows.append((network, method, sparsity, "none", seed, place, name, density))
    return pd.DataFrame(
        rows, columns=["network", "method", "sparsity", "ablation", "seed", "layer", "tensor", "density"]
    )


def draw_accuracy(cells: pd.DataFrame) -> Figure:
    return accuracy.draw(cells[cells.ablation == "none"], ABOUT)


def draw_ablations(cells: pd.DataFrame) -> Figure:
    return ablations.draw(cells, ABOUT)


def draw_layers(layers: pd.DataFrame) -> Figure:
    return layer_density.draw(layers, ABOUT)


MADE: dict[str, Callable[..., pd.DataFrame]] = {
    "layer_density": made_layers,
    "neuron_collapse": made_neurons,
    "pruning_step": made_steps,
    "pruning_step_ablations": made_steps,
}
"""rows of the figures that are not drawn from the cells of any study"""


def drawer(name: str) -> Callable[[pd.DataFrame], Figure]:
    def draw(rows: pd.DataFrame) -> Figure:
        figure: Figure = find("figures", name).draw(rows, ABOUT)
        return figure

    return draw


ALL: list[Any] = [pytest.param(drawer(name), MADE.get(name, made_cells), id=name) for name in ROWS]


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.axison]


def titled(figure: Figure, title: str) -> list[Axes]:
    return [axes for axes in panels(figure) if axes.get_title().strip() == title]


def curves_of(axes: Axes) -> dict[str, ErrorbarContainer]:
    return {str(item.get_label()): item for item in axes.containers if isinstance(item, ErrorbarContainer)}


def points(container: ErrorbarContainer) -> tuple[list[float], list[float]]:
    x, y = container.lines[0].get_data()
    return list(x), list(y)


def bar_ends(container: ErrorbarContainer) -> list[tuple[float, float]]:
    (bars,) = container.lines[2]
    return [(float(segment[0, 1]), float(segment[1, 1])) for segment in bars.get_segments() if len(segment)]


def legend_texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def note(figure: Figure) -> str:
    return figure.legends[0].get_title().get_text().replace("\n", " ")


def picture(figure: Figure, folder: Path, suffix: str = ".svg") -> bytes:
    style.save(figure, folder / f"figure{suffix}")
    return (folder / f"figure{suffix}").read_bytes()


# What is drawn equals the table


def test_accuracy_points_and_bars_are_means_and_sample_deviations() -> None:
    figure = draw_accuracy(made_cells())
    assert [axes.get_title() for axes in panels(figure)] == ["net-a", "net-b"]
    drawn = curves_of(panels(figure)[1])
    assert set(drawn) == {"Random", "SNIP", "SynFlow", "Lottery", "SNIP @ 100it", "my-own"}
    _, means = points(drawn["SNIP"])
    for mean, ends, sparsity in zip(means, bar_ends(drawn["SNIP"]), SPARSITIES, strict=True):
        values = [made_accuracy("snip", sparsity, "none", seed) for seed in range(3)]
        deviation = statistics.stdev(values)
        assert mean == pytest.approx(statistics.mean(values))
        assert ends == pytest.approx((mean - deviation, mean + deviation))


def test_dense_network_is_a_line_at_its_mean_in_a_band_of_its_deviation() -> None:
    for figure in (draw_accuracy(made_cells()), draw_ablations(made_cells())):
        for axes in panels(figure):
            levels = [line.get_ydata() for line in axes.lines if len(set(line.get_ydata())) == 1]
            assert any(list(level) == pytest.approx([97.75, 97.75]) for level in levels)
            (band,) = axes.patches
            assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx((97.5, 98.0))


def test_ablation_panels_hold_one_curve_an_ablation() -> None:
    figure = draw_ablations(made_cells())
    assert len(panels(figure)) == 2 * len(METHODS)
    first, second = titled(figure, "SynFlow")
    for axes in (first, second):
        drawn = curves_of(axes)
        assert list(drawn) == ["Unmodified", "Shuffled in each layer", "Reinitialised", "Inverted"]
        for label, kind in zip(drawn, ("none", "shuffle", "reinit", "invert"), strict=True):
            expected = [
                statistics.mean([made_accuracy("synflow", sparsity, kind, seed) for seed in range(3)])
                for sparsity in SPARSITIES
            ]
            assert points(drawn[label])[1] == pytest.approx(expected)


def test_panels_of_a_network_share_their_axes() -> None:
    figure = draw_ablations(made_cells(networks=("net-a",)))
    assert len({(*axes.get_xlim(), *axes.get_ylim()) for axes in panels(figure)}) == 1


def test_layer_density_is_the_mean_over_seeds_in_the_order_of_layers() -> None:
    figure = draw_layers(made_layers(networks=("net-a",)))
    (axes,) = titled(figure, "net-a, 20% removed")
    assert [text.get_text() for text in axes.get_xticklabels()] == [
        "conv",
        "blocks.0.conv1",
        "blocks.0.shortcut.0",
        "output",
    ]
    (line,) = [line for line in axes.lines if line.get_label() == "SNIP"]
    assert list(line.get_ydata()) == pytest.approx([80 * 1.1 / (1 + place) for place in range(4)])


def test_empty_layer_is_drawn_at_0_inside_the_panel() -> None:
    figure = draw_layers(made_layers(networks=("net-a",)))
    for axes in panels(figure):
        (line,) = [line for line in axes.lines if line.get_label() == "SynFlow"]
        assert line.get_ydata()[2] == 0
        bottom, top = axes.transAxes.transform((0, 0))[1], axes.transAxes.transform((0, 1))[1]
        heights = axes.transData.transform([(0, value) for value in (0, 0.1, 1, 100)])[:, 1]
        assert bottom <= heights[0] < heights[1] < heights[2] < heights[3] <= top
        assert 0 in axes.get_yticks()
    assert "0" in [text.get_text() for text in panels(figure)[0].get_yticklabels()]


def test_layer_that_is_empty_with_some_seeds_only_has_a_mark_at_0() -> None:
    layers = made_layers(networks=("net-a",))
    layers.loc[(layers.method == "snip") & (layers.layer == 1) & (layers.seed == 2), "density"] = 0.0
    for axes in panels(draw_layers(layers)):
        marks = [line for line in axes.lines if line.get_linestyle() == "None"]
        (snip,) = [line for line in axes.lines if line.get_label() == "SNIP"]
        assert [list(mark.get_ydata()) for mark in marks] == [[0]]
        assert marks[0].get_xdata()[0] == snip.get_xdata()[1]
        assert marks[0].get_color() == snip.get_color()
        assert snip.get_ydata()[1] > 0


def test_layer_density_shows_the_lowest_the_highest_and_one_sparsity_between() -> None:
    many = tuple(f"{sparsity}" for sparsity in range(10, 100, 10))
    titles = [axes.get_title() for axes in panels(draw_layers(made_layers(("net-a",), sparsities=many)))]
    assert titles == ["net-a, 10% removed", "net-a, 50% removed", "net-a, 90% removed"]


def mean_of(method: str, sparsity: str, ablation: str = "none") -> float:
    return statistics.mean([made_accuracy(method, sparsity, ablation, seed) for seed in range(3)])


def test_ablation_among_the_methods_has_its_colour_and_a_marker_of_its_own() -> None:
    cells = made_cells(("net-a",), ("synflow", "random"), kinds=("none", "shuffle"))
    (axes,) = panels(accuracy.draw(cells, ABOUT))
    drawn = curves_of(axes)
    assert list(drawn)[:2] == ["SynFlow", "SynFlow, shuffled in each layer"]
    lines = [drawn[name].lines[0] for name in list(drawn)[:2]]
    assert lines[0].get_color() == lines[1].get_color()
    assert lines[0].get_marker() != lines[1].get_marker()
    expected = [mean_of("synflow", sparsity, "shuffle") for sparsity in SPARSITIES]
    assert points(drawn["SynFlow, shuffled in each layer"])[1] == pytest.approx(expected)


def test_variants_stand_beside_their_originals() -> None:
    figure = drawer("variants")(made_cells(("net-a",), ("snip", "my-own", "synflow")))
    assert {axes.get_title().strip(): set(curves_of(axes)) for axes in panels(figure)} == {
        "SNIP": {"SNIP", "my-own"},
        "SynFlow": {"SynFlow"},
    }
    (axes,) = titled(figure, "SNIP")
    expected = [mean_of("my-own", sparsity) for sparsity in SPARSITIES]
    assert points(curves_of(axes)["my-own"])[1] == pytest.approx(expected)


def test_effective_sparsity_is_where_points_stand() -> None:
    cells = made_cells(("net-a",), ("snip", "synflow"))
    cells.loc[(cells.method == "synflow") & (cells.sparsity == "98.2"), "effective_sparsity"] = 100.0
    figure = drawer("effective_sparsity")(cells)
    drawn = curves_of(panels(figure)[0])
    expected = [curves.position(float(s) + (100 - float(s)) / 3) for s in SPARSITIES]
    assert points(drawn["SNIP"])[0] == pytest.approx(expected)
    assert points(drawn["SNIP"])[1] == pytest.approx([mean_of("snip", sparsity) for sparsity in SPARSITIES])
    # Nothing is left of a network without a path: the axis has no place for it, and the figure says so.
    assert points(drawn["SynFlow"])[0] == pytest.approx([1, 2, 3])
    assert "no seed has a path" in note(figure)
    assert "no seed has a path" not in note(drawer("effective_sparsity")(made_cells(("net-a",), ("snip",))))


def test_neuron_curves_are_mean_shares_at_each_threshold() -> None:
    neurons = made_neurons(("net-a",), ("snip",))
    (axes,) = panels(drawer("neuron_collapse")(neurons))
    assert axes.get_title() == "net-a, 98.2% removed\nend of extreme"
    for kind, label in (("none", "SNIP"), ("shuffle", "SNIP, shuffled in each layer")):
        (line,) = [line for line in axes.lines if line.get_label() == label]
        assert list(line.get_xdata()) == [*range(0, 101, 2)]
        at_60 = neurons[(neurons.ablation == kind) & (neurons.threshold == 60)]
        assert line.get_ydata()[30] == pytest.approx(at_60.share.mean())


def test_curves_over_steps_are_means_at_their_updates_and_single_steps_are_lines_across() -> None:
    figure = drawer("pruning_step")(made_steps(("net-a",), ("snip", "random"), SPARSITIES[:2]))
    (axes,) = panels(figure)
    x, y = points(curves_of(axes)["SNIP"])
    assert x == pytest.approx([update ** (1 / 3) for update in (0, 47000, 55000)], abs=1)
    assert y == pytest.approx([mean_of(name, "86.6") for name in ("snip", "snip@47000it", "snip@55000it")])
    assert "Random" not in curves_of(axes)
    (line,) = [line for line in axes.lines if line.get_label() == "Random"]
    assert list(line.get_ydata()) == pytest.approx([mean_of("random", "86.6")] * 2)
    assert "Lines across" in note(figure)


def test_drops_of_the_learning_rate_stand_at_their_updates() -> None:
    for name in ("pruning_step", "pruning_step_ablations"):
        figure = drawer(name)(made_steps(("net-a",), ("snip",)))
        for axes in panels(figure):
            upright = [line.get_xdata()[0] for line in axes.lines if len(set(line.get_xdata())) == 1]
            assert {31280 ** (1 / 3), 46920 ** (1 / 3)} <= set(upright)
        assert "Drop of the learning rate" in legend_texts(figure)


def test_one_step_of_every_method_is_a_point_and_no_line_across() -> None:
    (axes,) = panels(drawer("pruning_step")(made_cells(("net-a",), ("snip", "random"), ("86.6",))))
    assert set(curves_of(axes)) == {"SNIP", "Random"}


def test_ablations_over_steps_have_a_panel_a_method_and_a_curve_an_ablation() -> None:
    figure = drawer("pruning_step_ablations")(made_steps(("net-a",), ("snip", "synflow")))
    assert [axes.get_title().strip() for axes in panels(figure)] == ["SNIP", "SynFlow"]
    for axes, method in zip(panels(figure), ("snip", "synflow"), strict=True):
        assert list(curves_of(axes)) == ["Unmodified", "Shuffled in each layer"]
        expected = mean_of(f"{method}@55000it", "86.6", "shuffle")
        assert points(curves_of(axes)["Shuffled in each layer"])[1][-1] == pytest.approx(expected)
    assert len({(*axes.get_xlim(), *axes.get_ylim()) for axes in panels(figure)}) == 1


def test_overview_falls_to_the_weights_that_are_left_and_is_dashed_in_retrospect() -> None:
    cells = made_cells(("net-a",), ("snip", "snip@100it", "lottery", "random"))
    within = {"snip": "36", "snip@100it": "48.8", "lottery": "98.2"}
    cells["accuracy"] = [
        97.5 if method == "dense" or float(sparsity) <= float(within.get(method, 0)) else 90.0
        for method, sparsity in zip(cells.method, cells.sparsity, strict=True)
    ]
    figure = drawer("overview")(cells)
    lines = {str(line.get_label()): line for line in panels(figure)[0].lines}
    for label, begin, left in (("SNIP", 0, 64), ("SNIP @ 100it", 100, 51.2), ("Lottery", 1000, 1.8)):
        x, y = lines[label].get_data()
        assert list(x) == pytest.approx([update ** (1 / 3) for update in (begin, begin, END)])
        assert list(y) == pytest.approx([100, left, left])
    assert lines["SNIP"].get_linestyle() == "-"
    assert lines["Lottery"].get_linestyle() == "--"
    assert "Random" not in lines
    assert "without a line" in note(figure)


def test_overview_of_rounds_goes_down_by_a_fifth_at_each_end_of_training() -> None:
    steps = {"net-a": {"magnitude-after-iterative": {"prune_at": END, "rewind_to": END, "schedule_from": 0}}}
    about = replace(ABOUT, steps=steps, retrained=["magnitude-after-iterative"])
    cells = made_cells(("net-a",), ("magnitude-after-iterative",), SPARSITIES[:3]).assign(accuracy=97.0)
    (axes,) = panels(overview.draw(cells, about))
    (line,) = [line for line in axes.lines if str(line.get_label()).startswith("magnitude")]
    ends = [round(place**3) for place in line.get_xdata()]
    assert ends == [END, END, 2 * END, 2 * END, 3 * END, 3 * END, 4 * END]
    assert list(line.get_ydata()) == pytest.approx([100, 80, 80, 64, 64, 51.2, 51.2])


def test_overview_lines_in_one_place_stand_side_by_side() -> None:
    cells = made_cells(("net-a",), ("snip", "synflow", "random"), SPARSITIES[:2]).assign(accuracy=97.0)
    (axes,) = panels(drawer("overview")(cells))
    lines = [line for line in axes.lines if len(line.get_xdata()) == 3]
    assert len({round(float(line.get_xdata()[0]), 9) for line in lines}) == 3
    left = sorted(float(line.get_ydata()[-1]) for line in lines)
    assert left[0] < left[1] < left[2]
    assert left[1] == pytest.approx(64)


@pytest.mark.parametrize("name", ROWS)
def test_figure_is_drawn_where_cells_are_missing(name: str) -> None:
    rows = MADE.get(name, made_cells)()
    gone = (
        ((rows.network == "net-b") & (rows.method.isin(["dense", "snip"])))
        | ((rows.method == "synflow") & (rows.seed > 0))
        | ((rows.method == "random") & (rows.ablation == "none"))
    )
    find("figures", name).table(rows[~gone], ABOUT)
    drawer(name)(rows[~gone])


# Axes


def test_steps_of_the_sparsity_axis_remove_a_fifth_of_what_remains() -> None:
    assert [curves.position(sparsity) for sparsity in ("0", "20", "36", "48.8")] == pytest.approx([0, 1, 2, 3])
    assert curves.position("95.6") == pytest.approx(14, abs=0.01)
    (axes,) = panels(draw_accuracy(made_cells(networks=("net-a",))))
    assert list(axes.get_xticks()) == pytest.approx([1, 2, 3, curves.position("98.2")])
    assert [text.get_text() for text in axes.get_xticklabels()] == list(SPARSITIES)


def test_dodged_points_stay_nearest_to_their_sparsity_and_centre_on_it() -> None:
    (axes,) = panels(draw_accuracy(made_cells(networks=("net-a",))))
    places = [points(item)[0][0] for item in curves_of(axes).values()]
    assert len(set(places)) == len(METHODS)
    assert statistics.mean(places) == pytest.approx(1)
    assert all(abs(place - 1) < 0.25 for place in places)


def test_accuracy_axis_is_logarithmic_in_the_error_and_can_be_undone() -> None:
    low, middle, high = (float(curves.height(value)) for value in (90, 95, 97.5))
    assert middle - low == pytest.approx(high - middle)
    assert [float(curves.accuracy_at(curves.height(value))) for value in (0, 10, 97.41)] == pytest.approx(
        [0, 10, 97.41]
    )


def test_perfect_accuracy_has_a_place_at_the_top() -> None:
    assert math.isfinite(curves.height(100))
    cells = made_cells(networks=("net-a",))
    cells["accuracy"] = 100.0
    (axes,) = panels(draw_accuracy(cells))
    draw_accuracy(cells).draw_without_rendering()
    assert axes.get_ylim()[0] < 100


def test_every_mean_lies_inside_its_panel() -> None:
    for figure in (draw_accuracy(made_cells()), draw_ablations(made_cells())):
        for axes in panels(figure):
            low, high = axes.get_ylim()
            for container in curves_of(axes).values():
                assert all(low <= mean <= high for mean in points(container)[1])


def test_picture_says_where_a_bar_leaves_it() -> None:
    cells = made_cells(networks=("net-a",))
    assert "go on beyond" not in note(draw_accuracy(cells))
    far = (cells.method == "snip") & (cells.sparsity == "98.2") & (cells.seed == 0)
    cells.loc[far, "accuracy"] = 0.0
    assert "go on beyond" in note(draw_accuracy(cells))


def test_picture_says_what_its_bars_are_and_over_how_many_seeds() -> None:
    assert "Mean over 3 seeds." in note(draw_accuracy(made_cells()))
    assert "± one sample standard deviation" in note(draw_accuracy(made_cells()))
    assert "Mean over 3 seeds." in note(draw_ablations(made_cells()))
    assert "Mean over 3 seeds." in note(draw_layers(made_layers()))
    cells = made_cells()
    fewer = cells[~((cells.method == "snip") & (cells.seed == 2))]
    assert "Mean over 2 to 3 seeds." in note(draw_accuracy(fewer))


# Looks


def test_method_has_one_colour_marker_and_dash_in_all_figures() -> None:
    found: dict[str, set[tuple[str, str]]] = {}
    lines = [item.lines[0] for axes in panels(draw_accuracy(made_cells())) for item in curves_of(axes).values()]
    names = [str(name) for axes in panels(draw_accuracy(made_cells())) for name in curves_of(axes)]
    layer_lines = [line for axes in panels(draw_layers(made_layers())) for line in axes.lines]
    for name, line in [*zip(names, lines, strict=True), *((str(line.get_label()), line) for line in layer_lines)]:
        found.setdefault(name, set()).add((to_hex(line.get_color()), str(line.get_marker())))
    entries = {name: looks for name, looks in found.items() if not name.startswith("_")}
    assert set(entries) == {"Random", "SNIP", "SynFlow", "Lottery", "SNIP @ 100it", "my-own"}
    assert all(len(looks) == 1 for looks in entries.values())


def test_listed_methods_differ_in_colour_and_without_colour() -> None:
    varied = {"snip-iterative", "grasp-iterative", "synflow-one-shot", "magnitude-after-iterative", "lottery-iterative"}
    varied |= {f"random-{name}" for name in ("magnitude", "snip", "grasp", "synflow")}
    looks = [look for name, look in style.METHODS.items() if name not in varied]
    assert len({look.colour for look in looks}) == len(looks)
    everything = [*style.METHODS.values()]
    assert len({(look.marker, look.baseline) for look in everything}) == len(everything)
    assert len({look.dashes for look in everything}) == len(everything)
    baselines = {name for name, look in style.METHODS.items() if look.baseline}
    assert baselines - varied == {"random", "magnitude-after", "lottery"}


def test_variant_has_the_colour_of_its_original_and_is_a_baseline_where_that_is_one() -> None:
    for name in ("snip-iterative", "grasp-iterative", "magnitude-after-iterative", "lottery-iterative"):
        look, original = style.METHODS[name], style.METHODS[name.removesuffix("-iterative")]
        assert (look.colour, look.baseline) == (original.colour, original.baseline)
    assert style.METHODS["synflow-one-shot"].colour == style.METHODS["synflow"].colour


def test_unlisted_method_keeps_its_look_whatever_else_is_in_the_study() -> None:
    alone = style.looks(["my-own"])["my-own"]
    assert style.looks(["snip", "random", "my-own", "synflow"])["my-own"] == alone
    assert style.looks(["snip@1ep"])["snip@1ep"].colour == style.METHODS["snip"].colour
    assert style.looks(["lottery@1ep"])["lottery@1ep"].baseline


def test_unlisted_methods_differ_from_each_other() -> None:
    looks = style.looks([f"snip@{step}it" for step in range(24)])
    assert len({(look.marker, look.dashes) for look in looks.values()}) == 24


def test_methods_stand_in_the_order_of_the_labels_with_baselines_last() -> None:
    names = ["zeta", "snip@1000it", "snip@500it", "lottery", "synflow", "random", "snip"]
    expected = ["snip", "snip@500it", "snip@1000it", "synflow", "zeta", "random", "lottery"]
    assert style.in_order(names, LABELS) == expected
    assert style.label("snip@500it", LABELS) == "SNIP @ 500it"
    assert style.label("zeta", LABELS) == "zeta"


def test_reader_of_accuracy_is_told_which_curves_are_baselines() -> None:
    assert "Open markers: baselines" in note(draw_accuracy(made_cells()))
    (axes,) = panels(draw_accuracy(made_cells(networks=("net-a",))))
    faces = {name: to_hex(item.lines[0].get_markerfacecolor()) for name, item in curves_of(axes).items()}
    assert {name for name, face in faces.items() if face == "#ffffff"} == {"Random", "Lottery"}


PUBLISHED = [
    {"network": "net-a", "method": "snip", "sparsity": "36", "accuracy": "99.3", "certainty": "unverified"},
    {"network": "net-a", "method": "grasp", "sparsity": "36", "accuracy": "50", "certainty": "unverified"},
    {"network": "net-b", "method": "synflow", "sparsity": "98.2", "accuracy": "60", "certainty": "read"},
]


def test_published_numbers_are_stars_of_their_method_and_say_how_sure_they_are() -> None:
    figure = accuracy.draw(made_cells(), replace(ABOUT, published=PUBLISHED))
    stars = [[line for line in axes.lines if line.get_marker() == "*"] for axes in panels(figure)]
    assert [[line.get_xydata().tolist() for line in lines] for lines in stars] == [
        [[[pytest.approx(curves.position("36")), 99.3]]],
        [[[pytest.approx(curves.position("98.2")), 60.0]]],
    ]
    assert [lines[0].get_color() for lines in stars] == [style.METHODS[name].colour for name in ("snip", "synflow")]
    for axes, lines in zip(panels(figure), stars, strict=True):
        low, high = axes.get_ylim()
        assert low < lines[0].get_ydata()[0] < high
    assert [lines[0].get_markerfacecolor() == "white" for lines in stars] == [True, False]
    assert legend_texts(figure)[-2:] == ["Published by others, unverified", "Published by others, read"]
    assert "Published" not in "".join(legend_texts(draw_accuracy(made_cells())))


# Layout, with a renderer

STUDIES: dict[str, dict[str, Any]] = {
    "default": {},
    "three networks": {"networks": ("net-a", "net-b", "net-c")},
    "one method": {"methods": ("snip",), "networks": ("net-a",)},
    "five methods": {"methods": METHODS[:5], "networks": ("net-a",)},
    "no method": {"methods": ()},
    "one sparsity": {"sparsities": ("93.1",)},
    "one seed": {"seeds": 1, "networks": ("net-a",)},
    "eighteen sparsities or steps": {"sparsities": tuple(f"{100 - 100 * 0.8**k:.1f}" for k in range(1, 19))},
    "close sparsities": {"sparsities": ("90", "90.1", "90.2", "98")},
}


# Every figure on these; on the others those that between them use all ways of laying out panels.
FOR_ALL = ("default", "no method", "one seed", "eighteen sparsities or steps")
FOR_OTHERS = ("accuracy", "ablations", "layer_density")


@pytest.mark.parametrize(
    ("name", "study"),
    [(name, study) for name in ROWS for study in STUDIES if study in FOR_ALL or name in FOR_OTHERS],
)
def test_nothing_overlaps_and_nothing_is_cut_off(name: str, study: str) -> None:
    figure = drawer(name)(MADE.get(name, made_cells)(**STUDIES[study]))
    figure.draw_without_rendering()
    page, legend = figure.bbox, figure.legends[0].get_window_extent()
    assert page.x0 <= legend.x0 < legend.x1 <= page.x1
    assert page.y0 <= legend.y0 < legend.y1 <= page.y1
    boxes = [axes.get_tightbbox() for axes in panels(figure)]
    for box in boxes:
        assert box is not None
        assert not legend.overlaps(box)
        assert page.x0 <= box.x0 + 1 < box.x1 - 1 <= page.x1
        assert page.y0 <= box.y0 + 1 < box.y1 - 1 <= page.y1
    for one, other in itertools.combinations([axes.get_window_extent() for axes in panels(figure)], 2):
        assert not one.overlaps(other)
    names = [text for axes in panels(figure) for text in (axes.title, *axes.texts) if text.get_text().strip()]
    for text in names:
        box = text.get_window_extent()
        assert page.x0 <= box.x0 + 1 < box.x1 - 1 <= page.x1
        assert page.y0 <= box.y0 + 1 < box.y1 - 1 <= page.y1
        assert not any(box.overlaps(axes.get_window_extent()) for axes in panels(figure))
    for axes in panels(figure):
        labels = [text for text in axes.get_xticklabels() if text.get_text() and text.get_visible()]
        extents = [text.get_window_extent() for text in labels]
        assert not any(one.overlaps(other) for one, other in itertools.pairwise(extents))


def test_names_of_22_layers_do_not_touch() -> None:
    names = (
        "conv.weight",
        *(f"blocks.{i}.{part}.weight" for i in range(10) for part in ("conv1", "shortcut.0")),
        "out",
    )
    figure = draw_layers(made_layers(("resnet",), names=names))
    figure.draw_without_rendering()
    assert len(panels(figure)) == 3
    labels = panels(figure)[-1].get_xticklabels()
    assert [label.get_text() for label in labels][1:3] == ["blocks.0.conv1", "blocks.0.shortcut.0"]
    extents = [label.get_window_extent() for label in labels]
    assert not any(one.overlaps(other) for one, other in itertools.pairwise(extents))


# Partial studies


def test_one_seed_has_points_and_no_bars() -> None:
    for figure in (draw_accuracy(made_cells(seeds=1)), draw_ablations(made_cells(seeds=1))):
        assert note(figure).startswith("One seed.")
        assert "deviation" not in note(figure)
        for axes in panels(figure):
            assert all(not item.has_yerr for item in curves_of(axes).values())
            assert not axes.patches


def test_what_is_missing_is_missing_and_the_rest_is_drawn() -> None:
    cells = made_cells(networks=("net-a", "net-b"))
    gone = (
        ((cells.network == "net-b") & (cells.method == "snip"))
        | ((cells.method == "synflow") & (cells.sparsity == "36"))
        | ((cells.method == "random") & (cells.ablation == "none"))
        | ((cells.network == "net-b") & (cells.method == "dense"))
    )
    partial = cells[~gone]
    first, second = panels(draw_accuracy(partial))
    assert set(curves_of(first)) - set(curves_of(second)) == {"SNIP"}
    assert "Random" not in curves_of(first)
    assert len(points(curves_of(first)["SynFlow"])[0]) == 3
    assert not second.patches
    figure = draw_ablations(partial)
    assert [len(curves_of(axes)) for axes in titled(figure, "SNIP")] == [4, 0]
    assert list(curves_of(titled(figure, "Random")[0])) == ["Shuffled in each layer", "Reinitialised", "Inverted"]


def test_seed_missing_in_one_place_loses_the_bar_there_only() -> None:
    cells = made_cells(networks=("net-a",))
    lonely = (cells.method == "snip") & (cells.sparsity == "36") & (cells.seed > 0)
    (axes,) = panels(draw_accuracy(cells[~lonely]))
    assert len(points(curves_of(axes)["SNIP"])[0]) == 4
    assert len(bar_ends(curves_of(axes)["SNIP"])) == 3


def test_study_of_the_dense_network_alone_is_drawn() -> None:
    (axes,) = panels(draw_accuracy(made_cells(networks=("net-a",), methods=())))
    assert curves_of(axes) == {}
    assert len(axes.patches) == 1
    assert legend_texts(draw_accuracy(made_cells(methods=()))) == ["Dense network"]
    (axes,) = panels(draw_layers(made_layers(networks=("net-a",), methods=())))
    assert axes.get_title() == "net-a, nothing pruned"


def test_accuracy_and_layer_density_show_unmodified_cells_only() -> None:
    layers = made_layers(networks=("net-a",))
    shuffled = layers.assign(ablation="shuffle", density=55.0)
    both = pd.concat([layers, shuffled[shuffled.method != "dense"]])
    for one, other in zip(panels(draw_layers(layers)), panels(draw_layers(both)), strict=True):
        pairs = zip(one.lines, other.lines, strict=True)
        assert all(list(a.get_ydata()) == list(b.get_ydata()) for a, b in pairs)
    only = draw_accuracy(made_cells(networks=("net-a",), kinds=("shuffle",)))
    assert curves_of(panels(only)[0]) == {}


# Files


@pytest.mark.parametrize(("draw", "make"), ALL)
def test_order_of_rows_does_not_change_the_picture(
    draw: Callable[[pd.DataFrame], Figure], make: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    table = make(networks=("net-a",), methods=METHODS[1:3])
    assert picture(draw(table), tmp_path) == picture(draw(table.sample(frac=1, random_state=1)), tmp_path)


@pytest.mark.parametrize("suffix", [".pdf", ".svg", ".png"])
def test_same_table_gives_the_same_bytes_without_a_date(suffix: str, tmp_path: Path) -> None:
    cells = made_cells(networks=("net-a",), methods=("snip",))
    first, second = (picture(draw_accuracy(cells), tmp_path, suffix) for _ in range(2))
    assert first == second
    assert b"CreationDate" not in first
    assert b"dc:date" not in first


def test_settings_of_the_user_do_not_change_the_picture_and_are_left_alone(tmp_path: Path) -> None:
    cells = made_cells(networks=("net-a",), methods=("snip",))
    plain = picture(draw_accuracy(cells), tmp_path)
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "pink", "svg.fonttype": "none"}):
        assert picture(draw_accuracy(cells), tmp_path) == plain
        assert matplotlib.rcParams["font.size"] == 20


def test_pdf_embeds_its_fonts_as_truetype(tmp_path: Path) -> None:
    pdf = picture(draw_accuracy(made_cells(networks=("net-a",), methods=("snip",))), tmp_path, ".pdf")
    assert b"/FontFile2" in pdf  # TrueType
    assert b"/Type3" not in pdf


@pytest.mark.parametrize(("draw", "make"), ALL)
def test_figures_are_as_wide_as_a_page_or_a_column(
    draw: Callable[[pd.DataFrame], Figure], make: Callable[..., pd.DataFrame]
) -> None:
    assert draw(make(networks=("net-a",))).get_figwidth() == style.TWO_COLUMNS
    assert draw(make(methods=("snip",))).get_figwidth() in (style.ONE_COLUMN, style.TWO_COLUMNS)


def test_figures_come_without_torch_and_without_a_window() -> None:
    code = f"import sys; from pruning.figures import {', '.join(ROWS)};"
    code += " print({'torch', 'matplotlib.pyplot'} & set(sys.modules) or 'none')"
    folder = Path(__file__).parents[1] / "workflow/scripts"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "none"
