"""The rows that a figure is drawn from: a row a cell, a layer of a cell, or a threshold of a cell's neurons."""

import job
from places import own_mask
from pruning.files import read_json, write_table
from pruning.tables import cells_table, layers_table, neurons_table

with job.reporting(snakemake.log[0]):
    match snakemake.params.rows:
        case "cells":
            table = cells_table(map(read_json, snakemake.input), snakemake.params.schema)
        case "layers":
            table = layers_table(map(read_json, snakemake.input))
        case "neurons":
            table = neurons_table(map(own_mask, snakemake.input))
    write_table(snakemake.output[0], table)
