"""What the scripts share that run a network: its data, its device and itself, as the recipe says."""

import contextlib
import ctypes
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
    """Set torch up as the recipe says; the device of this job."""
    torch.set_num_threads(snakemake.params.recipe["threads"])
    keep_memory()
    prepare_gpu(tf32)
    device: torch.device = choose_device(snakemake.resources.gpu > 0)
    return device


def keep_memory() -> None:
    """Let the process keep the memory of tensors that are gone for those that come, where the C library can (glibc).

    Else every update of a larger network on a CPU gives it back to the system, which hands it out again page by page,
    emptied.
    """
    trim_threshold, mmap_max = -1, -4
    with contextlib.suppress(AttributeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(mmap_max, 0)
        set_option(trim_threshold, 2**31 - 1)


def prepare_gpu(tf32: bool) -> None:
    """Full float32, or with `tf32` products and convolutions of factors rounded to 10 bits; and the same sums each time
    where cuDNN and cuBLAS can (the latter asks for this). Switches for the whole process."""
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32


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
