"""Random streams: what they depend on, and that they depend on nothing else."""

import hashlib
import itertools
import math
import random

import numpy as np
import pytest

from pruning.streams import PURPOSES, of_round, stream


def draws(*key: int | str, count: int = 100) -> np.ndarray:
    return stream(*key).random(count)


def test_the_same_key_gives_the_same_draws() -> None:
    np.testing.assert_array_equal(draws(3, "ties", "output.weight"), draws(3, "ties", "output.weight"))


def test_streams_differ_by_seed_purpose_and_part() -> None:
    keys = itertools.product(range(12), PURPOSES, ("", "conv.weight", "output.weight", *range(12)))
    first = [stream(*key).random() for key in keys]
    assert len(set(first)) == len(first) == 12 * len(PURPOSES) * 15


def test_streams_of_neighbouring_seeds_purposes_and_parts_are_uncorrelated() -> None:
    keys = [*itertools.product((0, 1, 2), ("ties", "shuffle"), ("", "a", 0, 1, 2))]
    correlations = np.corrcoef([draws(*key, count=10_000) for key in keys]) - np.eye(len(keys))
    assert np.abs(correlations).max() < 5 / math.sqrt(10_000)


def test_no_part_of_a_key_runs_into_the_next() -> None:
    assert stream(1, "data order", 11).random() != stream(11, "data order", 1).random()


def test_a_stream_does_not_depend_on_what_another_has_drawn() -> None:
    expected = draws(0, "shuffle", "a")
    used = stream(0, "shuffle", "b")
    late = stream(0, "shuffle", "a")
    used.random(1000)
    np.testing.assert_array_equal(late.random(100), expected)


def test_streams_neither_read_nor_move_global_random_states() -> None:
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    expected = draws(0, "initial weights", "a")
    numpy_draw, python_draw = np.random.random(), random.random()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    assert (np.random.random(), random.random()) == (numpy_draw, python_draw)  # noqa: NPY002
    np.testing.assert_array_equal(draws(0, "initial weights", "a"), expected)


def test_a_stream_is_pcg64_seeded_by_the_sha_256_of_its_key() -> None:
    digest = hashlib.sha256(b"7/data order/12").hexdigest()
    expected = np.random.Generator(np.random.PCG64(int(digest, 16)))
    np.testing.assert_array_equal(draws(7, "data order", 12), expected.random(100))


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ((0, "initial weights", "output.weight"), [0.09406645826288651, 0.4101355904778886]),
        ((1, "shuffle", "conv.weight"), [0.3127708061107819, 0.054515209315500135]),
        ((2, "data order", 3), [0.43165902775099163, 0.694695490087459]),
        ((0, "scoring examples"), [0.2851926204204436, 0.029989841891736924]),
    ],
)
def test_draws_are_what_they_always_were(key: tuple[int | str, ...], values: list[float]) -> None:
    """A regression anchor: the numbers are the library's own. Other numbers break every earlier result."""
    assert draws(*key, count=2).tolist() == values


def test_only_the_noise_of_scores_is_drawn_anew_in_each_round() -> None:
    for purpose in PURPOSES:
        rounds = [of_round(3, number)(purpose, "conv.weight").random(5).tolist() for number in (1, 2, 1)]
        assert rounds[0] == rounds[2]
        assert (rounds[0] == rounds[1]) == (purpose != "score noise")
        if purpose != "score noise":
            assert rounds[0] == draws(3, purpose, "conv.weight", count=5).tolist()


@pytest.mark.parametrize("purpose", ["", "tie", "Shuffle", "initial weights "])
def test_an_unknown_purpose_is_refused_and_the_known_ones_named(purpose: str) -> None:
    with pytest.raises(ValueError, match="scoring examples") as error:
        stream(0, purpose)
    assert repr(purpose) in str(error.value)
