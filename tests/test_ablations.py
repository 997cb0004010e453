"""The ablations: each must do something, and exactly that."""

import itertools
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pytest
import torch
from torch import nn

from pruning.ablations import shuffle
from pruning.initialisation import draw_state
from pruning.masks import Mask, count, size
from pruning.networks import build
from pruning.registry import names
from pruning.scores import Examples
from pruning.scoring import Pruning, make_mask
from pruning.streams import stream

every_score = pytest.mark.parametrize("score", names("scores"))


def shuffled(mask: Mask, seed: int) -> Mask:
    return shuffle(mask, partial(stream, seed, "shuffle"))


def half(*names_of_tensors: str, shape: tuple[int, ...] = (10, 20)) -> Mask:
    """Tensors of equal shape and content, the first half of each kept."""
    return {name: np.arange(np.prod(shape)).reshape(shape) < np.prod(shape) / 2 for name in names_of_tensors}


# Shuffle


def test_shuffle_changes_places_and_keeps_the_count_of_every_tensor() -> None:
    draw = np.random.default_rng(0)
    mask = {name: draw.random(shape) < 0.3 for name, shape in (("a", (8, 4, 3, 3)), ("b", (10, 64)), ("c", (70,)))}
    found = shuffled(mask, 0)
    assert set(found) == set(mask)
    for name, array in mask.items():
        assert (found[name].shape, found[name].dtype) == (array.shape, bool)
        assert np.count_nonzero(found[name]) == np.count_nonzero(array)
        # A fair permutation of a share d of ones moves a share 2 d (1 - d) of the entries.
        share = array.mean()
        assert (found[name] != array).mean() == pytest.approx(2 * share * (1 - share), rel=0.4)


@pytest.mark.parametrize("kept", [False, True])
def test_shuffle_leaves_an_empty_and_a_full_tensor_as_they_are(kept: bool) -> None:
    mask = {"extreme": np.full((4, 5), kept), **half("other")}
    found = shuffled(mask, 0)
    np.testing.assert_array_equal(found["extreme"], mask["extreme"])
    assert (found["other"] != mask["other"]).any()


def test_shuffle_gives_every_placement_the_same_chance() -> None:
    mask, seeds = {"a": np.array([[True, True], [False, False]])}, 3000
    found = [tuple(np.nonzero(shuffled(mask, seed)["a"].ravel())[0]) for seed in range(seeds)]
    placements = list(itertools.combinations(range(4), 2))
    expected = seeds / len(placements)
    chi_square = sum((found.count(placement) - expected) ** 2 / expected for placement in placements)
    assert chi_square < 20.5  # 0.1% of fair draws exceed it (5 degrees of freedom)


def test_shuffle_places_tensors_independently() -> None:
    mask, seeds = {"a": np.array([True, False, False]), "b": np.array([True, False, False])}, 2000
    pairs = [tuple(int(array.argmax()) for array in shuffled(mask, seed).values()) for seed in range(seeds)]
    expected = seeds / 9
    chi_square = sum((pairs.count(pair) - expected) ** 2 / expected for pair in itertools.product(range(3), repeat=2))
    assert chi_square < 26.1  # 0.1% of fair draws exceed it (8 degrees of freedom)


def test_no_two_seeds_or_tensors_share_a_permutation() -> None:
    mask = half(*(f"layers.{number}.weight" for number in range(10)))
    permuted = {array.tobytes() for seed in range(10) for array in shuffled(mask, seed).values()}
    assert len(permuted) == 100


def test_shuffle_is_the_same_for_the_same_seed() -> None:
    mask = half("a", "b")
    first, second = shuffled(mask, 4), shuffled(mask, 4)
    assert all((first[name] == second[name]).all() for name in mask)


def test_shuffle_does_not_modify_its_mask() -> None:
    mask, copy = half("a", "b"), half("a", "b")
    shuffled(mask, 0)
    assert all((mask[name] == copy[name]).all() for name in mask)


# Masks of a network


@pytest.fixture(scope="module")
def mask_of(initialised: Callable[..., nn.Module], noise: Callable[..., Examples]) -> Callable[[str, str], Mask]:
    network, examples = initialised("resnet20", (8, 8, 3)), noise((8, 8, 3))

    @cache
    def make(score: str, ablation: str) -> Mask:
        rounds = {"synflow": 10, "ntk-sap": 3}.get(score, 1)
        return make_mask(network, examples, Pruning(score, rounds, lambda total: total // 10, ablation, 0))

    return make


def kept_a_layer(mask: Mask) -> dict[str, int]:
    return {name: int(np.count_nonzero(array)) for name, array in mask.items()}


@every_score
def test_shuffled_mask_is_the_unchanged_one_with_other_places(score: str, mask_of: Callable[[str, str], Mask]) -> None:
    plain, found = mask_of(score, "none"), mask_of(score, "shuffle")
    assert kept_a_layer(found) == kept_a_layer(plain)
    for name, array in plain.items():
        if 0.01 < array.mean() < 0.99:
            assert (found[name] != array).mean() == pytest.approx(2 * array.mean() * (1 - array.mean()), rel=0.5)


@every_score
def test_inverted_mask_has_the_count_of_the_unchanged_one_and_other_weights(
    score: str, mask_of: Callable[[str, str], Mask]
) -> None:
    plain, found = mask_of(score, "none"), mask_of(score, "invert")
    assert count(found) == count(plain) == size(plain) // 10
    shared = sum(np.count_nonzero(plain[name] & found[name]) for name in plain)
    assert shared < (count(plain) / 2 if score in ("synflow", "ntk-sap") else 1)  # those with rounds


@every_score
def test_mask_of_a_reinitialised_cell_is_the_unchanged_one(score: str, mask_of: Callable[[str, str], Mask]) -> None:
    plain, found = mask_of(score, "none"), mask_of(score, "reinit")
    assert all((plain[name] == found[name]).all() for name in plain)


# Reinit


@pytest.mark.parametrize("architecture", ["lenet-300-100", "resnet20", "vgg16"])
def test_reinit_draws_every_weight_bias_and_gamma_anew(architecture: str) -> None:
    network = build(architecture, (32, 32, 3), 10)
    initial = draw_state(network, "kaiming-normal", 0)
    again = draw_state(network, "kaiming-normal", 0, purpose="reinit")
    other = draw_state(network, "kaiming-normal", 1, purpose="reinit")
    assert list(again) == list(initial)
    norms = {name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)}
    drawn = 0
    for name, values in initial.items():
        layer, _, part = name.rpartition(".")
        assert again[name].shape == values.shape
        if layer in norms and part != "weight":
            assert torch.equal(again[name], values)
        else:
            drawn += 1
            assert (again[name] != values).double().mean() > 0.99
            assert (again[name] != other[name]).double().mean() > 0.99
    assert drawn == {"lenet-300-100": 6, "resnet20": 44, "vgg16": 41}[architecture]


def test_reinit_draws_from_the_same_distribution() -> None:
    network = build("resnet20", (32, 32, 3), 10)
    initial = draw_state(network, "kaiming-normal", 0)
    again = draw_state(network, "kaiming-normal", 0, purpose="reinit")
    for name, values in initial.items():
        if values.dim() > 1:
            tolerance = 5 / np.sqrt(values.numel())
            assert (again[name].std() / values.std()).item() == pytest.approx(1, abs=tolerance)
            assert abs(np.corrcoef(again[name].flatten(), values.flatten())[0, 1]) < tolerance
