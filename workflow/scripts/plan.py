"""What the study will cost on this machine, and how much of it is there already."""

from pathlib import Path
from textwrap import fill

import pandas as pd

import job
from pruning.files import read_json, write_table, write_text
from pruning.plan import plan
from pruning.study import Study, Tables
from pruning.tables import markdown_rows

HEADING = (
    "Hours: trainings with their tests, one after another on one device, as the loop was timed on this machine;"
    " cells of earlier rounds and replayed states are in them, masks (seconds to minutes each) and the reading of image"
    " files are not; to two digits, for each was timed for seconds. GB: at most."
)

with job.reporting(snakemake.log[0]):
    tables = Tables.read(*map(Path, snakemake.params.tables))
    costs = {Path(path).stem: read_json(path) for path in snakemake.input}
    table = plan(
        Study(snakemake.config, tables),
        costs,
        lambda cell: Path(snakemake.params.cell.format(**vars(cell))).is_file(),
    )
    write_table(snakemake.output.csv, table)
    for column in table.select_dtypes("float"):
        # Measured in seconds, they are good for two digits.
        table[column] = [f"{float(f'{value:.2g}'):,.10g}" if pd.notna(value) else "" for value in table[column]]
    write_text(snakemake.output.markdown, f"{markdown_rows(table)}\n\n{fill(HEADING, 120)}\n")
