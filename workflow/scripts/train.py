"""Train a cell from its start state under its mask, and predict the test set; or keep the state that it ends with."""

from pathlib import Path

import elsewhere
import job
from network_job import own_progress
from places import own_mask
from pruning import PruningError
from pruning.files import write_json, write_rows
from pruning.states import state_checksum
from pruning.training import COLUMNS, from_state
from training_job import TrainingJob, check_digests, digests


def make():
    start = from_state(work.network, state, work.settings["schedule_from"])
    checkpoint = Path(snakemake.params.checkpoint)
    end, record = work.train(mask, start, checkpoint, snakemake.config["checkpoint_seconds"], log)
    if snakemake.output.get("state"):
        work.save_end_state(snakemake.output.state, end, mask, state)
    else:
        work.predict(snakemake.output.predictions)
        write_rows(snakemake.output.curve, COLUMNS, end.rows)
        record |= digests(snakemake.output.predictions, snakemake.output.curve)
    write_json(snakemake.output.run, record)


def check(there):
    record = elsewhere.check_record(there(snakemake.output.run), work.made_from(mask, state))
    if snakemake.output.get("state"):
        work.check_state(there(snakemake.output.state), record, mask, state)
    else:
        check_digests(record, there(snakemake.output.predictions), there(snakemake.output.curve))


with job.reporting(snakemake.log[0]) as log:
    work = TrainingJob(snakemake)
    mask, about = own_mask(snakemake.input.mask)
    reinit = snakemake.wildcards.ablation == "reinit"
    if snakemake.input.get("state"):
        state = own_progress(snakemake.input.state).state
    else:
        state = work.initial_state("reinit" if reinit else "initial weights")
    scored_where_it_starts = work.settings["prune_at"] == work.settings["rewind_to"] and not reinit
    if scored_where_it_starts and state_checksum(state) != about["scored_state"]:
        raise PruningError(f"{snakemake.input.mask} was scored on other weights than training starts from. Delete it.")
    if work.elsewhere:
        elsewhere.take(work.elsewhere, snakemake.output, check)
    else:
        make()
