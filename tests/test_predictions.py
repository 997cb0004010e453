"""Predictions and the metrics made of them, against examples by hand and against torch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
import torch
from torch.nn import functional

from pruning.data import Data
from pruning.evaluation import accuracy_metrics, mask_metrics
from pruning.files import write_json, write_rows
from pruning.initialisation import draw_state
from pruning.masks import save_mask
from pruning.networks import build, prunable
from pruning.normalisation import normalise
from pruning.predictions import Predictions, from_logits, load_predictions, save_predictions
from pruning.training import COLUMNS, predict
from pruning.wiring import trace

# From logits


def test_top_holds_the_five_likeliest_classes_in_order() -> None:
    logits = np.array([[0.1, 0.9, -3, 0.5, 0.7, 0.3, 0.2], [6, 5, 4, 3, 2, 1, 0]], dtype=np.float32)
    assert from_logits(logits, np.array([0, 0])).top.tolist() == [[1, 4, 3, 5, 6], [0, 1, 2, 3, 4]]


def test_of_equally_likely_classes_the_lower_number_comes_first() -> None:
    logits = np.zeros((3, 40), dtype=np.float32)
    logits[1, [30, 20, 10]] = 1
    logits[2, 20:] = 1
    top = from_logits(logits, np.zeros(3, dtype=np.int64)).top
    assert top.tolist() == [[0, 1, 2, 3, 4], [10, 20, 30, 0, 1], [20, 21, 22, 23, 24]]


@pytest.mark.parametrize("scale", [1e-3, 1, 30, 1e4])
def test_log_probability_of_the_label_equals_that_of_scipy(scale: float) -> None:
    draw = np.random.default_rng(0)
    logits, labels = (draw.standard_normal((200, 10)) * scale).astype(np.float32), draw.integers(0, 10, 200)
    expected = scipy.special.log_softmax(logits.astype(np.float64), axis=1)[np.arange(200), labels]
    found = from_logits(logits, labels)
    np.testing.assert_allclose(found.log_probability, expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(found.label, labels)


def test_predictions_are_stored_in_the_types_that_are_documented() -> None:
    found = from_logits(np.zeros((4, 200), dtype=np.float32), np.array([0, 199, 5, 6]))
    assert (found.label.dtype, found.top.dtype, found.log_probability.dtype) == (np.int16, np.int16, np.float32)
    assert found.top.shape == (4, 5)
    assert found.label.tolist() == [0, 199, 5, 6]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_output_that_is_not_finite_answers_class_0_and_leaves_other_examples_alone(wrong: float) -> None:
    logits = np.array([[1, 2, 3, 4, 5, 6]] * 3, dtype=np.float32)
    logits[1, 3] = wrong
    found = from_logits(logits, np.array([5, 5, 0]))
    assert found.top.tolist() == [[5, 4, 3, 2, 1], [0, 1, 2, 3, 4], [5, 4, 3, 2, 1]]
    assert np.isnan(found.log_probability).tolist() == [False, True, False]
    metrics = accuracy_metrics(found)
    assert metrics["accuracy"] == pytest.approx(100 / 3)
    assert metrics["loss"] is None
    assert metrics["diverged"] is True


def test_saved_predictions_come_back_and_two_files_have_the_same_bytes(tmp_path: Path) -> None:
    logits = np.random.default_rng(1).standard_normal((50, 10))
    logits[7] = np.nan
    predictions = from_logits(logits, np.arange(50) % 10)
    for name in ("one.npz", "two.npz"):
        save_predictions(tmp_path / name, predictions)
    found = load_predictions(tmp_path / "one.npz")
    for key, value in vars(predictions).items():
        np.testing.assert_array_equal(getattr(found, key), value)
        assert getattr(found, key).dtype == value.dtype
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


# Metrics of accuracy


def test_accuracy_metrics_of_four_examples_by_hand() -> None:
    predictions = Predictions(
        label=np.array([3, 0, 7, 2], dtype=np.int16),
        top=np.array([[3, 1, 2, 4, 5], [1, 2, 3, 4, 0], [7, 0, 1, 2, 3], [9, 8, 7, 6, 5]], dtype=np.int16),
        log_probability=np.array([-0.25, -1.5, -0.5, -4], dtype=np.float32),
    )
    assert accuracy_metrics(predictions) == {
        "examples": 4,
        "accuracy": 50.0,
        "top5_accuracy": 75.0,
        "loss": 1.5625,
        "diverged": False,
        "collapsed": False,
    }


@pytest.mark.parametrize(("most_likely", "collapsed"), [([4, 4, 4], True), ([4, 4, 5], False)])
def test_network_that_gives_one_class_to_all_has_collapsed(most_likely: list[int], collapsed: bool) -> None:
    top = np.array([[first, 1, 2, 3, 0] for first in most_likely], dtype=np.int16)
    predictions = Predictions(np.array([4, 1, 2], np.int16), top, np.full(3, -1, np.float32))
    assert accuracy_metrics(predictions)["collapsed"] is collapsed


@pytest.mark.parametrize("architecture", ["lenet-300-100", "resnet20"])
def test_metrics_of_predictions_equal_those_of_torch_on_the_network(digits: Data, architecture: str) -> None:
    network = build(architecture, (8, 8, 1), 10)
    network.load_state_dict(draw_state(network, "kaiming-normal", 4))
    images = normalise(torch.from_numpy(digits.test.images), digits)
    labels = torch.from_numpy(digits.test.labels)
    found = accuracy_metrics(from_logits(predict(network, [images[:100], images[100:]]).numpy(), digits.test.labels))
    network.eval()
    with torch.no_grad():
        logits = network(images)
    in_top5 = (logits.topk(5).indices == labels[:, None]).any(1)
    assert found["examples"] == 360
    assert found["accuracy"] == pytest.approx(100 * (logits.argmax(1) == labels).double().mean().item())
    assert found["top5_accuracy"] == pytest.approx(100 * in_top5.double().mean().item())
    assert found["loss"] == pytest.approx(functional.cross_entropy(logits.double(), labels).item(), rel=1e-5)
    assert 0 < found["accuracy"] < found["top5_accuracy"] < 100


# Metrics of a mask: two input values, hidden layers of 3 and 2 units, 2 outputs, one bias a unit


def wiring() -> dict[str, Any]:
    return {
        "groups": {"input": 2, "first": 3, "second": 2, "output": 2},
        "output": "output",
        "connections": [
            {"tensor": "first.weight", "source": "input", "target": "first", "positions": 1},
            {"tensor": "second.weight", "source": "first", "target": "second", "positions": 4},
            {"tensor": "output.weight", "source": "second", "target": "output", "positions": 1},
        ],
        "parameters": 16 + 7,
        "prunable": 16,
    }


def mask_of(first: list[list[int]], second: list[list[int]], output: list[list[int]]) -> dict[str, np.ndarray]:
    layers = {"first.weight": first, "second.weight": second, "output.weight": output}
    return {name: np.array(rows, dtype=bool) for name, rows in layers.items()}


def test_mask_metrics_by_hand() -> None:
    # First layer: unit 1 has no input, unit 2 is read by nobody. Second layer: unit 1 reads only a dead unit.
    mask = mask_of([[1, 1], [0, 0], [0, 1]], [[1, 1, 0], [0, 1, 0]], [[1, 1], [0, 0]])
    assert mask_metrics(mask, wiring()) == {
        "prunable": 16,
        "kept": 8,
        "density": 50.0,
        "effective": 2 + 1 + 1,
        "effective_sparsity": 75.0,
        "disconnected": False,
        "empty_layers": 0,
        "neurons": 3 + 2 + 2,
        "neurons_without_incoming": 1 + 0 + 1,
        "neurons_without_outgoing": 1 + 0 + 0,
        "multiply_adds": 6 + 4 * 6 + 4,
        "multiply_adds_left": 3 + 4 * 3 + 2,
        "parameters": 23,
        "parameters_left": 23 - 8,
        "layers": [
            {
                "tensor": "first.weight",
                "shape": [3, 2],
                "weights": 6,
                "kept": 3,
                "pruned": 3,
                "density": 50.0,
                "effective": 2,
                "neurons": 3,
                "neurons_without_incoming": 1,
                "neurons_without_outgoing": 1,
                "multiply_adds": 6,
                "multiply_adds_left": 3,
            },
            {
                "tensor": "second.weight",
                "shape": [2, 3],
                "weights": 6,
                "kept": 3,
                "pruned": 3,
                "density": 50.0,
                "effective": 1,
                "neurons": 2,
                "neurons_without_incoming": 0,
                "neurons_without_outgoing": 0,
                "multiply_adds": 24,
                "multiply_adds_left": 12,
            },
            {
                "tensor": "output.weight",
                "shape": [2, 2],
                "weights": 4,
                "kept": 2,
                "pruned": 2,
                "density": 50.0,
                "effective": 1,
                "neurons": 2,
                "neurons_without_incoming": 1,
                "neurons_without_outgoing": 0,
                "multiply_adds": 4,
                "multiply_adds_left": 2,
            },
        ],
    }


def test_an_empty_layer_is_counted_and_leaves_no_effective_weight() -> None:
    found = mask_metrics(mask_of([[1, 1]] * 3, [[0, 0, 0]] * 2, [[1, 1]] * 2), wiring())
    assert found["empty_layers"] == 1
    assert found["kept"] == 10
    assert found["effective"] == 0
    assert found["effective_sparsity"] == 100.0
    assert found["layers"][1]["density"] == 0.0
    assert [layer["neurons_without_incoming"] for layer in found["layers"]] == [0, 2, 0]
    assert [layer["neurons_without_outgoing"] for layer in found["layers"]] == [3, 0, 0]


def test_a_full_mask_leaves_everything() -> None:
    found = mask_metrics(mask_of([[1, 1]] * 3, [[1, 1, 1]] * 2, [[1, 1]] * 2), wiring())
    assert (found["kept"], found["effective"], found["density"], found["effective_sparsity"]) == (16, 16, 100.0, 0.0)
    assert found["multiply_adds_left"] == found["multiply_adds"] == 34
    assert found["parameters_left"] == found["parameters"] == 23
    assert found["neurons_without_incoming"] == found["neurons_without_outgoing"] == found["empty_layers"] == 0


def test_a_finished_cell_of_resnet20_takes_at_most_300_kb(tmp_path: Path) -> None:
    """At worst: a mask without order that keeps half of the weights, predictions of chance, a long training.

    Weights are kept in the states of dense networks and of rounds alone.
    """
    shape, epochs, generator = (32, 32, 3), 160, np.random.default_rng(0)
    network = build("resnet20", shape, 10)
    mask = {name: generator.random(weight.shape) < 0.5 for name, weight in prunable(network).items()}
    save_mask(tmp_path / "mask.npz", mask, {})
    predictions = from_logits(generator.normal(size=(10_000, 10)), generator.integers(10, size=10_000))
    save_predictions(tmp_path / "predictions.npz", predictions)
    rows = [{name: generator.random() for name in COLUMNS} for _ in range(epochs)]
    write_rows(tmp_path / "training.csv", COLUMNS, rows)
    lines = ["2026-01-01 00:00:00 " + " ".join(f"{name}={row[name]:.6g}" for name in COLUMNS) for row in rows]
    (tmp_path / "train.log").write_text("\n".join(lines))
    metrics = {**accuracy_metrics(predictions), **mask_metrics(mask, trace(network, shape))}
    write_json(tmp_path / "evaluation.json", metrics)
    # Three records of recipe, versions and machine come with these.
    assert 100_000 < sum(file.stat().st_size for file in tmp_path.iterdir()) + 3 * 5_000 <= 300_000
