"""Make the mask of a cell."""

import time
from decimal import Decimal
from functools import partial

import elsewhere
import job
from network_job import NetworkJob, own_progress
from places import own_mask
from pruning.files import write_json
from pruning.masks import count, kept_count, load_mask, mask_checksum, save_mask, size
from pruning.networks import all_kept
from pruning.scoring import CountsOf, Pruning, make_mask, scoring_examples
from pruning.states import state_checksum


def make():
    began = time.perf_counter()
    if cell.method == "dense":
        mask = all_kept(work.network)
    else:
        earlier = own_mask(snakemake.input.earlier_mask)[0] if snakemake.input.get("earlier_mask") else None
        score, iterations, quotas = (work.settings[key] for key in ("score", "iterations", "quotas"))
        quotas = CountsOf(**quotas) if isinstance(quotas, dict) else quotas
        pruning = Pruning(score, iterations, kept, cell.ablation, work.seed, quotas)
        examples = scoring_examples(work.data, work.seed, work.device, work.settings["scoring_batch"])
        mask = make_mask(work.network, examples, pruning, earlier)
    seconds = time.perf_counter() - began
    save_mask(snakemake.output.mask, mask, about)
    write_json(
        snakemake.output.run, work.run.record(mask=mask_checksum(mask), recipe=work.settings, scoring_seconds=seconds)
    )
    log.info("%d of %d weights kept", count(mask), size(mask))


def check(there):
    path = there(snakemake.output.mask)
    mask, found = load_mask(path)
    elsewhere.check_record(there(snakemake.output.run), {"mask": mask_checksum(mask), "recipe": work.settings})
    for name, value in about.items():
        if found[name] != value:
            elsewhere.refuse(path, f"of another {name.replace('_', ' ')} than here")
    all_weights = all_kept(work.network)
    fits = all(mask[name].shape == array.shape for name, array in all_weights.items())
    if not fits or count(mask) != kept(size(all_weights)):
        elsewhere.refuse(path, "it is of another network or sparsity")


with job.reporting(snakemake.log[0]) as log:
    cell, work = snakemake.wildcards, NetworkJob(snakemake)
    state = own_progress(snakemake.input.state).state if snakemake.input.get("state") else work.initial_state()
    work.network.load_state_dict(state)
    kept = partial(kept_count, sparsity=Decimal(cell.sparsity))
    names = {**dict(cell.items()), "seed": work.seed}
    about = {"cell": names, "scored_state": state_checksum(state), "data": work.data.checksum}
    if work.elsewhere:
        elsewhere.take(work.elsewhere, snakemake.output, check)
    else:
        make()
