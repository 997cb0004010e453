"""Verdicts on the paper's claims, as CSV and Markdown; and the differences at single sparsities."""

import job
from pruning.claims import differences, verdicts
from pruning.claims_report import to_markdown
from pruning.files import write_table, write_text
from pruning.tables import read_table

with job.reporting(snakemake.log[0]):
    of_study = (read_table(snakemake.input[0]), snakemake.params.claims, snakemake.params.networks)
    judged, single = verdicts(*of_study), differences(*of_study)
    for path, table in {snakemake.output.verdicts: judged, snakemake.output.differences: single}.items():
        write_table(path, table)
    write_text(snakemake.output.markdown, to_markdown(judged, single, snakemake.params.claims))
