"""Training a masked network. The whole of it is on this page: schedule, batches, update, loop.

Learning rate, order of the data and augmentation are functions of (seed, update number) alone. So a run that takes up
at update k sees the batches that a run from 0 sees from k on, and a run that was killed goes on to the same bytes.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pruning.data import Data
from pruning.masks import Mask
from pruning.networks import prunable
from pruning.normalisation import normalise
from pruning.states import Progress, State, copy_state, copy_tensors
from pruning.streams import stream

CHUNK = 500
"""test images that go through the network at once"""
FRAME = 4
"""zero pixels around an image from which a crop is taken"""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. Steps count updates."""

    epochs: int
    batch_size: int
    learning_rate: float
    milestones: tuple[int, ...]
    """updates from which the learning rate is ten times lower"""
    warmup: int
    """updates over which it rises from 0"""
    momentum: float
    weight_decay: float

    @classmethod
    def read(cls, settings: Mapping[str, Any]) -> "Recipe":
        """The recipe in `settings`, which may say more."""
        named = {field.name: settings[field.name] for field in fields(cls)}
        return cls(**{**named, "milestones": tuple(named["milestones"])})


COLUMNS = (
    "epoch",
    "update",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "seconds",
)


def learning_rate(recipe: Recipe, update: int) -> float:
    """base * 0.1^(milestones passed) * min(1, update / warmup)   (authors' code)"""
    rate = recipe.learning_rate * 0.1 ** sum(milestone <= update for milestone in recipe.milestones)
    return rate * min(1.0, update / recipe.warmup) if recipe.warmup else rate


def updates_an_epoch(examples: int, batch_size: int) -> int:
    """The last batch of an epoch is smaller, never dropped."""
    return -(-examples // batch_size)


class Resident:
    """A dataset on the device: the batches of any epoch of a seed, and the test set."""

    def __init__(self, data: Data, batch_size: int, seed: int, device: torch.device) -> None:
        self.data, self.batch_size, self.seed = data, batch_size, seed
        self.images = torch.from_numpy(data.train.images).to(device)
        self.labels = torch.from_numpy(data.train.labels).to(device)
        self.test_images = normalise(torch.from_numpy(data.test.images).to(device), data)
        self.test_labels = torch.from_numpy(data.test.labels).to(device)
        self.augmented = data.augmentation == "flip and crop"
        if not self.augmented:
            self.images = normalise(self.images, data)

    def epoch(self, epoch: int, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches `first` and later of an epoch: normalised images and labels."""
        device, examples = self.images.device, len(self.labels)
        order = torch.from_numpy(stream(self.seed, "data order", epoch).permutation(examples)).to(device)
        if self.augmented:
            rows, columns = (index.to(device) for index in self._crops(epoch))
        for start in range(first * self.batch_size, examples, self.batch_size):
            chosen = order[start : start + self.batch_size]
            if self.augmented:
                framed = functional.pad(self.images[chosen], (0, 0, FRAME, FRAME, FRAME, FRAME))
                picked = torch.arange(len(chosen), device=device)[:, None, None]
                images = framed[picked, rows[chosen][:, :, None], columns[chosen][:, None, :]]
                yield normalise(images, self.data), self.labels[chosen]
            else:
                yield self.images[chosen], self.labels[chosen]

    def _crops(self, epoch: int) -> tuple[Tensor, Tensor]:
        """For each image, which rows and columns of the framed image are its crop; a mirrored one runs backwards."""
        draw = stream(self.seed, "augmentation", epoch)
        examples, height, width = self.images.shape[:3]
        mirrored = draw.random(examples) < 0.5
        top, left = draw.integers(0, 2 * FRAME + 1, (2, examples))
        rows = top[:, None] + np.arange(height)
        columns = left[:, None] + np.arange(width)
        columns = np.where(mirrored[:, None], width + 2 * FRAME - 1 - columns, columns)
        return torch.from_numpy(rows), torch.from_numpy(columns)


def train(
    network: nn.Module,
    mask: Mask,
    recipe: Recipe,
    resident: Resident,
    start: Progress,
    stop: int | None = None,
    after_epoch: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Train `network` under `mask` from `start` to update `stop` (default: the end of the schedule).

    Plain SGD as in torch: d = gradient + weight_decay * w; v = momentum * v + d; w = w - learning_rate * v. Weights
    that the mask removes start at 0 and have no gradient, so neither decay nor momentum moves them: they are 0 whenever
    anything reads them. Stops early, at the end of an epoch, once the loss is not finite; that is a result. After every
    epoch, `after_epoch` is given a progress from which the run can go on.
    """
    device = resident.labels.device
    network.load_state_dict(start.state)
    masks = {name: bit_mask(weight, mask[name]) for name, weight in prunable(network).items()}
    for name, weight in prunable(network).items():
        apply_mask(weight, masks[name])
    parameters = dict(network.named_parameters())
    velocity = {name: start.velocity[name].to(device, copy=True) for name in parameters}
    an_epoch = updates_an_epoch(len(resident.labels), recipe.batch_size)
    stop = recipe.epochs * an_epoch if stop is None else stop
    update, rows = start.update, list(start.rows)

    while update < stop and not diverged(rows):
        began = time.perf_counter()
        epoch, first = divmod(update, an_epoch)
        loss_sum, correct, seen = torch.zeros((), device=device), torch.zeros((), device=device), 0
        network.train()
        for images, labels in resident.epoch(epoch, first):
            logits = network(images)
            loss = functional.cross_entropy(logits, labels)
            gradients = torch.autograd.grad(loss, list(parameters.values()))
            rate = learning_rate(recipe, update)
            sgd_update(parameters, gradients, velocity, masks, recipe, rate)
            loss_sum += loss.detach() * len(labels)
            correct += (logits.detach().argmax(1) == labels).sum()
            seen, update = seen + len(labels), update + 1
            if update == stop:
                break
        test_loss, test_accuracy = test(network, resident)
        rows.append(
            {
                "epoch": epoch + 1,
                "update": update,
                "learning_rate": rate,
                "train_loss": loss_sum.item() / seen,
                "train_accuracy": 100 * correct.item() / seen,
                "test_loss": test_loss,
                "test_accuracy": test_accuracy,
                "seconds": time.perf_counter() - began,
            }
        )
        after_epoch(Progress(update, copy_state(network), copy_tensors(velocity), list(rows)))
    return Progress(update, copy_state(network), copy_tensors(velocity), rows)


def bit_mask(weight: Tensor, kept: np.ndarray) -> Tensor:
    """A mask as the bits that it leaves of a float32: all (-1) where a weight is kept, none (0) where it is not."""
    return torch.empty_like(weight, dtype=torch.int32).copy_(-torch.from_numpy(kept).int())


def apply_mask(values: Tensor, bits: Tensor) -> None:
    """Zero in place what `bits` do not keep: exactly, also where it is not finite, which a product would leave."""
    values.detach().view(torch.int32).bitwise_and_(bits)


@torch.no_grad()
def sgd_update(
    parameters: dict[str, nn.Parameter],
    gradients: tuple[Tensor, ...],
    velocity: dict[str, Tensor],
    masks: dict[str, Tensor],
    recipe: Recipe,
    rate: float,
) -> None:
    """One step of SGD with momentum and weight decay, in place; `gradients` are used up, `masks` are bit masks."""
    for (name, parameter), gradient in zip(parameters.items(), gradients, strict=True):
        if name in masks:
            apply_mask(gradient, masks[name])
        if recipe.weight_decay:
            gradient.add_(parameter, alpha=recipe.weight_decay)
        if recipe.momentum:
            gradient = velocity[name].mul_(recipe.momentum).add_(gradient)
        parameter.add_(gradient, alpha=-rate)


def diverged(rows: list[dict[str, float | int]]) -> bool:
    """Whether the last finished epoch had a training loss that is not finite."""
    return bool(rows) and not np.isfinite(rows[-1]["train_loss"])


@torch.no_grad()
def predict(network: nn.Module, images: Tensor) -> Tensor:
    """Logits for all `images`, batch norm in evaluation mode."""
    network.eval()
    return torch.cat([network(images[start : start + CHUNK]) for start in range(0, len(images), CHUNK)])


def test(network: nn.Module, resident: Resident) -> tuple[float, float]:
    """Mean cross-entropy and accuracy in percent on the whole test set."""
    logits = predict(network, resident.test_images)
    loss = functional.cross_entropy(logits, resident.test_labels)
    return loss.item(), 100 * (logits.argmax(1) == resident.test_labels).double().mean().item()


def from_state(network: nn.Module, state: State, update: int) -> Progress:
    """The start of a run that takes up at `update` from `state`: momentum starts at 0."""
    velocity = {name: torch.zeros_like(state[name]) for name, _ in network.named_parameters()}
    return Progress(update, state, velocity)
