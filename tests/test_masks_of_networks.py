"""Masks of the methods on every network: exact counts, finite scores, and empty layers that are reported."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from pruning.evaluation import mask_metrics
from pruning.masks import Mask, count, kept_count, size
from pruning.scores import Examples
from pruning.scoring import Pruning, make_mask
from pruning.study import Tables
from pruning.wiring import trace

ROOT = Path(__file__).resolve().parents[1]
TABLES = Tables.read(ROOT / "config/networks.yaml", ROOT / "config/methods.yaml", ROOT / "workflow/schemas")
METHODS = ["random", "magnitude", "snip", "grasp", "grasp-magnitude", "synflow", "prospr"]
"""One of each score that takes seconds; those that score a trained network score its magnitudes."""
SMALL = {"lenet-300-100": (28, 28, 1), "lenet5": (28, 28, 1), "resnet20": (32, 32, 3)}
LARGE = {
    **dict.fromkeys(["resnet32", "vgg16", "vgg19", "vgg-d"], (32, 32, 3)),
    **dict.fromkeys(["resnet18", "resnet18-modified", "resnet50"], (64, 64, 3)),
}


def check(network: nn.Module, mask: Mask, sparsity: str, shape: tuple[int, int, int]) -> None:
    """As many weights as asked for, by whole numbers: round-half-up(N s / 100) are removed."""
    total = sum(m.weight.numel() for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    per_mille = int(Decimal(sparsity) * 10)
    assert size(mask) == total
    assert total - count(mask) == (2 * total * per_mille + 1000) // 2000
    empty = [name for name, array in mask.items() if not array.any()]
    metrics = mask_metrics(mask, trace(network, shape))
    assert metrics["empty_layers"] == len(empty)
    assert [layer["tensor"] for layer in metrics["layers"] if layer["kept"] == 0] == empty
    assert metrics["kept"] == count(mask)


def mask_of(network: nn.Module, examples: Examples, method: str, sparsity: str, ablation: str = "none") -> Mask:
    row = TABLES.methods[method]
    kept = partial(kept_count, sparsity=Decimal(sparsity))
    return make_mask(network, examples, Pruning(row["score"], row["iterations"], kept, ablation, 0))


@pytest.mark.parametrize("ablation", ["none", "invert"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("architecture", "sparsity"),
    [("lenet-300-100", "98.2"), ("lenet5", "98.2"), ("resnet20", "98.2"), ("resnet20", "99.9")],
)
def test_small_networks_in_every_method(
    architecture: str,
    sparsity: str,
    method: str,
    ablation: str,
    initialised: Callable[..., nn.Module],
    noise: Callable[..., Examples],
) -> None:
    shape = SMALL[architecture]
    network = initialised(architecture, shape)
    check(network, mask_of(network, noise(shape), method, sparsity, ablation), sparsity, shape)


@pytest.mark.parametrize("method", ["magnitude", "grasp"])
@pytest.mark.parametrize("architecture", LARGE)
def test_large_networks_in_methods_of_one_round(
    architecture: str, method: str, initialised: Callable[..., nn.Module], noise: Callable[..., Examples]
) -> None:
    """The other methods on them, SynFlow's rounds among these, are what benchmarks/all_masks.py is for."""
    shape = LARGE[architecture]
    network = initialised(architecture, shape)
    check(network, mask_of(network, noise(shape, count=4), method, "98.2"), "98.2", shape)


def test_a_mask_with_an_empty_layer_is_a_result_that_says_so(
    initialised: Callable[..., nn.Module], noise: Callable[..., Examples]
) -> None:
    """SynFlow in one round, as published implementations run it, leaves nothing of some layers of ResNet-20."""
    network = initialised("resnet20", (32, 32, 3))
    settings = Pruning("synflow", 1, partial(kept_count, sparsity=Decimal("99.9")), "none", 0)
    mask = make_mask(network, noise((32, 32, 3)), settings)
    check(network, mask, "99.9", (32, 32, 3))
    metrics = mask_metrics(mask, trace(network, (32, 32, 3)))
    assert metrics["empty_layers"] > 0
    assert np.isfinite(metrics["effective_sparsity"])
