"""Accuracy of the methods and of their ablations against sparsity, as PDF, SVG and PNG."""

import job
from pruning.figures import ablations, style
from pruning.files import replacing
from pruning.tables import read_table

with job.reporting(snakemake.log[0]):
    figure = ablations.draw(read_table(snakemake.input[0]), snakemake.params.labels)
    for path in snakemake.output:
        with replacing(path) as temporary:
            style.save(figure, temporary)
