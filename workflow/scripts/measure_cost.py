"""Time the training of a network on this machine."""

import job
from network_job import prepare_torch
from pruning import datasets, networks
from pruning.cost import measure
from pruning.files import write_json
from pruning.initialisation import draw_state
from pruning.networks import prunable
from pruning.training import Recipe

with job.reporting(snakemake.log[0]):
    settings = snakemake.params.recipe
    device = prepare_torch(snakemake, tf32=settings["precision"] == "tf32")
    about = datasets.describe(settings["dataset"])
    network = networks.build(settings["architecture"], about.shape, about.classes).to(device)
    state = draw_state(network, settings["initialiser"], 0)
    recipe = Recipe.read(settings)
    found = measure(network, state, recipe, about, device)
    write_json(
        snakemake.output[0],
        {
            "device": job.device_name(device),
            **found,
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "prunable": sum(weight.numel() for weight in prunable(network).values()),
        },
    )
