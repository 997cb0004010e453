"""Prepare a dataset: arrays that can be memory-mapped, and a manifest."""

from pathlib import Path

import job
from pruning.data import prepare

with job.reporting(snakemake.log[0]) as log:
    destination = Path(snakemake.output.manifest).parent
    prepare(snakemake.wildcards.dataset, Path(snakemake.config["data"]), destination)
    log.info("%s prepared in %s", snakemake.wildcards.dataset, destination)
