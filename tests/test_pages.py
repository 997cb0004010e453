"""The parts that the report and the interactive page are made of."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import docutils.utils
import jinja2
import pandas as pd
import pytest

from pruning import explorer, page
from pruning.drawing import style
from pruning.provenance import facts, provenance_table

STUDY = SimpleNamespace(config={"seeds": [0, 1, 2]})


def evaluation(method: str, device: str = "cpu (A)", torch: str = "2.15.0") -> dict[str, Any]:
    return {
        "cell": {"network": "net", "method": method},
        "run": {"training": {"device": device, "host": "here", "started": "2026-01-02T03:04:05+00:00"}},
        "provenance": {
            "recipes": {
                "mask": {"score": method, "scoring_code": f"code of {method}"},
                "training": {"training_code": "t", "network_code": "n"},
            },
            "evaluation_code": "e",
            "data": "d" * 64,
            "versions": {"training": {"torch": torch}},
            "engines": {"training": "cpu"},
        },
    }


def test_provenance_has_every_different_value_with_its_number_of_cells() -> None:
    evaluations = [evaluation("dense"), evaluation("snip"), evaluation("snip", "cpu (B)", "2.14.0")]
    table = provenance_table(Counter(fact for each in evaluations for fact in facts(each)))
    found = {(row.what, row.value): row.cells for row in table.itertuples()}
    assert found["torch", "2.15.0"] == 2
    assert found["torch", "2.14.0"] == 1
    assert found["device", "cpu (B)"] == 1
    assert found["code of the score snip", "code of snip"] == 2
    assert found["data of net (SHA-256)", "d" * 16] == 3
    assert found["day of training", "2026-01-02"] == 3
    assert not [what for what, _ in found if "dense" in what]


def test_caption_is_filled_and_rendered() -> None:
    html = page.caption('*Means* over {{ snakemake.config["seeds"] | length }} seeds, ``a_b``.', STUDY)
    assert html == '<p><em>Means</em> over 3 seeds, <span class="docutils literal">a_b</span>.</p>\n'


def test_mistake_in_a_caption_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        page.caption("{{ snakemake.confg }}", STUDY)
    with pytest.raises(docutils.utils.SystemMessage):
        page.caption("An *emphasis without end.", STUDY)


def test_text_is_escaped_in_a_page_and_a_name_that_is_missing_is_an_error() -> None:
    assert page.fill("{{ name }}", name="<b> & co") == "&lt;b&gt; &amp; co"
    with pytest.raises(jinja2.UndefinedError):
        page.fill("{{ name }}")


def test_data_of_a_page_keep_their_order_and_cannot_end_the_script() -> None:
    assert page.fill("{{ data | tojson }}", data={"b": "</script>", "a": 1}).startswith('{"b": "\\u003c/script')


def test_markdown_tables_become_html_also_where_they_are_folded() -> None:
    text = "# Head\n\n| a | b |\n| --- | --: |\n| x | <0.001 |\n"
    html = page.from_markdown(f"{text}\n<details><summary>More</summary>\n\n| c |\n| --- |\n| y |\n\n</details>\n")
    assert '<h3 id="head">Head</h3>' in html
    assert html.count("<table>") == 2
    assert "<td>y</td>" in html
    assert "&lt;0.001" in html


def test_cost_is_summed_by_network_and_device() -> None:
    cells = pd.DataFrame(
        {
            "network": ["a", "a", "a", "b"],
            "device": ["cpu", "cpu", "gpu", "cpu"],
            "training_seconds": [3600.0, 1800.0, 36.0, 7200.0],
            "scoring_seconds": [360.0, 0.0, 0.0, 36.0],
        }
    )
    assert page.cost_table(cells).to_numpy().tolist() == [
        ["a", "cpu", 2, 2700.0, 1.5, 0.1],
        ["a", "gpu", 1, 36.0, 0.01, 0.0],
        ["b", "cpu", 1, 7200.0, 2.0, 0.01],
    ]


@pytest.mark.parametrize("epochs", [1, 3, 59, 60, 61, 160, 1000])
def test_long_learning_curves_are_thinned_and_keep_their_end(epochs: int) -> None:
    rows = [{"update": str(n), "test_accuracy": f"{n / 10}", "train_accuracy": "50"} for n in range(1, epochs + 1)]
    curve = explorer._thinned(rows)
    assert curve["update"][-1] == epochs
    assert curve["test"][-1] == round(epochs / 10, 2)
    assert curve["update"] == sorted(curve["update"])
    assert min(epochs, 45) <= len(curve["update"]) <= 90


def test_every_marker_of_the_figures_has_one_in_the_page() -> None:
    looks = [*style.METHODS.values(), *(look for _, look in style.ABLATIONS.values())]
    assert {look.marker for look in looks} | set(style.OTHER_MARKERS) <= set(explorer.SYMBOLS)
