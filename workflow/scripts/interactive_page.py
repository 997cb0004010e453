"""The interactive page of a study: one HTML file with the plotting library, every cell and its learning curve in it."""

from pathlib import Path

from plotly.offline import get_plotlyjs

import job
from pruning.explorer import content
from pruning.files import read_rows, write_text
from pruning.page import fill
from pruning.tables import read_table

with job.reporting(snakemake.log[0]):
    found = content(
        read_table(snakemake.input.cells),
        snakemake.params.labels,
        # No input of the rule: a cell in cells.csv has been evaluated from its learning curve.
        lambda cell: read_rows(snakemake.params.curve.format(**cell)),
    )
    template = Path(snakemake.input.template).read_text(encoding="utf-8")
    write_text(snakemake.output[0], fill(template, plotly=get_plotlyjs(), content=found))
