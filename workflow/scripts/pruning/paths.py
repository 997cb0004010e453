"""What a mask leaves of a network's paths: neurons cut off, and the weights through which input still reaches output.

Neurons are the units of a linear layer and the channels of a convolution (`wiring`): a weight of a convolution connects
two channels, wherever in the image it acts. Without torch.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pruning.masks import Mask


@dataclass(frozen=True)
class LayerPaths:
    effective: int
    """kept weights that lie on a path from input to output"""
    without_incoming: int
    """neurons of this layer into which no weight of this layer leads"""
    without_outgoing: int
    """neurons of this layer that no later layer reads; 0 for the output layer"""


def layer_paths(mask: Mask, wiring: dict[str, Any]) -> dict[str, LayerPaths]:
    """{tensor name: what is left} for `mask` on a network of `wiring`."""
    connections = wiring["connections"]
    links = {
        c["tensor"]: _links(mask[c["tensor"]], wiring["groups"][c["source"]]) for c in connections if "tensor" in c
    }
    empty = {group: np.zeros(neurons, dtype=bool) for group, neurons in wiring["groups"].items()}
    from_input = {**empty, "input": np.ones(wiring["groups"]["input"], dtype=bool)}
    for c in connections:
        source = from_input[c["source"]]
        reached = links[c["tensor"]][:, source].any(axis=1) if "tensor" in c else source
        from_input[c["target"]] = from_input[c["target"]] | reached
    all_outputs = {wiring["output"]: np.ones(wiring["groups"][wiring["output"]], dtype=bool)}
    to_output, read = {**empty, **all_outputs}, {**empty, **all_outputs}
    for c in reversed(connections):
        target = to_output[c["target"]]
        if "tensor" in c:
            reaching = links[c["tensor"]][target].any(axis=0)
            reading = links[c["tensor"]].any(axis=0)
        else:
            reaching, reading = target, read[c["target"]]
        to_output[c["source"]] = to_output[c["source"]] | reaching
        read[c["source"]] = read[c["source"]] | reading
    found = {}
    for c in connections:
        if "tensor" in c:
            kept = mask[c["tensor"]]
            alive = np.outer(to_output[c["target"]], from_input[c["source"]])
            found[c["tensor"]] = LayerPaths(
                effective=int((_weights(kept, wiring["groups"][c["source"]]) * alive).sum()),
                without_incoming=int((~links[c["tensor"]].any(axis=1)).sum()),
                without_outgoing=int((~read[c["target"]]).sum()),
            )
    return found


def _weights(kept: np.ndarray, sources: int) -> np.ndarray:
    """(targets, sources): how many weights connect two neurons; a flattened image has several values a neuron."""
    weights: np.ndarray = kept.reshape(kept.shape[0], sources, -1).sum(axis=2)
    return weights


def _links(kept: np.ndarray, sources: int) -> np.ndarray:
    return _weights(kept, sources) > 0
