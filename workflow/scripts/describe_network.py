"""Write down what a network is made of, so that what a mask leaves of it can be told without torch."""

import job
from pruning import datasets, networks
from pruning.files import write_json
from pruning.wiring import trace

with job.reporting(snakemake.log[0]):
    recipe = snakemake.params.network
    data = datasets.describe(recipe["dataset"])
    network = networks.build(recipe["architecture"], data.shape, data.classes)
    write_json(snakemake.output[0], trace(network, data.shape))
