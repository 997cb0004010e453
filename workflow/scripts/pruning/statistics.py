"""Statistics over replicates: mean, sample standard deviation, and intervals from Student's t distribution."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Summary:
    n: int
    mean: float
    deviation: float
    """sample standard deviation (divided by n - 1); NaN for one value"""
    low: float
    high: float
    """two-sided 95% interval of the mean, or of the confidence asked for; NaN for one value"""


def summarise(values: Sequence[float], confidence: float = CONFIDENCE) -> Summary:
    """Mean, spread and interval of `values`, one a replicate."""
    array = np.asarray(values, dtype=np.float64)
    n, mean = len(array), float(array.mean())
    if n < 2:
        return Summary(n, mean, float("nan"), float("nan"), float("nan"))
    deviation = float(array.std(ddof=1))
    half = float(stdtrit(n - 1, (1 + confidence) / 2)) * deviation / n**0.5
    return Summary(n, mean, deviation, mean - half, mean + half)


def paired_differences(one: dict[int, float], other: dict[int, float]) -> Summary:
    """The summary of one - other over the seeds that both have; keys are seeds."""
    seeds = sorted(set(one) & set(other))
    if not seeds:
        raise ValueError("no seed is in both")
    return summarise([one[seed] - other[seed] for seed in seeds])


def p_above(values: Sequence[float], bound: float) -> float:
    """The p value of the one-sided t test that shows the mean of `values`, two or more, to lie above `bound`.

    At most (1 - confidence) / 2 where the interval of `summarise` lies above `bound`. Of equal values it is the limit:
    0 above the bound, 1 below it, 0.5 at it.
    """
    if len(set(values)) == 1:
        return 0.5 - 0.5 * float(np.sign(values[0] - bound))
    summary = summarise(values)
    return float(stdtr(summary.n - 1, (bound - summary.mean) / summary.deviation * summary.n**0.5))


def p_below(values: Sequence[float], bound: float) -> float:
    """As `p_above`, for a mean below `bound`."""
    return p_above([-value for value in values], -bound)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p values: comparing each with a level errs in any of them with at most that probability.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6, 1979.
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    for done, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - done) * p_values[place]))
        adjusted[place] = highest
    return adjusted
