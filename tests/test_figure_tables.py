"""Tables of figures: their numbers are those worked out by hand, from few and round accuracies."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pruning.figures import About, ablations, effective_sparsity, layer_density, neuron_collapse, overview, pruning_step
from pruning.tables import neurons_table, to_latex, to_markdown

END, REWIND = 100, 20
AT_START = {"prune_at": 0, "rewind_to": 0, "schedule_from": 0}
STEPS = {
    "snip": AT_START,
    "snip@10it": dict.fromkeys(AT_START, 10),
    "random": AT_START,
    "lottery": {"prune_at": END, "rewind_to": REWIND, "schedule_from": REWIND},
    "lottery@10it": {"prune_at": END, "rewind_to": 10, "schedule_from": 10},
    "magnitude-after": {"prune_at": END, "rewind_to": END, "schedule_from": 0},
    "lottery-iterative": {"prune_at": END, "rewind_to": REWIND, "schedule_from": REWIND},
    "magnitude-after-iterative": {"prune_at": END, "rewind_to": END, "schedule_from": 0},
}
ABOUT = About(
    labels={},
    variant_of={},
    ranges={},
    updates={"net": {"end": END, "milestones": []}},
    steps={"net": STEPS},
    retrained=["lottery-iterative", "magnitude-after-iterative"],
)


def made(accuracies: Mapping[tuple[str, ...], Sequence[float]]) -> pd.DataFrame:
    """Cells of one network; keys are (method, sparsity) or (method, sparsity, ablation), values an accuracy a seed."""
    rows = [
        {
            "network": "net",
            "method": key[0],
            "sparsity": key[1],
            "ablation": key[2] if len(key) > 2 else "none",
            "seed": seed,
            "accuracy": accuracy,
            "collapsed": False,
            "diverged": False,
        }
        for key, values in accuracies.items()
        for seed, accuracy in enumerate(values)
    ]
    return pd.DataFrame(rows)


def with_effective(cells: pd.DataFrame, effective: Mapping[tuple[str, str], Sequence[float]]) -> pd.DataFrame:
    """`cells` with the effective sparsity of each seed; that of the dense network is 0."""
    found = [
        effective[method, sparsity][seed] if method != "dense" else 0.0
        for method, sparsity, seed in zip(cells.method, cells.sparsity, cells.seed, strict=True)
    ]
    return cells.assign(effective_sparsity=found)


def row(table: pd.DataFrame, **values: Any) -> dict[str, Any]:
    """The only row with these values."""
    for name, value in values.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return {str(name): value for name, value in table.iloc[0].items()}


# Effective sparsity. Half of what remains goes from 50 to 75 to 87.5: equal steps on the axis of sparsity.


@pytest.fixture
def effective() -> pd.DataFrame:
    cells = made(
        {
            ("dense", "0"): [95.0, 95.0],
            ("plain", "50"): [91.0, 89.0],
            ("plain", "75"): [82.0, 78.0],
            ("wasteful", "50"): [85.0, 85.0],
            ("wasteful", "75"): [70.0, 70.0],
            ("coarse", "50"): [88.0, 88.0],
            ("coarse", "87.5"): [78.0, 78.0],
        }
    )
    shares = {
        ("plain", "50"): [50.0, 50.0],
        ("plain", "75"): [75.0, 75.0],
        ("wasteful", "50"): [74.0, 76.0],
        ("wasteful", "75"): [87.5, 87.5],
        ("coarse", "50"): [50.0, 50.0],
        ("coarse", "87.5"): [87.5, 87.5],
    }
    return with_effective(cells, shares)


def test_effective_sparsity_and_accuracy_are_means_over_seeds(effective: pd.DataFrame) -> None:
    found = row(effective_sparsity.table(effective, ABOUT), method="wasteful", sparsity="50")
    assert (found["effective"], found["accuracy"]) == pytest.approx((75, 85))


def test_order_at_equal_effective_sparsity_is_another_than_at_equal_sparsity(effective: pd.DataFrame) -> None:
    table = effective_sparsity.table(effective, ABOUT)
    plain, wasteful = (row(table, method=name, sparsity="75") for name in ("plain", "wasteful"))
    assert (plain["accuracy"], plain["accuracy at"]) == pytest.approx((80, 80))
    assert (wasteful["accuracy"], wasteful["accuracy at"]) == pytest.approx((70, 85))
    assert (plain["rank"], plain["rank at"]) == (1, 2)
    assert (wasteful["rank"], wasteful["rank at"]) == (2, 1)


def test_methods_whose_means_differ_in_the_rounding_of_a_sum_have_one_rank() -> None:
    third = 350 / 360 * 100
    cells = made({("dense", "0"): [99.0], ("one", "50"): [third], ("other", "50"): [np.nextafter(third, 100)]})
    table = effective_sparsity.table(with_effective(cells, {("one", "50"): [50.0], ("other", "50"): [50.0]}), ABOUT)
    assert table[["rank", "rank at"]].to_numpy().tolist() == [[1, 1], [1, 1]]


def test_both_ranks_are_among_the_methods_that_have_both_accuracies(effective: pd.DataFrame) -> None:
    table = effective_sparsity.table(effective, ABOUT)
    wasteful = row(table, method="wasteful", sparsity="50")
    assert np.isnan(wasteful["accuracy at"])
    assert pd.isna(wasteful["rank"])
    assert pd.isna(wasteful["rank at"])
    assert [row(table, method=name, sparsity="50")["rank"] for name in ("plain", "coarse")] == [1, 2]
    # Of those at 87.5, only `coarse` is pruned to 87.5.
    assert table[table.sparsity == "87.5"].method.tolist() == ["coarse"]


def test_accuracy_is_interpolated_where_each_step_halves_what_remains(effective: pd.DataFrame) -> None:
    means = effective_sparsity.over_seeds(effective)
    coarse = means[means.method == "coarse"]
    assert effective_sparsity.accuracy_at(coarse, 75) == pytest.approx(83)
    assert effective_sparsity.accuracy_at(coarse, 100 * (1 - 0.5**1.5)) == pytest.approx(85.5)
    assert effective_sparsity.accuracy_at(coarse, 87.5) == pytest.approx(78)


def test_accuracy_is_not_extrapolated_except_for_the_rounding_of_weights(effective: pd.DataFrame) -> None:
    means = effective_sparsity.over_seeds(effective)
    coarse = means[means.method == "coarse"]
    assert effective_sparsity.accuracy_at(coarse, 49.999) == pytest.approx(88)
    assert np.isnan(effective_sparsity.accuracy_at(coarse, 48))
    assert np.isnan(effective_sparsity.accuracy_at(coarse, 88.5))


def test_network_without_a_path_has_no_place_among_effective_sparsities() -> None:
    cells = made({("snip", "50"): [90.0, 90.0], ("snip", "75"): [10.0, 10.0]})
    table = effective_sparsity.table(
        with_effective(cells, {("snip", "50"): [50, 50], ("snip", "75"): [100, 100]}), ABOUT
    )
    assert np.isnan(row(table, sparsity="75")["accuracy at"])
    assert row(table, sparsity="75")["effective"] == 100
    # A seed that keeps a path keeps the other's collapse in both means.
    table = effective_sparsity.table(
        with_effective(cells, {("snip", "50"): [50, 50], ("snip", "75"): [80, 100]}), ABOUT
    )
    assert (row(table, sparsity="75")["effective"], row(table, sparsity="75")["accuracy"]) == (90, 10)
    assert row(table, sparsity="75")["accuracy at"] > 10


# Overview


def overview_of(accuracies: Mapping[tuple[str, ...], Sequence[float]]) -> pd.DataFrame:
    return overview.table(made({("dense", "0"): [97.0, 99.1]} | dict(accuracies)), ABOUT)


def test_highest_sparsity_has_every_lower_one_within_a_point_too() -> None:
    table = overview_of(
        {
            ("snip", "20"): [96.5, 98.6],
            ("snip", "36"): [96.0, 98.1],
            ("snip", "48.8"): [95.5, 97.6],
            ("snip", "59"): [97.0, 99.1],
        }
    )
    found = row(table, method="snip")
    assert (found["sparsity"], found["n"]) == ("36", 2)
    assert (found["weights left (%)"], found["difference"]) == pytest.approx((64, -1))


def test_difference_of_exactly_one_point_is_within_it() -> None:
    # In decimals the mean is -1; in floats it is a little less.
    table = overview.table(made({("dense", "0"): [95.03, 99.11], ("snip", "20"): [93.82, 98.32]}), ABOUT)
    assert row(table, method="snip")["sparsity"] == "20"


def test_sparsities_go_by_size_and_not_as_text() -> None:
    table = overview_of({("snip", "9"): [97.0, 99.1], ("snip", "10"): [90.0, 90.0], ("snip", "80"): [97.0, 99.1]})
    assert row(table, method="snip")["sparsity"] == "9"


def test_difference_to_the_dense_network_is_that_of_the_same_seeds() -> None:
    cells = made({("dense", "0"): [90.0, 99.0], ("snip", "20"): [80.0, 98.5]})
    table = overview.table(cells[~((cells.method == "snip") & (cells.seed == 0))], ABOUT)
    assert (row(table, method="snip")["sparsity"], row(table, method="snip")["difference"]) == ("20", -0.5)


def test_method_that_is_never_within_a_point_has_no_sparsity_and_no_update() -> None:
    found = row(overview_of({("random", "20"): [90.0, 90.0]}), method="random")
    assert (found["sparsity"], found["from update"], found["to update"]) == ("", "", "")
    assert np.isnan(found["weights left (%)"])
    without_dense = overview.table(made({("random", "20"): [90.0, 90.0]}), ABOUT)
    assert row(without_dense, method="random")["sparsity"] == ""


@pytest.mark.parametrize(
    ("method", "begin", "end", "retrospect"),
    [
        ("snip", 0, END, "no"),
        ("snip@10it", 10, END, "no"),
        ("lottery", REWIND, END, "yes"),
        ("lottery@10it", 10, END, "yes"),
        ("lottery-iterative", REWIND, END, "yes"),
        ("magnitude-after", END, 2 * END, "no"),
        # 20, 36, 48.8: three rounds, the dense training before them.
        ("magnitude-after-iterative", 3 * END, 4 * END, "no"),
    ],
)
def test_updates_with_the_mask_of_each_kind_of_method(method: str, begin: int, end: int, retrospect: str) -> None:
    table = overview_of({(method, sparsity): [97.0, 99.1] for sparsity in ("20", "36", "48.8")})
    found = row(table, method=method)
    assert found["sparsity"] == "48.8"
    assert (found["from update"], found["to update"], found["in retrospect"]) == (begin, end, retrospect)


# Pruning step

STEP_CELLS = {
    ("dense", "0"): [97.0, 99.0],
    ("snip", "73.8"): [90.0, 92.0],
    ("snip@10it", "73.8"): [91.0, 94.0],
    ("snip@10it", "73.8", "shuffle"): [90.0, 91.0],
    ("lottery@10it", "73.8"): [93.0, 95.0],
    ("lottery@10it", "73.8", "shuffle"): [92.0, 93.0],
    ("lottery", "73.8"): [94.0, 96.0],
    ("magnitude-after", "73.8"): [95.0, 97.0],
    ("snip@10it", "93.1"): [80.0, 82.0],
}


def test_steps_are_updates_of_pruning_and_of_rewinding() -> None:
    table = pruning_step.table(made(STEP_CELLS), ABOUT)
    updates = dict(zip(table.method, table["update"], strict=True))
    assert updates == {
        "dense": "",
        "snip": "0",
        "snip@10it": "10",
        "lottery@10it": "10",
        "lottery": "20",
        "magnitude-after": "100",
    }


def test_difference_to_lottery_is_paired_and_at_the_same_update_and_sparsity() -> None:
    table = pruning_step.table(made(STEP_CELLS), ABOUT)
    differences = {
        (method, sparsity, ablation): text
        for method, sparsity, ablation, text in zip(
            table.method, table.sparsity, table.ablation, table["difference to lottery"], strict=True
        )
        if text
    }
    assert differences == {
        ("snip@10it", "73.8", "none"): "-1.50 ± 0.71",  # 91 - 93 and 94 - 95
        ("snip@10it", "73.8", "shuffle"): "-3.50 ± 0.71",  # 90 - 93 and 91 - 95
        ("lottery@10it", "73.8", "shuffle"): "-1.50 ± 0.71",  # 92 - 93 and 93 - 95
    }


def test_difference_to_lottery_needs_no_other_step_of_the_lottery() -> None:
    cells = made({key: STEP_CELLS[key] for key in (("snip@10it", "73.8"), ("lottery@10it", "73.8"))})
    table = pruning_step.table(cells, ABOUT)
    assert row(table, method="snip@10it")["difference to lottery"] == "-1.50 ± 0.71"
    lonely = pruning_step.table(cells[~((cells.method == "lottery@10it") & (cells.seed == 0))], ABOUT)
    assert row(lonely, method="snip@10it")["difference to lottery"] == "-1.00"


def test_accuracy_and_seeds_of_each_step() -> None:
    table = pruning_step.table(made(STEP_CELLS), ABOUT)
    assert (row(table, method="dense")["accuracy"], row(table, method="dense")["n"]) == ("98.00 ± 1.41", 2)
    assert row(table, method="snip@10it", sparsity="93.1")["accuracy"] == "81.00 ± 1.41"


# Neurons


def test_neurons_are_counted_from_the_threshold_that_they_meet_exactly() -> None:
    linear = np.zeros((3, 10), dtype=bool)
    linear[0, :3] = True  # 70% lost, where 100 * (1 - 0.3) falls short as a float
    linear[1] = True  # nothing lost; of the last, all
    convolution = np.zeros((1, 2, 3, 3), dtype=bool)
    convolution[0, 0] = True  # 9 of 18
    cell = {"network": "net", "method": "snip", "sparsity": "50", "ablation": "none", "seed": 3}
    table = neurons_table([({"hidden.weight": linear, "conv.weight": convolution}, {"cell": cell})])
    share = dict(zip(table.threshold, table.share, strict=True))
    assert set(table.neurons) == {4}
    assert list(share) == list(range(101))
    assert {t: share[t] for t in (0, 1, 50, 51, 70, 71, 100)} == {
        0: 100,
        1: 75,
        50: 75,
        51: 50,
        70: 50,
        71: 25,
        100: 25,
    }


def test_table_of_neurons_is_of_its_thresholds_over_seeds() -> None:
    rows = [
        ("net", "synflow", "93.1", "none", seed, threshold, 100.0 - threshold / 2 + 2 * seed)
        for seed in range(2)
        for threshold in range(101)
    ]
    names = ["network", "method", "sparsity", "ablation", "seed", "threshold", "share"]
    (found,) = neuron_collapse.table(pd.DataFrame(rows, columns=names), ABOUT).to_dict("records")
    assert (found["50"], found["100"], found["n"]) == ("76.00 ± 1.41", "51.00 ± 1.41", 2)
    assert "75" not in found


# Layers


def test_layers_of_each_method_go_from_input_to_output() -> None:
    rows = [
        ("net", method, sparsity, "none", seed, layer, name, 10.0 * (layer + 1) + 2 * seed)
        for method in ("dense", "snip", "random")
        for sparsity in ("20", "36")
        for seed in range(2)
        for layer, name in ((1, "a.weight"), (0, "z.weight"))
    ]
    names = ["network", "method", "sparsity", "ablation", "seed", "layer", "tensor", "density"]
    table = layer_density.table(pd.DataFrame(rows, columns=names), ABOUT)
    assert list(zip(table.method, table.tensor, strict=True)) == [
        ("snip", "z.weight"),
        ("snip", "a.weight"),
        ("random", "z.weight"),
        ("random", "a.weight"),
    ]
    assert table["36"].tolist() == ["11.00 ± 1.41", "21.00 ± 1.41"] * 2


# All


@pytest.mark.parametrize("module", [ablations, effective_sparsity, overview, pruning_step])
def test_what_is_not_there_is_empty_in_tables_for_people(module: Any, effective: pd.DataFrame) -> None:
    table = module.table(effective if module is effective_sparsity else made(STEP_CELLS), ABOUT)
    for text in (to_markdown(table, module.HEADING), to_latex(table, module.HEADING)):
        assert "nan" not in text.lower().split()
        assert "<NA>" not in text
