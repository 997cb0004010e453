"""Initial states: every value of a network drawn from the study's own streams, so that no version of torch matters.

Weights of convolutions and linear layers: He's normal distribution, standard deviation sqrt(2 / fan-in). Biases:
uniform on +-1/sqrt(fan-in), torch's default. Batch norm: gamma uniform on [0, 1), beta 0, running mean 0, running
variance 1. (Authors' code: `kaiming_normal`, `uniform` batch norm.)
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from pruning import PruningError
from pruning.states import State
from pruning.streams import stream


def kaiming_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    fan_in = math.prod(shape[1:])
    return generator.standard_normal(shape, dtype=np.float32) * np.float32(math.sqrt(2 / fan_in))


INITIALISERS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "kaiming-normal": kaiming_normal,
}


def draw_state(network: nn.Module, initialiser: str, seed: int, purpose: str = "initial weights") -> State:
    """A new state for `network`; a stream a tensor. `purpose` is `initial weights`, or `reinit` for that ablation."""
    state: State = {}

    def draw(name: str) -> np.random.Generator:
        return stream(seed, purpose, name)

    for name, module in network.named_modules():
        match module:
            case nn.Conv2d() | nn.Linear():
                shape = tuple(module.weight.shape)
                weight = INITIALISERS[initialiser](draw(f"{name}.weight"), shape)
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
