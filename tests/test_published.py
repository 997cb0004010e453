"""Published numbers beside ours."""

import csv
from pathlib import Path

import pandas as pd

from pruning.published import beside

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = pd.DataFrame(
    [
        ("A paper", "Net, data", "net", "snip", "95", 92.5, "unverified"),
        ("A paper", "Net, data", "net", "grasp", "95", 92.0, "read in the paper"),
        ("A paper", "Net, data", "net", "synflow", "95", float("nan"), "published as a curve only"),
    ],
    columns=["paper", "setting", "network", "method", "sparsity", "accuracy", "certainty"],
)


def cells(*rows: tuple[str, str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["network", "method", "sparsity", "ablation", "accuracy"])


def test_ours_stand_beside_the_number_of_their_setting_alone() -> None:
    ours = cells(
        ("net", "snip", "95", "none", 93.0),
        ("net", "snip", "95", "none", 95.0),
        ("net", "snip", "95", "shuffle", 10.0),
        ("net", "snip", "98", "none", 10.0),
        ("net-1ep", "grasp", "95", "none", 10.0),
        ("net", "synflow", "95", "none", 91.0),
    )
    snip, grasp, synflow = beside(PUBLISHED, ours).to_dict("records")
    assert (snip["published"], snip["how sure"]) == ("92.50", "unverified")
    assert (snip["ours"], snip["n"], snip["difference"]) == ("94.00 ± 1.41", 2, "+1.50")
    assert (grasp["ours"], grasp["n"], grasp["difference"]) == ("not run", 0, "")
    assert (synflow["published"], synflow["ours"], synflow["difference"]) == ("no number", "91.00", "")


def test_every_published_number_says_how_sure_it_is_and_names_a_network() -> None:
    with (ROOT / "config/published.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert row["certainty"]
        assert 0 <= float(row["sparsity"]) < 100
        assert (row["method"] == "dense") == (row["sparsity"] == "0")
