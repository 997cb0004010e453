"""The LaTeX tables compile as they are, where LaTeX is installed."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from pruning.tables import to_latex
from workflow_copy import WorkflowCopy

DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs}
\begin{document}
%s
\end{document}
"""


def compile_latex(tables: str, folder: Path) -> None:
    if not shutil.which("pdflatex"):
        pytest.skip("no pdflatex on the path (Debian's texlive-latex-recommended has it and booktabs)")
    (folder / "tables.tex").write_text(DOCUMENT % tables, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "tables.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "tables.pdf").stat().st_size > 1000


def test_tables_of_a_study_compile(finished: WorkflowCopy, tmp_path: Path) -> None:
    files = sorted(finished.folder.glob("results/tables/*.tex"))
    assert files
    compile_latex("\n".join(rf"\input{{{file}}}" for file in files), tmp_path)


def test_every_sign_that_a_table_may_hold_compiles(tmp_path: Path) -> None:
    signs = "SNIP @ 100it_50% & #1 $x ± 2 {a} ~ ^ \\ < > - \u2013 \u2212 é"
    table = pd.DataFrame({"network": ["net_a"], "method": [signs], "20": ["93.10 ± 0.25"]})
    compile_latex(to_latex(table, f"A heading with {signs}."), tmp_path)
