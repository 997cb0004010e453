"""Train the dense network of a seed to its final state."""

from pathlib import Path

import elsewhere
import job
from pruning.files import write_json
from pruning.networks import all_kept
from pruning.training import from_state
from training_job import TrainingJob


def make():
    checkpoint = Path(snakemake.params.checkpoint)
    start = from_state(work.network, initial, 0)
    end, record = work.train(mask, start, checkpoint, snakemake.config["checkpoint_seconds"], log)
    work.save_end_state(snakemake.output.state, end, mask, initial)
    write_json(snakemake.output.run, record)


def check(there):
    record = elsewhere.check_record(there(snakemake.output.run), work.made_from(mask, initial))
    work.check_state(there(snakemake.output.state), record, mask, initial)


with job.reporting(snakemake.log[0]) as log:
    work = TrainingJob(snakemake)
    mask, initial = all_kept(work.network), work.initial_state()
    if work.elsewhere:
        elsewhere.take(work.elsewhere, snakemake.output, check)
    else:
        make()
