"""Quotas: by hand, against bisection, and in masks under every ablation."""

import math
from decimal import Decimal
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from pruning import PruningError
from pruning.masks import Mask, count, kept_count
from pruning.networks import build, prunable
from pruning.quotas import BY_SHAPE, Quotas, erk, uniform
from pruning.scores import Examples
from pruning.scoring import CountsOf, Pruning, make_mask

Shapes = dict[str, tuple[int, ...]]
INPUT = {"lenet-300-100": (28, 28, 1), "resnet20": (32, 32, 3), "vgg16": (32, 32, 3)}
SPARSITIES = ("0", "20", "59", "86.6", "98.2", "99.9")


def shapes_of(architecture: str) -> Shapes:
    with torch.device("meta"):
        network = build(architecture, INPUT[architecture], 10)
    return {name: tuple(weight.shape) for name, weight in prunable(network).items()}


def kept_of(shapes: Shapes, sparsity: str) -> int:
    return kept_count(sum(math.prod(shape) for shape in shapes.values()), Decimal(sparsity))


# By shape


@pytest.mark.parametrize("rule", BY_SHAPE)
@pytest.mark.parametrize("architecture", INPUT)
@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_quotas_are_exact_in_all_and_fit_into_every_layer(rule: str, architecture: str, sparsity: str) -> None:
    shapes = shapes_of(architecture)
    quotas = BY_SHAPE[rule](shapes, kept_of(shapes, sparsity))
    assert list(quotas) == list(shapes)
    assert sum(quotas.values()) == kept_of(shapes, sparsity)
    assert all(type(quota) is int and 0 <= quota <= math.prod(shapes[name]) for name, quota in quotas.items())


def test_uniform_quotas_by_hand() -> None:
    shapes = {"a": (10, 10), "b": (5, 2, 3, 3), "c": (10,)}  # 100, 90 and 10 weights
    assert uniform(shapes, 100) == {"a": 50, "b": 45, "c": 5}
    # Shares 50.5, 45.45 and 5.05: the one left over goes to the largest remainder.
    assert uniform(shapes, 101) == {"a": 51, "b": 45, "c": 5}
    # 1.5, 1.35 and 0.15: one left over.
    assert uniform(shapes, 3) == {"a": 2, "b": 1, "c": 0}
    assert uniform(shapes, 200) == {"a": 100, "b": 90, "c": 10}


def test_of_equal_remainders_the_first_layers_get_what_is_left() -> None:
    shapes: Shapes = {"d": (7,), "a": (7,), "c": (7,), "b": (7,)}
    assert uniform(shapes, 6) == {"d": 2, "a": 2, "c": 1, "b": 1}


@pytest.mark.parametrize("architecture", INPUT)
@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_uniform_density_is_the_same_in_every_layer_to_one_weight(architecture: str, sparsity: str) -> None:
    shapes = shapes_of(architecture)
    density = 1 - float(sparsity) / 100
    for name, quota in uniform(shapes, kept_of(shapes, sparsity)).items():
        assert abs(quota - density * math.prod(shapes[name])) < 1.01


def test_erk_quotas_by_hand() -> None:
    shapes = {"conv": (16, 8, 3, 3), "linear": (10, 50), "small": (2, 4)}  # sums of dimensions: 30, 60, 6
    assert erk(shapes, 96) == {"conv": 30, "linear": 60, "small": 6}
    # 160 would be 50, 100 and 10, but `small` has 8: the other 152 are shared 30 : 60, 50.67 and 101.33.
    assert erk(shapes, 160) == {"conv": 51, "linear": 101, "small": 8}
    # Both small layers full, the rest in the convolution.
    assert erk(shapes, 1600) == {"conv": 1600 - 508, "linear": 500, "small": 8}


def erk_by_bisection(shapes: Shapes, keep: int) -> dict[str, float]:
    """Counts min(size, scale * sum of dimensions), the scale found by halving intervals."""

    def counts(scale: float) -> dict[str, float]:
        return {name: min(math.prod(shape), scale * sum(shape)) for name, shape in shapes.items()}

    low, high = 0.0, float(max(math.prod(shape) for shape in shapes.values()))
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(counts(middle).values()) < keep else (low, middle)
    return counts(high)


@pytest.mark.parametrize("architecture", INPUT)
@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_erk_quotas_are_those_found_by_bisection(architecture: str, sparsity: str) -> None:
    shapes = shapes_of(architecture)
    expected = erk_by_bisection(shapes, kept_of(shapes, sparsity))
    for name, quota in erk(shapes, kept_of(shapes, sparsity)).items():
        assert abs(quota - expected[name]) < 1.001


# In masks


def prune(
    network: nn.Module, examples: Examples, score: str, quotas: str | CountsOf | None, ablation: str = "none"
) -> Mask:
    kept = partial(kept_count, sparsity=Decimal("86.6"))
    return make_mask(network, examples, Pruning(score, 1, kept, ablation, 3, quotas))


def counts(mask: Mask) -> Quotas:
    return {name: int(np.count_nonzero(array)) for name, array in mask.items()}


@pytest.mark.parametrize("ablation", ["none", "shuffle", "reinit", "invert"])
@pytest.mark.parametrize("score", ["random", "magnitude"])
@pytest.mark.parametrize("rule", BY_SHAPE)
def test_masks_have_the_quotas_of_the_shapes_under_every_ablation(
    rule: str, score: str, ablation: str, resnet: nn.Module, thumbnails: Examples
) -> None:
    shapes = {name: tuple(weight.shape) for name, weight in prunable(resnet).items()}
    expected = {"uniform": uniform, "erk": erk}[rule](shapes, kept_of(shapes, "86.6"))
    assert counts(prune(resnet, thumbnails, score, rule, ablation)) == expected


@pytest.mark.parametrize("ablation", ["none", "shuffle", "reinit", "invert"])
@pytest.mark.parametrize(("score", "iterations"), [("snip", 1), ("grasp", 1), ("synflow", 7)])
def test_random_choice_has_the_counts_a_layer_of_the_method_not_ablated(
    score: str, iterations: int, ablation: str, resnet: nn.Module, thumbnails: Examples
) -> None:
    kept = partial(kept_count, sparsity=Decimal("86.6"))
    method = make_mask(resnet, thumbnails, Pruning(score, iterations, kept, "none", 3))
    found = prune(resnet, thumbnails, "random", CountsOf(score, iterations), ablation)
    assert counts(found) == counts(method)
    assert count(found) == kept_of({name: array.shape for name, array in method.items()}, "86.6")
    # Chance shares of a layer what the density is, so that a layer of 36 864 weights shares about that many.
    last = "blocks.8.conv2.weight"
    density = method[last].mean()
    assert (found[last] & method[last]).mean() == pytest.approx(
        density**2, abs=5 * density / np.sqrt(method[last].size)
    )


def test_score_ranks_within_layers(resnet: nn.Module, thumbnails: Examples) -> None:
    mask = prune(resnet, thumbnails, "magnitude", "uniform")
    inverted = prune(resnet, thumbnails, "magnitude", "uniform", "invert")
    for name, weight in prunable(resnet).items():
        order = np.argsort(weight.detach().abs().numpy().ravel())
        quota = np.count_nonzero(mask[name])
        assert set(np.flatnonzero(mask[name])) == set(order[-quota:])
        assert set(np.flatnonzero(inverted[name])) == set(order[:quota])


def test_random_choice_under_quotas_differs_by_seed_alone(resnet: nn.Module, thumbnails: Examples) -> None:
    kept = partial(kept_count, sparsity=Decimal("90"))
    first, again, other = (
        make_mask(resnet, thumbnails, Pruning("random", 1, kept, "none", seed, "erk")) for seed in (0, 0, 1)
    )
    assert all((first[name] == again[name]).all() for name in first)
    assert any((first[name] != other[name]).any() for name in first)


def test_quotas_of_equal_scores_fall_evenly_over_a_layer() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 50, bias=False))
    with torch.no_grad():
        network[1].weight.fill_(1)
    mask = prune(network, Examples(torch.zeros(1, 1, 8, 8), torch.zeros(1)), "magnitude", "uniform")["1.weight"]
    assert np.count_nonzero(mask) == 3200 - 2771
    assert abs(mask[:25].mean() - mask[25:].mean()) < 5 * np.sqrt(0.134 * 0.866 * 4 / 3200)


def test_quotas_in_several_rounds_are_refused(resnet: nn.Module, thumbnails: Examples) -> None:
    with pytest.raises(PruningError, match="one round, not with 2"):
        make_mask(resnet, thumbnails, Pruning("random", 2, lambda total: total // 2, "none", 0, "erk"))
