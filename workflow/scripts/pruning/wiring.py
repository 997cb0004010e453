"""The wiring of a network: which layer reads which neurons, found by tracing it once and written down without torch.

Neurons (units of a linear layer, channels of a convolution) are known in groups. A layer connects the group that it
reads with the group of its outputs; a sum of two groups (a residual connection) is a group of its own. Activations,
normalisation, pooling and flattening leave a group what it is.
"""

import operator
from typing import Any

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from pruning import PruningError
from pruning.networks import prunable


class Layers(fx.Tracer):
    """Weight layers are traced as one, whatever they compute by."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, nn.Conv2d | nn.Linear) or super().is_leaf_module(m, module_qualified_name)


SUMS = {operator.add, operator.iadd, torch.add, "add", "add_"}


def trace(network: nn.Module, shape: tuple[int, int, int]) -> dict[str, Any]:
    """The wiring of `network` for images of `shape` (height, width, channels), as JSON will take it.

    `groups`: {group: number of neurons}. `connections`, in the order of computation: weight layers with `tensor`,
    `source`, `target` and `positions` (how often each weight is used for one image), and sums with `source` and
    `target` only. `parameters` counts all, `prunable` those that pruning may remove.

    Raises PruningError where a network joins groups otherwise than by a sum.
    """
    height, width, channels = shape
    traced = fx.GraphModule(network, Layers().trace(network.eval()))
    ShapeProp(traced).propagate(torch.zeros(1, channels, height, width))
    modules = dict(traced.named_modules())
    groups = {"input": channels}
    connections: list[dict[str, Any]] = []
    group_of: dict[fx.Node, str] = {}
    for node in traced.graph.nodes:
        inputs = [group_of[source] for source in node.all_input_nodes if source in group_of]
        module = modules.get(str(node.target)) if node.op == "call_module" else None
        if node.op == "placeholder":
            group_of[node] = "input"
        elif isinstance(module, nn.Conv2d | nn.Linear):
            name = str(node.target)
            inputs_expected = module.weight.shape[1]
            if inputs_expected % groups[inputs[0]]:
                raise PruningError(f"{name} reads {inputs_expected} values of {groups[inputs[0]]} neurons")
            groups[name] = module.weight.shape[0]
            positions = node.meta["tensor_meta"].shape[2:].numel()
            connections.append(
                {"tensor": f"{name}.weight", "source": inputs[0], "target": name, "positions": positions}
            )
            group_of[node] = name
        elif len(inputs) > 1 and node.target not in SUMS:
            raise PruningError(f"{node.name} joins {' and '.join(inputs)} otherwise than by a sum")
        elif len(set(inputs)) > 1:
            groups[node.name] = groups[inputs[0]]
            connections += [{"source": source, "target": node.name} for source in inputs]
            group_of[node] = node.name
        elif inputs:
            group_of[node] = inputs[0]
    return {
        "groups": groups,
        "output": group_of[next(reversed(traced.graph.nodes))],
        "connections": connections,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "prunable": sum(weight.numel() for weight in prunable(network).values()),
    }
