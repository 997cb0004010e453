"""A table with a row a cell, from the evaluations of the cells; and what they were made from."""

import job
from pruning.files import read_json, write_table
from pruning.provenance import provenance_table
from pruning.tables import cells_table

with job.reporting(snakemake.log[0]):
    evaluations = [read_json(path) for path in snakemake.input]
    write_table(snakemake.output.cells, cells_table(evaluations, snakemake.params.schema))
    write_table(snakemake.output.provenance, provenance_table(evaluations))
