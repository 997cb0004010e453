"""Make the state of the dense network after a number of updates, by training again from the nearest earlier state.

The replay runs on to the end of the epoch and must meet what the dense run recorded there.
"""

from pathlib import Path

import numpy as np

import elsewhere
import job
from network_job import own_progress
from pruning import PruningError
from pruning.files import read_json
from pruning.networks import all_kept
from pruning.states import nearest_state, save_progress
from pruning.training import from_state, train, updates_an_epoch
from training_job import TrainingJob


def make():
    key = work.key(mask, initial)
    begin = nearest_state(output.parent, step, key) or from_state(work.network, initial, 0)
    log.info("replaying from update %d to %d", begin.update, step)
    begin.rows.clear()
    progress = begin
    if step > 0:
        progress = train(work.network, mask, work.recipe, work.batches, begin, stop=step)
        an_epoch = updates_an_epoch(len(work.data.train.labels), work.recipe.batch_size)
        end = train(work.network, mask, work.recipe, work.batches, progress, stop=-(-step // an_epoch) * an_epoch)
        recorded = next(row for row in own_progress(snakemake.input.end).rows if row["update"] == end.update)
        found, expected = end.rows[-1]["test_loss"], recorded["test_loss"]
        tolerance = 0 if work.device.type == "cpu" else 0.01
        if not np.isclose(found, expected, rtol=tolerance, atol=0, equal_nan=True):
            raise PruningError(
                f"The replay does not meet the dense run: test loss {found} after update {end.update}, where"
                f" {snakemake.input.end} recorded {expected}. Other code, packages or hardware made it: delete it."
            )
    progress.rows.clear()
    save_progress(output, progress, key)


def check(there):
    record = read_json(Path(snakemake.input.end).with_suffix(".json"))
    work.check_state(there(snakemake.output[0]), record, mask, initial, step)


with job.reporting(snakemake.log[0]) as log:
    work = TrainingJob(snakemake)
    step, output = int(snakemake.wildcards.step.removesuffix("it")), Path(snakemake.output[0])
    mask, initial = all_kept(work.network), work.initial_state()
    if work.elsewhere:
        elsewhere.take(work.elsewhere, snakemake.output, check)
    else:
        make()
