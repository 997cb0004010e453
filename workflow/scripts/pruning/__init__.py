"""Pruning neural networks at initialisation: scores, masks, training and statistics.

The library behind the workflow. It knows nothing of Snakemake and of where results lie: functions take arrays,
networks and paths, and give arrays back. Modules that import torch: `networks`, `scores`, `scoring`, `training`,
`initialisation`. Everything after a cell's predictions (evaluation, statistics, tables, figures) runs without it.
"""


class PruningError(Exception):
    """A mistake that a user can mend: the message says what was wrong, where, what is allowed and what to do."""
