"""The verdicts on the claims as a page of Markdown: the rule in words, an overview, and a table a claim."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pruning.claims import ABSENT, FAILS, HOLDS, LEAST_SEEDS, NONE_IS_BEST, RISES, UNDECIDED
from pruning.tables import in_order_of_sparsity

SOURCES = {
    "abstract": "After the paper's abstract",
    "introduction": "After the paper's introduction",
    "thesis": "Secondary: after the abstract of the author's thesis",
    "report": "Secondary: after a reproduction report that cites the paper",
    "summary": "Secondary and weak: after machine-written summaries of the paper",
    "unverified": "Unverified: a recollection of the paper, not read in it",
    "ours": "Not a claim of the paper",
}
RULES = {
    "not below": "It holds where d > -{m} is shown and fails where d < -{m} is shown.",
    "above": "It holds where d > 0 is shown, and else fails where d < {m} is shown.",
    "below": "It holds where d < 0 is shown, and else fails where d > -{m} is shown.",
    "within": "It holds where both d > -{m} and d < {m} are shown, and fails where one is shown to be wrong.",
    "none is best": (
        "It holds where each method is shown to be below another (d < 0) in some range, and else fails where one is"
        " shown to be below (d > -{m}) no other in any range and above (d > 0) each other one in some; d is the"
        " difference of two methods."
    ),
    "rises": (
        "It holds where Page's trend test shows that accuracy rises with the step, and fails where it shows a fall. The"
        " estimate is Spearman's rank correlation of accuracy and step, averaged over seeds."
    ),
}
OF_STEPS = {
    "every": (
        "Of every step until {until:g}% of training, at the sparsities that all have: p holds is the largest over these"
        " steps, p fails the smallest times their number."
    ),
    "some": (
        "Of some step until {until:g}% of training, at the sparsities that all have: p holds is the smallest over these"
        " steps times their number, p fails the largest."
    ),
}
ABLATIONS = {"none": "", "shuffle": ", shuffled", "reinit": ", reinitialised", "invert": ", inverted"}
HEADING = """# Claims of the paper

One verdict for each claim, network, range of sparsities and method. d is the difference of two sides in points: for
each seed averaged over the sparsities of the range, then over n seeds. Its {percent:g}% interval is that of Student's t
over seeds. A verdict rests on one-sided t tests at {alpha:.3g} each, with a margin of {margin:g} points; p values are
adjusted by Holm's method over the methods and ranges of one claim and network. Intervals are not: one may lie clear of
its bound and the claim be undecided all the same. A claim that is neither shown to hold nor to fail is undecided, and
so is every claim under {least} seeds. Each claim is judged by itself: of many that are wrong, one or another may come
out as `holds` by chance. Networks that collapsed or diverged count like any other; the last column says how many: two
that are both at chance do not differ, and that says little.

Beside a range stands where it comes from: `our choice`, or `unverified`, a recollection of the paper that was not read
in it; the paper's own range may be another.

A verdict speaks of the networks and data of this study, and of other seeds on the same test images, not of other
images: of a few hundred, one is a fraction of a point. Where networks and data are small, a claim of the paper may fail
here and be true there. Where both p values are small, the difference is there and smaller than the margin.
"""


def to_markdown(verdicts: pd.DataFrame, differences: pd.DataFrame, claims: Mapping[str, Any]) -> str:
    """The page for what `claims.verdicts` and `claims.differences` give; `claims` is the content of claims.yaml."""
    margin, level = claims["margin"], claims["level"]
    judged = verdicts[verdicts.verdict != ABSENT]
    parts = [
        HEADING.format(percent=100 * level, alpha=(1 - level) / 2, margin=margin, least=LEAST_SEEDS),
        _overview(judged),
    ]
    absent = []
    for name, claim in claims["claims"].items():
        rows = judged[judged.claim == name]
        lacking = verdicts[(verdicts.claim == name) & (verdicts.verdict == ABSENT)]
        if rows.empty:
            absent.append(f"* {name}: {claim['text']} {_not_here(lacking, claim)}")
            continue
        parts.append(f"## {name}\n\n{claim['text']} *{SOURCES[claim['source']]}.*\n\n{_rule(claim, margin)}\n")
        parts.append(_verdict_table(rows))
        parts += [
            f"Missing in {row['network']}, {row['range']}, {row['method']}: {_first(row['missing'])}.\n"
            for row in _records(rows)
            if row["missing"]
        ]
        if len(lacking):
            parts.append(f"{_not_here(lacking, claim)}\n")
        single = differences[differences.claim == name]
        if len(single):
            parts.append(_single_sparsities(single, level))
    if absent:
        parts.append("## Not in this study\n\n" + "\n".join(absent) + "\n")
    return "\n".join(parts)


def _overview(judged: pd.DataFrame) -> str:
    """How often each verdict was given to each claim, a network."""
    lines = []
    for (claim, network), rows in judged.groupby(["claim", "network"], sort=False):
        counts = [int((rows.verdict == verdict).sum()) for verdict in (HOLDS, FAILS, UNDECIDED)]
        lines.append([f"[{claim}](#{claim})", str(network), *map(str, counts)])
    return _table(["claim", "network", HOLDS, FAILS, UNDECIDED], lines, left=2)


def _rule(claim: Mapping[str, Any], margin: float) -> str:
    rule = RULES[claim["expect"]].format(m=f"{margin:g}")
    if claim["expect"] in (NONE_IS_BEST, RISES):
        return rule
    if "steps" in claim:
        rule += (
            f" {OF_STEPS[claim['steps']].format(until=claim['until'])} config/claims.yaml says why until there. A row"
            " shows the step where the p that decides was found: p fails where the claim fails, else p holds."
        )
    left, right = (
        side.get("method", "METHOD") + ABLATIONS[side.get("ablation", "none")]
        for side in (claim.get("left", {}), claim.get("right", {}))
    )
    return f"d = ({left}) - ({right}), {claim.get('metric', 'accuracy')} in percent. {rule}"


def _verdict_table(rows: pd.DataFrame) -> str:
    header = ["network", "range", "method", "verdict", "n", "estimate and interval", "p holds", "p fails"]
    header += ["sparsities", "collapsed"]
    lines = [
        [
            *(row["network"], _range(row), _method(row), row["verdict"], str(row["n"])),
            *(_estimate(row["estimate"], row["low"], row["high"]), _p(row["p_holds"]), _p(row["p_fails"])),
            _extent(row["sparsities"].split()),
            str(row["collapsed"]),
        ]
        for row in _records(rows)
    ]
    return _table(header, lines, left=4)


def _range(row: Mapping[Any, Any]) -> str:
    return f"{row['range']} ({row['ranges_are']})" if row["ranges_are"] else row["range"]


def _method(row: Mapping[Any, Any]) -> str:
    """With the step that decides and the number of those that were tested."""
    step = f" @ {row['step']}" if row["step"] else ""
    tested = f" (of {len(row['steps'].split())} tested)" if row["steps"] else ""
    return f"{row['method']}{step}{tested}"


def _single_sparsities(single: pd.DataFrame, level: float) -> str:
    """Methods against sparsities; folded, since they carry no verdict."""
    sparsities = in_order_of_sparsity(single.sparsity)
    lines = []
    for (network, method), rows in single.groupby(["network", "method"], sort=False):
        entries = {row["sparsity"]: _estimate(row["difference"], row["low"], row["high"]) for row in _records(rows)}
        n = "-".join(map(str, sorted({rows.n.min(), rows.n.max()})))
        lines.append([str(network), str(method), n, *(entries.get(sparsity, "") for sparsity in sparsities)])
    table = _table(["network", "method", "n", *sparsities], lines, left=2)
    summary = f"Single sparsities: d, plain {100 * level:g}% intervals, no verdict"
    return f"<details><summary>{summary}</summary>\n\n{table}\n</details>\n"


def _not_here(lacking: pd.DataFrame, claim: Mapping[str, Any]) -> str:
    """What has no verdict, in one line."""
    if lacking.empty:
        return f"Not in this study: a network with the initialiser {claim.get('initialiser')}."
    networks: dict[str, dict[str, None]] = {}
    for row in _records(lacking):
        networks.setdefault(_first(row["missing"]), {})[row["network"]] = None
    lacks = [f"{what} ({', '.join(names)})" for what, names in networks.items()]
    return f"Not in this study: {'; '.join(lacks)}."


def _first(missing: str, most: int = 6) -> str:
    names = missing.split("; ")
    more = f"; and {len(names) - most} more, which claims.csv names" if len(names) > most else ""
    return "; ".join(names[:most]) + more


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.to_dict("records")


def _estimate(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return ""
    estimate, *ends = (f"{round(number, 2) + 0.0:.2f}" for number in (value, low, high))  # + 0.0: no -0.00
    return estimate if math.isnan(low) else f"{estimate} [{', '.join(ends)}]"


def _extent(sparsities: list[str]) -> str:
    return sparsities[0] if len(sparsities) == 1 else f"{len(sparsities)} from {sparsities[0]} to {sparsities[-1]}"


def _p(value: float) -> str:
    if math.isnan(value):
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _table(header: list[str], lines: list[list[str]], left: int) -> str:
    """A Markdown table whose first `left` columns hold words."""
    rule = ["---"] * left + ["--:"] * (len(header) - left)
    return "".join(f"| {' | '.join(line)} |\n" for line in [header, rule, *lines])
