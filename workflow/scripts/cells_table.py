"""A table with a row a cell, from the evaluations of the cells; and what they were made from."""

import job
from pruning.files import read_json, write_table
from pruning.provenance import cells_and_provenance

with job.reporting(snakemake.log[0]):
    cells, provenance = cells_and_provenance(map(read_json, snakemake.input), snakemake.params.schema)
    write_table(snakemake.output.cells, cells)
    write_table(snakemake.output.provenance, provenance)
