"""Predictions: for each test example the label, the five most likely classes and the log-probability of the label.

Enough for every metric, and read without torch.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pruning.files import read_arrays, write_arrays

TOP = 5


@dataclass(frozen=True)
class Predictions:
    label: np.ndarray
    """(examples,), int16"""
    top: np.ndarray
    """(examples, 5), int16: classes, the most likely first; of equally likely ones the lower number first"""
    log_probability: np.ndarray
    """(examples,), float32: of the label; not finite where the network's output is not"""


def from_logits(logits: np.ndarray, labels: np.ndarray) -> Predictions:
    """Predictions from logits (examples, classes).

    An output that is not finite says nothing about the class: it counts as the same logit for all, so that a diverged
    network scores as one that always answers class 0, and its log-probability is NaN.
    """
    finite = np.isfinite(logits).all(axis=1)
    logits = np.where(finite[:, None], logits, 0).astype(np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    of_label = log_probabilities[np.arange(len(labels)), labels].astype(np.float32)
    return Predictions(
        label=labels.astype(np.int16),
        top=np.argsort(-logits, axis=1, kind="stable")[:, :TOP].astype(np.int16),
        log_probability=np.where(finite, of_label, np.float32(np.nan)),
    )


def save_predictions(path: str | Path, predictions: Predictions) -> None:
    write_arrays(path, vars(predictions))


def load_predictions(path: str | Path) -> Predictions:
    return Predictions(**read_arrays(path))
