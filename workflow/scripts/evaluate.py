"""Every metric of a cell, when and where it was made, and from what."""

import math

import job
from pruning import PruningError
from pruning.evaluation import accuracy_metrics, mask_metrics
from pruning.files import read_json, read_rows, write_json
from pruning.masks import load_mask, mask_checksum
from pruning.predictions import load_predictions

FORMAT = 1

with job.reporting(snakemake.log[0]):
    mask, about = load_mask(snakemake.input.mask)
    scoring, training = read_json(snakemake.input.mask_run), read_json(snakemake.input.training_run)
    if not mask_checksum(mask) == scoring.pop("mask") == training["mask"]:
        raise PruningError(f"{snakemake.input.mask} is not the mask that the cell was trained under. Delete it.")
    if about["data"] != training["data"]:
        raise PruningError(f"{snakemake.input.mask} was made on other data than the cell was trained on. Delete it.")
    metrics = {
        **accuracy_metrics(load_predictions(snakemake.input.predictions)),
        **mask_metrics(mask, read_json(snakemake.input.wiring)),
    }
    metrics["diverged"] |= not math.isfinite(float(read_rows(snakemake.input.curve)[-1]["train_loss"]))
    provenance = {
        "recipes": {"mask": scoring.pop("recipe"), "training": training.pop("recipe")},
        "evaluation_code": snakemake.params.code,
        "data": training.pop("data"),
        "scored_state": about["scored_state"],
        "start_state": training.pop("start_state"),
        "mask": training.pop("mask"),
        "engines": {"scoring": scoring["engine"], "training": training["engine"]},
        "versions": {"scoring": scoring.pop("versions"), "training": training.pop("versions")},
    }
    write_json(
        snakemake.output[0],
        {
            "format": FORMAT,
            "cell": about["cell"],
            "metrics": metrics,
            "run": {"scoring": scoring, "training": training},
            "provenance": provenance,
        },
    )
