"""A figure as PDF, PNG and SVG, and the numbers that it shows as CSV, Markdown and LaTeX."""

from pathlib import Path

import job
from pruning.drawing import style
from pruning.figures import About
from pruning.files import replacing, write_table, write_text
from pruning.registry import find
from pruning.tables import CELL_COLUMNS, read_table, to_latex, to_markdown

with job.reporting(snakemake.log[0]):
    module = find("figures", snakemake.params.figure)
    rows, about = read_table(snakemake.input[0]), About(**snakemake.params.about)
    table = module.table(rows, about)
    figure = module.draw(rows, about)
    heading = module.HEADING
    there = len(rows[[*CELL_COLUMNS]].drop_duplicates())
    if there < snakemake.params.wanted:
        partial = f"Partial: {there} of {snakemake.params.wanted} cells are finished."
        style.mark(figure, partial)
        heading += f" {partial}"
    for path in map(Path, snakemake.output):
        match path.suffix:
            case ".csv":
                write_table(path, table)
            case ".md":
                write_text(path, to_markdown(table, heading))
            case ".tex":
                write_text(path, to_latex(table, heading))
            case _:
                with replacing(path) as temporary:
                    style.save(figure, temporary)
