"""Published numbers beside ours."""

from textwrap import fill

import job
from pruning.files import read_json, write_table, write_text
from pruning.published import beside
from pruning.tables import cells_table, markdown_rows, read_table

HEADING = (
    "Test accuracy in percent. published: as config/published.csv has it; unverified means that it was not read in the"
    " paper but recalled. ours: mean ± sample standard deviation over n seeds of the full recipe; not run where this"
    " study has no such cell. Ours train the weights that were scored; the published code of SNIP trains weights drawn"
    " anew, and that of GraSP draws the output layer anew for scoring."
)

with job.reporting(snakemake.log[0]):
    cells = cells_table(map(read_json, snakemake.input.evaluations), snakemake.params.schema)
    table = beside(read_table(snakemake.input.published), cells)
    write_table(snakemake.output.csv, table)
    write_text(snakemake.output.markdown, f"{fill(HEADING, 120)}\n\n{markdown_rows(table)}\n")
