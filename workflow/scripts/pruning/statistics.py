"""Statistics over replicates: mean, sample standard deviation, and intervals from Student's t distribution."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Summary:
    n: int
    mean: float
    deviation: float
    """sample standard deviation (divided by n - 1); NaN for one value"""
    low: float
    high: float
    """two-sided 95% interval of the mean; NaN for one value"""


def summarise(values: Sequence[float]) -> Summary:
    """Mean, spread and interval of `values`, one a replicate."""
    array = np.asarray(values, dtype=np.float64)
    n, mean = len(array), float(array.mean())
    if n < 2:
        return Summary(n, mean, float("nan"), float("nan"), float("nan"))
    deviation = float(array.std(ddof=1))
    half = float(student.ppf((1 + CONFIDENCE) / 2, n - 1)) * deviation / n**0.5
    return Summary(n, mean, deviation, mean - half, mean + half)


def paired_differences(one: dict[int, float], other: dict[int, float]) -> Summary:
    """The summary of one - other over the seeds that both have; keys are seeds."""
    seeds = sorted(set(one) & set(other))
    if not seeds:
        raise ValueError("no seed is in both")
    return summarise([one[seed] - other[seed] for seed in seeds])
