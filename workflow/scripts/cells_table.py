"""A table with a row a cell, from the evaluations of the cells."""

import job
from pruning.files import read_json, write_table
from pruning.tables import cells_table

with job.reporting(snakemake.log[0]):
    write_table(snakemake.output[0], cells_table(map(read_json, snakemake.input), snakemake.params.schema))
