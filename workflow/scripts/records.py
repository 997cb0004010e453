"""Take no result on trust.

Snakemake 9 records with which parameters it made each file, and finds stale what it has a record of. A file without
one (its .snakemake is lost, or it was copied from elsewhere) counts as up to date, whatever made it. Here it is stale.
"""

from snakemake.jobs import Reason

NO_RECORD = "No record of what made it"
plain_bool, plain_text = Reason.__bool__, Reason.__str__


def enable() -> None:
    if "no_metadata" in Reason.__slots__:
        Reason.__bool__, Reason.__str__ = is_reason, text


def is_reason(reason: Reason) -> bool:
    """Takes the place of `Reason.__bool__`: whether a job is to run."""
    return plain_bool(reason) or bool(reason.no_metadata and not reason.finished)


def text(reason: Reason) -> str:
    return plain_text(reason) or (NO_RECORD if reason.no_metadata else "")
