"""Accuracy against sparsity, as PDF, SVG and PNG."""

import job
from pruning.figures import accuracy, style
from pruning.files import replacing
from pruning.tables import read_table

with job.reporting(snakemake.log[0]):
    figure = accuracy.draw(read_table(snakemake.input[0]), snakemake.params.labels, snakemake.params.ranges)
    for path in snakemake.output:
        with replacing(path) as temporary:
            style.save(figure, temporary)
