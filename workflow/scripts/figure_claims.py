"""The verdicts on the paper's claims, as PDF, SVG and PNG."""

import job
from pruning.drawing import claims, style
from pruning.files import replacing
from pruning.tables import read_table

with job.reporting(snakemake.log[0]):
    figure = claims.draw(read_table(snakemake.input[0]), snakemake.params.claims, snakemake.params.labels)
    for path in snakemake.output:
        with replacing(path) as temporary:
            style.save(figure, temporary)
