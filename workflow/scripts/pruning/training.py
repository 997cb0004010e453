"""Training a masked network. The whole of it is on this page: schedule, update, loop.

Learning rate, order of the data and augmentation are functions of (seed, update number) alone. So a run that takes up
at update k sees the batches that a run from 0 sees from k on, and a run that was killed goes on to the same bytes.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pruning.batches import Batches
from pruning.cuda_graph import graphed, own_stream
from pruning.masks import Mask
from pruning.networks import prunable
from pruning.states import Progress, State, copy_state, copy_tensors


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
    precision: str = "fp32"
    """bf16: products and convolutions forward and backward in bfloat16. Weights, their updates, batch norm's statistics
    and the loss are float32 always, and so are scores. (tf32 is a switch of torch's: `network_job`)"""

    @classmethod
    def read(cls, settings: Mapping[str, Any]) -> "Recipe":
        """The recipe in `settings`, which may say more."""
        named = {field.name: settings[field.name] for field in fields(cls)}
        return cls(**{**named, "milestones": tuple(named["milestones"])})


Rows = list[dict[str, float | int]]
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


def train(
    network: nn.Module,
    mask: Mask,
    recipe: Recipe,
    batches: Batches,
    start: Progress,
    stop: int | None = None,
    after_epoch: Callable[[Rows, Callable[[], Progress]], None] = lambda *_: None,
) -> Progress:
    """Train `network` under `mask` from `start` to update `stop` (default: the end of the schedule).

    Plain SGD as in torch: d = gradient + weight_decay * w; v = momentum * v + d; w = w - learning_rate * v. Weights
    that the mask removes start at 0 and have no gradient, so neither decay nor momentum moves them: they are 0 whenever
    anything reads them. Stops early, at the end of an epoch, once the loss is not finite; that is a result. After every
    epoch, `after_epoch` is given the rows so far, and a function for the progress from which the run can go on.
    """
    device = batches.labels.device
    network.load_state_dict(start.state)
    masks = {name: bit_mask(weight, mask[name]) for name, weight in prunable(network).items()}
    for name, weight in prunable(network).items():
        apply_mask(weight, masks[name])
    parameters = dict(network.named_parameters())
    weights = {name: parameter.detach() for name, parameter in parameters.items()}
    # In memory as the weights are, so that an update reads both in one order.
    velocity = {name: torch.empty_like(weight).copy_(start.velocity[name]) for name, weight in weights.items()}
    loss_sum, correct = torch.zeros((), device=device), torch.zeros((), device=device)
    an_epoch = updates_an_epoch(len(batches.labels), recipe.batch_size)
    stop = recipe.epochs * an_epoch if stop is None else stop
    update, rows = start.update, list(start.rows)

    def learn(images: Tensor, labels: Tensor, rate: Tensor) -> None:
        """One update, of `loss_sum` and `correct` too."""
        logits = outputs(network, images, recipe.precision)
        loss = functional.cross_entropy(logits, labels)
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        sgd_update(parameters, gradients, velocity, masks, recipe, rate)
        loss_sum.add_(loss.detach() * len(labels))
        correct.add_((logits.detach().argmax(1) == labels).sum())

    def now() -> Progress:
        return Progress(update, copy_state(network), copy_tensors(velocity), list(rows))

    learn_in_one_launch = graphed(learn, recipe.batch_size, device)
    with own_stream(device):
        while update < stop and not diverged(rows):
            began = time.perf_counter()
            epoch, first = divmod(update, an_epoch)
            loss_sum.zero_()
            correct.zero_()
            seen = 0
            network.train()
            for images, labels in batches.epoch(epoch, first):
                rate = learning_rate(recipe, update)
                learn_in_one_launch(images, labels, torch.full((), rate, device=device))
                seen, update = seen + len(labels), update + 1
                if update == stop:
                    break
            test_loss, test_accuracy = test(network, batches, recipe.precision)
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
            after_epoch(rows, now)
    return now()


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
    rate: Tensor,
) -> None:
    """One step of SGD with momentum and weight decay, in place; `gradients` are used up, `masks` are bit masks.

    `torch._foreach_` does to each tensor of a list what its name says: on a GPU, to all of them in one launch.
    """
    weights: list[Tensor] = list(parameters.values())
    directions, velocities = list(gradients), list(velocity.values())
    for name, gradient in zip(parameters, gradients, strict=True):
        if name in masks:
            apply_mask(gradient, masks[name])
    if recipe.weight_decay:
        torch._foreach_add_(directions, weights, alpha=recipe.weight_decay)
    if recipe.momentum:
        torch._foreach_mul_(velocities, recipe.momentum)
        torch._foreach_add_(velocities, directions)
        directions = velocities
    for weight, direction in zip(weights, directions, strict=True):
        weight.addcmul_(direction, rate, value=-1)


def diverged(rows: Rows) -> bool:
    """Whether the last finished epoch had a training loss that is not finite."""
    return bool(rows) and not np.isfinite(rows[-1]["train_loss"])


def outputs(network: nn.Module, images: Tensor, precision: str) -> Tensor:
    """Float32 logits, computed in `precision`."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bf16"):
        logits: Tensor = network(images)
    return logits.float()


@torch.no_grad()
def predict(network: nn.Module, batches: Iterable[Tensor], precision: str = "fp32") -> Tensor:
    """Logits for the images of all `batches`, batch norm in evaluation mode."""
    network.eval()
    return torch.cat([outputs(network, images, precision) for images in batches])


def test(network: nn.Module, batches: Batches, precision: str) -> tuple[float, float]:
    """Mean cross-entropy and accuracy in percent on the whole test set."""
    logits = predict(network, batches.test(), precision)
    loss = functional.cross_entropy(logits, batches.test_labels)
    return loss.item(), 100 * (logits.argmax(1) == batches.test_labels).double().mean().item()


def from_state(network: nn.Module, state: State, update: int) -> Progress:
    """The start of a run that takes up at `update` from `state`: momentum starts at 0."""
    velocity = {name: torch.zeros_like(state[name]) for name, _ in network.named_parameters()}
    return Progress(update, state, velocity)
