"""Fill a cell from the state that its training ended with."""

import elsewhere
import job
from network_job import own_progress
from pruning.files import read_json, write_json, write_rows
from pruning.training import COLUMNS
from training_job import TrainingJob, check_digests, digests


def make():
    end = own_progress(snakemake.input.state)
    work.network.load_state_dict(end.state)
    work.predict(snakemake.output.predictions)
    write_rows(snakemake.output.curve, COLUMNS, end.rows)
    written = digests(snakemake.output.predictions, snakemake.output.curve)
    write_json(snakemake.output.run, read_json(snakemake.input.run) | written)


def check(there):
    record = elsewhere.check_record(there(snakemake.output.run), read_json(snakemake.input.run))
    check_digests(record, there(snakemake.output.predictions), there(snakemake.output.curve))


with job.reporting(snakemake.log[0]):
    work = TrainingJob(snakemake)
    if work.elsewhere:
        elsewhere.take(work.elsewhere, snakemake.output, check)
    else:
        make()
