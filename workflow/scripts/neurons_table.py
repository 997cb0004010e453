"""A table with a row a cell and threshold: how many neurons lost so much of what leads into them. From masks alone."""

import job
from pruning.files import write_table
from pruning.masks import load_mask
from pruning.tables import neurons_table

with job.reporting(snakemake.log[0]):
    write_table(snakemake.output[0], neurons_table(map(load_mask, snakemake.input)))
