"""What of a study is stale, and why: read from the dry run of Snakemake on standard input (make stale).

    snakemake -n --cores 1 2>&1 | python workflow/scripts/stale.py

A result is stale that is there and is of another recipe, code or data than the present, so that it would be made anew.
Nothing runs. What follows from a stale result is counted with it.
"""

import ast
import re
import sys
from collections import Counter

CHANGED = re.compile(r"Params have changed since last execution: .*?before: (.*) now: (.*)", re.S)
FOLLOWS = "Input files updated by another job"


def flat(value: object, name: str = "") -> dict[str, object]:
    """{name of a setting: its value} of parameters as Snakemake prints them: values alone, or dictionaries of them."""
    if isinstance(value, dict):
        return {inner: deep for key, part in value.items() for inner, deep in flat(part, str(key)).items()}
    return {name or "code": value}


def parameters(text: str) -> dict[str, object]:
    try:
        values = ast.literal_eval(f"[{text}]")
    except (SyntaxError, ValueError):
        return {"parameters": text.strip()}
    return {name: value for part in values for name, value in flat(part).items()}


def changes(before: str, now: str) -> str:
    """What changed from one printed set of parameters to another; of fingerprints of code, only that they did."""
    old, new = parameters(before), parameters(now)
    found = []
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            values = "changed" if name.endswith("code") else f"{old.get(name)} -> {new.get(name)}"
            found.append(f"{name} {values}")
    return ", ".join(found)


def why(reason: str) -> str | None:
    """A printed reason in short; None where the result is not there, or is made only because another is."""
    if match := CHANGED.search(reason):
        return changes(*match.groups())
    if "Set of input files has changed" in reason:
        return "other input files"
    if "Updated input files" in reason:
        return f"newer input: {reason.split('Updated input files:')[1].split(';')[0].strip()}"
    if "No record" in reason:
        return "no record of what made it"
    return None


def stale(printed: str) -> tuple[dict[tuple[str, str], list[str]], Counter[str]]:
    """{(rule, why): its results} of what is stale; and how many jobs are new, and how many follow from others."""
    found: dict[tuple[str, str], list[str]] = {}
    others: Counter[str] = Counter()
    for block in re.split(r"^(?:local)?rule ", printed, flags=re.M)[1:]:
        rule = block.partition(":")[0]
        reason = re.search(r"^    reason: (.*?)(?=^    \w+:|^\[|\Z)", block, re.M | re.S)
        output = re.search(r"^    output: ([^,\n]+)", block, re.M)
        if not reason or not output:
            continue
        if (short := why(reason[1])) is not None:
            found.setdefault((rule, short), []).append(output[1])
        else:
            others["follow" if FOLLOWS in reason[1] and "Missing output" not in reason[1] else "new"] += 1
    return found, others


def report(printed: str) -> str:
    found, others = stale(printed)
    lines = [
        f"{len(results)} of {rule}: {short}\n    {results[0]}{' and others' if len(results) > 1 else ''}"
        for (rule, short), results in sorted(found.items())
    ]
    count = sum(map(len, found.values()))
    lines.append(f"{count} results stale, {others['follow']} follow from them or from new ones, {others['new']} new")
    return "\n".join(lines)


if __name__ == "__main__":
    printed = sys.stdin.read()
    # A dry run that did not come to its jobs has a message of its own.
    planned = "Job stats:" in printed or "Nothing to be done" in printed
    print(report(printed) if planned else printed)
    sys.exit(not planned)
