"""States of a network, all parameters and buffers at one moment, in memory and on disk; and checkpoints of a run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from pruning import PruningError
from pruning.files import checksum, replacing, text_digest

State = dict[str, Tensor]
"""{name: values} of all parameters and buffers of a network, on the CPU"""
MOMENTUM = "momentum/"


@dataclass
class Progress:
    """Where a run stands at the end of an epoch: all that is needed to go on."""

    update: int
    """updates done, counted from the start of the schedule"""
    state: State
    velocity: State
    rows: list[dict[str, float | int]] = field(default_factory=list)
    """one a finished epoch: the columns of training.csv"""


def copy_state(network: nn.Module) -> State:
    """The values of `network` as they are now, on the CPU, safe from later changes."""
    return copy_tensors(network.state_dict())


def copy_tensors(tensors: Mapping[str, Tensor]) -> State:
    return {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }


def state_checksum(state: State) -> str:
    return checksum(*(state[name].numpy() for name in sorted(state)))


def save_progress(path: str | Path, progress: Progress, key: str) -> None:
    """Write a state and what is needed to go on from it. `key` says which run it belongs to.

    Parameters and buffers stand under their own names; momentum under `momentum/NAME`, where there is any.
    """
    momentum = {f"{MOMENTUM}{name}": value for name, value in progress.velocity.items() if value.any()}
    about = {"key": key, "update": progress.update, "rows": progress.rows}
    with replacing(path) as temporary:
        try:
            save_file({**progress.state, **momentum}, temporary, {"about": json.dumps(about)})
        except SafetensorError as error:  # of a full disk
            raise OSError(str(error)) from None


def load_progress(path: str | Path) -> tuple[Progress, str]:
    """The progress in `path` and the key of its run. Raises PruningError where the file cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = json.loads(file.metadata()["about"])
        state = {name: value for name, value in tensors.items() if not name.startswith(MOMENTUM)}
        velocity = {name: tensors.get(f"{MOMENTUM}{name}", torch.zeros_like(value)) for name, value in state.items()}
        return Progress(about["update"], state, velocity, about["rows"]), about["key"]
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise PruningError(f"{path} cannot be read ({error}). Delete it.") from None


def load_checkpoint(path: Path, key: str) -> tuple[Progress | None, str]:
    """The progress in `path` if it belongs to the run `key`, else None; and a sentence for the log."""
    if not path.exists():
        return None, "no checkpoint: starting from the beginning"
    try:
        progress, found = load_progress(path)
    except PruningError as error:
        return None, f"checkpoint ignored: {error}"
    if found != key:
        return None, f"checkpoint ignored: {path} belongs to another run (code, data or recipe differ)"
    return progress, f"going on from update {progress.update}, found in {path}"


def nearest_state(folder: Path, update: int, key: str) -> Progress | None:
    """The latest progress of the run `key` in `folder` that is earlier than `update`."""
    earlier = {int(path.stem.removesuffix("it")): path for path in folder.glob("[0-9]*it.safetensors")}
    for step in sorted((step for step in earlier if step < update), reverse=True):
        progress, _ = load_checkpoint(earlier[step], key)
        if progress is not None:
            return progress
    return None


def run_key(*parts: Any) -> str:
    """A name for a run made of all that its bytes depend on."""
    return text_digest(json.dumps(parts, sort_keys=True))
