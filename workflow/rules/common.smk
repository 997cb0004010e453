# What the rules share: the study, the names of files, and what each stage depends on.
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(workflow.basedir) / "workflow/scripts"))

import warm_start
from job import machine_has_gpu
from pruning import PruningError
from pruning.fingerprint import fingerprint
from pruning.registry import module_name
from pruning.study import DENSE, Cell, Study, Tables

SCHEMAS = Path(workflow.basedir) / "workflow/schemas"


@contextmanager
def mistakes_end_snakemake():
    """Say what a user can mend in one message. (Snakemake would put lines of its own and of this file around it.)"""
    try:
        yield
    except PruningError as error:
        sys.exit(f"\n{error}.\n")


with mistakes_end_snakemake():
    tables = Tables.read(Path("config/networks.yaml"), Path("config/methods.yaml"), SCHEMAS)
    study = Study.read(config, [Path(file) for file in workflow.configfiles], tables, SCHEMAS)

if config["warm_start"]:
    warm_start.enable()

CELL = "results/cells/{network}/{method}/{sparsity}/{ablation}/seed{seed}"
DENSE_CELL = f"results/cells/{{network}}/{DENSE}/0/none/seed{{seed}}"
LOG = CELL.replace("results/cells/", "results/logs/cells/")
DENSE_LOG = DENSE_CELL.replace("results/cells/", "results/logs/cells/")
TABLES = [
    "results/tables/cells.csv",
    "results/tables/layers.csv",
    multiext("results/tables/accuracy", ".csv", ".md", ".tex"),
    "results/tables/statistics.csv",
]


wildcard_constraints:
    network=r"[^/]+",
    method=r"[^/]+",
    sparsity=r"\d+(\.\d+)?",
    ablation="none|shuffle|reinit|invert",
    seed=r"0|[1-9]\d*",
    step=r"0|[1-9]\d*it",


def cell_columns():
    """The columns of cells.csv, as its schema has them."""
    return yaml.safe_load((SCHEMAS / "cells.schema.yaml").read_text(encoding="utf-8"))


def evaluations():
    """The target file of every cell of the study."""
    return [f"{CELL}/evaluation.json".format(**vars(cell)) for cell in study.cells]


# What a job depends on beside its input files stands in its parameters: the rows of the tables, and a fingerprint of the
# code that it runs, blind to comments. A change there, and none elsewhere, makes a result stale.
fingerprint = cache(fingerprint)


def network_of(wildcards):
    with mistakes_end_snakemake():
        network = tables.network(wildcards.network)
        network.step(wildcards.get("step", 0))
        return network


def method_of(wildcards):
    with mistakes_end_snakemake():
        return tables.method_of(Cell(**dict(wildcards.items())))


def manifest(wildcards):
    """The prepared dataset of a network."""
    return f"results/data/{network_of(wildcards).row['dataset']}/manifest.json"


def initial_parameters(wildcards):
    """What a network and its initial weights depend on."""
    row = network_of(wildcards).row
    keys = ("architecture", "dataset", "initialiser", "precision", "threads")
    return {
        **{key: row[key] for key in keys},
        "network_code": fingerprint("pruning.initialisation", module_name("networks", row["architecture"])),
    }


def training_parameters(wildcards):
    """What a training depends on, beside mask and start state."""
    return {
        **initial_parameters(wildcards),
        **network_of(wildcards).training(),
        "training_code": fingerprint("pruning.training"),
    }


def state_file(wildcards, update):
    """The state of the dense network after `update` updates; none for 0, which is drawn anew wherever it is used."""
    if update == 0:
        return []
    step = "end" if update == network_of(wildcards).updates else f"{update}it"
    return f"{DENSE_CELL}/states/{step}.safetensors".format(**wildcards)


def mask_parameters(wildcards):
    """What a mask depends on beside its files."""
    method = method_of(wildcards)
    scores = [] if method.name == DENSE else [method.score]
    if isinstance(method.quotas, dict):
        scores.append(method.quotas["score"])
    return {
        **initial_parameters(wildcards),
        "score": method.score,
        "iterations": method.iterations,
        "quotas": method.quotas,
        "prune_at": method.prune_at,
        "scoring_code": fingerprint("pruning.scoring", *(module_name("scores", score) for score in scores)),
    }


def start_parameters(wildcards):
    """What a cell's training depends on beside its files."""
    method = method_of(wildcards)
    return {
        **training_parameters(wildcards),
        "prune_at": method.prune_at,
        "rewind_to": method.rewind_to,
        "schedule_from": method.schedule_from,
    }


def start_state(wildcards):
    """The state that training starts from; `reinit` draws another instead."""
    return [] if wildcards.ablation == "reinit" else state_file(wildcards, method_of(wildcards).rewind_to)


def labels():
    """What the study's methods are called, in the order of config/methods.yaml."""
    names = {method.partition("@")[0] for method in study.methods}
    return {name: row["label"] for name, row in tables.methods.items() if name in names}


def ranges():
    """The ranges of sparsities that the study's claims speak of, named as far as they can be trusted."""
    rows = {network: tables.network(network).row for network in study.networks}
    return {
        network: {f"{key} ({row['ranges_are']})": row[key] for key in ("matching", "extreme")}
        for network, row in rows.items()
    }


# Jobs that run a network ask for a GPU where the study may use one.
GPU = int(config["device"] == "cuda" or (config["device"] == "auto" and machine_has_gpu()))
