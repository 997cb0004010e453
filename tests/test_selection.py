"""Selection: exact counts, fair ties, no revival; on real networks too."""

import decimal
import itertools
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from pruning import PruningError, scoring
from pruning.masks import Mask, count, kept_count, removed_count, size
from pruning.networks import prunable
from pruning.registry import names
from pruning.scores import Examples
from pruning.scoring import Pruning, make_mask
from pruning.selection import kept_after_round, select
from pruning.streams import stream

GRID = [
    *("20", "36", "48.8", "59.0", "67.2", "73.8", "79.0", "83.2", "86.6"),
    *("89.3", "91.4", "93.1", "94.5", "95.6", "96.5", "97.2", "97.7", "98.2"),
]
"""percent removed: a fifth of what is left, each step"""
PRUNABLE = {"lenet-300-100": 266_200, "resnet20": 270_896, "vgg16": 14_715_584}
ONE_SHOT = sorted(set(names("scores")) - {"synflow"})
ROUNDS = {name: 100 if name == "synflow" else 1 for name in names("scores")}
Scores = dict[str, np.ndarray]


def ties(seed: int = 0) -> Callable[[str], np.random.Generator]:
    return partial(stream, seed, "ties")


def all_alive(scores: Scores) -> Mask:
    return {name: np.ones(values.shape, dtype=bool) for name, values in scores.items()}


def exactly_removed(total: int, sparsity: str) -> int:
    return math.floor(total * Fraction(sparsity) / 100 + Fraction(1, 2))


def assert_inside(inner: Mask, outer: Mask) -> None:
    assert all((inner[name] <= outer[name]).all() for name in outer)


def assert_same(first: Mask, second: Mask) -> None:
    assert set(first) == set(second)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def prune(
    network: nn.Module,
    examples: Examples,
    score: str,
    sparsity: str,
    ablation: str = "none",
    rounds: int | None = None,
    seed: int = 0,
) -> Mask:
    kept = partial(kept_count, sparsity=Decimal(sparsity))
    return make_mask(network, examples, Pruning(score, rounds or ROUNDS[score], kept, ablation, seed))


# Counts


@pytest.mark.parametrize("total", [266_200, 270_896, 14_715_584, 50_200])
def test_counts_are_those_of_exact_fractions(total: int) -> None:
    for sparsity in (f"{100 * (1 - 0.8**k):.1f}" for k in range(30)):
        assert removed_count(total, Decimal(sparsity)) == exactly_removed(total, sparsity)
        assert kept_count(total, Decimal(sparsity)) == total - exactly_removed(total, sparsity)


@pytest.mark.parametrize(
    ("total", "sparsity", "removed"),
    [
        (375, "9.2", 35),  # 34.5 exactly, in floats 34.49999999999999
        (250, "64.6", 162),  # 161.5
        (375, "67.6", 254),  # 253.5
        (250, "0.2", 1),  # 0.5: half-even would be 0
        (1000, "0.25", 3),  # 2.5: half-even would be 2
        (1000, "0.2499999999999999999999", 2),
        (7, "50", 4),
        (7, "0", 0),
        (10**9, "99.99999995", 10**9),
    ],
)
def test_counts_are_decimals_with_halves_up(total: int, sparsity: str, removed: int) -> None:
    assert removed_count(total, Decimal(sparsity)) == removed == exactly_removed(total, sparsity)
    assert kept_count(total, Decimal(sparsity)) == total - removed


@pytest.mark.parametrize("rounds", [1, 2, 7, 100])
@pytest.mark.parametrize(("total", "sparsity"), [(266_200, "98.2"), (270_896, "20"), (14_715_584, "99.9"), (171, "90")])
def test_density_after_round_i_of_n_is_d_to_the_i_by_n(total: int, sparsity: str, rounds: int) -> None:
    keep = kept_count(total, Decimal(sparsity))
    counts = [kept_after_round(total, keep, number, rounds) for number in range(1, rounds + 1)]
    assert counts[-1] == keep
    assert counts == sorted(counts, reverse=True)
    assert counts[0] <= total
    with decimal.localcontext(prec=50):
        for number, found in enumerate(counts, start=1):
            exact = total * (Decimal(keep) / total) ** (Decimal(number) / rounds)
            assert abs(found - exact) <= Decimal("0.500001")


def test_the_last_round_keeps_exactly_what_was_asked_for() -> None:
    assert [kept_after_round(50_200, keep, 3, 3) for keep in range(1, 50_201)] == list(range(1, 50_201))


# One selection


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_selection_of_distinct_scores_is_that_of_a_sorted_list(seed: int, invert: bool) -> None:
    draw = np.random.default_rng(seed)
    values = draw.permutation(60) - 30.0
    scores = {"a": values[:24].reshape(2, 3, 2, 2), "b": values[24:34], "c": values[34:].reshape(2, 13)}
    alive = {name: draw.random(array.shape) < 0.7 for name, array in scores.items()}
    candidates = [
        (scores[name][place], name, place)
        for name in scores
        for place in np.ndindex(*scores[name].shape)
        if alive[name][place]
    ]
    for keep in range(len(candidates) + 1):
        expected = {name: np.zeros(array.shape, dtype=bool) for name, array in scores.items()}
        for _, name, place in sorted(candidates, reverse=not invert)[:keep]:
            expected[name][place] = True
        assert_same(select(scores, alive, keep, ties(), invert=invert), expected)


@pytest.mark.parametrize("invert", [False, True])
def test_selection_with_ties_has_the_scores_of_a_sorted_list(invert: bool) -> None:
    draw = np.random.default_rng(0)
    scores = {"a": draw.integers(-3, 4, (20, 10)).astype(float), "b": draw.integers(-3, 4, 100).astype(float)}
    everything = sorted(np.concatenate([scores["a"].ravel(), scores["b"]]), reverse=not invert)
    for keep in range(0, 301, 7):
        mask = select(scores, all_alive(scores), keep, ties(), invert=invert)
        kept = np.concatenate([scores[name][mask[name]] for name in scores])
        assert sorted(kept, reverse=not invert) == everything[:keep]


@pytest.mark.parametrize("keep", [0, 1, 4999, 5000, 9999, 10_000])
def test_count_is_exact_when_all_scores_are_equal(keep: int) -> None:
    scores = {"a": np.zeros((50, 100)), "b": np.zeros(5000, dtype=np.float32)}
    assert count(select(scores, all_alive(scores), keep, ties())) == keep


@pytest.mark.parametrize("keep", [100, 101, 5000, 9999])
def test_count_is_exact_with_thousands_of_zeros(keep: int) -> None:
    scores = {"a": np.zeros((100, 100))}
    scores["a"][::10, ::10] = np.arange(1, 101).reshape(10, 10)
    mask = select(scores, all_alive(scores), keep, ties())
    assert count(mask) == keep
    assert mask["a"][::10, ::10].all()


@pytest.mark.parametrize("invert", [False, True])
def test_ties_fall_evenly_over_places_and_tensors(invert: bool) -> None:
    scores = {"a": np.ones((100, 100)), "b": np.ones((100, 100))}
    mask = select(scores, all_alive(scores), 6000, ties(), invert=invert)
    for name in scores:
        for half in (mask[name][:50], mask[name][50:], mask[name][:, :50], mask[name][:, 50:]):
            assert abs(np.count_nonzero(half) - 1500) < 150


def test_ties_fall_otherwise_for_another_seed_and_the_same_for_the_same() -> None:
    scores = {"a": np.ones(10_000)}
    first, again, other = (select(scores, all_alive(scores), 5000, ties(seed))["a"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert abs(np.count_nonzero(first & other) - 2500) < 125


def test_masks_lie_inside_each_other_even_where_scores_tie() -> None:
    scores = {"a": np.random.default_rng(0).integers(0, 3, (30, 30)).astype(float), "b": np.zeros(100)}
    masks = [select(scores, all_alive(scores), keep, ties()) for keep in range(1000, 0, -37)]
    for wider, narrower in itertools.pairwise(masks):
        assert_inside(narrower, wider)


@pytest.mark.parametrize("keep", [0, 1, 300, 999, 1000])
def test_inverted_selection_keeps_what_the_plain_one_removes_even_where_scores_tie(keep: int) -> None:
    scores = {"a": np.random.default_rng(0).integers(-1, 2, (30, 30)).astype(float), "b": np.zeros(100)}
    plain = select(scores, all_alive(scores), keep, ties())
    inverted = select(scores, all_alive(scores), 1000 - keep, ties(), invert=True)
    assert_same(inverted, {name: ~array for name, array in plain.items()})


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("dead_score", [1e30, -1e30, 0.5, math.inf, -math.inf, math.nan])
def test_a_dead_weight_stays_dead_whatever_its_score(dead_score: float, invert: bool) -> None:
    draw = np.random.default_rng(0)
    scores = {"a": draw.random((20, 20)), "b": draw.random(100)}
    alive = {name: draw.random(array.shape) < 0.6 for name, array in scores.items()}
    for name in scores:
        scores[name][~alive[name]] = dead_score
    for keep in (0, 1, 100, count(alive)):
        mask = select(scores, alive, keep, ties(), invert=invert)
        assert count(mask) == keep
        assert_inside(mask, alive)


def test_selection_leaves_scores_and_earlier_mask_as_they_are() -> None:
    scores = {"a": np.array([1.0, 1.0, -2.0, 3.0])}
    alive = {"a": np.array([True, True, True, False])}
    select(scores, alive, 1, ties(), invert=True)
    assert scores["a"].tolist() == [1, 1, -2, 3]
    assert alive["a"].tolist() == [True, True, True, False]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("invert", [False, True])
def test_a_score_that_is_not_finite_is_refused_with_its_tensor(value: float, invert: bool) -> None:
    scores = {"healthy": np.zeros(3), "ill.weight": np.array([0, value, 0])}
    with pytest.raises(PruningError, match=r"ill\.weight: 1 scores"):
        select(scores, all_alive(scores), 2, ties(), invert=invert)


@pytest.mark.parametrize("keep", [-1, 4, 6])
def test_more_weights_than_are_alive_or_fewer_than_none_are_refused(keep: int) -> None:
    alive = {"a": np.array([True, True, False, True, False])}
    with pytest.raises(PruningError, match=f"cannot keep {keep} of 3"):
        select({"a": np.arange(5.0)}, alive, keep, ties())


# Masks of networks


@pytest.fixture(scope="module")
def lenet(initialised: Callable[..., nn.Module]) -> nn.Module:
    """LeNet-300-100 with 100 hidden units dead, so that many scores tie at zero."""
    network = initialised("lenet-300-100", (28, 28, 1))
    with torch.no_grad():
        network.hidden1.weight[::3] = 0
        network.hidden1.bias[::3] = 0
    return network


@pytest.fixture(scope="module")
def digits_like(noise: Callable[..., Examples]) -> Examples:
    return noise((28, 28, 1))


@pytest.mark.parametrize("ablation", ["none", "shuffle", "reinit", "invert"])
@pytest.mark.parametrize("score", ONE_SHOT)
def test_lenet_masks_have_the_exact_count_over_the_grid(
    score: str, ablation: str, lenet: nn.Module, digits_like: Examples
) -> None:
    for sparsity in GRID:
        mask = prune(lenet, digits_like, score, sparsity, ablation)
        assert size(mask) == PRUNABLE["lenet-300-100"]
        assert count(mask) == size(mask) - exactly_removed(size(mask), sparsity)


@pytest.mark.parametrize("score", sorted(set(ONE_SHOT) - {"ntk-sap", "prospr"}))  # slow; tests/test_scores.py has them
def test_resnet20_masks_have_the_exact_count_over_the_grid(score: str, resnet: nn.Module, thumbnails: Examples) -> None:
    for sparsity in GRID:
        mask = prune(resnet, thumbnails, score, sparsity)
        assert size(mask) == PRUNABLE["resnet20"]
        assert count(mask) == size(mask) - exactly_removed(size(mask), sparsity)


@pytest.mark.parametrize("score", ["magnitude", "random", "snip"])
def test_vgg16_masks_have_the_exact_count(
    score: str, initialised: Callable[..., nn.Module], noise: Callable[..., Examples]
) -> None:
    network, examples = initialised("vgg16", (32, 32, 3)), noise((32, 32, 3), count=2)
    for sparsity in ("20", "86.6", "98.2"):
        mask = prune(network, examples, score, sparsity)
        assert size(mask) == PRUNABLE["vgg16"]
        assert count(mask) == size(mask) - exactly_removed(size(mask), sparsity)


@pytest.fixture
def rounds_of_selection(monkeypatch: pytest.MonkeyPatch) -> list[Mask]:
    """The masks after every round of the masks made in the test."""
    masks: list[Mask] = []

    def spy(*arguments: object, **options: object) -> Mask:
        masks.append(select(*arguments, **options))
        return masks[-1]

    monkeypatch.setattr(scoring, "select", spy)
    return masks


def assert_rounds(masks: list[Mask], sparsity: str) -> None:
    total = size(masks[0])
    density = 1 - Fraction(exactly_removed(total, sparsity), total)
    for number, mask in enumerate(masks, start=1):
        assert abs(count(mask) - total * float(density) ** (number / len(masks))) <= 0.501
    assert count(masks[-1]) == total * density
    for earlier, later in itertools.pairwise(masks):
        assert_inside(later, earlier)


@pytest.mark.parametrize("ablation", ["none", "invert"])
@pytest.mark.parametrize("sparsity", ["48.8", "98.2"])
def test_synflow_in_100_rounds_keeps_exactly_its_count_and_revives_nothing(
    ablation: str, sparsity: str, resnet: nn.Module, thumbnails: Examples, rounds_of_selection: list[Mask]
) -> None:
    mask = prune(resnet, thumbnails, "synflow", sparsity, ablation)
    assert len(rounds_of_selection) == 100
    assert_rounds(rounds_of_selection, sparsity)
    assert_same(mask, rounds_of_selection[-1])


def test_inverted_synflow_at_density_a_tenth_keeps_a_tenth(
    resnet: nn.Module, thumbnails: Examples, rounds_of_selection: list[Mask]
) -> None:
    assert count(prune(resnet, thumbnails, "synflow", "90", "invert")) == 27_090
    assert_rounds(rounds_of_selection, "90")


@pytest.mark.parametrize("ablation", ["none", "invert"])
@pytest.mark.parametrize("score", names("scores"))
def test_no_score_revives_a_weight_over_rounds(
    score: str, ablation: str, lenet: nn.Module, digits_like: Examples, rounds_of_selection: list[Mask]
) -> None:
    prune(lenet, digits_like, score, "95", ablation, rounds=6)
    assert len(rounds_of_selection) == 6
    assert_rounds(rounds_of_selection, "95")


@pytest.mark.parametrize("score", ONE_SHOT)
@pytest.mark.parametrize("sparsity", ["0.5", "20", "67.2", "98.2"])
def test_inverted_mask_is_the_complement_of_the_mask_of_the_other_share(
    score: str, sparsity: str, lenet: nn.Module, digits_like: Examples
) -> None:
    other = str(100 - Decimal(sparsity))
    plain, inverted = prune(lenet, digits_like, score, sparsity), prune(lenet, digits_like, score, other, "invert")
    assert_same(inverted, {name: ~array for name, array in plain.items()})


@pytest.mark.parametrize("score", ONE_SHOT)
def test_masks_of_a_seed_lie_inside_each_other_over_the_grid(
    score: str, lenet: nn.Module, digits_like: Examples
) -> None:
    masks = [prune(lenet, digits_like, score, sparsity) for sparsity in GRID]
    for wider, narrower in itertools.pairwise(masks):
        assert_inside(narrower, wider)


def test_a_dead_unit_is_not_emptied_from_one_end(lenet: nn.Module, digits_like: Examples) -> None:
    dead = prune(lenet, digits_like, "snip", "20")["hidden1.weight"][::3]
    assert 0.05 < dead.mean() < 0.95
    assert abs(dead[:50].mean() - dead[50:].mean()) < 0.05


def test_an_empty_layer_is_a_result(noise: Callable[..., Examples]) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.Linear(20, 10))
    with torch.no_grad():
        network[1].weight.mul_(1e-6)
    mask = prune(network, noise((8, 8, 1)), "magnitude", "90")
    assert not mask["1.weight"].any()
    assert count(mask) == prunable(network)["1.weight"].numel() // 10 + 20


def test_a_sparsity_that_leaves_no_weight_is_refused(lenet: nn.Module, digits_like: Examples) -> None:
    with pytest.raises(PruningError, match="leaves none of the 266200"):
        prune(lenet, digits_like, "magnitude", "99.9999")
    assert count(prune(lenet, digits_like, "magnitude", "99.9997")) == 1
