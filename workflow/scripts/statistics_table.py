"""Mean, spread and interval of every cell over its seeds, and paired differences, a row a point."""

import job
from pruning.files import write_table
from pruning.tables import read_table, statistics_table

with job.reporting(snakemake.log[0]):
    write_table(snakemake.output[0], statistics_table(read_table(snakemake.input[0])))
