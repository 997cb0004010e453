"""Verdicts on the paper's claims, from cells.csv.

A claim compares two sides, each a method and an ablation. A seed gives one number: the metric of the left side minus
that of the right side, averaged over the sparsities of a range. Over seeds, pairs of the same seed, the mean of these
differences d has an interval of Student's t, and one-sided t tests at half of what the interval leaves out, so that
tests and interval agree. With the margin m of the claims:

    expected       holds where it is shown that      else fails where it is shown that
    not below      d > -m  (non-inferiority)         d < -m
    above          d > 0   (superiority)             d < m
    below          d < 0                             d > -m
    within         d > -m and d < m (equivalence)    d < -m or d > m (counted twice: it has two sides)

Otherwise the claim is undecided. So a difference of nothing, measured well, makes `above` and `below` fail. Two claims
have statistics of their own:

    none is best   d of each method and each other one, in each range. Holds where every method is shown to be below
                   another (d < 0) somewhere; its p value is that of the method for which this is shown least, times
                   the places where it was looked for. Fails where one method is shown not to be below (d > -m) any
                   other anywhere; times the number of methods.
    rises          NAME and its NAME@STEP, in order of step: Spearman's rank correlation of step and metric, a seed, and
                   over seeds Page's trend test, exact for few steps (asymptotic above 8). Holds where a rise is shown,
                   fails where a fall is.

The p values of a claim's methods on one network and range are adjusted by Holm's method, those for `holds` and those
for `fails` apart. Intervals are not adjusted. Under 3 seeds a claim is undecided.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import page_trend_test, rankdata

from pruning.statistics import holm, p_above, p_below, summarise
from pruning.tables import in_order_of_sparsity

LEAST_SEEDS = 3
LEAST_STEPS = 3
"""two steps rise or fall, and say nothing of a trend"""

HOLDS, FAILS, UNDECIDED, ABSENT = "holds", "fails", "undecided", "not in this study"
NONE_IS_BEST, RISES = "none is best", "rises"
METRICS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "accuracy": lambda cells: cells.accuracy,
    "empty neurons": lambda cells: 100 * cells.neurons_without_incoming / cells.neurons,
}
"""all in percent, so that one margin in points serves them"""

VERDICTS = [
    *("claim", "network", "range", "method", "expected", "statistic", "sparsities", "n", "estimate", "low", "high"),
    *("p_holds", "p_fails", "verdict", "missing"),
]
DIFFERENCES = ["claim", "network", "method", "sparsity", "metric", "n", "difference", "low", "high"]

Side = tuple[str, str]
"""method and ablation"""
BySeed = dict[int, float]
Range = str | Sequence[float]
"""`matching` and `extreme` of a network, or lowest and highest sparsity"""
Bounds = tuple[Decimal, Decimal]


def verdicts(cells: pd.DataFrame, claims: Mapping[str, Any], networks: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """One row a claim, network, range and method.

    `cells` are those of cells.csv; `claims` the content of claims.yaml; `networks` says of each network its
    `initialiser`, the ranges `matching` and `extreme`, and {method of the study: update at which it starts} as `steps`.

    `estimate` is the mean difference in points, or the rank correlation; `n` counts the seeds that have every cell;
    p values are adjusted; `missing` names what the comparison lacks, sparsities without any cell on one side among it.
    """
    rows: list[dict[str, Any]] = []
    for name, claim, network, description in _pairs(claims, networks):
        study = Study(cells[cells.network == network], claim["metric"], description)
        for family in _families(claim, study, claims["margin"], claims["level"]):
            _decide(family, (1 - claims["level"]) / 2)
            rows += [{"claim": name, "network": network, "expected": claim["expect"], **row} for row in family]
    return pd.DataFrame(rows, columns=VERDICTS)


def differences(
    cells: pd.DataFrame, claims: Mapping[str, Any], networks: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """One row a claim of two sides, network, method and single sparsity: mean difference and plain interval."""
    rows = []
    for name, claim, network, description in _pairs(claims, networks):
        if claim["expect"] in (NONE_IS_BEST, RISES):
            continue
        study = Study(cells[cells.network == network], claim["metric"], description)
        for method, left, right in study.comparisons(claim):
            for sparsity in study.sparsities([left, right], (Decimal(0), Decimal(100))):
                found = study.compare(left, right, (Decimal(sparsity), Decimal(sparsity)))
                if found.values:
                    summary = summarise(found.values, claims["level"])
                    names = (name, network, method, sparsity, claim["metric"])
                    numbers = (summary.n, summary.mean, summary.low, summary.high)
                    rows.append(dict(zip(DIFFERENCES, names + numbers, strict=True)))
    return pd.DataFrame(rows, columns=DIFFERENCES)


def _pairs(
    claims: Mapping[str, Any], networks: Mapping[str, Mapping[str, Any]]
) -> Iterable[tuple[str, dict[str, Any], str, Mapping[str, Any]]]:
    """Each claim, its defaults filled in, with each network that it speaks of."""
    for name, claim in claims["claims"].items():
        complete = {"left": {}, "right": {}, "metric": "accuracy", **claim}
        for network, description in networks.items():
            if claim.get("initialiser", description["initialiser"]) == description["initialiser"]:
                yield name, complete, network, description


@dataclass(frozen=True)
class Found:
    """What some sides have in common: one number a seed."""

    sparsities: list[str]
    values: list[float]
    missing: list[str]


class Study:
    """A metric of the cells of one network."""

    def __init__(self, cells: pd.DataFrame, metric: str, description: Mapping[str, Any]) -> None:
        self.description, self.metric = description, metric
        self.cells: dict[Side, dict[str, BySeed]] = {}
        keys = zip(cells.method, cells.ablation, cells.sparsity, cells.seed, METRICS[metric](cells), strict=True)
        for method, ablation, sparsity, seed, value in keys:
            self.cells.setdefault((method, ablation), {}).setdefault(sparsity, {})[int(seed)] = float(value)

    def at(self, side: Side, sparsity: str) -> BySeed:
        """The dense network is the same at every sparsity."""
        return self.cells.get(side, {}).get("0" if side[0] == "dense" else sparsity, {})

    def has(self, method: str) -> bool:
        return any(method == known for known, _ in self.cells)

    def bounds(self, name: Range) -> Bounds:
        """Lowest and highest sparsity of a range: matching, extreme, or explicit."""
        low, high = self.description[name] if isinstance(name, str) else name
        return Decimal(str(low)), Decimal(str(high))

    def sparsities(self, sides: Iterable[Side], bounds: Bounds) -> list[str]:
        """Those within `bounds` at which any side has a cell."""
        found = {sparsity for side in sides if side[0] != "dense" for sparsity in self.cells.get(side, {})}
        return [sparsity for sparsity in in_order_of_sparsity(found) if bounds[0] <= Decimal(sparsity) <= bounds[1]]

    def complete(self, sides: Sequence[Side], bounds: Bounds) -> tuple[list[str], list[dict[Side, float]], list[str]]:
        """Sparsities within `bounds` at which every side has cells; the means over these, a seed that has all of their
        cells; and the names of the cells that are missing. A side without any cell is named alone.
        """
        absent = [side for side in sides if side not in self.cells]
        if absent:
            return [], [], [f"{method}/{ablation}" for method, ablation in absent]
        asked = self.sparsities(sides, bounds)
        if not asked:
            return [], [], [f"sparsities {bounds[0]} to {bounds[1]}"]
        common = [sparsity for sparsity in asked if all(self.at(side, sparsity) for side in sides)]
        everyone = {seed for side in sides for sparsity in asked for seed in self.at(side, sparsity)}
        missing: dict[str, None] = {}
        for side in sides:
            for sparsity in asked:
                lacking = sorted(everyone - set(self.at(side, sparsity)))
                if lacking:
                    place = f"{side[0]}/{'0' if side[0] == 'dense' else sparsity}/{side[1]}"
                    which = f" seed {', '.join(map(str, lacking))}" if self.at(side, sparsity) else ""
                    missing[place + which] = None
        whole = [s for s in sorted(everyone) if all(s in self.at(side, sp) for side in sides for sp in common)]
        means = [
            {side: sum(self.at(side, sparsity)[seed] for sparsity in common) / len(common) for side in sides}
            for seed in (whole if common else [])
        ]
        return common, means, [*missing]

    def compare(self, left: Side, right: Side, bounds: Bounds) -> Found:
        """Left minus right, a seed. Rounded where only the rounding of sums is left, so that equal values are equal."""
        sparsities, means, missing = self.complete([left, right], bounds)
        return Found(sparsities, [round(mean[left] - mean[right], 9) for mean in means], missing)

    def comparisons(self, claim: Mapping[str, Any]) -> list[tuple[str, Side, Side]]:
        """Name, left and right side for each method of the claim, which fills a side that names none.

        NAME@STEP is NAME and every NAME@... of the study; the other side's @STEP is then the method that starts at the
        same update.
        """
        found = []
        for method in claim["methods"]:
            base, _, pattern = method.partition("@")
            names = self.in_order_of_step(base) if pattern == "STEP" else [method]
            for name in names or [base]:
                sides = [
                    (self._at_the_step_of(name, side.get("method", name)), side.get("ablation", "none"))
                    for side in (claim["left"], claim["right"])
                ]
                found.append((name, sides[0], sides[1]))
        return found

    def in_order_of_step(self, base: str) -> list[str]:
        """NAME and NAME@... of the study, the earliest first."""
        steps = self.description["steps"]
        return sorted((name for name in steps if name.partition("@")[0] == base), key=lambda name: (steps[name], name))

    def _at_the_step_of(self, name: str, method: str) -> str:
        base, _, pattern = method.partition("@")
        if pattern != "STEP":
            return method
        steps = self.description["steps"]
        update = steps.get(name, 0)
        return next((other for other in self.in_order_of_step(base) if steps[other] == update), f"{base}@{update}it")


def _families(claim: Mapping[str, Any], study: Study, margin: float, level: float) -> list[list[dict[str, Any]]]:
    """Rows without verdict; those whose p values are adjusted together are one family."""
    if claim["expect"] == NONE_IS_BEST:
        return [[_none_is_best(claim, study, margin)]]
    if claim["expect"] == RISES:
        return [_rises(claim, study, name) for name in claim["ranges"]]
    return [_differences(claim, study, name, margin, level) for name in claim["ranges"]]


def _differences(
    claim: Mapping[str, Any], study: Study, name: Range, margin: float, level: float
) -> list[dict[str, Any]]:
    rows = []
    for method, left, right in study.comparisons(claim):
        found = study.compare(left, right, study.bounds(name))
        row = _row(range_name(name), method, study.metric, found.sparsities, len(found.values), found.missing)
        if found.values:
            summary = summarise(found.values, level)
            row |= {"estimate": summary.mean, "low": summary.low, "high": summary.high}
        if len(found.values) >= LEAST_SEEDS:
            row["p_holds"], row["p_fails"] = p_values(found.values, claim["expect"], margin)
        rows.append(row)
    return rows


def p_values(values: Sequence[float], expected: str, margin: float) -> tuple[float, float]:
    """p values, not adjusted, for `holds` and for `fails` of a claim about the mean of `values`."""
    shown: dict[str, Callable[[], tuple[float, float]]] = {
        "not below": lambda: (p_above(values, -margin), p_below(values, -margin)),
        "above": lambda: (p_above(values, 0), p_below(values, margin)),
        "below": lambda: (p_below(values, 0), p_above(values, -margin)),
        "within": lambda: (
            max(p_above(values, -margin), p_below(values, margin)),
            min(1, 2 * min(p_below(values, -margin), p_above(values, margin))),
        ),
    }
    return shown[expected]()


def _rises(claim: Mapping[str, Any], study: Study, name: Range) -> list[dict[str, Any]]:
    rows = []
    for base in claim["methods"]:
        sides = [(method, "none") for method in study.in_order_of_step(base) or [base]]
        sparsities, means, missing = study.complete(sides, study.bounds(name))
        if len(sides) < LEAST_STEPS:
            sparsities, means, missing = [], [], [f"{base} at {LEAST_STEPS} steps or more"]
        row = _row(range_name(name), base, "rank correlation", sparsities, len(means), missing)
        values = np.array([[round(mean[side], 9) for side in sides] for mean in means])
        if len(values):
            row["estimate"] = float(np.mean([_rank_correlation(line) for line in values]))
        if len(values) >= LEAST_SEEDS:
            row["p_holds"] = float(page_trend_test(values).pvalue)
            row["p_fails"] = float(page_trend_test(-values).pvalue)
        rows.append(row)
    return rows


def _rank_correlation(values: np.ndarray) -> float:
    """Spearman's correlation of `values` with their order; 0 where all are equal."""
    ranks = rankdata(values)
    return float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1]) if len(set(ranks)) > 1 else 0.0


def _none_is_best(claim: Mapping[str, Any], study: Study, margin: float) -> dict[str, Any]:
    methods = [method for method in claim["methods"] if study.has(method)]
    missing = [f"{method}/none" for method in claim["methods"] if method not in methods]
    sparsities: list[str] = []
    counts: list[int] = []
    below: dict[str, list[float]] = {method: [] for method in methods}
    not_below: dict[str, list[float]] = {method: [] for method in methods}
    for name, (one, other) in itertools.product(claim["ranges"], itertools.permutations(methods, 2)):
        found = study.compare((one, "none"), (other, "none"), study.bounds(name))
        missing += found.missing
        sparsities += found.sparsities
        if found.sparsities:
            counts.append(len(found.values))
        if len(found.values) >= LEAST_SEEDS:
            below[one].append(p_below(found.values, 0))
            not_below[one].append(p_above(found.values, -margin))
    ranges = " and ".join(map(range_name, claim["ranges"]))
    n = min(counts, default=0)
    row = _row(ranges, ", ".join(methods), study.metric, in_order_of_sparsity(sparsities), n, missing)
    if n >= LEAST_SEEDS:
        row["p_holds"] = max(min(1.0, len(p) * min(p)) if p else 1.0 for p in below.values())
        row["p_fails"] = min(1.0, len(methods) * min(max(p, default=1.0) for p in not_below.values()))
    return row


def _row(
    place: str, method: str, statistic: str, sparsities: Sequence[str], n: int, missing: Iterable[str]
) -> dict[str, Any]:
    names = {"range": place, "method": method, "statistic": statistic, "sparsities": " ".join(sparsities), "n": n}
    numbers = dict.fromkeys(("estimate", "low", "high", "p_holds", "p_fails"), math.nan)
    return {**names, **numbers, "missing": "; ".join(dict.fromkeys(missing))}


def range_name(name: Range) -> str:
    return name if isinstance(name, str) else f"{name[0]} to {name[1]}"


def _decide(family: list[dict[str, Any]], level: float) -> None:
    """Adjust the p values of `family` and put the verdicts in."""
    tested = [row for row in family if not math.isnan(row["p_holds"])]
    for key in ("p_holds", "p_fails"):
        for row, adjusted in zip(tested, holm([row[key] for row in tested]), strict=True):
            row[key] = adjusted
    for row in family:
        if not row["sparsities"]:
            row["verdict"] = ABSENT
        elif row["p_holds"] <= level:
            row["verdict"] = HOLDS
        else:
            row["verdict"] = FAILS if row["p_fails"] <= level else UNDECIDED
