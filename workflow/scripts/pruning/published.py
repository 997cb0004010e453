"""Numbers that others have published, beside the cells of the same setting that were trained here."""

import pandas as pd

from pruning.tables import mean_and_deviation

NOT_RUN = "not run"


def beside(published: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """A row a published number with ours: mean ± sample standard deviation over n seeds, or `not run`.

    `published` is config/published.csv. Its `network` is the row of networks.yaml with the full recipe of that setting;
    fewer epochs are another row, so that their numbers never stand beside published ones. Accuracies in percent.
    """
    rows = []
    for row in published.to_dict("records"):
        same = cells[
            (cells.network == row["network"])
            & (cells.method == row["method"])
            & (cells.sparsity == row["sparsity"])
            & (cells.ablation == "none")
        ]
        ours, difference = NOT_RUN, ""
        if len(same):
            ours = mean_and_deviation(same.accuracy)
            difference = "" if pd.isna(row["accuracy"]) else f"{same.accuracy.mean() - row['accuracy']:+.2f}"
        published_text = "no number" if pd.isna(row["accuracy"]) else f"{row['accuracy']:.2f}"
        rows.append(
            {key: row[key] for key in ("paper", "setting", "method", "sparsity")}
            | {"published": published_text, "how sure": row["certainty"]}
            | {"ours": ours, "n": len(same), "difference": difference}
        )
    return pd.DataFrame(rows)
