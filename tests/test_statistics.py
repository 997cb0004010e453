"""Statistics against values worked out by hand, a printed table of Student's t, and a simulation."""

import math

import numpy as np
import pytest

from pruning.statistics import paired_differences, summarise

T_TABLE = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 11: 2.228, 31: 2.042}
"""number of values: the 97.5% quantile of Student's t with one degree of freedom less, from a printed table"""


def test_mean_deviation_and_interval_by_hand() -> None:
    # The deviations from the mean 5 are -3, -1, -1, -1, 0, 0, 2, 4: their squares sum to 32, over 7 degrees of freedom.
    summary = summarise([2, 4, 4, 4, 5, 5, 7, 9])
    assert (summary.n, summary.mean) == (8, 5)
    assert summary.deviation == pytest.approx(math.sqrt(32 / 7), rel=1e-12)
    half = 2.365 * math.sqrt(32 / 7) / math.sqrt(8)  # t table, 7 degrees of freedom
    assert (summary.low, summary.high) == pytest.approx((5 - half, 5 + half), abs=1e-3)


@pytest.mark.parametrize(("n", "quantile"), T_TABLE.items())
def test_width_of_the_interval_is_that_of_the_printed_table(n: int, quantile: float) -> None:
    summary = summarise(list(range(n)))
    deviation = math.sqrt(n * (n + 1) / 12)  # of the numbers from 0 to n - 1
    assert summary.deviation == pytest.approx(deviation, rel=1e-12)
    assert (summary.high - summary.low) / 2 == pytest.approx(quantile * deviation / math.sqrt(n), rel=3e-4)


def test_one_value_has_a_mean_and_no_spread() -> None:
    summary = summarise([97.5])
    assert (summary.n, summary.mean) == (1, 97.5)
    assert all(math.isnan(value) for value in (summary.deviation, summary.low, summary.high))


def test_equal_values_have_no_spread_and_an_interval_of_no_width() -> None:
    summary = summarise([10.0, 10.0, 10.0])
    assert (summary.deviation, summary.low, summary.high) == (0, 10, 10)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_interval_covers_the_true_mean_in_95_of_100_samples(n: int) -> None:
    samples = np.random.default_rng(n).normal(80, 7, size=(4000, n))
    intervals = [summarise(sample.tolist()) for sample in samples]
    covered = np.mean([interval.low <= 80 <= interval.high for interval in intervals])
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 4000))


def test_differences_pair_by_seed_and_use_the_seeds_of_both() -> None:
    one = {2: 96.0, 0: 90.0, 1: 93.0, 7: 0.0}
    other = {0: 89.0, 1: 91.0, 2: 93.0, 9: 50.0}
    summary = paired_differences(one, other)  # 1, 2, 3
    assert (summary.n, summary.mean, summary.deviation) == pytest.approx((3, 2, 1))
    half = 4.303 / math.sqrt(3)
    assert (summary.low, summary.high) == pytest.approx((2 - half, 2 + half), abs=1e-3)


def test_pairing_takes_the_spread_between_seeds_out() -> None:
    level = np.random.default_rng(0).normal(90, 5, 20)
    one, other = ({seed: float(value) + gain for seed, value in enumerate(level)} for gain in (0.5, 0.0))
    summary = paired_differences(one, other)
    assert summary.mean == pytest.approx(0.5)
    assert summary.deviation == pytest.approx(0, abs=1e-12)


def test_without_a_common_seed_there_is_no_difference() -> None:
    with pytest.raises(ValueError, match="no seed is in both"):
        paired_differences({0: 1.0}, {1: 1.0})
