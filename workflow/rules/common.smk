# What the rules share: the study, the names of files, and what each stage depends on.
import csv
import importlib.util
import itertools
import json
import os
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(workflow.basedir) / "workflow/scripts"))
if missing := [name for name in ("numpy", "PIL") if importlib.util.find_spec(name) is None]:
    sys.exit(f"\nThe Python that runs snakemake lacks {', '.join(missing)}: envs/snakemake.yaml says what it needs.\n")

import gpus
import job_list
import planning
import records
import run_lock
import scheduling
import warm_start
import watching
from job_list import fingerprint
from places import CELL, LOG
from pruning import PruningError, figures
from pruning.ablations import ABLATIONS
from pruning.claims_config import claimed_networks, read_claims
from pruning.config_files import check_name
from pruning.files import text_digest
from pruning.registry import module_name
from pruning.study import DENSE, STEPS, Cell, Study, Tables, seed_number

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
    tables.method = cache(tables.method)
    study = Study.read(config, [Path(file) for file in workflow.configfiles], tables, SCHEMAS)
    claims = read_claims(Path("config/claims.yaml"), tables, SCHEMAS)
    if config["elsewhere"] is not None and not (Path(config["elsewhere"]) / "cells").is_dir():
        raise PruningError(f"There are no results in {config['elsewhere']} (a folder with cells/ in it) to be taken in")
    if config["side_by_side"] and not config["warm_start"]:
        raise PruningError("`side_by_side: true` needs `warm_start: true`: only such jobs can share a process")

planning.enable()
records.enable()
run_lock.enable()
scheduling.enable()
watching.enable(workflow, f"{CELL}/evaluation.json")
if config["job_list"]:
    job_list.enable(config["job_list"])
# A job on a cluster is a Snakemake of its own with one script to run.
if config["warm_start"] and workflow.is_main_process:
    warm_start.enable()

DENSE_CELL = f"results/cells/{{network}}/{DENSE}/0/none/seed{{seed}}"
DENSE_LOG = DENSE_CELL.replace("results/cells/", "results/logs/cells/")
END_STATE = f"{CELL}/states/end.safetensors"
# Not an output: Snakemake deletes the outputs of a killed job, and this is what it goes on from.
CHECKPOINT, DENSE_CHECKPOINT = (
    cell.replace("results/cells/", "results/checkpoints/") + ".safetensors" for cell in (CELL, DENSE_CELL)
)
TABLES = [
    "results/tables/cells.csv",
    "results/tables/statistics.csv",
    multiext("results/tables/claims", ".csv", ".md"),
    "results/tables/claim_differences.csv",
]


METHODS_OF_ROUNDS = "|".join(f"{name}(@.+)?" for name, row in tables.methods.items() if "retrain_each_round" in row)


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


def finished_only(experiments):
    """What is finished of each experiment; an experiment without any finished pruned cell is left out."""
    for experiment in experiments:
        of_masks = figures.ROWS[experiment.figure] == "neurons"
        name = "mask.npz" if of_masks else "evaluation.json"
        cells = [cell for cell, path in zip(experiment.cells, files(name, experiment.cells)) if Path(path).is_file()]
        if any(cell.method != DENSE for cell in cells):
            yield replace(experiment, cells=tuple(cells))


def files(name, cells):
    """The file `name` of every one of `cells`. Rules with thousands of them ask for them in a function: Snakemake keeps
    what stands in a rule beside what it makes of it for the job, and is to keep none of it for a job that is not there.
    """
    return [f"{CELL}/{name}".format(**vars(cell)) for cell in cells]


@cache
def published():
    """The lines of config/published.csv."""
    with open("config/published.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def published_cells():
    """The cells of the study that config/published.csv has a number for."""
    settings = {(row["network"], row["method"], row["sparsity"]) for row in published()}
    return [c for c in study.cells if (c.network, c.method, c.sparsity) in settings and c.ablation == "none"]


def rows_input(experiment):
    """What the rows of an experiment are read from: evaluations, or masks alone, which need no training."""
    if figures.ROWS[experiment.figure] == "neurons":
        return files("mask.npz", [cell for cell in experiment.cells if cell.method != DENSE])
    return files("evaluation.json", experiment.cells)


# How many cells figures and report would show if all were finished.
WANTED = {experiment.name: len(rows_input(experiment)) for experiment in study.experiments}
WANTED_CELLS = len(set(itertools.chain.from_iterable(study.trained())))
if config["partial"]:
    study.experiments = list(finished_only(study.experiments))
    with mistakes_end_snakemake():
        if not study.experiments:
            raise PruningError("`partial` draws what is finished, and nothing of this study is")


# What a job depends on beside its input files stands in its parameters: the rows of the tables, and a fingerprint of the
# code that it runs, blind to comments. A change there, and none elsewhere, makes a result stale. All jobs of a method on a
# network share their answers: there are thousands of them.


def network_of(wildcards):
    with mistakes_end_snakemake():
        network = tables.network(wildcards.network)
        if "step" in wildcards.keys():
            network.step(wildcards.step)
        return network


def cell_of(wildcards):
    return Cell(**{**dict(wildcards.items()), "seed": int(wildcards.seed)})


def method_of(wildcards):
    with mistakes_end_snakemake():
        return tables.method_of(cell_of(wildcards))


def manifest(wildcards):
    """The prepared dataset of a network."""
    return f"results/data/{network_of(wildcards).row['dataset']}/manifest.json"


@cache
def initial_parameters(network):
    """What a network and its initial weights depend on."""
    row = tables.network(network).row
    keys = ("architecture", "dataset", "initialiser", "precision", "threads")
    return {
        **{key: row[key] for key in keys},
        "network_code": fingerprint("pruning.initialisation", module_name("networks", row["architecture"])),
    }


@cache
def training_parameters(network):
    """What a training depends on, beside mask and start state."""
    return {
        **initial_parameters(network),
        **tables.network(network).training(),
        "training_code": fingerprint("pruning.training"),
    }


def predecessor(wildcards):
    """The cell of the round before; none for a method that does not train between its rounds."""
    with mistakes_end_snakemake():
        return tables.predecessor(cell_of(wildcards))


def state_after(wildcards, update):
    """The state after `update` updates, as input `state`: of the cell of the round before where there is one and it is
    trained to the end, else of the dense network. None for 0, which is drawn anew wherever it is used."""
    if update == 0:
        return {}
    is_end = update == network_of(wildcards).updates
    if is_end and (before := predecessor(wildcards)):
        return {"state": END_STATE.format(**vars(before))}
    step = "end" if is_end else f"{update}it"
    return {"state": f"{DENSE_CELL}/states/{step}.safetensors".format(**wildcards)}


def mask_inputs(wildcards):
    """The state that is scored, and the mask of the round before, inside which this one is chosen, where there is one."""
    state, before = state_after(wildcards, method_of(wildcards).prune_at), predecessor(wildcards)
    earlier = {"earlier_mask": f"{CELL}/mask.npz".format(**vars(before))} if before else {}
    return {"manifest": manifest(wildcards), **state, **earlier}


def start_inputs(wildcards):
    """The state that training starts from; `reinit` draws another instead."""
    redrawn = wildcards.ablation == "reinit"
    state = {} if redrawn else state_after(wildcards, method_of(wildcards).rewind_to)
    return {"manifest": manifest(wildcards), **state}


@cache
def mask_parameters(network, method):
    """What a mask depends on beside its files."""
    row, method = tables.network(network).row, tables.method(method, tables.network(network))
    scores = [] if method.name == DENSE else [method.score]
    if isinstance(method.quotas, dict):
        scores.append(method.quotas["score"])
    return {
        **initial_parameters(network),
        "score": method.score,
        "iterations": method.iterations,
        "scoring_batch": row["scoring_batch"],
        "quotas": method.quotas,
        "prune_at": method.prune_at,
        "scoring_code": fingerprint("pruning.scoring", *(module_name("scores", score) for score in scores)),
    }


@cache
def start_parameters(network, method):
    """What a cell's training depends on beside its files."""
    method = tables.method(method, tables.network(network))
    return {
        **training_parameters(network),
        "prune_at": method.prune_at,
        "rewind_to": method.rewind_to,
        "schedule_from": method.schedule_from,
    }


@cache
def recipe_digests(network, method):
    """By which an evaluation knows that mask and training are of the present recipes."""
    training = training_parameters(network) if method == DENSE else start_parameters(network, method)
    recipes = {"mask": mask_parameters(network, method), "training": training}
    return {name: text_digest(json.dumps(recipe, sort_keys=True)) for name, recipe in recipes.items()}


def about(experiment):
    """What a figure may say of networks and methods beside the rows: the fields of `figures.About`."""
    pruned = [cell for cell in experiment.cells if cell.method != DENSE]
    bases = {cell.method.partition("@")[0] for cell in pruned}
    rows = {name: row for name, row in tables.methods.items() if name in bases}
    networks = {cell.network: tables.network(cell.network) for cell in experiment.cells}
    return {
        "labels": {name: row["label"] for name, row in rows.items()},
        "variant_of": {name: row["variant_of"] for name, row in rows.items() if "variant_of" in row},
        "ranges": {
            name: {f"{key} ({network.row['ranges_are']})": network.row[key] for key in ("matching", "extreme")}
            for name, network in networks.items()
        },
        "rewinds": {name: network.row["ranges_are"] for name, network in networks.items()},
        "updates": {
            name: {"end": network.updates, "milestones": network.training()["milestones"]}
            for name, network in networks.items()
        },
        "steps": {
            name: {
                method: {key: getattr(tables.method(method, network), key) for key in STEPS}
                for method in dict.fromkeys(cell.method for cell in pruned if cell.network == name)
            }
            for name, network in networks.items()
        },
        "retrained": [
            method
            for method in dict.fromkeys(cell.method for cell in pruned)
            if "retrain_each_round" in tables.methods[method.partition("@")[0]]
        ],
        "published": [
            row for row in published() if row["network"] in networks and row["method"] in bases and row["accuracy"]
        ],
    }


def page_parameters():
    """What the report says of networks and methods beside tables: their rows, and where methods come from."""
    networks = {name: tables.network(name) for name in dict.fromkeys(cell.network for cell in study.cells)}
    methods = dict.fromkeys(cell.method.partition("@")[0] for cell in study.cells if cell.method != DENSE)
    return {
        "networks": {name: network.row for name, network in networks.items()},
        "labels": {name: tables.methods[name]["label"] for name in methods},
        "sources": {tables.methods[name]["label"]: tables.methods[name]["source"] for name in methods},
    }


def check_is_known(folder):
    """Raise PruningError where a folder, as it is in results/, is of no cell that the tables here know, as they spell it."""
    network, method, sparsity, ablation, seed = folder.parts[2:]
    cell = Cell(network, method, sparsity, ablation, seed_number(seed.removeprefix("seed")))
    check_name("ablation", ablation, ABLATIONS)
    tables.method_of(cell)
    tables.predecessor(cell)
    if seed != f"seed{cell.seed}":
        raise PruningError(f"{seed} is written seed{cell.seed} in the names of files")


def memory_mb(wildcards, attempt):
    """Memory that a job of a network asks a cluster for: more at each attempt."""
    return attempt * network_of(wildcards).row["memory_mb"]


def minutes(wildcards, attempt):
    """Time that a job of a network asks a cluster for: more at each attempt."""
    return attempt * network_of(wildcards).row["minutes"]


SHORT_MINUTES = 60
"""in which masks, predictions and measurements of time are made, trainings being left out"""


def short_minutes(wildcards, attempt):
    """The same for a job that trains nothing."""
    return attempt * min(SHORT_MINUTES, network_of(wildcards).row["minutes"])


# conda on a login node, which has no GPU, would make environments without CUDA for the nodes that have one.
if config["device"] == "cuda" and not gpus.devices():
    os.environ.setdefault("CONDA_OVERRIDE_CUDA", "12.9")

# Jobs that run a network ask for a GPU where the study may use one.
GPU = int(config["device"] == "cuda" or (config["device"] == "auto" and bool(gpus.devices())))


def no_such_figure(wildcards):
    with mistakes_end_snakemake():
        raise PruningError(
            f"This study has no figure {wildcards.name}. It has {', '.join(FIGURE_OF)}; another study is given with"
            " --configfile, and docs/paper.md says which figure is in which"
        )
