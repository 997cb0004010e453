"""What the scripts share that run a network: its data, its device and itself, as the recipe says."""

import os
from pathlib import Path
from typing import Any

import torch

from job import Run, choose_device
from places import check_place
from pruning import networks
from pruning.data import Data, load
from pruning.initialisation import draw_state
from pruning.states import Progress, State, load_progress


def prepare_torch(snakemake: Any, tf32: bool = False) -> torch.device:
    """Set torch up as the recipe says; the device of this job.

    `tf32`: a GPU may round the factors of products and convolutions to 10 bits. A switch for the whole process.
    """
    torch.set_num_threads(snakemake.params.recipe["threads"])
    # On a GPU: full float32, and the same sums each time where cuDNN and cuBLAS can (the latter asks for this).
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    allow_tf32(tf32)
    torch.backends.cudnn.deterministic = True
    device: torch.device = choose_device(snakemake.resources.gpu > 0)
    return device


def allow_tf32(allowed: bool) -> None:
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed


class NetworkJob:
    """A job that scores, trains or tests a network."""

    def __init__(self, snakemake: Any, tf32: bool = False) -> None:
        self.settings: dict[str, Any] = snakemake.params.recipe
        self.seed = int(snakemake.wildcards.seed)
        self.elsewhere: str | None = snakemake.config["elsewhere"]
        self.device = prepare_torch(snakemake, tf32)
        self.run = Run(self.device)
        self.prepared, self.source = Path(snakemake.input.manifest).parent, Path(snakemake.config["data"])
        self.data = self.read_data()
        self.run.versions |= self.data.versions
        shape = self.data.train.images.shape[1:]
        self.network = networks.build(self.settings["architecture"], shape, self.data.classes).to(self.device)

    def read_data(self) -> Data:
        """The dataset. Raises PruningError where its files are not those that were prepared."""
        return load(self.prepared, self.source, self.settings["threads"])

    def initial_state(self, purpose: str = "initial weights") -> State:
        return draw_state(self.network, self.settings["initialiser"], self.seed, purpose)


def own_progress(path: str) -> Progress:
    """The state in `path`, of the cell in whose folder it lies."""
    progress, key = load_progress(path)
    check_place(path, key.partition(" ")[0])
    return progress
