"""Where results lie: the names of a cell's folder and of its logs; and that what lies there is the cell's own."""

from pathlib import Path
from typing import Any

from pruning import PruningError
from pruning.masks import Mask, load_mask

NAME = "{network}/{method}/{sparsity}/{ablation}/seed{seed}"
CELL = f"results/cells/{NAME}"
LOG = CELL.replace("results/cells/", "results/logs/cells/")


def cell_of(path: str) -> str:
    """The name of the cell in whose folder `path` lies."""
    parts = Path(path).parts
    first = parts.index("cells") + 1
    return "/".join(parts[first : first + NAME.count("/") + 1])


def check_place(path: str, name: str) -> None:
    """Raise PruningError where a file at `path` that says it is of the cell `name` lies in the folder of another."""
    if name != cell_of(path):
        raise PruningError(f"{path} is not of this cell but of {name}. Delete it.")


def own_mask(path: str) -> tuple[Mask, dict[str, Any]]:
    """The mask of the cell in whose folder `path` lies, and what made it."""
    mask, about = load_mask(path)
    check_place(path, NAME.format(**about["cell"]))
    return mask, about
