"""All cells of the study in one table, and all their layers in another."""

import job
from pruning.files import read_json, replacing
from pruning.tables import cells_table, layers_table

with job.reporting(snakemake.log[0]):
    evaluations = [read_json(path) for path in snakemake.input.evaluations]
    for path, table in {
        snakemake.output.cells: cells_table(evaluations, snakemake.params.schema),
        snakemake.output.layers: layers_table(evaluations),
    }.items():
        with replacing(path) as temporary:
            table.to_csv(temporary, index=False)
