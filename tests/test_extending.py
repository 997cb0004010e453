"""docs/extending.md, followed to the letter in a scratch copy."""

import re
import shlex
import subprocess
from pathlib import Path

import pandas as pd

from pruning.tables import read_table
from workflow_copy import ROOT, SNAKEMAKE, WorkflowCopy

STEP = re.compile(r"^(New file|At the end of|Run)(?: `([^`]+)`)?:\n\n```\w+\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


def test_examples_of_the_docs_make_a_study(tmp_path: Path) -> None:
    copy = WorkflowCopy.make(tmp_path)
    rules = {path: path.read_bytes() for path in [tmp_path / "Snakefile", *tmp_path.glob("workflow/rules/*")]}
    output = ""
    for verb, name, text in STEP.findall((ROOT / "docs/extending.md").read_text(encoding="utf-8")):
        match verb:
            case "New file":
                assert not (copy.folder / name).exists()
                (copy.folder / name).write_text(text)
            case "At the end of":
                copy.append(name, text)
            case "Run":
                command = [str(SNAKEMAKE), *shlex.split(text)[1:]]
                done = subprocess.run(command, cwd=tmp_path, stdout=-1, stderr=subprocess.STDOUT, text=True)
                assert done.returncode == 0, done.stdout
                output += done.stdout
    assert output
    assert all(path.read_bytes() == content for path, content in rules.items())
    cells = read_table(str(tmp_path / "results/tables/cells.csv"))
    assert set(cells.network) == {"lenet50-digits", "lenet50-low-digits"}
    assert dict(cells.groupby("network").examples.first()) == {"lenet50-digits": 360, "lenet50-low-digits": 180}
    assert set(cells.parameters) == {64 * 50 + 50 + 50 * 10 + 10, 64 * 50 + 50 + 50 * 5 + 5}
    assert set(cells.method) == {"dense", "random", "gradient"}
    verdicts = read_table(str(tmp_path / "results/tables/claims.csv"))
    mine = verdicts[verdicts.claim == "gradient-below-random"]
    assert sorted(mine.network) == ["lenet50-digits", "lenet50-low-digits"]
    assert list(mine.n) == [2, 2]
    figure = pd.read_csv(tmp_path / "results/tables/computation.csv")
    assert len(figure) == 2 * (1 + 2)
    page = (tmp_path / "results/report.html").read_text(encoding="utf-8")
    assert 'alt="The figure computation"' in page
    assert "multiply-adds that a pruned network still needs" in page
    assert "Pruning by the gradient alone is worse than random pruning." in page
