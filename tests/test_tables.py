"""Tables: from evaluations to tidy rows, and from those to the accuracy table in three formats."""

import re
import runpy
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import yaml

from pruning.files import read_json, read_rows, write_json
from pruning.tables import (
    accuracy_table,
    cells_table,
    layers_table,
    read_table,
    statistics_table,
    to_latex,
    to_markdown,
)

WORKFLOW = Path(__file__).parents[1] / "workflow"
SCHEMA = yaml.safe_load((WORKFLOW / "schemas/cells.schema.yaml").read_text(encoding="utf-8"))

HEADING = "Accuracy in % of_n seeds."


def cells(rows: dict[tuple[str, str, str, str], list[float]], collapsed: float = -1, diverged: float = -1) -> Any:
    """A table of accuracies, one a seed; those that equal `collapsed` or `diverged` are marked as such."""
    return pd.DataFrame(
        [
            {
                **dict(zip(("network", "method", "sparsity", "ablation"), cell, strict=True)),
                "seed": seed,
                "accuracy": accuracy,
                "collapsed": accuracy == collapsed,
                "diverged": accuracy == diverged,
            }
            for cell, accuracies in rows.items()
            for seed, accuracy in enumerate(accuracies)
        ]
    )


STUDY = {
    ("net_a", "dense", "0", "none"): [97.0, 98.0, 99.0],
    ("net_a", "random", "86.6", "none"): [90.0, 92.0, 94.0],
    ("net_a", "random", "9", "none"): [95.0, 95.0, 95.0],
    ("net_a", "random", "10", "none"): [96.0, 95.0, 94.0],
    ("net_a", "snip@100it", "86.6", "none"): [10.0, 93.0, 8.0],
    ("net_a", "snip@100it", "86.6", "shuffle"): [91.0, 92.0],
    ("net-b", "dense", "0", "none"): [50.0],
    ("net-b", "random", "9", "none"): [40.0],
}


@pytest.fixture
def table() -> pd.DataFrame:
    return accuracy_table(cells(STUDY, collapsed=10.0, diverged=8.0))


def row(table: pd.DataFrame, network: str, ablation: str, method: str) -> dict[str, Any]:
    found = table[(table.network == network) & (table.ablation == ablation) & (table.method == method)]
    assert len(found) == 1
    return dict(found.iloc[0])


def evaluation(seed: int = 0, collapsed: bool = False, loss: float | None = 0.25) -> dict[str, Any]:
    """An evaluation.json as `evaluate` writes it, with numbers that tell its columns apart."""
    integers = [column["name"] for column in SCHEMA if column["type"] == "int" and column["name"] != "seed"]
    floats = ["accuracy", "top5_accuracy", "density", "effective_sparsity"]
    layer = {
        "shape": [2, 3],
        "weights": 6,
        "pruned": 2,
        "effective": 3,
        "neurons": 2,
        "neurons_without_incoming": 1,
        "neurons_without_outgoing": 0,
        "multiply_adds": 6,
        "multiply_adds_left": 4,
    }
    return {
        "format": 1,
        "cell": {"network": "net", "method": "snip", "sparsity": "86.60", "ablation": "none", "seed": seed},
        "metrics": {
            **{name: number for number, name in enumerate(integers, 100)},
            **{name: number / 7 for number, name in enumerate(floats, 200)},
            "loss": loss,
            "diverged": loss is None,
            "collapsed": collapsed,
            "disconnected": False,
            "layers": [
                {**layer, "tensor": name, "kept": kept, "density": kept / 6} for name, kept in (("b", 4), ("a", 0))
            ],
        },
        "run": {
            "scoring": {"scoring_seconds": 0.5},
            "training": {
                "training_seconds": 12.5,
                "engine": "cpu",
                "device": "cpu (one)",
                "host": "here",
                "started": "2026-01-02T03:04:05+00:00",
            },
        },
        "provenance": {
            "recipes": {
                "mask": {"score": "snip", "scoring_code": "s"},
                "training": {"training_code": "t", "network_code": "n"},
            },
            "evaluation_code": "e",
            "data": "d",
            "versions": {"training": {"torch": "2.15.0"}},
            "engines": {"training": "cpu"},
        },
    }


# One row a cell


def test_columns_are_those_of_the_schema_in_order_and_type() -> None:
    table = cells_table([evaluation()], SCHEMA)
    assert list(table.columns) == [column["name"] for column in SCHEMA]
    kinds = {"str": "str", "int": "int64", "float": "float64", "bool": "bool"}
    assert [str(kind) for kind in table.dtypes] == [kinds[column["type"]] for column in SCHEMA]


def test_row_holds_the_numbers_of_its_evaluation() -> None:
    source = evaluation(seed=4)
    found = dict(cells_table([evaluation(seed=3), source], SCHEMA).iloc[1])
    assert {name: found[name] for name in source["cell"]} == source["cell"]
    assert all(found[name] == value for name, value in source["metrics"].items() if name != "layers")
    assert (found["scoring_seconds"], found["training_seconds"], found["device"]) == (0.5, 12.5, "cpu (one)")
    assert not found["collapsed"]
    assert not found["diverged"]


def test_collapse_and_divergence_keep_their_columns() -> None:
    table = cells_table([evaluation(collapsed=True), evaluation(loss=None)], SCHEMA)
    assert table.collapsed.tolist() == [True, False]
    assert table.diverged.tolist() == [False, True]
    assert table.loss.isna().tolist() == [False, True]


def test_table_of_no_cells_has_the_columns_all_the_same() -> None:
    assert list(cells_table([], SCHEMA).columns) == [column["name"] for column in SCHEMA]
    assert list(layers_table([]).columns) == list(layers_table([evaluation()]).columns)


def test_layers_keep_their_order_and_are_numbered_from_the_input() -> None:
    table = layers_table([evaluation(seed=0), evaluation(seed=1)])
    assert table.tensor.tolist() == ["b", "a", "b", "a"]
    assert table.layer.tolist() == [0, 1, 0, 1]
    assert table.seed.tolist() == [0, 0, 1, 1]
    assert table.kept.tolist() == [4, 0, 4, 0]


def test_table_read_from_its_file_is_the_one_that_was_written(tmp_path: Path) -> None:
    written = cells_table([evaluation(), evaluation(seed=1, loss=None)], SCHEMA)
    written.to_csv(tmp_path / "cells.csv", index=False)
    read = read_table(str(tmp_path / "cells.csv"))
    pd.testing.assert_frame_equal(read, written)
    assert read.sparsity.tolist() == ["86.60", "86.60"]
    assert read.ablation.tolist() == ["none", "none"]


def test_script_makes_both_tables_and_holds_no_more_than_a_few_evaluations(tmp_path: Path) -> None:
    paths = [tmp_path / f"{seed}.json" for seed in range(100)]
    for seed, path in enumerate(paths):
        large = evaluation(seed)
        large["metrics"]["layers"] *= 50
        write_json(path, large)
    output = SimpleNamespace(cells=tmp_path / "cells.csv", provenance=tmp_path / "provenance.csv")
    params, log = SimpleNamespace(schema=SCHEMA), [str(tmp_path / "log")]
    given = {"snakemake": SimpleNamespace(input=paths, output=output, params=params, log=log)}
    runpy.run_path(str(WORKFLOW / "scripts/cells_table.py"), given)  # its imports are not to be measured
    tracemalloc.start()
    try:
        one = read_json(paths[0])
        size, _ = tracemalloc.get_traced_memory()
        del one
        tracemalloc.reset_peak()
        runpy.run_path(str(WORKFLOW / "scripts/cells_table.py"), given)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * size
    assert [row["seed"] for row in read_rows(output.cells)] == [str(seed) for seed in range(100)]
    found = {(row["what"], row["value"]): row["cells"] for row in read_rows(output.provenance)}
    assert found["code of the score snip", "s"] == found["torch", "2.15.0"] == "100"


# The accuracy table


def test_columns_stand_in_the_order_of_numbers(table: pd.DataFrame) -> None:
    expected = ["network", "ablation", "method", "0", "9", "10", "86.6", "n", "collapsed", "diverged"]
    assert list(table.columns) == expected


def test_column_0_is_the_dense_network_in_every_row(table: pd.DataFrame) -> None:
    assert table["0"].tolist() == ["98.00 ± 1.00"] * 3 + ["50.00"]


def test_entries_are_mean_and_sample_deviation(table: pd.DataFrame) -> None:
    random = row(table, "net_a", "none", "random")
    assert [random[sparsity] for sparsity in ("9", "10", "86.6")] == ["95.00 ± 0.00", "95.00 ± 1.00", "92.00 ± 2.00"]
    assert random["n"] == "3"


def test_single_seed_has_no_deviation(table: pd.DataFrame) -> None:
    assert row(table, "net-b", "none", "random")["9"] == "40.00"
    assert row(table, "net-b", "none", "random")["n"] == "1"


def test_missing_cells_are_empty_not_zero(table: pd.DataFrame) -> None:
    snip = row(table, "net_a", "shuffle", "snip@100it")
    assert (snip["9"], snip["10"], snip["86.6"]) == ("", "", "91.50 ± 0.71")
    assert snip["n"] == "2-3"


def test_collapsed_and_diverged_are_counted_and_stay_in_the_mean(table: pd.DataFrame) -> None:
    snip = row(table, "net_a", "none", "snip@100it")
    assert (snip["collapsed"], snip["diverged"]) == (1, 1)
    assert snip["86.6"] == "37.00 ± 48.51"  # 10, 93 and 8
    assert row(table, "net_a", "none", "random")["collapsed"] == 0


def test_study_without_methods_gives_an_empty_table() -> None:
    table = accuracy_table(cells({("net", "dense", "0", "none"): [97.0, 98.0]}))
    assert list(table.columns) == ["network", "ablation", "method", "0", "n", "collapsed", "diverged"]
    assert table.empty
    assert "|" not in to_markdown(table, HEADING)
    assert to_latex(table, HEADING).strip() == ""


def test_markdown_is_well_formed(table: pd.DataFrame) -> None:
    blocks = re.findall(r"(?:^\|.*\|\n)+", to_markdown(table, HEADING), re.MULTILINE)
    assert len(blocks) == 3  # net_a none and shuffle, net-b none
    for block in blocks:
        lines = [[field.strip() for field in line.strip("|").split(" | ")] for line in block.splitlines()]
        assert {len(line) for line in lines} == {8}
        assert lines[0] == ["method", "0", "9", "10", "86.6", "n", "collapsed", "diverged"]
        assert set(lines[1]) == {"---", "--:"}
    assert "### net_a, masks shuffled in each layer\n\n| method" in to_markdown(table, HEADING)
    assert "| snip@100it | 98.00 ± 1.00 |  |  | 91.50 ± 0.71 | 2-3 | 0 | 0 |" in to_markdown(table, HEADING)


def test_latex_is_well_formed(table: pd.DataFrame) -> None:
    latex = to_latex(table, HEADING)
    bare = re.sub(r"\\[_%&#$]", "", latex)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert not set("_%#±") & set(bare)
    for environment in ("table", "tabular"):
        assert bare.count(rf"\begin{{{environment}}}") == bare.count(rf"\end{{{environment}}}") == 3
    for rule in ("toprule", "midrule", "bottomrule"):
        assert bare.count(rf"\{rule}") == 3
    columns = re.findall(r"\\begin\{tabular\}\{(\w+)\}", bare)
    assert columns == ["l" + "r" * 7] * 3
    rows = re.findall(r"^.* & .*$", bare, re.MULTILINE)
    assert len(rows) == 3 + 4
    assert {line.count("&") for line in rows} == {7}
    assert all(line.endswith(r" \\") for line in rows)
    assert r"\caption{net\_a, masks shuffled in each layer." in latex
    assert r"method & 0\% & 9\% & 10\% & 86.6\% & n & collapsed & diverged \\" in latex
    assert r"snip@100it & 98.00 $\pm$ 1.00 &  &  & 91.50 $\pm$ 0.71 & 2-3 & 0 & 0 \\" in latex


# Statistics, a row a point


def test_statistics_of_a_point_and_its_paired_difference_by_hand() -> None:
    study = {("net", "snip", "50", "none"): [90.0, 92.0, 97.0], ("net", "snip", "50", "shuffle"): [91.0, 94.0, 97.0]}
    none, shuffle = statistics_table(cells(study)).to_dict("records")
    assert (none["n"], none["mean"], none["deviation"]) == (3, 93.0, pytest.approx(13**0.5))
    assert none["high"] - none["mean"] == pytest.approx(4.303 * (13 / 3) ** 0.5, rel=1e-3)
    assert pd.isna(none["difference"])
    # Differences 1, 2, 0: mean 1, deviation 1; not paired, the interval would be far wider.
    assert (shuffle["pairs"], shuffle["difference"]) == (3, pytest.approx(1.0))
    assert shuffle["difference_high"] - 1 == pytest.approx(4.303 / 3**0.5, rel=1e-3)


def test_ablation_without_its_unmodified_method_has_no_difference() -> None:
    (row_,) = statistics_table(cells({("net", "snip", "50", "shuffle"): [91.0]})).to_dict("records")
    assert pd.isna(row_["difference"])
    assert row_["n"] == 1
