"""Accuracy in the form of the paper's tables, as CSV, Markdown and LaTeX."""

import job
from pruning.files import replacing, write_text
from pruning.tables import accuracy_table, read_table, to_latex, to_markdown

with job.reporting(snakemake.log[0]):
    table = accuracy_table(read_table(snakemake.input[0]))
    csv, markdown, latex = snakemake.output
    with replacing(csv) as temporary:
        table.to_csv(temporary, index=False)
    write_text(markdown, to_markdown(table))
    write_text(latex, to_latex(table))
