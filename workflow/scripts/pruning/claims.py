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
                   the places where it was looked for. Fails where one method is shown to be below (d > -m) no other
                   anywhere and above (d > 0) each other one somewhere: the largest p value of all this, those of d > 0
                   times the ranges where it was looked for; times the number of methods.
    rises          NAME and its NAME@STEP, in order of step: Spearman's rank correlation of step and metric, a seed, and
                   over seeds Page's trend test, exact for few steps (asymptotic above 8). Holds where a rise is shown,
                   fails where a fall is.

NAME@STEP has one verdict over the steps of the study up to a share of training. Each step gives two p values as above,
and with the largest of k p values errs what says something of all k steps, with k times the smallest what says it of
one that was looked for among them:

    steps          p value for holds                 p value for fails
    every          the largest                       the smallest times the number of steps
    some           the smallest times their number   the largest

Estimate and interval are those of the step where the p value that decides was found: that for `fails` where the claim
fails, else that for `holds`. All steps are compared at the sparsities of the range that they share; a step without any
in the range is none of it. A step that could not be tested (a side without cells, under 3 seeds) takes part in no
smallest p value, and with it nothing is shown of all steps.

The p values of a claim's methods and ranges on one network are adjusted together by Holm's method, those for `holds`
and those for `fails` apart. Intervals are not adjusted. Under 3 seeds a claim is undecided.
"""

import itertools
import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import page_trend_test, rankdata

from pruning.statistics import holm, p_above, p_below, summarise
from pruning.tables import CELL_COLUMNS, in_order_of_sparsity

DENSE = "dense"
INITIALISER = "kaiming-normal"
"""of the networks that a claim speaks of if it does not say"""
DIGITS = 9
"""of a metric that are kept: behind them is the rounding of sums, and equal values are to be equal"""
LEAST_SEEDS = 3
LEAST_STEPS = 3
"""two steps rise or fall, and say nothing of a trend"""

HOLDS, FAILS, UNDECIDED, ABSENT = "holds", "fails", "undecided", "not in this study"
NONE_IS_BEST, RISES = "none is best", "rises"
EVERY = "every"
"""of which steps a claim on NAME@STEP speaks; else of some"""
METRICS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "accuracy": lambda cells: cells.accuracy,
    "empty neurons": lambda cells: 100 * cells.neurons_without_incoming / cells.neurons,
}
"""all in percent, so that one margin in points serves them"""

VERDICTS = [
    "claim",
    "network",
    "range",
    "ranges_are",
    "method",
    "step",
    "expected",
    "statistic",
    "sparsities",
    "steps",
    "n",
    "collapsed",
    "estimate",
    "low",
    "high",
    "p_holds",
    "p_fails",
    "verdict",
    "missing",
]
DIFFERENCES = ["claim", "network", "method", "sparsity", "metric", "n", "difference", "low", "high"]

Side = tuple[str, str]
"""method and ablation"""
Range = str | Sequence[float]
"""`matching` and `extreme` of a network, or lowest and highest sparsity"""
Bounds = tuple[Decimal, Decimal]
Comparison = tuple[str, Side, Side]
"""name of the method, left side, right side"""


def verdicts(cells: pd.DataFrame, claims: Mapping[str, Any], networks: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """One row a claim, network, range and method.

    `cells` are those of cells.csv; `claims` the content of claims.yaml; `networks` says of each network its
    `initialiser`, the ranges `matching` and `extreme` and where they come from (`ranges_are`), how many `updates` its
    training has, and {method of the study: update at which it starts} as `steps`.

    `estimate` is the mean difference in points, or the rank correlation; `n` counts the seeds that have every cell,
    `collapsed` the cells among theirs that collapsed or diverged; p values are adjusted; `missing` names what the
    comparison lacks, sparsities without any cell on one side among it. Of NAME@STEP, `steps` are those that were tested
    and `step` is the one that decides, whose comparison the row shows. `ranges_are` is empty for a range that the claim
    itself names.
    """
    rows: list[dict[str, Any]] = []
    for name, claim, network, results in _pairs(cells, claims, networks):
        family = _rows(claim, results, claims["margin"], claims["level"])
        _decide(family, (1 - claims["level"]) / 2)
        rows += [{"claim": name, "network": network, "expected": claim["expect"], **row} for row in family]
    return pd.DataFrame(rows, columns=VERDICTS)


def differences(
    cells: pd.DataFrame, claims: Mapping[str, Any], networks: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """One row a claim of two sides, network, method and single sparsity: mean difference and plain interval."""
    rows = []
    for name, claim, network, results in _pairs(cells, claims, networks):
        if claim["expect"] in (NONE_IS_BEST, RISES):
            continue
        for method, left, right in itertools.chain.from_iterable(results.comparisons(claim).values()):
            for sparsity in results.sparsities([left, right], (Decimal(0), Decimal(100))):
                values = results.find([left, right], (Decimal(sparsity), Decimal(sparsity))).differences()
                if values:
                    summary = summarise(values, claims["level"])
                    names = (name, network, method, sparsity, claim["metric"])
                    numbers = (summary.n, summary.mean, summary.low, summary.high)
                    rows.append(dict(zip(DIFFERENCES, names + numbers, strict=True)))
    return pd.DataFrame(rows, columns=DIFFERENCES)


def _pairs(
    cells: pd.DataFrame, claims: Mapping[str, Any], networks: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, dict[str, Any], str, "Results"]]:
    """Each claim, its defaults filled in, with each network that it speaks of."""
    # A pass over the table for each metric, not for each network.
    metrics = {claim.get("metric", "accuracy") for claim in claims["claims"].values()}
    values = {metric: _values(cells, metric) for metric in metrics}
    broken = cells[cells.collapsed | cells.diverged]
    collapsed = set(zip(*(broken[name] for name in CELL_COLUMNS), strict=True))
    for name, claim in claims["claims"].items():
        complete = {"left": {}, "right": {}, "metric": "accuracy", **claim}
        metric = complete["metric"]
        for network, description in networks.items():
            if claim.get("initialiser", INITIALISER) == description["initialiser"]:
                results = Results(network, description, metric, values[metric].get(network, {}), collapsed)
                yield name, complete, network, results


Values = dict[Side, dict[str, dict[int, float]]]
"""{side: {sparsity: {seed: metric}}}"""


def _values(cells: pd.DataFrame, metric: str) -> dict[str, Values]:
    """{network: values of its cells}."""
    values: dict[str, Values] = {}
    keys = (cells[name] for name in CELL_COLUMNS)
    for network, method, sparsity, ablation, seed, value in zip(*keys, METRICS[metric](cells), strict=True):
        side = values.setdefault(network, {}).setdefault((method, ablation), {})
        side.setdefault(sparsity, {})[int(seed)] = float(value)
    return values


@dataclass(frozen=True)
class Found:
    """What some sides have in common."""

    sparsities: list[str]
    """those at which every side has cells"""
    values: np.ndarray
    """(seeds, sides): mean over these sparsities, of the seeds that have all their cells"""
    missing: list[str]
    """cells that are not there; a side without any is named alone"""
    collapsed: set[tuple[Any, ...]] = field(default_factory=set)
    """cells that collapsed or diverged; they count like any other"""

    def differences(self) -> list[float]:
        """The first side minus the second, a seed."""
        differences: list[float] = np.round(self.values[:, 0] - self.values[:, 1], DIGITS).tolist()
        return differences


@dataclass(frozen=True)
class Results:
    """A metric of the cells of one network."""

    network: str
    description: Mapping[str, Any]
    metric: str
    cells: Values
    collapsed: set[tuple[Any, ...]]
    """cells, of all networks, that collapsed or diverged"""

    def at(self, side: Side, sparsity: str) -> dict[int, float]:
        """{seed: value}."""
        return self.cells.get(side, {}).get(_own(side, sparsity), {})

    def bounds(self, name: Range) -> Bounds:
        """Lowest and highest sparsity of a range, as exact decimals."""
        low, high = self.description[name] if isinstance(name, str) else name
        return Decimal(str(low)), Decimal(str(high))

    def sparsities(self, sides: Iterable[Side], bounds: Bounds) -> list[str]:
        """Those within `bounds` at which any side has a cell."""
        found = {sparsity for side in sides if side[0] != DENSE for sparsity in self.cells.get(side, {})}
        return [sparsity for sparsity in in_order_of_sparsity(found) if bounds[0] <= Decimal(sparsity) <= bounds[1]]

    def find(self, sides: Sequence[Side], bounds: Bounds, only: Container[str] | None = None) -> Found:
        """What `sides` have in common at the sparsities within `bounds`, or at those of them that are in `only`."""
        nothing = np.empty((0, len(sides)))
        if absent := [side for side in sides if side not in self.cells]:
            return Found([], nothing, [f"{method}/{ablation}" for method, ablation in absent])
        asked = [sparsity for sparsity in self.sparsities(sides, bounds) if only is None or sparsity in only]
        if not asked:
            return Found([], nothing, [f"sparsities {bounds[0]} to {bounds[1]}"])
        common = [sparsity for sparsity in asked if all(self.at(side, sparsity) for side in sides)]
        seeds = {seed for side in sides for sparsity in asked for seed in self.at(side, sparsity)}
        parts = [[self.at(side, sparsity) for sparsity in common] for side in sides]
        whole = [seed for seed in sorted(seeds) if common and all(seed in cells for part in parts for cells in part)]
        values = [[sum(cells[seed] for cells in part) / len(part) for part in parts] for seed in whole]
        used = {
            (self.network, method, _own((method, ablation), place), ablation, seed)
            for (method, ablation), place, seed in itertools.product(sides, common, whole)
        }
        return Found(
            sparsities=common,
            values=np.round(values, DIGITS) if values else nothing,
            missing=[name for side in sides for name in self._missing(side, asked, seeds)],
            collapsed=used & self.collapsed,
        )

    def _missing(self, side: Side, sparsities: Sequence[str], seeds: set[int]) -> list[str]:
        """The cells that a side lacks, of all seeds or of some; sparsities that lack the same stand together."""
        lacking: dict[str, dict[str, None]] = {}
        for sparsity in sparsities:
            absent = sorted(seeds - set(self.at(side, sparsity)))
            if absent:
                which = f" seed {', '.join(map(str, absent))}" if self.at(side, sparsity) else ""
                lacking.setdefault(which, {})[_own(side, sparsity)] = None
        return [f"{side[0]}/{','.join(places)}/{side[1]}{which}" for which, places in lacking.items()]

    def comparisons(self, claim: Mapping[str, Any]) -> dict[str, list[Comparison]]:
        """What is compared for each method of the claim, which fills a side that names none.

        NAME@STEP is NAME and every NAME@... of the study up to `until` percent of training; the other side's @STEP is
        then the method that starts at the same update.
        """
        found: dict[str, list[Comparison]] = {}
        for method in claim["methods"]:
            base, _, pattern = method.partition("@")
            names = [method]
            if pattern == "STEP":
                last = Decimal(str(claim["until"])) * self.description["updates"]
                names = [name for name in self.in_order_of_step(base) if 100 * self.description["steps"][name] <= last]
            found[method] = []
            for name in names:
                sides = [
                    (self._at_the_step_of(name, side.get("method", name)), side.get("ablation", "none"))
                    for side in (claim["left"], claim["right"])
                ]
                found[method].append((name, sides[0], sides[1]))
        return found

    def step_of(self, name: str) -> str:
        """The step of a method, as its name has it, if it does."""
        _, _, step = name.partition("@")
        return step if step.endswith(("it", "ep")) else f"{self.description['steps'][name]}it"

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


def _own(side: Side, sparsity: str) -> str:
    """The sparsity of a side's cell: the dense network is the same everywhere."""
    return "0" if side[0] == DENSE else sparsity


def _rows(claim: Mapping[str, Any], results: Results, margin: float, level: float) -> list[dict[str, Any]]:
    """The rows of a claim on a network, without verdict; their p values are yet to be adjusted together."""
    if claim["expect"] == NONE_IS_BEST:
        return [_none_is_best(claim, results, margin)]
    if claim["expect"] == RISES:
        return [_rises(claim, results, name, base) for name in claim["ranges"] for base in claim["methods"]]
    rows = []
    for name, (method, comparisons) in itertools.product(claim["ranges"], results.comparisons(claim).items()):
        base, _, pattern = method.partition("@")
        if pattern == "STEP":
            rows.append(_over_steps(claim, results, name, base, comparisons, margin, level))
        else:
            rows += [_difference(claim, results, name, comparison, margin, level) for comparison in comparisons]
    return rows


def _difference(
    claim: Mapping[str, Any],
    results: Results,
    name: Range,
    comparison: Comparison,
    margin: float,
    level: float,
    only: Container[str] | None = None,
) -> dict[str, Any]:
    method, left, right = comparison
    found = results.find([left, right], results.bounds(name), only)
    values = found.differences()
    row = _row(results, [name], method, results.metric, found)
    if values:
        summary = summarise(values, level)
        row |= {"estimate": summary.mean, "low": summary.low, "high": summary.high}
    if len(values) >= LEAST_SEEDS:
        row["p_holds"], row["p_fails"] = p_values(values, claim["expect"], margin)
    return row


def _over_steps(
    claim: Mapping[str, Any],
    results: Results,
    name: Range,
    base: str,
    comparisons: Sequence[Comparison],
    margin: float,
    level: float,
) -> dict[str, Any]:
    """The row of the step that decides; what it shows instead where the claim fails is kept as `if_fails`."""
    if not comparisons:
        absent = f"{base} at a step until {claim['until']}% of training"
        return _row(results, [name], base, results.metric, Found([], np.empty((0, 2)), [absent]))
    bounds = results.bounds(name)
    sparsities = [
        results.sparsities([side for side in sides if side[0] == method], bounds) for method, *sides in comparisons
    ]
    # Steps at which the method itself has no cell in this range are none of the study's.
    own = [one for one, there in zip(comparisons, sparsities, strict=True) if there]
    shared = set.intersection(*(set(there) for there in sparsities if there)) if own else None
    if shared is not None and not shared:
        return _row(results, [name], base, results.metric, Found([], np.empty((0, 2)), ["a sparsity of all steps"]))
    rows = [_difference(claim, results, name, one, margin, level, shared) for one in own or comparisons[:1]]
    compared = [row for row in rows if row["sparsities"]]
    tested = [row for row in compared if not math.isnan(row["p_holds"])]
    few = [f"{row['method']} with {LEAST_SEEDS} seeds" for row in compared if tested and math.isnan(row["p_holds"])]
    missing = dict.fromkeys(entry for row in rows for entry in row["missing"].split("; ") if entry)
    of_all = {
        "method": base,
        "steps": " ".join(results.step_of(row["method"]) for row in tested),
        "missing": "; ".join([*missing, *few]),
    }

    def shown(row: Mapping[str, Any]) -> dict[str, Any]:
        return {**row, **of_all, "step": results.step_of(row["method"]) if row["sparsities"] else ""}

    if not tested:
        return shown((compared or rows)[0])

    def one_step(key: str) -> tuple[dict[str, Any], float]:
        row = min(tested, key=lambda row: row[key])
        return row, min(1.0, len(tested) * row[key])

    def all_steps(key: str) -> tuple[dict[str, Any], float]:
        row = max(tested, key=lambda row: row[key])
        return row, row[key] if len(tested) == len(rows) else 1.0

    of_holds, of_fails = (all_steps, one_step) if claim["steps"] == EVERY else (one_step, all_steps)
    holding, p_holds = of_holds("p_holds")
    failing, p_fails = of_fails("p_fails")
    return {**shown(holding), "p_holds": p_holds, "p_fails": p_fails, "if_fails": shown(failing)}


def p_values(values: Sequence[float], expected: str, margin: float) -> tuple[float, float]:
    """p values, not adjusted, for `holds` and for `fails` of a claim about the mean of `values`."""
    match expected:
        case "not below":
            return p_above(values, -margin), p_below(values, -margin)
        case "above":
            return p_above(values, 0), p_below(values, margin)
        case "below":
            return p_below(values, 0), p_above(values, -margin)
        case "within":
            inside = max(p_above(values, -margin), p_below(values, margin))
            return inside, min(1.0, 2 * min(p_below(values, -margin), p_above(values, margin)))
    raise ValueError(f"no mean is {expected!r}")


def _rises(claim: Mapping[str, Any], results: Results, name: Range, base: str) -> dict[str, Any]:
    sides = [(method, "none") for method in results.in_order_of_step(base)]
    if len(sides) >= LEAST_STEPS:
        found = results.find(sides, results.bounds(name))
    else:
        found = Found([], np.empty((0, 0)), [f"{base} at {LEAST_STEPS} steps or more"])
    row = _row(results, [name], base, "rank correlation", found)
    if len(found.values):
        row["estimate"] = float(np.mean([_rank_correlation(values) for values in found.values]))
    if len(found.values) >= LEAST_SEEDS:
        row["p_holds"] = float(page_trend_test(found.values).pvalue)
        row["p_fails"] = float(page_trend_test(-found.values).pvalue)
    return row


def _rank_correlation(values: np.ndarray) -> float:
    """Spearman's correlation of `values` with their order; 0 where all are equal."""
    ranks = rankdata(values)
    return float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1]) if len(set(ranks)) > 1 else 0.0


def _none_is_best(claim: Mapping[str, Any], results: Results, margin: float) -> dict[str, Any]:
    methods = [method for method in claim["methods"] if (method, "none") in results.cells]
    pairs = [*itertools.product(claim["ranges"], itertools.permutations(methods, 2))]
    below: dict[str, list[float]] = {method: [] for method in methods}
    not_below: dict[str, list[float]] = {method: [] for method in methods}
    above: dict[str, dict[str, list[float]]] = {
        one: {other: [] for other in methods if other != one} for one in methods
    }
    every = []
    for name, (one, other) in pairs:
        found = results.find([(one, "none"), (other, "none")], results.bounds(name))
        every.append(found)
        if len(values := found.differences()) >= LEAST_SEEDS:
            below[one].append(p_below(values, 0))
            not_below[one].append(p_above(values, -margin))
            above[one][other].append(p_above(values, 0))
    together = Found(
        sparsities=in_order_of_sparsity(sparsity for found in every for sparsity in found.sparsities),
        # As many rows as the pair with the fewest seeds has; pairs that a range says nothing of are left out.
        values=min((found.values for found in every if found.sparsities), key=len, default=np.empty((0, 0))),
        missing=[f"{method}/none" for method in claim["methods"] if method not in methods]
        + [*dict.fromkeys(name for found in every for name in found.missing)],
        collapsed={cell for found in every for cell in found.collapsed},
    )
    row = _row(results, claim["ranges"], ", ".join(methods), results.metric, together)
    # Of fewer methods or ranges than are claimed, neither verdict would be about the claim.
    if row["n"] >= LEAST_SEEDS and len(methods) == len(claim["methods"]) and all(found.sparsities for found in every):
        row["p_holds"] = max(map(somewhere, below.values()))
        best = [max([*not_below[one], *map(somewhere, above[one].values())], default=1.0) for one in methods]
        row["p_fails"] = min(1.0, len(methods) * min(best))
    return row


def somewhere(p: Sequence[float]) -> float:
    """The p value of what was looked for in as many places as there are p values, and is to be true in one."""
    return min(1.0, len(p) * min(p)) if p else 1.0


def _row(results: Results, ranges: Sequence[Range], method: str, statistic: str, found: Found) -> dict[str, Any]:
    of_network = any(isinstance(name, str) for name in ranges)
    return {
        "range": " and ".join(map(range_name, ranges)),
        "ranges_are": results.description["ranges_are"] if of_network else "",
        "method": method,
        "step": "",
        "statistic": statistic,
        "sparsities": " ".join(found.sparsities),
        "steps": "",
        "n": len(found.values),
        "collapsed": len(found.collapsed),
        **dict.fromkeys(("estimate", "low", "high", "p_holds", "p_fails"), math.nan),
        "missing": "; ".join(found.missing),
    }


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
        elif row["p_fails"] <= level:
            row |= {**row.get("if_fails", {}), "p_holds": row["p_holds"], "p_fails": row["p_fails"], "verdict": FAILS}
        else:
            row["verdict"] = UNDECIDED
