"""Evaluation: every metric of a cell from its predictions, its mask and the wiring of the network. Without torch."""

from typing import Any

import numpy as np

from pruning.masks import Mask, count, size
from pruning.paths import layer_paths
from pruning.predictions import Predictions


def accuracy_metrics(predictions: Predictions) -> dict[str, Any]:
    """Accuracy and top-5 accuracy in percent, mean cross-entropy (None where not finite).

    `diverged`: an output of the network is not finite. `collapsed`: every test example is given the same class.
    """
    hits = predictions.top == predictions.label[:, None]
    finite = bool(np.isfinite(predictions.log_probability).all())
    return {
        "examples": len(predictions.label),
        "accuracy": 100 * float(hits[:, 0].mean()),
        "top5_accuracy": 100 * float(hits.any(axis=1).mean()),
        "loss": -float(predictions.log_probability.mean(dtype=np.float64)) if finite else None,
        "diverged": not finite,
        "collapsed": bool((predictions.top[:, 0] == predictions.top[0, 0]).all()),
    }


def mask_metrics(mask: Mask, wiring: dict[str, Any]) -> dict[str, Any]:
    """What the mask leaves, in all and a layer; densities in percent of the prunable weights."""
    paths = layer_paths(mask, wiring)
    layers = []
    for connection in wiring["connections"]:
        if "tensor" not in connection:
            continue
        name = connection["tensor"]
        kept, weights, left = int(np.count_nonzero(mask[name])), mask[name].size, paths[name]
        layers.append(
            {
                "tensor": name,
                "shape": list(mask[name].shape),
                "weights": weights,
                "kept": kept,
                "pruned": weights - kept,
                "density": 100 * kept / weights,
                "effective": left.effective,
                "neurons": mask[name].shape[0],
                "neurons_without_incoming": left.without_incoming,
                "neurons_without_outgoing": left.without_outgoing,
                "multiply_adds": weights * connection["positions"],
                "multiply_adds_left": kept * connection["positions"],
            }
        )
    total, kept = size(mask), count(mask)
    effective = sum(layer["effective"] for layer in layers)
    sums = ("neurons", "neurons_without_incoming", "neurons_without_outgoing", "multiply_adds", "multiply_adds_left")
    return {
        "prunable": total,
        "kept": kept,
        "density": 100 * kept / total,
        "effective": effective,
        "effective_sparsity": 100 * (total - effective) / total,
        "disconnected": effective == 0,
        "empty_layers": sum(layer["kept"] == 0 for layer in layers),
        **{key: sum(layer[key] for layer in layers) for key in sums},
        "parameters": wiring["parameters"],
        "parameters_left": wiring["parameters"] - (total - kept),
        "layers": layers,
    }
