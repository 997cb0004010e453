"""Verdicts on claims: by hand, over made studies with known truths, and error rates over thousands of them."""

import itertools
import math
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.colors import to_hex

from pruning import PruningError
from pruning.claims import differences, verdicts
from pruning.claims_config import read_claims
from pruning.claims_report import SOURCES, to_markdown
from pruning.drawing import claims as figure
from pruning.drawing import style
from pruning.statistics import holm, p_above, p_below, summarise
from pruning.study import Tables
from pruning.tables import read_table

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = ROOT / "workflow/schemas"
LEVEL, MARGIN = 0.025, 0.5
NETWORK = {
    "initialiser": "kaiming-normal",
    "matching": [20, 86.6],
    "extreme": [89.3, 98.2],
    "ranges_are": "our choice",
    "updates": 1000,
    "steps": {"snip": 0, "random": 0, "magnitude-after": 1000},
}

Values = Mapping[tuple[str, str], Mapping[str, Sequence[float | None]]]
"""{(method, ablation): {sparsity: accuracy of seed 0, 1, ...}}; None is a cell that is not there"""


def cells(values: Values, network: str = "net") -> pd.DataFrame:
    rows = [
        (network, method, sparsity, ablation, seed, accuracy)
        for (method, ablation), line in values.items()
        for sparsity, accuracies in line.items()
        for seed, accuracy in enumerate(accuracies)
        if accuracy is not None
    ]
    table = pd.DataFrame(rows, columns=["network", "method", "sparsity", "ablation", "seed", "accuracy"])
    return table.assign(collapsed=False, diverged=False, neurons=100, neurons_without_incoming=0)


def claim(expect: str, methods: Sequence[str] = ("snip",), **more: Any) -> dict[str, Any]:
    """The content of claims.yaml with one claim: the method against random pruning at matching sparsities."""
    sides = {} if expect in ("none is best", "rises") else {"right": {"method": "random"}}
    own = {"text": "Words.", "source": "abstract", "methods": [*methods], "expect": expect, "ranges": ["matching"]}
    return {"margin": MARGIN, "level": 0.95, "claims": {"it": {**own, **sides, **more}}}


def judge(table: pd.DataFrame, claims: Mapping[str, Any], **network: Any) -> list[dict[Any, Any]]:
    return verdicts(table, claims, {"net": {**NETWORK, **network}}).to_dict("records")


def against_random(gains: Sequence[float], expect: str, **more: Any) -> dict[Any, Any]:
    """The verdict where SNIP beats random pruning by `gains`, one a seed."""
    level = [90.0, 70.0, 50.0, 30.0, 10.0][: len(gains)]
    table = cells(
        {
            ("snip", "none"): {"50": [value + gain for value, gain in zip(level, gains, strict=True)]},
            ("random", "none"): {"50": level},
        }
    )
    (row,) = judge(table, claim(expect, **more))
    return row


def tail(distance: float, spread: float) -> float:
    """The p value of three seeds with differences of distance - spread, distance and distance + spread.

    Student's t with 2 degrees of freedom exceeds t with probability 1/2 - t / (2 sqrt(2 + t^2)).
    """
    t = distance / spread * math.sqrt(3)
    return 0.5 - t / (2 * math.sqrt(2 + t * t))


# ---------------------------------------------------------------------------------------------------------- statistics


@pytest.mark.parametrize(("values", "bound"), [([1, 2, 3], 0), ([1, 2, 3], 2), ([-4, 1, 0], 0.5), ([5, 5, 5.1], 5)])
def test_p_values_of_three_seeds_have_a_closed_form(values: list[float], bound: float) -> None:
    # Student's t with 2 degrees of freedom exceeds t with probability 1/2 - t / (2 sqrt(2 + t^2)).
    mean = sum(values) / 3
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / 2)
    t = (mean - bound) / deviation * math.sqrt(3)
    assert p_above(values, bound) == pytest.approx(0.5 - t / (2 * math.sqrt(2 + t * t)), abs=1e-12)
    assert p_above(values, bound) + p_below(values, bound) == pytest.approx(1)


def test_test_and_interval_agree() -> None:
    stream = np.random.default_rng(0)
    for n in [3] * 200 + [5] * 200:
        values = stream.normal(0.5, 0.4, n).tolist()
        summary = summarise(values)
        assert (p_above(values, 0) <= LEVEL) == (summary.low >= 0)
        assert (p_below(values, 1) <= LEVEL) == (summary.high <= 1)


def test_interval_of_another_confidence() -> None:
    summary = summarise([1, 2, 3], 0.9)
    assert summary.high - 2 == pytest.approx(2.920 / math.sqrt(3), rel=1e-3)  # t table, 2 degrees of freedom


def test_p_values_of_equal_values_are_certain_unless_they_lie_on_the_bound() -> None:
    assert [p_above([0.1] * 3, bound) for bound in (0, 0.1, 0.2)] == [0, 0.5, 1]
    assert [p_below([0.1] * 3, bound) for bound in (0, 0.1, 0.2)] == [1, 0.5, 0]


def test_holm_by_hand() -> None:
    # In order .005, .01, .03, .04: times 4, 3, 2, 1 is .02, .03, .06, .04, and none may be less than the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([]) == []


# ---------------------------------------------------------------------------------------------------------- by hand


def test_difference_is_averaged_over_the_range_and_paired_by_seed() -> None:
    table = cells(
        {
            ("snip", "none"): {"20": [91.0, 82.0, 73.0], "86.6": [81.0, 72.0, 63.0]},
            ("random", "none"): {"20": [90.0, 80.0, 70.0], "86.6": [80.0, 70.0, 60.0]},
        }
    )
    (row,) = judge(table, claim("above"))
    # Differences of the seeds: 1, 2 and 3.
    assert (row["n"], row["estimate"], row["sparsities"]) == (3, 2, "20 86.6")
    half = 4.303 / math.sqrt(3)
    assert (row["low"], row["high"]) == pytest.approx((2 - half, 2 + half), abs=1e-3)
    t = 2 * math.sqrt(3)
    assert row["p_holds"] == pytest.approx(0.5 - t / (2 * math.sqrt(2 + t * t)))
    assert (row["verdict"], row["missing"]) == ("undecided", "")


PRECISE, VAGUE = [-0.1, -0.05, 0, 0.05, 0.1], [-4.0, -2.0, 0.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("expect", "centre", "verdict"),
    [
        *(("not below", centre, "holds") for centre in (3, 0, -0.3)),
        *(("not below", centre, "fails") for centre in (-0.7, -9)),
        *(("not below", centre, "undecided") for centre in (-0.5, -0.45, -0.55)),
        *(("above", centre, "holds") for centre in (3, 0.2)),
        *(("above", centre, "fails") for centre in (0, 0.05, -3)),
        *(("below", centre, "holds") for centre in (-3, -0.2)),
        *(("below", centre, "fails") for centre in (0, -0.05, 3)),
        *(("within", centre, "holds") for centre in (0, 0.3, -0.3)),
        *(("within", centre, "fails") for centre in (0.8, -0.8)),
        *(("within", centre, "undecided") for centre in (0.5, -0.5)),
    ],
)
def test_precise_difference_is_judged_by_where_it_lies(expect: str, centre: float, verdict: str) -> None:
    assert against_random([centre + part for part in PRECISE], expect)["verdict"] == verdict


@pytest.mark.parametrize("expect", ["not below", "above", "below", "within"])
@pytest.mark.parametrize("centre", [-1, 0, 0.5, 1])
def test_vague_difference_is_undecided(expect: str, centre: float) -> None:
    assert against_random([centre + part for part in VAGUE], expect)["verdict"] == "undecided"


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("expect", ["not below", "above", "below", "within"])
def test_fewer_than_three_seeds_decide_nothing(expect: str, n: int) -> None:
    row = against_random([50.0, 50.0][:n], expect)
    assert (row["verdict"], row["n"], row["estimate"]) == ("undecided", n, 50)
    assert math.isnan(row["p_holds"])
    assert math.isnan(row["low"]) == (n == 1)


@pytest.mark.parametrize(
    ("gain", "expect", "verdict"),
    [
        (1, "above", "holds"),
        (0, "above", "fails"),
        (0, "below", "fails"),
        (0, "within", "holds"),
        (-0.5, "not below", "undecided"),
        (0.5, "within", "undecided"),
        (-0.6, "not below", "fails"),
    ],
)
def test_equal_differences_are_certain_unless_they_lie_on_the_bound(gain: float, expect: str, verdict: str) -> None:
    """Also where sums round them apart: 90 - 0.6 - 90 is not 10 - 0.6 - 10 to the last bit."""
    assert against_random([gain] * 5, expect)["verdict"] == verdict


def test_pairing_takes_out_what_a_seed_does_to_both_sides() -> None:
    level = np.random.default_rng(0).normal(60, 15, 5).tolist()
    gains = [1.1, 0.9, 1.0, 1.05, 0.95]
    table = cells(
        {
            ("snip", "none"): {"50": [value + gain for value, gain in zip(level, gains, strict=True)]},
            ("random", "none"): {"50": level},
        }
    )
    (row,) = judge(table, claim("above"))
    assert row["verdict"] == "holds"
    assert row["high"] - row["low"] < 0.3


def test_order_of_the_rows_changes_nothing() -> None:
    stream = np.random.default_rng(1)
    table = cells(
        {
            (method, "none"): {sparsity: stream.normal(80, 3, 5).tolist() for sparsity in ("20", "36", "48.8", "59")}
            for method in ("snip", "random", "grasp")
        }
    )
    claims = claim("above", ["snip", "grasp"])
    shuffled = table.sample(frac=1, random_state=0)
    assert verdicts(table, claims, {"net": NETWORK}).equals(verdicts(shuffled, claims, {"net": NETWORK}))


def test_dense_network_is_compared_at_every_sparsity() -> None:
    table = cells(
        {
            ("snip", "none"): {"20": [97.0, 96.0, 95.1], "36": [95.0, 94.0, 92.9]},
            ("dense", "none"): {"0": [97.0, 96.0, 95.0]},
        }
    )
    (row,) = judge(table, claim("below", right={"method": "dense"}))
    assert row["sparsities"] == "20 36"
    assert row["estimate"] == pytest.approx(-1)
    assert row["verdict"] == "holds"


def test_sides_name_ablations_and_other_methods() -> None:
    low, high = [50.0, 51.0, 52.1], [90.0, 91.0, 92.0]
    table = cells({("snip", "shuffle"): {"50": high}, ("snip", "none"): {"50": low}, ("random", "none"): {"50": high}})
    shuffled = {"left": {"ablation": "shuffle"}, "right": {}}
    assert judge(table, claim("above", **shuffled))[0]["estimate"] == pytest.approx(119.9 / 3)
    fixed = {"left": {"method": "random"}, "right": {}}
    assert judge(table, claim("above", **fixed))[0]["estimate"] == pytest.approx(119.9 / 3)
    assert judge(table, claim("above"))[0]["estimate"] == pytest.approx(-119.9 / 3)


def test_other_metric_is_the_percentage_of_empty_neurons() -> None:
    table = cells({("snip", "none"): {"50": [90.0] * 3}, ("random", "none"): {"50": [90.0] * 3}})
    table["neurons"] = 250
    table["neurons_without_incoming"] = [25, 30, 35, 0, 0, 0]
    (row,) = judge(table, claim("above", metric="empty neurons"))
    assert (row["estimate"], row["statistic"], row["verdict"]) == (12, "empty neurons", "holds")


def test_collapsed_and_diverged_cells_count_and_are_counted() -> None:
    table = cells({("snip", "none"): {"50": [10.0, 91.0, 92.0]}, ("random", "none"): {"50": [90.0, 90.0, 10.0, 90.0]}})
    table["collapsed"] = (table.accuracy == 10) & (table.method == "snip")
    table["diverged"] = (table.method == "random") & (table.seed >= 2)
    (row,) = judge(table, claim("above"))
    # Seed 3 is not compared.
    assert (row["collapsed"], row["estimate"]) == (2, pytest.approx(1))


# ------------------------------------------------------------------------------------------------------------- ranges


def test_cell_outside_the_range_changes_nothing() -> None:
    inside = {"20": [91.0, 92.0, 93.5], "86.6": [90.0, 91.0, 92.0]}
    below = {sparsity: [80.0, 81.0, 82.0] for sparsity in inside}
    beyond = {"19.9": [1.0, 99.0, 5.0], "86.7": [99.0, 1.0, 5.0], "86.60000000000000001": [0.0, 99.0, 0.0]}
    narrow = cells({("snip", "none"): inside, ("random", "none"): below})
    wide = cells({("snip", "none"): {**inside, **beyond}, ("random", "none"): {**below, **beyond}})
    assert judge(narrow, claim("above")) == judge(wide, claim("above"))


def test_ends_of_a_range_are_exact_decimals_and_belong_to_it() -> None:
    values = {sparsity: [91.0, 92.0, 93.0] for sparsity in ("9", "10", "59", "73.8", "86.6")}
    table = cells({("snip", "none"): values, ("random", "none"): values})
    explicit = claim("above", ranges=["matching", [9, 59.0], [59, 86.6], [60, 70]])
    rows = judge(table, explicit)
    assert [row["range"] for row in rows] == ["matching", "9 to 59.0", "59 to 86.6", "60 to 70"]
    assert [row["sparsities"] for row in rows] == ["59 73.8 86.6", "9 10 59", "59 73.8 86.6", ""]
    assert (rows[3]["verdict"], rows[3]["missing"]) == ("not in this study", "sparsities 60 to 70")


def test_verdict_for_each_range_and_network() -> None:
    values = {"20": [91.0, 92.0, 93.1], "98.2": [50.0, 51.0, 52.1]}
    base = {"20": [90.0, 91.0, 92.0], "98.2": [60.0, 61.0, 62.0]}
    table = pd.concat(
        [cells({("snip", "none"): values, ("random", "none"): base}, network) for network in ("net", "other")]
    )
    rows = verdicts(table, claim("above", ranges=["matching", "extreme"]), {"other": NETWORK, "net": NETWORK})
    found = [tuple(row) for row in rows[["network", "range", "verdict"]].to_numpy()]
    assert found == [
        (network, *verdict) for network in ("other", "net") for verdict in (("matching", "holds"), ("extreme", "fails"))
    ]


def test_claim_on_an_initialiser_speaks_of_no_other_network() -> None:
    table = cells({("snip", "none"): {"50": [90.0] * 3}, ("random", "none"): {"50": [90.0] * 3}})
    assert judge(table, claim("above", initialiser="normal")) == []
    assert len(judge(table, claim("above", initialiser="normal"), initialiser="normal")) == 1
    assert len(judge(table, claim("above"))) == 1
    assert judge(table, claim("above"), initialiser="normal") == []


# ------------------------------------------------------------------------------------------------------ what is missing


def test_seed_counts_only_where_all_its_cells_are_there() -> None:
    table = cells(
        {
            ("snip", "none"): {"20": [1.0, 91.0, 92.0, 93.0, 1.0], "36": [None, 91.0, 92.0, 93.0, 1.0]},
            ("random", "none"): {"20": [90.0, 90.0, 91.0, 91.9, None], "36": [90.0, 90.0, 91.0, 92.0, None]},
        }
    )
    (row,) = judge(table, claim("above"))
    assert (row["n"], row["verdict"]) == (3, "holds")
    assert row["missing"] == "snip/36/none seed 0; random/20,36/none seed 4"


def test_sparsity_that_a_side_lacks_is_left_out_and_named() -> None:
    table = cells(
        {
            ("snip", "none"): {"20": [91.0, 92.0, 93.1], "36": [10.0, 10.0, 10.0]},
            ("random", "none"): {"20": [90.0, 91.0, 92.0]},
        }
    )
    (row,) = judge(table, claim("above"))
    assert (row["sparsities"], row["n"], row["verdict"], row["missing"]) == ("20", 3, "holds", "random/36/none")


def test_sides_without_a_common_cell_are_not_in_this_study() -> None:
    table = cells({("snip", "none"): {"20": [91.0] * 3}, ("random", "none"): {"36": [90.0] * 3}})
    (row,) = judge(table, claim("above"))
    assert (row["n"], row["verdict"]) == (0, "not in this study")
    assert row["missing"] == "snip/36/none; random/20/none"


def test_seed_that_the_dense_network_lacks_is_named_once() -> None:
    values = {sparsity: [90.0, 90.0, 90.0, 90.0] for sparsity in ("20", "36")}
    table = cells({("snip", "none"): values, ("dense", "none"): {"0": [92.0, 92.0, 92.0]}})
    (row,) = judge(table, claim("below", right={"method": "dense"}))
    assert (row["n"], row["missing"]) == (3, "dense/0/none seed 3")


def test_method_that_the_study_lacks_is_named_and_takes_no_part() -> None:
    table = cells({("snip", "none"): {"20": [91.0, 91.1, 91.2]}, ("random", "none"): {"20": [90.0, 90.0, 90.0]}})
    alone = judge(table, claim("above"))
    rows = judge(table, claim("above", ["snip", "grasp"]))
    assert rows[:1] == alone
    assert (rows[1]["verdict"], rows[1]["missing"], rows[1]["n"]) == ("not in this study", "grasp/none", 0)


# ------------------------------------------------------------------------------------------------------ several methods

FOUR = ["magnitude", "snip", "grasp", "synflow"]


def test_methods_and_ranges_of_a_claim_are_adjusted_together_and_with_no_other() -> None:
    # With 3 seeds a gain of 1 and a deviation of g has t = sqrt(3) / g.
    gains = {"snip": 0.3, "grasp": 0.32, "synflow": 5.0}
    lines = {
        (method, "none"): {sparsity: [90 + 1 - spread, 80 + 1.0, 70 + 1 + spread] for sparsity in ("20", "98.2")}
        for method, spread in gains.items()
    }
    random = {("random", "none"): {sparsity: [90.0, 80.0, 70.0] for sparsity in ("20", "98.2")}}
    two_seeds = {("magnitude", "none"): {"20": [99.0, 99.0], "98.2": [99.0, 99.0]}}
    table = cells({**lines, **random, **two_seeds})

    rows = judge(table, claim("above", FOUR, ranges=["matching", "extreme"]))
    for part in (rows[:4], rows[4:]):
        found = {row["method"]: row["p_holds"] for row in part}
        # Magnitude has two seeds: it is not tested and does not count. The others are tested in both ranges.
        assert math.isnan(found.pop("magnitude"))
        assert found == pytest.approx(
            {"snip": 6 * tail(1, 0.3), "grasp": max(4 * tail(1, 0.32), 6 * tail(1, 0.3)), "synflow": 2 * tail(1, 5)}
        )
    assert tail(1, 0.3) < LEVEL < 2 * tail(1, 0.3)
    assert rows[1]["verdict"] == "undecided"
    assert judge(table, claim("above", ["snip"]))[0]["verdict"] == "holds"


def test_where_a_range_comes_from_stands_beside_the_verdict() -> None:
    values = {sparsity: [90.0] * 3 for sparsity in ("20", "98.2")}
    table = cells({("snip", "none"): values, ("random", "none"): values})
    rows = judge(table, claim("above", ranges=["matching", "extreme", [0, 59]]), ranges_are="unverified")
    assert [row["ranges_are"] for row in rows] == ["unverified", "unverified", ""]
    (row,) = judge(table, claim("none is best", ["snip", "random"], ranges=["matching", "extreme"]))
    assert row["ranges_are"] == "our choice"


def best(accuracies: Mapping[str, Mapping[str, float]], spread: float = 0.05, **more: Any) -> dict[Any, Any]:
    """The verdict on `none is best` where methods have mean accuracies {method: {sparsity: accuracy}} over 5 seeds."""
    stream = np.random.default_rng(0)
    table = cells(
        {
            (method, "none"): {
                sparsity: (mean + stream.normal(0, spread, 5)).tolist() for sparsity, mean in line.items()
            }
            for method, line in accuracies.items()
        }
    )
    (row,) = judge(table, claim("none is best", list(more.pop("methods", accuracies)), ranges=["matching", "extreme"]))
    return row


def test_none_is_best_where_the_methods_change_places() -> None:
    row = best({"snip": {"20": 92, "98.2": 60}, "grasp": {"20": 91, "98.2": 70}, "synflow": {"20": 90, "98.2": 71}})
    assert (row["verdict"], row["n"], row["range"]) == ("holds", 5, "matching and extreme")
    assert (row["method"], row["sparsities"]) == ("snip, grasp, synflow", "20 98.2")
    assert math.isnan(row["estimate"])


def test_one_is_best_where_it_is_below_no_other_anywhere() -> None:
    row = best({"snip": {"20": 92, "98.2": 60}, "grasp": {"20": 92.1, "98.2": 74}, "synflow": {"20": 90, "98.2": 71}})
    assert row["verdict"] == "fails"


def test_best_is_undecided_where_the_first_place_is_not_shown() -> None:
    vague = {"snip": {"20": 92, "98.2": 60}, "grasp": {"20": 91, "98.2": 61}}
    assert best(vague, spread=4)["verdict"] == "undecided"
    # Magnitude is beaten twice, and of the others none is shown to be below another nor not to be.
    row = best(
        {"magnitude": {"20": 10, "98.2": 10}, "snip": {"20": 92, "98.2": 60}, "grasp": {"20": 92, "98.2": 60}}, 2
    )
    assert row["verdict"] == "undecided"


def test_best_by_hand() -> None:
    # Seeds differ by 1 +- 0.1 at 20% and by -1 +- 0.2 at 98.2%; each method is looked for in two places.
    table = cells(
        {
            ("snip", "none"): {"20": [91.0, 91.1, 90.9], "98.2": [49.0, 49.2, 48.8]},
            ("grasp", "none"): {"20": [90.0, 90.0, 90.0], "98.2": [50.0, 50.0, 50.0]},
        }
    )
    (row,) = judge(table, claim("none is best", ["snip", "grasp"], ranges=["matching", "extreme"]))

    assert row["p_holds"] == pytest.approx(2 * tail(1, 0.2))  # SNIP, at 98.2%; GraSP is shown more clearly, at 20%
    assert row["p_fails"] == 1  # SNIP is not shown to lie above -0.5 at 98.2%, nor GraSP at 20%
    assert row["verdict"] == "holds"


def test_one_best_by_hand() -> None:
    # Above by 1 +- 0.1 at 20%, one of two ranges, and level to 0.2 at 98.2%. Either of two methods may be the best.
    table = cells(
        {
            ("snip", "none"): {"20": [91.0, 91.1, 90.9], "98.2": [50.0, 50.2, 49.8]},
            ("grasp", "none"): {"20": [90.0, 90.0, 90.0], "98.2": [50.0, 50.0, 50.0]},
        }
    )
    (row,) = judge(table, claim("none is best", ["snip", "grasp"], ranges=["matching", "extreme"]))
    assert row["p_fails"] == pytest.approx(2 * max(tail(1.5, 0.1), tail(0.5, 0.2), 2 * tail(1, 0.1)))
    assert row["verdict"] == "undecided"


def test_methods_that_are_all_equal_have_no_best_and_no_worst() -> None:
    assert best({method: {"20": 92, "98.2": 60} for method in FOUR})["verdict"] == "undecided"
    # Two that are equal, above a third.
    accuracies = {"snip": {"20": 92, "98.2": 60}, "grasp": {"20": 92, "98.2": 60}, "synflow": {"20": 90, "98.2": 50}}
    assert best(accuracies)["verdict"] == "undecided"


def test_best_of_fewer_methods_than_are_claimed_is_undecided() -> None:
    accuracies = {"snip": {"20": 92, "98.2": 60}, "grasp": {"20": 91, "98.2": 70}}
    row = best(accuracies, methods=["snip", "grasp", "synflow"])
    assert (row["method"], row["verdict"], row["missing"]) == ("snip, grasp", "undecided", "synflow/none")
    assert best({"snip": {"20": 92}}, methods=["snip", "grasp"])["verdict"] == "not in this study"


# --------------------------------------------------------------------------------------------------------- steps

STEPS = {"snip": 0, "snip@1000it": 1000, "snip@2ep": 938, "snip@500it": 500, "lottery": 938, "lottery@500it": 500}


def over_steps(accuracies: Mapping[str, float], spread: float = 0.05, n: int = 5) -> pd.DataFrame:
    """Seeds differ by much, steps of one seed by little."""
    stream = np.random.default_rng(0)
    level = stream.normal(0, 5, n)
    return cells(
        {
            (method, "none"): {"50": (mean + level + stream.normal(0, spread, n)).tolist()}
            for method, mean in accuracies.items()
        }
    )


RISE = {"snip": 80.0, "snip@500it": 81.0, "snip@2ep": 82.0, "snip@1000it": 83.0}


@pytest.mark.parametrize(
    ("accuracies", "verdict", "estimate"),
    [
        (RISE, "holds", 1),
        (dict(zip(RISE, reversed(RISE.values()), strict=True)), "fails", -1),
        (dict(zip(RISE, [80, 81, 81.5, 80.5], strict=True)), "undecided", 0.2),
    ],
)  # fmt: skip
def test_rise_with_the_step(accuracies: dict[str, float], verdict: str, estimate: float) -> None:
    """Steps are in order of update: 2 epochs are 938. Ranks 1 3 4 2 have a correlation of 1 - 6 * 6 / 60 = 0.4."""
    (row,) = judge(over_steps(accuracies), claim("rises"), steps=STEPS)
    assert (row["verdict"], row["n"], row["statistic"]) == (verdict, 5, "rank correlation")
    assert row["estimate"] == pytest.approx(0.4 if verdict == "undecided" else estimate)
    assert math.isnan(row["low"])


def test_probability_of_a_rise_by_counting() -> None:
    # Four steps in the same order with each of 3 seeds: one order of 24, three times.
    (row,) = judge(over_steps(RISE, n=3), claim("rises"), steps=STEPS)
    assert row["p_holds"] == pytest.approx(24**-3)
    # One seed in which two neighbours change places: Page's statistic is the largest or the next in 1 + 3 * 3 orders.
    table = over_steps(RISE, spread=0, n=3)
    swap = {"snip@500it": 82.5, "snip@2ep": 81.5}
    for method, accuracy in swap.items():
        seed_0 = (table.method == method) & (table.seed == 0)
        shift = float(table.accuracy[(table.method == "snip") & (table.seed == 0)].iloc[0]) - RISE["snip"]
        table.loc[seed_0, "accuracy"] = accuracy + shift
    (row,) = judge(table, claim("rises"), steps=STEPS)
    assert row["p_holds"] == pytest.approx(10 * 24**-3)


def test_two_steps_are_no_trend() -> None:
    two = {"snip": 0, "snip@500it": 500}
    (row,) = judge(over_steps(RISE), claim("rises"), steps=two)
    assert (row["verdict"], row["missing"]) == ("not in this study", "snip at 3 steps or more")


def test_no_change_at_all_is_no_trend() -> None:
    (row,) = judge(over_steps(dict.fromkeys(RISE, 80.0), spread=0), claim("rises"), steps=STEPS)
    assert (row["verdict"], row["estimate"]) == ("undecided", 0)


def in_training(expect: str, steps: str, methods: Sequence[str] = ("snip@STEP",), **more: Any) -> dict[str, Any]:
    """A claim on methods at every or some step of the whole training, against lottery tickets of the same step."""
    return claim(expect, methods, steps=steps, **{"right": {"method": "lottery@STEP"}, "until": 100, **more})


def step_by_step(gains: Mapping[str, tuple[float, float]], n: int = 3) -> pd.DataFrame:
    """{method at a step: how much it is above the lottery ticket of that step, and how far three seeds are apart}."""
    level = [90.0, 70.0, 50.0][:n]
    values = {}
    for method, (gain, spread) in gains.items():
        at_step = [seed + gain + part * spread for seed, part in zip(level, (-1, 0, 1)[:n], strict=True)]
        values[method, "none"] = {"50": at_step}
        _, at, step = method.partition("@")
        values[f"lottery{at or '@'}{step or '0'}", "none"] = {"50": level}
    return cells(values)


EACH_STEP = {
    f"{method}{step}": update
    for method in ("snip", "grasp", "lottery")
    for step, update in (("@0" if method == "lottery" else "", 0), ("@500it", 500), ("@2ep", 938))
}


@pytest.mark.parametrize(
    ("gains", "verdict", "step", "p_holds", "p_fails"),
    [
        # Shown least at 500it; nowhere does it look as if it were wrong.
        ([(-3, 0.3), (-1, 0.3), (-2, 0.5)], "holds", "500it", tail(1, 0.3), 1),
        # Shown to be wrong at 2 epochs, one of three places; elsewhere it holds.
        ([(-3, 0.3), (-3, 0.3), (2, 0.3)], "fails", "2ep", tail(-2, 0.3), 3 * tail(2.5, 0.3)),
        ([(-1, 2), (-3, 0.3), (-3, 0.3)], "undecided", "0it", tail(1, 2), 1),
    ],
)
def test_claim_on_every_step(gains: Any, verdict: str, step: str, p_holds: float, p_fails: float) -> None:
    table = step_by_step(dict(zip(("snip", "snip@500it", "snip@2ep"), gains, strict=True)))
    (row,) = judge(table, in_training("below", "every"), steps=EACH_STEP)
    assert (row["verdict"], row["method"], row["step"], row["n"]) == (verdict, "snip", step, 3)
    assert row["steps"] == "0it 500it 2ep"
    assert row["estimate"] == pytest.approx(gains[row["steps"].split().index(step)][0])
    assert (row["p_holds"], row["p_fails"]) == (pytest.approx(p_holds), pytest.approx(p_fails))


@pytest.mark.parametrize(
    ("gains", "verdict", "step", "p_holds", "p_fails"),
    [
        # Shown at 500it, one of three places; and it is not wrong everywhere.
        ([(-3, 0.3), (1, 0.3), (-2, 0.3)], "holds", "500it", 3 * tail(1.5, 0.3), tail(-1.5, 0.3)),
        # Wrong at every step, which is shown least at 2 epochs.
        ([(-3, 0.3), (-3, 0.4), (-1.5, 0.3)], "fails", "2ep", 1, tail(1, 0.3)),
        ([(-0.2, 0.4), (-3, 0.3), (-3, 0.3)], "undecided", "0it", 3 * tail(0.3, 0.4), tail(-0.3, 0.4)),
    ],
)
def test_claim_on_some_step(gains: Any, verdict: str, step: str, p_holds: float, p_fails: float) -> None:
    table = step_by_step(dict(zip(("snip", "snip@500it", "snip@2ep"), gains, strict=True)))
    (row,) = judge(table, in_training("not below", "some"), steps=EACH_STEP)
    assert (row["verdict"], row["step"]) == (verdict, step)
    assert row["estimate"] == pytest.approx(gains[row["steps"].split().index(step)][0])
    assert (row["p_holds"], row["p_fails"]) == (pytest.approx(p_holds), pytest.approx(p_fails))


def test_step_that_is_shown_is_the_one_that_made_the_claim_fail() -> None:
    """Least sure to be below at the start, most sure not to be at 500it."""
    gains = {"snip": (0.0, 9.0), "snip@500it": (-0.1, 0.01), "snip@2ep": (-3.0, 0.1)}
    (row,) = judge(step_by_step(gains), in_training("below", "every"), steps=EACH_STEP)
    assert (row["verdict"], row["step"], row["estimate"]) == ("fails", "500it", pytest.approx(-0.1))


def test_methods_are_adjusted_together_and_their_steps_are_not() -> None:
    gains = {"snip": (-1, 0.2), "snip@500it": (-9, 0.2), "grasp": (-9, 0.2), "grasp@500it": (-1, 0.4)}
    claims = in_training("below", "every", ["snip@STEP", "grasp@STEP"])
    rows = judge(step_by_step(gains), claims, steps=EACH_STEP)
    found = {row["method"]: row["p_holds"] for row in rows}
    assert found == pytest.approx({"snip": 2 * tail(1, 0.2), "grasp": tail(1, 0.4)})


@pytest.mark.parametrize(
    ("until", "steps"), [(100, "0it 500it 2ep"), (93.8, "0it 500it 2ep"), (93.7, "0it 500it"), (0, "0it")]
)
def test_claim_goes_until_a_share_of_training(until: float, steps: str) -> None:
    table = step_by_step(dict.fromkeys(("snip", "snip@500it", "snip@2ep"), (-3, 0.3)))
    claims = in_training("below", "every", until=until)
    (row,) = judge(table, claims, steps=EACH_STEP)
    assert row["steps"] == steps
    assert len(differences(table, claims, {"net": {**NETWORK, "steps": EACH_STEP}})) == len(steps.split())


def test_study_without_a_step_until_then_says_so() -> None:
    table = step_by_step({"snip@2ep": (-3, 0.3)})
    steps = {"snip@2ep": 938, "lottery@2ep": 938}
    (row,) = judge(table, in_training("below", "every", until=50), steps=steps)
    assert (row["verdict"], row["missing"]) == ("not in this study", "snip at a step until 50% of training")


def test_nothing_is_shown_of_all_steps_where_one_could_not_be_tested() -> None:
    gains = {"snip": (-3, 0.1), "snip@500it": (-3, 0.1), "snip@2ep": (-3, 0.1)}
    table = step_by_step(gains)
    lacking = {
        "lottery@500it/none": table[table.method != "lottery@500it"],
        "snip@500it/50/none seed 0; snip@500it with 3 seeds": table[(table.method != "snip@500it") | (table.seed > 0)],
    }
    for missing, part in lacking.items():
        (row,) = judge(part, in_training("below", "every"), steps=EACH_STEP)
        assert (row["verdict"], row["steps"], row["p_holds"]) == ("undecided", "0it 2ep", 1)
        assert row["missing"] == missing
        (row,) = judge(part, in_training("below", "some"), steps=EACH_STEP)
        assert (row["verdict"], row["p_holds"]) == ("holds", pytest.approx(2 * tail(3, 0.1)))
        (row,) = judge(part, in_training("above", "some"), steps=EACH_STEP)
        assert (row["verdict"], row["p_fails"]) == ("undecided", 1)


def test_steps_under_three_seeds_are_undecided() -> None:
    (row,) = judge(step_by_step({"snip": (-3, 0.1)}, n=2), in_training("below", "every"), steps=EACH_STEP)
    assert (row["verdict"], row["n"], row["step"], row["estimate"]) == ("undecided", 2, "0it", pytest.approx(-3.05))
    assert row["missing"] == ""


def test_step_of_one_side_is_that_of_the_other() -> None:
    """The lottery rewinds to update 938 by itself. What has no cell on the other side is named."""
    accuracies = {**RISE, "lottery": 90.0, "lottery@500it": 95.0}
    stepwise = in_training("below", "every")
    table = over_steps(accuracies)
    single = differences(table, stepwise, {"net": {**NETWORK, "steps": STEPS}})
    estimates = dict(zip(single.method, single.difference, strict=True))
    assert estimates == pytest.approx({"snip@500it": -14, "snip@2ep": -8}, abs=0.1)
    (row,) = judge(table, stepwise, steps=STEPS)
    assert (row["steps"], row["missing"]) == ("500it 2ep", "lottery@0it/none; lottery@1000it/none")


def test_every_step_is_compared_with_what_has_none() -> None:
    accuracies = {"lottery": 90.0, "lottery@500it": 81.0, "dense": 80.0}
    table = over_steps(accuracies)
    table.loc[table.method == "dense", "sparsity"] = "0"
    claims = in_training("not below", "some", ["lottery@STEP"], right={"method": "dense"})
    (row,) = judge(table, claims, steps=STEPS)
    # The row that was not given a step by name says the update.
    assert (row["verdict"], row["steps"], row["step"]) == ("holds", "500it 938it", "938it")


def test_step_without_cells_in_a_range_is_none_of_it() -> None:
    table = step_by_step({"snip": (-3, 0.1), "snip@500it": (3, 0.1)})
    table.loc[table.method.isin(["snip", "lottery@0"]), "sparsity"] = "98.2"
    rows = judge(table, in_training("below", "every", ranges=["matching", "extreme"]), steps=EACH_STEP)
    assert [(row["range"], row["steps"], row["verdict"]) for row in rows] == [
        ("matching", "500it", "fails"),
        ("extreme", "0it", "holds"),
    ]


def test_steps_are_compared_at_the_sparsities_that_they_share() -> None:
    """The lottery's own step has an easy sparsity more, at which it is well above; at the shared one it is not."""
    level = [90.0, 70.0, 50.0]
    shared = {"50": [seed - 3 + part for seed, part in zip(level, (-0.1, 0, 0.1), strict=True)]}
    easy = {"20": [seed + 5 for seed in level]}
    table = cells(
        {
            ("lottery", "none"): {**shared, **easy},
            ("lottery@500it", "none"): shared,
            ("dense", "none"): {"0": level},
        }
    )
    claims = in_training("not below", "some", ["lottery@STEP"], right={"method": "dense"})
    (row,) = judge(table, claims, steps=STEPS)
    assert (row["sparsities"], row["steps"], row["verdict"]) == ("50", "500it 938it", "fails")
    assert row["estimate"] == pytest.approx(-3)
    apart = cells({("lottery", "none"): easy, ("lottery@500it", "none"): shared, ("dense", "none"): {"0": level}})
    (row,) = judge(apart, claims, steps=STEPS)
    assert (row["verdict"], row["missing"]) == ("not in this study", "a sparsity of all steps")


# ---------------------------------------------------------------------------------------- error rates over made studies

STUDIES = 2000


def rates(table: Mapping[tuple[str, str], np.ndarray], claims: Mapping[str, Any], **network: Any) -> dict[str, float]:
    """How often some row of a study has each verdict; `table` holds {(method, sparsity): (studies, seeds)}."""
    rows = [
        pd.DataFrame(
            {
                "network": np.repeat([f"{study}" for study in range(values.shape[0])], values.shape[1]),
                "method": method,
                "sparsity": sparsity,
                "ablation": "none",
                "seed": np.tile(np.arange(values.shape[1]), values.shape[0]),
                "accuracy": values.ravel(),
            }
        )
        for (method, sparsity), values in table.items()
    ]
    everything = pd.concat(rows).assign(collapsed=False, diverged=False)
    studies = everything.network.nunique()
    found = verdicts(everything, claims, {f"{study}": {**NETWORK, **network} for study in range(studies)})
    return {
        verdict: found[found.verdict == verdict].network.nunique() / studies
        for verdict in ("holds", "fails", "undecided")
    }


def made(
    truth: float,
    n: int,
    stream: np.random.Generator,
    methods: Sequence[str] = ("snip",),
    sparsities: Sequence[str] = ("20", "59"),
) -> dict[Any, np.ndarray]:
    """Studies in which `methods` differ from random pruning by `truth`; seeds and cells have spreads of their own."""
    of_seed = stream.normal(80, 5, (STUDIES, n))
    return {
        (method, sparsity): of_seed + (truth if method in methods else 0) + stream.normal(0, 0.6, (STUDIES, n))
        for method in (*methods, "random")
        for sparsity in sparsities
    }


def at_most(rate: float, studies: int = STUDIES) -> bool:
    """Not above the level, but for four standard deviations of the count."""
    return rate <= LEVEL + 4 * math.sqrt(LEVEL * (1 - LEVEL) / studies)


def about(rate: float) -> bool:
    return at_most(rate) and rate >= LEVEL - 4 * math.sqrt(LEVEL * (1 - LEVEL) / STUDIES)


@pytest.mark.parametrize("n", [3, 5])
@pytest.mark.parametrize(
    ("expect", "truth", "false"),
    [
        ("not below", -MARGIN, ("holds", "fails")),
        ("above", 0, ("holds",)),
        ("above", MARGIN, ("fails",)),
        ("below", 0, ("holds",)),
        ("below", -MARGIN, ("fails",)),
    ],
)
def test_false_verdicts_are_as_rare_as_the_level_says(
    expect: str, truth: float, false: tuple[str, ...], n: int
) -> None:
    """The truth lies on the bound; `above` and `below` fail there only if not shown to hold, which is rarer."""
    found = rates(made(truth, n, np.random.default_rng(n)), claim(expect))
    for verdict in false:
        assert about(found[verdict]) if expect == "not below" or verdict == "holds" else at_most(found[verdict])


@pytest.mark.parametrize("truth", [-MARGIN, MARGIN])
def test_false_verdicts_of_equivalence_are_rarer(truth: float) -> None:
    found = rates(made(truth, 5, np.random.default_rng(2)), claim("within"))
    assert at_most(found["holds"])
    assert at_most(found["fails"])


@pytest.mark.parametrize("expect", ["not below", "above"])
def test_any_false_verdict_among_four_methods_and_two_ranges_is_as_rare(expect: str) -> None:
    truth = -MARGIN if expect == "not below" else 0
    claims = claim(expect, FOUR, ranges=["matching", "extreme"])
    found = rates(made(truth, 5, np.random.default_rng(3), FOUR, ("20", "59", "93.1", "98.2")), claims)
    assert at_most(found["holds"])
    assert found["holds"] > LEVEL / 3


@pytest.mark.parametrize(
    ("steps", "expect", "truths", "false"),
    [
        # As claimed at every step but one, where the truth lies on the bound.
        ("every", "below", [-9, 0, -9], "holds"),
        # Nowhere wrong by more than the margin: three chances to err.
        ("every", "below", [-MARGIN, -MARGIN, -MARGIN], "fails"),
        ("some", "not below", [-MARGIN, -MARGIN, -MARGIN], "holds"),
        ("some", "not below", [-9, -MARGIN, -9], "fails"),
    ],
)
def test_false_verdicts_over_steps(steps: str, expect: str, truths: list[float], false: str) -> None:
    stream = np.random.default_rng(7)
    of_study = {"snip": 0, "snip@1it": 1, "snip@2it": 2, "lottery@0": 0, "lottery@1it": 1, "lottery@2it": 2}
    of_seed = stream.normal(80, 5, (STUDIES, 5))
    table = {
        (method, "59"): of_seed + truth + stream.normal(0, 0.3, (STUDIES, 5))
        for method, truth in zip(of_study, [*truths, 0, 0, 0], strict=True)
    }
    found = rates(table, in_training(expect, steps), steps=of_study)
    if len(set(truths)) == 1:
        assert found[false] > LEVEL / 3
        assert at_most(found[false])
    else:
        assert about(found[false])


def test_true_claims_are_found() -> None:
    stream = np.random.default_rng(4)
    assert rates(made(2, 5, stream), claim("above"))["holds"] > 0.9
    assert rates(made(0.5, 5, stream), claim("not below"))["holds"] > 0.5


def test_false_verdicts_on_the_best_method() -> None:
    stream = np.random.default_rng(5)
    claims = claim("none is best", ["snip", "grasp"], ranges=["matching", "extreme"])

    def studies(at_20: float, at_98: float) -> dict[Any, np.ndarray]:
        gains = {("snip", "20"): at_20, ("snip", "98.2"): at_98, ("grasp", "20"): 0.0, ("grasp", "98.2"): 0.0}
        return {key: 80 + gain + stream.normal(0, 0.2, (STUDIES, 5)) for key, gain in gains.items()}

    # SNIP is the best, though at 98.2% by nothing; GraSP is shown to be below it.
    assert at_most(rates(studies(5, 0), claims)["holds"])
    # No difference at all: none is best, and none is below another.
    level = rates(studies(0, 0), claims)
    assert at_most(level["fails"])
    assert at_most(level["holds"])
    # Each is below the other by the margin somewhere: no best.
    assert at_most(rates(studies(MARGIN, -MARGIN), claims)["fails"])
    assert rates(studies(2, -2), claims)["holds"] > 0.9
    assert rates(studies(2, 2), claims)["fails"] > 0.9


@pytest.mark.parametrize("n", [3, 5])
def test_false_verdicts_on_a_rise(n: int) -> None:
    stream = np.random.default_rng(6)
    steps = {"snip": 0, "snip@1it": 1, "snip@2it": 2, "snip@3it": 3}
    of_seed = stream.normal(80, 5, (500, n))
    table = {(method, "59"): of_seed + stream.normal(0, 0.6, (500, n)) for method in steps}
    found = rates(table, claim("rises"), steps=steps)
    assert at_most(found["holds"], 500)
    assert at_most(found["fails"], 500)
    assert found["holds"] + found["fails"] > LEVEL / 2


# ------------------------------------------------------------------------------------------------- single sparsities


def test_differences_at_single_sparsities_have_plain_intervals_and_no_verdict() -> None:
    table = cells(
        {
            ("snip", "none"): {"20": [91.0, 92.0, 93.0], "98.2": [51.0, 53.0], "99": [1.0, 1.0]},
            ("random", "none"): {"20": [90.0, 90.0, 90.0], "98.2": [50.0, 50.0]},
        }
    )
    claims = claim("above")
    claims["claims"]["best"] = claim("none is best", ["snip", "random"])["claims"]["it"]
    found = differences(table, claims, {"net": NETWORK})
    assert "verdict" not in found
    assert found[["claim", "method", "sparsity", "n", "difference"]].to_numpy().tolist() == [
        ["it", "snip", "20", 3, 2.0],
        ["it", "snip", "98.2", 2, 2.0],
    ]
    half = [4.303 / math.sqrt(3), 12.706 * math.sqrt(2) / math.sqrt(2)]
    assert (found.high - 2).tolist() == pytest.approx(half, abs=2e-3)
    assert (2 - found.low).tolist() == pytest.approx(half, abs=2e-3)


# ------------------------------------------------------------------------------------------------------- the page


def page(table: pd.DataFrame, claims: Mapping[str, Any]) -> str:
    of_study = (table, claims, {"net": NETWORK})
    return to_markdown(verdicts(*of_study), differences(*of_study), claims)


@pytest.fixture
def judged() -> pd.DataFrame:
    return cells(
        {
            ("snip", "none"): {"20": [92.0, 92.1, 92.2], "36": [91.9, 92.0, 92.1]},
            ("grasp", "none"): {"20": [90.0, 90.0, None]},
            ("random", "none"): {"20": [90.0, 90.0, 90.0], "36": [90.0, 90.0, 90.0]},
        }
    )


def test_page_has_a_row_a_verdict_and_names_what_is_missing(judged: pd.DataFrame) -> None:
    text = page(judged, claim("above", ["snip", "grasp", "synflow"], source="unverified"))
    rows = [line for line in text.splitlines() if line.startswith("| net | matching (our choice)")]
    assert len(rows) == 2
    assert rows[0].startswith(
        "| net | matching (our choice) | snip | holds | 3 | 2.05 [1.80, 2.30] | <0.001 | 0.999 | 2 from 20 to 36 | 0 |"
    )
    assert rows[1].startswith("| net | matching (our choice) | grasp | undecided | 2 | 0.00 [0.00, 0.00] |  |  | 20 |")
    assert "Missing in net, matching, grasp: grasp/20/none seed 2; grasp/36/none." in text
    assert "Not in this study: synflow/none (net)." in text
    assert "Unverified: a recollection of the paper, not read in it" in text
    assert "d = (METHOD) - (random), accuracy in percent." in text
    assert "| [it](#it) | net | 1 | 0 | 1 |" in text


def test_page_says_over_which_steps_a_claim_is_and_which_decided() -> None:
    table = step_by_step({"snip": (-3, 0.3), "snip@500it": (-1, 0.3)})
    of_study = (table, in_training("below", "every", until=50), {"net": {**NETWORK, "steps": EACH_STEP}})
    text = to_markdown(verdicts(*of_study), differences(*of_study), of_study[1])
    assert "| snip @ 500it (of 2 tested) | holds | 3 | -1.00 [" in text
    assert "Of every step until 50% of training, at the sparsities that all have: p holds is the largest" in text


def test_tables_of_the_page_are_well_formed(judged: pd.DataFrame) -> None:
    text = page(judged, claim("above", ["snip", "grasp"]))
    blocks = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    assert len(blocks) == 3
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1
        assert set(block.splitlines()[1]) <= set("|-: ")


def test_claim_without_any_cell_is_one_line(judged: pd.DataFrame) -> None:
    claims = claim("above")
    claims["claims"]["other"] = claim("below", ["synflow", "magnitude"])["claims"]["it"]
    claims["claims"]["normal"] = claim("below", initialiser="normal")["claims"]["it"]
    text = page(judged, claims)
    assert "## other" not in text
    assert "* other: Words. Not in this study: synflow/none (net); magnitude/none (net)." in text
    assert "* normal: Words. Not in this study: a network with the initialiser normal." in text


# ------------------------------------------------------------------------------------------------------- the figure

LABELS = {"snip": "SNIP", "grasp": "GraSP", "synflow": "SynFlow", "random": "Random"}


@pytest.fixture
def drawn() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Verdicts of all three kinds, in both ranges of two networks and in an explicit one."""
    values = {"snip": 92.0, "grasp": 80.0, "synflow": 90.3, "random": 90.0}
    spreads = {"snip": 0.1, "grasp": 0.1, "synflow": 3.0, "random": 0.0}
    table = pd.concat(
        cells(
            {
                (method, "none"): {
                    sparsity: [value + part * spreads[method] for part in (-1, -0.5, 0, 0.5, 1)]
                    for sparsity in ("20", "98.2")
                }
                for method, value in values.items()
            },
            network,
        )
        for network in ("net", "other")
    )
    claims = claim("above", ["snip", "grasp", "synflow"], ranges=["matching", "extreme"])
    claims["claims"]["low"] = claim("not below", ranges=[[0, 59]])["claims"]["it"]
    claims["claims"]["best"] = claim("none is best", ["snip", "grasp"])["claims"]["it"]
    return verdicts(table, claims, {"net": NETWORK, "other": {**NETWORK, "ranges_are": "unverified"}}), claims


def test_figure_has_a_panel_a_network_and_range_and_a_row_a_method(drawn: Any) -> None:
    picture = figure.draw(*drawn, LABELS)
    titles = [axes.get_title(loc="left") for axes in picture.axes]
    assert titles == [
        f"{net}\n{name} sparsities ({sure})"
        for net, sure in (("net", "our choice"), ("other", "unverified"))
        for name in ("matching", "extreme")
    ]
    rows = [text.get_text() for text in picture.axes[0].get_yticklabels()]
    assert rows == ["it", "SNIP", "GraSP", "SynFlow", "low", "SNIP, 0 to 59%"]


def test_verdict_is_told_by_word_colour_and_marker(drawn: Any) -> None:
    axes = figure.draw(*drawn, LABELS).axes[0]
    words = {text.xy[1]: text for text in axes.texts}
    markers = {line.get_ydata()[0]: line for line in axes.lines if line.get_marker() != "None"}
    assert [words[place].get_text() for place in (1, 2, 3)] == ["holds (5)", "fails (5)", "undecided (5)"]
    for kind in (lambda place: to_hex(words[place].get_color()), lambda place: markers[place].get_marker()):
        assert len({kind(place) for place in (1, 2, 3)}) == 3
    assert [round(float(markers[place].get_xdata()[0]), 6) for place in (1, 2, 3)] == [2, -10, 0.3]


def test_step_that_decides_stands_beside_the_verdict(tmp_path: Path) -> None:
    """Also where the table was written and read, which makes nothing of empty entries."""
    claims = in_training("below", "every", ranges=["matching", [0, 59]])
    claims["claims"]["other"] = claim("above", ranges=[[0, 59]], right={"method": "lottery@0"})["claims"]["it"]
    table = step_by_step({"snip": (-3, 0.3), "snip@500it": (-1, 0.1)})
    verdicts(table, claims, {"net": {**NETWORK, "steps": EACH_STEP}}).to_csv(tmp_path / "claims.csv", index=False)
    (axes,) = figure.draw(read_table(str(tmp_path / "claims.csv")), claims, LABELS).axes
    assert [text.get_text() for text in axes.texts] == ["holds (3) @ 500it"] * 2 + ["fails (3)"]


def test_words_stand_beside_the_panels_and_not_on_them(drawn: Any) -> None:
    picture = figure.draw(*drawn, LABELS)
    picture.draw_without_rendering()
    for axes in picture.axes:
        inside = axes.get_window_extent()
        boxes = [text.get_window_extent() for text in axes.texts]
        assert all(box.x0 >= inside.x1 for box in boxes)
        assert all(box.x1 <= picture.bbox.x1 for box in boxes)
        assert all(one.y0 >= other.y1 - 1 for one, other in itertools.pairwise(boxes))


@pytest.mark.parametrize(
    ("snip", "random"), [([], []), ([90.0], [91.0]), ([90.0, 91.0], [90.0]), ([None, 90.0], [9.0])]
)
def test_figure_of_few_seeds_or_none(snip: list[float | None], random: list[float | None], tmp_path: Path) -> None:
    """In the end each side has a seed of its own: a row without a difference."""
    table = cells({("snip", "none"): {"20": snip}, ("random", "none"): {"20": random}})
    claims = claim("above")
    picture = figure.draw(verdicts(table, claims, {"net": NETWORK}), claims, LABELS)
    style.save(picture, tmp_path / "claims.svg")
    assert (tmp_path / "claims.svg").stat().st_size > 0


# ------------------------------------------------------------------------------------------------------- claims.yaml


@pytest.fixture
def config(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path / "config"


def read(config: Path) -> dict[str, Any]:
    tables = Tables.read(config / "networks.yaml", config / "methods.yaml", SCHEMAS)
    return read_claims(config / "claims.yaml", tables, SCHEMAS)


def test_claims_that_come_with_the_workflow(config: Path) -> None:
    claims = read(config)
    sources = {name: entry["source"] for name, entry in claims["claims"].items()}
    assert sources["shuffled-not-below"] == sources["above-random"] == "abstract"
    assert len(claims["claims"]) > 15
    table = cells({("snip", "none"): {"50": [90.0] * 3}, ("random", "none"): {"50": [90.0] * 3}})
    found = judge(table, claims)
    assert {row["claim"] for row in found} <= set(sources)
    assert {row["verdict"] for row in found if row["n"]} == {"fails"}  # SNIP equals random pruning


@pytest.mark.parametrize(
    ("changes", "key", "message"),
    [
        ({"methods": ["snipp"]}, ".methods", "no method is called 'snipp' (did you mean snip?)"),
        ({"methods": []}, ".methods", "should be non-empty"),
        ({"methods": ["snip@later"]}, ".methods", "'later' is not a step"),
        ({"right": {"method": "randon"}}, ".right.method", "no method is called 'randon' (did you mean random?)"),
        ({"right": {"ablation": "shuffled"}}, ".right.ablation", "allowed are none, shuffle, reinit, invert"),
        ({"right": {"methods": "snip"}}, ".right", "no key is called 'methods' (did you mean method?)"),
        ({"right": {}}, "", "left and right are the same"),
        ({"expect": "more"}, ".expect", "allowed are not below, above, below, within, none is best, rises"),
        ({"expect": "rises"}, "", "right means nothing where 'rises' is expected"),
        ({"ranges": ["matchin"]}, ".ranges", "no range is called 'matchin' (did you mean matching?)"),
        ({"ranges": [[86.6, 20]]}, ".ranges", "the lowest sparsity comes first"),
        ({"ranges": [[20]]}, ".ranges.0", "too short"),
        ({"source": "hearsay"}, ".source", "allowed are abstract"),
        ({"metric": "loss"}, ".metric", "allowed are accuracy, empty neurons"),
        ({"initialiser": "nrmal"}, ".initialiser", "no initialiser is called 'nrmal'"),
        ({"steps": "every", "until": 50}, "", "steps and until means nothing where no method is NAME@STEP"),
        ({"methods": ["snip@STEP"], "until": 50}, "", "methods with @STEP need steps (every or some) and until"),
        ({"methods": ["snip@STEP"], "steps": "all", "until": 50}, ".steps", "allowed are every, some"),
        ({"methods": ["snip@STEP"], "steps": "some", "until": 101}, ".until", "percent of training"),
        ({"texts": "?"}, "", "no key is called 'texts' (did you mean text?)"),
    ],
)
def test_mistake_in_a_claim_is_one_message_with_file_and_key(
    config: Path, changes: dict[str, Any], key: str, message: str
) -> None:
    content = claim("above")
    content["claims"]["it"] |= changes
    (config / "claims.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(PruningError) as caught:
        read(config)
    text = str(caught.value)
    assert text.startswith(f"{config / 'claims.yaml'}: claims.it{key}: ")
    assert message in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("changes", "start", "message"),
    [
        ({"margin": -1}, "margin", "points that do not matter"),
        ({"level": 95}, "level", "of the intervals, from 0.5 to below 1"),
        ({"margins": 1}, "no key is called 'margins'", "did you mean margin?"),
    ],
)
def test_mistake_in_margin_or_level_is_one_message(
    config: Path, changes: dict[str, Any], start: str, message: str
) -> None:
    (config / "claims.yaml").write_text(yaml.safe_dump({**claim("above"), **changes}))
    with pytest.raises(PruningError, match=f"claims.yaml: {start}") as caught:
        read(config)
    assert message in str(caught.value)


def test_every_source_that_a_claim_may_have_is_put_into_words() -> None:
    schema = yaml.safe_load((ROOT / "workflow/schemas/claims.schema.yaml").read_text())
    claim = schema["properties"]["claims"]["additionalProperties"]
    assert set(SOURCES) == set(claim["properties"]["source"]["enum"])
