"""A file that says of which cell it is has to lie in that cell's folder."""

from pathlib import Path

import numpy as np
import pytest
import torch

from network_job import own_progress
from places import CELL, cell_of, own_mask
from pruning import PruningError
from pruning.masks import save_mask
from pruning.states import Progress, save_progress

NAMES = {"network": "net", "method": "snip@1ep", "sparsity": "86.6", "ablation": "none", "seed": 10}


def folder(root: Path, **other: object) -> Path:
    return root / CELL.format(**{**NAMES, **other})


def test_cell_of_a_path() -> None:
    for name in ("mask.npz", "states/end.safetensors", "states/23it.safetensors"):
        assert cell_of(f"{CELL.format(**NAMES)}/{name}") == "net/snip@1ep/86.6/none/seed10"


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"seed": 100}, {"method": "snip"}, {"network": "ne"}, {"sparsity": "86"}]
)
def test_state_and_mask_of_another_cell_are_refused(other: dict[str, object], tmp_path: Path) -> None:
    state = {"weight": torch.ones(2)}
    for place in (folder(tmp_path), folder(tmp_path, **other)):
        save_progress(place / "states/end.safetensors", Progress(5, state, {}), "net/snip@1ep/86.6/none/seed10 a1b2")
        save_mask(place / "mask.npz", {"weight": np.ones(2, bool)}, {"cell": NAMES})
    assert own_progress(str(folder(tmp_path) / "states/end.safetensors")).update == 5
    assert own_mask(str(folder(tmp_path) / "mask.npz"))[1] == {"cell": NAMES}
    message = "is not of this cell but of net/snip@1ep/86.6/none/seed10. Delete it"
    with pytest.raises(PruningError, match=message):
        own_progress(str(folder(tmp_path, **other) / "states/end.safetensors"))
    with pytest.raises(PruningError, match=message):
        own_mask(str(folder(tmp_path, **other) / "mask.npz"))
