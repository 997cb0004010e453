"""Fill a cell from the state that its training ended with."""

import elsewhere
import job
from pruning.files import read_json, write_json, write_rows
from pruning.states import load_progress
from pruning.training import COLUMNS
from training_job import TrainingJob


def make():
    end, _ = load_progress(snakemake.input.state)
    work.network.load_state_dict(end.state)
    work.predict(snakemake.output.predictions)
    write_rows(snakemake.output.curve, COLUMNS, end.rows)
    write_json(snakemake.output.run, read_json(snakemake.input.run))


def check(there):
    elsewhere.check_record(there(snakemake.output.run), read_json(snakemake.input.run))
    predictions, curve = there(snakemake.output.predictions), there(snakemake.output.curve)
    work.check_predictions(predictions, curve)


with job.reporting(snakemake.log[0]):
    work = TrainingJob(snakemake)
    if work.elsewhere:
        elsewhere.take(work.elsewhere, snakemake.output, check)
    else:
        make()
