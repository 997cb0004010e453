"""Accuracy in the form of the paper's tables, as CSV, Markdown and LaTeX; and its statistics, a row a point."""

import job
from pruning.files import replacing, write_text
from pruning.tables import accuracy_table, read_table, statistics_table, to_latex, to_markdown

with job.reporting(snakemake.log[0]):
    cells = read_table(snakemake.input[0])
    table = accuracy_table(cells)
    for path, content in {snakemake.output.csv: table, snakemake.output.statistics: statistics_table(cells)}.items():
        with replacing(path) as temporary:
            content.to_csv(temporary, index=False)
    write_text(snakemake.output.markdown, to_markdown(table))
    write_text(snakemake.output.latex, to_latex(table))
