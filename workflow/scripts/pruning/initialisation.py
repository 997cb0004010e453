"""Initial states: every value of a network drawn from the study's own streams, so that no version of torch matters.

Weights of convolutions and linear layers are normal with mean 0; their standard deviation is the initialiser's choice.
All else is the same for every initialiser. Biases: uniform on +-1/sqrt(fan-in), torch's default. Batch norm: gamma
uniform on [0, 1), beta 0, running mean 0, running variance 1. (Authors' code: `uniform` batch norm.)
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from pruning import PruningError
from pruning.states import State
from pruning.streams import stream


def kaiming_normal(shape: tuple[int, ...]) -> float:
    """sqrt(2 / fan-in): outputs of a ReLU layer keep the scale of its inputs (He et al. 2015; the authors' default)."""
    return math.sqrt(2 / math.prod(shape[1:]))


def glorot_normal(shape: tuple[int, ...]) -> float:
    """sqrt(2 / (fan-in + fan-out)): a compromise of forward and backward pass (Glorot and Bengio 2010)."""
    outputs, inputs, *kernel = shape
    return math.sqrt(2 / ((inputs + outputs) * math.prod(kernel)))


def normal(shape: tuple[int, ...]) -> float:
    """0.1 for every tensor, so that magnitudes say nothing of their layer.

    As the authors' code has it (`standard_normal`), whose README says N(0, 1).
    """
    return 0.1


INITIALISERS: dict[str, Callable[[tuple[int, ...]], float]] = {
    "kaiming-normal": kaiming_normal,
    "glorot-normal": glorot_normal,
    "normal": normal,
}
"""Standard deviation of a weight tensor of a shape (outputs, inputs, height and width of a kernel)."""


def draw_state(network: nn.Module, initialiser: str, seed: int, purpose: str = "initial weights") -> State:
    """A new state for `network`; a stream a tensor. `purpose` is `initial weights`, or `reinit` for that ablation."""
    state: State = {}

    def draw(name: str) -> np.random.Generator:
        return stream(seed, purpose, name)

    for name, module in network.named_modules():
        match module:
            case nn.Conv2d() | nn.Linear():
                shape = tuple(module.weight.shape)
                deviation = np.float32(INITIALISERS[initialiser](shape))
                weight = draw(f"{name}.weight").standard_normal(shape, dtype=np.float32) * deviation
                state[f"{name}.weight"] = torch.from_numpy(weight)
                if module.bias is not None:
                    bound = 1 / math.sqrt(math.prod(shape[1:]))
                    bias = draw(f"{name}.bias").uniform(-bound, bound, len(module.bias)).astype(np.float32)
                    state[f"{name}.bias"] = torch.from_numpy(bias)
            case nn.BatchNorm1d() | nn.BatchNorm2d():
                gamma = draw(f"{name}.weight").random(module.num_features, dtype=np.float32)
                state[f"{name}.weight"] = torch.from_numpy(gamma)
                state[f"{name}.bias"] = torch.zeros(module.num_features)
                state[f"{name}.running_mean"] = torch.zeros(module.num_features)
                state[f"{name}.running_var"] = torch.ones(module.num_features)
                state[f"{name}.num_batches_tracked"] = torch.tensor(0)
    expected = network.state_dict()
    if unknown := sorted(set(expected) - set(state)):
        raise PruningError(
            f"No initialiser is defined for {', '.join(unknown)}: only convolutions, linear layers and batch norm"
            " can be initialised. Add the new kind of layer to pruning/initialisation.py."
        )
    return {name: state[name] for name in expected}
