"""The table of the figures that show accuracy against sparsity."""

import pandas as pd

from pruning.figures import About
from pruning.tables import accuracy_table

HEADING = (
    "Test accuracy in percent at the end of training: mean ± sample standard deviation over n seeds. Columns are"
    " sparsities in percent, 0 is the dense network. Collapsed and diverged cells are part of the means; the last"
    " columns count them."
)


def table(cells: pd.DataFrame, about: About) -> pd.DataFrame:
    """Rows network, ablation and method; columns sparsities."""
    return accuracy_table(cells)
