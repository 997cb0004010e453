"""Every metric of a cell, when and where it was made, and from what."""

import json
import math
from pathlib import Path

import job
from places import own_mask
from pruning import PruningError
from pruning.evaluation import accuracy_metrics, mask_metrics
from pruning.files import file_digest, read_json, read_rows, text_digest, write_json
from pruning.masks import mask_checksum
from pruning.predictions import load_predictions

FORMAT = 1

with job.reporting(snakemake.log[0]):
    mask, about = own_mask(snakemake.input.mask)
    scoring, training = read_json(snakemake.input.mask_run), read_json(snakemake.input.training_run)
    if not mask_checksum(mask) == scoring.pop("mask") == training["mask"]:
        raise PruningError(f"{snakemake.input.mask} is not the mask that the cell was trained under. Delete it.")
    if about["data"] != training["data"]:
        raise PruningError(f"{snakemake.input.mask} was made on other data than the cell was trained on. Delete it.")
    for name in ("predictions", "curve"):
        path = snakemake.input.get(name)
        if file_digest(path) != training.pop(name):
            raise PruningError(f"{path} is not the file that its training wrote. Delete it.")
    recipes = {"mask": scoring.pop("recipe"), "training": training.pop("recipe")}
    for name, record in (("mask", snakemake.input.mask_run), ("training", snakemake.input.training_run)):
        # As where a job of a cluster that no one waited for has ended after the config was changed.
        if text_digest(json.dumps(recipes[name], sort_keys=True)) != snakemake.params.recipes[name]:
            raise PruningError(f"{record} is of another recipe or code than the present. Delete it.")
    metrics = {
        **accuracy_metrics(load_predictions(snakemake.input.predictions)),
        **mask_metrics(mask, read_json(snakemake.input.wiring)),
    }
    metrics["diverged"] |= not math.isfinite(float(read_rows(snakemake.input.curve)[-1]["train_loss"]))
    provenance = {
        "recipes": recipes,
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
    # Not as soon as the training ends: a job that ended well may pass for one that did not (on Slurm, within seconds of
    # its limit), and is repeated.
    Path(snakemake.params.checkpoint).unlink(missing_ok=True)
