"""Training: against a plain loop in torch, against arithmetic by hand, and against itself where bytes must repeat."""

import ctypes
import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import pruning
from pruning import batches, training
from pruning.batches import Resident
from pruning.data import Data
from pruning.datasets import Split
from pruning.initialisation import draw_state
from pruning.masks import Mask
from pruning.networks import build, prunable
from pruning.states import Progress, State
from pruning.streams import stream
from pruning.training import Recipe, from_state, learning_rate, train

RECIPE = Recipe(
    epochs=3, batch_size=64, learning_rate=0.1, milestones=(30,), warmup=10, momentum=0.9, weight_decay=5e-3
)
"""On the digits: 23 updates an epoch, 69 in all."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def coloured(train: int, test: int = 20) -> Data:
    """Noise images of 8 x 8 colour pixels, none of them zero, to be augmented."""
    draw = np.random.default_rng(0)
    splits = [
        Split(draw.integers(1, 256, (size, 8, 8, 3), dtype=np.uint8), np.arange(size) % 10) for size in (train, test)
    ]
    mean, deviation = np.array([0.5, 0.4, 0.3], dtype=np.float32), np.array([0.25, 0.2, 0.3], dtype=np.float32)
    return Data(*splits, 10, 255.0, mean, deviation, "flip and crop", "noise")


def lenet() -> nn.Module:
    return build("lenet-300-100", (8, 8, 1), 10)


def conv_net(channels: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 8, 3, stride=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 3 * 3, 10),
    )


def random_mask(network: nn.Module, density: float = 0.4) -> Mask:
    draw = np.random.default_rng(1)
    return {name: draw.random(tuple(weight.shape)) < density for name, weight in prunable(network).items()}


def resident(data: Data, batch_size: int = RECIPE.batch_size, seed: int = 7) -> Resident:
    return Resident(data, batch_size, seed, torch.device("cpu"))


class Run:
    """A masked network, its start and its dataset, made afresh: what a new process would have."""

    def __init__(self, data: Data, make: Callable[[], nn.Module], recipe: Recipe = RECIPE, seed: int = 7) -> None:
        self.network, self.recipe = make(), recipe
        self.mask = random_mask(self.network)
        self.state = draw_state(self.network, "kaiming-normal", seed)
        self.resident = resident(data, recipe.batch_size, seed)
        self.images: list[Tensor] = []
        self.logits: list[Tensor] = []
        self.network.register_forward_hook(self.record)

    def record(self, network: nn.Module, inputs: tuple[Tensor], logits: Tensor) -> None:
        if network.training:
            self.images.append(inputs[0])
            self.logits.append(logits.detach())

    def go(
        self,
        start: Progress | None = None,
        stop: int | None = None,
        after_epoch: Callable[[Progress], None] = lambda _: None,
    ) -> Progress:
        start = start or from_state(self.network, self.state, 0)
        return train(
            self.network, self.mask, self.recipe, self.resident, start, stop, lambda _, now: after_epoch(now())
        )


def without_seconds(rows: list[dict]) -> list[dict]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def assert_same_bytes(found: State, expected: State) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].numpy().tobytes() == value.numpy().tobytes(), name


def assert_same_run(found: Progress, expected: Progress) -> None:
    assert found.update == expected.update
    assert_same_bytes(found.state, expected.state)
    assert_same_bytes(found.velocity, expected.velocity)
    assert without_seconds(found.rows) == without_seconds(expected.rows)


def normalised(images: np.ndarray, data: Data) -> Tensor:
    return torch.from_numpy(((images / data.scale - data.mean) / data.deviation).transpose(0, 3, 1, 2)).float()


# Updates and schedule


def plain_loop(run: Run, data: Data, updates: int) -> Iterator[tuple[Tensor, Tensor, State]]:
    """Logits, labels and state of each update with torch's own optimiser and the mask in the forward product."""
    network, recipe = run.network, run.recipe
    network.load_state_dict(run.state)
    parameters = dict(network.named_parameters())
    masks = {name: torch.from_numpy(array) for name, array in run.mask.items()}
    optimiser = torch.optim.SGD(parameters.values(), lr=1, momentum=recipe.momentum, weight_decay=recipe.weight_decay)
    images, labels = normalised(data.train.images, data), torch.from_numpy(data.train.labels)
    network.train()
    for update in range(updates):
        epoch, batch = divmod(update, 23)
        order = stream(7, "data order", epoch).permutation(len(labels))
        chosen = order[64 * batch : 64 * (batch + 1)]
        masked = {name: value * masks[name] if name in masks else value for name, value in parameters.items()}
        logits = torch.func.functional_call(network, masked, images[chosen])
        optimiser.zero_grad()
        functional.cross_entropy(logits, labels[chosen]).backward()
        optimiser.param_groups[0]["lr"] = 0.1 * min(1, update / 10) * (0.1 if update >= 30 else 1)
        optimiser.step()
        masked = {name: value * masks[name] if name in masks else value for name, value in parameters.items()}
        yield logits.detach(), labels[chosen], {**network.state_dict(), **masked}


@pytest.mark.parametrize("make", [lenet, conv_net])
@pytest.mark.parametrize(("momentum", "weight_decay"), [(0.9, 5e-3), (0.0, 0.0)])
def test_updates_equal_those_of_a_plain_torch_loop(
    digits: Data, make: Callable[[], nn.Module], momentum: float, weight_decay: float
) -> None:
    recipe = replace(RECIPE, momentum=momentum, weight_decay=weight_decay)
    run, plain = Run(digits, make, recipe), Run(digits, make, recipe)
    found = run.go(stop=40)
    expected = list(plain_loop(plain, digits, 40))
    assert len(run.logits) == 40
    for logits, (expected_logits, _, _) in zip(run.logits, expected, strict=True):
        torch.testing.assert_close(logits, expected_logits, rtol=1e-4, atol=1e-4)
    for name, value in expected[-1][2].items():
        torch.testing.assert_close(found.state[name], value.detach(), rtol=1e-4, atol=1e-5)
    for row, part in zip(found.rows, (expected[:23], expected[23:]), strict=True):
        logits, labels = torch.cat([x for x, _, _ in part]), torch.cat([x for _, x, _ in part])
        assert row["train_loss"] == pytest.approx(functional.cross_entropy(logits, labels).item(), rel=1e-4)
        assert row["train_accuracy"] == pytest.approx(100 * (logits.argmax(1) == labels).double().mean().item())
    assert [row["learning_rate"] for row in found.rows] == [pytest.approx(0.1), pytest.approx(0.01)]


LENET = Recipe(40, 128, 0.1, (), 0, 0.0, 0.0)
RESNET20 = Recipe(160, 128, 0.1, (80 * 391, 120 * 391), 0, 0.9, 1e-4)
RESNET18 = Recipe(200, 256, 0.2, (100 * 391, 150 * 391), 5 * 391, 0.9, 1e-4)
RESNET50 = Recipe(90, 1024, 0.4, (30 * 1252, 60 * 1252, 80 * 1252), 5 * 1252, 0.9, 1e-4)


@pytest.mark.parametrize(
    ("recipe", "update", "rate"),
    [
        (LENET, 0, 0.1),
        (LENET, 18_759, 0.1),
        (RESNET20, 0, 0.1),
        (RESNET20, 31_279, 0.1),
        (RESNET20, 31_280, 0.01),
        (RESNET20, 46_919, 0.01),
        (RESNET20, 46_920, 0.001),
        (RESNET20, 62_559, 0.001),
        (RESNET18, 0, 0.0),
        (RESNET18, 1, 0.2 / 1955),
        (RESNET18, 391, 0.04),
        (RESNET18, 1954, 0.2 * 1954 / 1955),
        (RESNET18, 1955, 0.2),
        (RESNET18, 39_100, 0.02),
        (RESNET18, 58_650, 0.002),
        (RESNET50, 3130, 0.2),
        (RESNET50, 6260, 0.4),
        (RESNET50, 37_559, 0.4),
        (RESNET50, 37_560, 0.04),
        (RESNET50, 100_160, 0.0004),
    ],
)
def test_learning_rate_of_the_papers_recipes(recipe: Recipe, update: int, rate: float) -> None:
    assert learning_rate(recipe, update) == pytest.approx(rate, rel=1e-12)


@pytest.mark.parametrize(
    ("examples", "batch_size", "updates"),
    [(60_000, 128, 469), (50_000, 128, 391), (1_281_167, 1024, 1252), (1437, 64, 23), (128, 64, 2), (63, 64, 1)],
)
def test_updates_an_epoch_count_the_smaller_last_batch(examples: int, batch_size: int, updates: int) -> None:
    assert training.updates_an_epoch(examples, batch_size) == updates


def test_last_smaller_batch_of_every_epoch_is_trained_on(digits: Data) -> None:
    run = Run(digits, lenet)
    assert [row["update"] for row in run.go(stop=46).rows] == [23, 46]
    assert [len(images) for images in run.images] == 2 * ([64] * 22 + [29])


# Pruned weights


def test_pruned_weights_are_zero_whenever_a_layer_reads_them(digits: Data) -> None:
    run = Run(digits, conv_net)
    reads = []

    def check(module: nn.Module, name: str) -> None:
        pruned = module.weight[~torch.from_numpy(run.mask[name])]
        reads.append((name, len(pruned) > 0 and bool((pruned == 0).all())))

    for name, module in run.network.named_modules():
        if f"{name}.weight" in run.mask:
            assert (run.state[f"{name}.weight"] != 0).all()
            module.register_forward_pre_hook(lambda module, _, name=f"{name}.weight": check(module, name))
    states = []
    states.append(run.go(after_epoch=lambda progress: states.append(progress)))
    assert len(reads) == 3 * (69 + 3)  # three layers; 69 updates and a test an epoch
    assert all(zero for _, zero in reads)
    assert len(states) == 4
    for progress in states:
        for name, array in run.mask.items():
            assert (progress.state[name][~torch.from_numpy(array)] == 0).all()
            assert (progress.state[name][torch.from_numpy(array)] != run.state[name][torch.from_numpy(array)]).all()
            assert (progress.velocity[name][~torch.from_numpy(array)] == 0).all()


def test_pruned_weights_stay_zero_in_a_run_that_diverges(digits: Data) -> None:
    run = Run(digits, conv_net, replace(RECIPE, learning_rate=1e10, warmup=0))
    end = run.go()
    assert training.diverged(end.rows)
    for name, array in run.mask.items():
        assert (end.state[name][~torch.from_numpy(array)] == 0).all(), name


@pytest.mark.parametrize("update", [0, 30])
def test_training_starts_from_the_given_state_with_pruned_weights_zero(digits: Data, update: int) -> None:
    run = Run(digits, conv_net)
    begun = run.go(from_state(run.network, run.state, update), stop=update)
    assert begun.rows == []
    for name, value in run.state.items():
        torch.testing.assert_close(
            begun.state[name], value * torch.from_numpy(run.mask[name]) if name in run.mask else value, rtol=0, atol=0
        )


def test_training_leaves_the_given_start_as_it_was(digits: Data) -> None:
    run = Run(digits, conv_net)
    start = from_state(run.network, run.state, 0)
    before = {name: value.clone() for name, value in start.state.items()}
    run.go(start, stop=5)
    assert_same_bytes(start.state, before)
    assert not any(value.any() for value in start.velocity.values())
    assert start.rows == []


# Taking up at an update


@pytest.mark.parametrize("update", [30, 46])
@pytest.mark.parametrize("augmented", [False, True])
def test_run_that_takes_up_at_an_update_sees_the_batches_of_a_run_from_0(
    digits: Data, augmented: bool, update: int
) -> None:
    data, make = (coloured(1437), lambda: conv_net(3)) if augmented else (digits, lenet)
    whole, later = Run(data, make), Run(data, make)
    whole.go()
    later.go(from_state(later.network, later.state, update))
    assert len(whole.images) == 69
    assert len(later.images) == 69 - update
    for found, expected in zip(later.images, whole.images[update:], strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize(("update", "rate"), [(5, 0.05), (35, 0.01)])
def test_first_update_after_taking_up_has_no_momentum_and_the_learning_rate_of_that_update(
    digits: Data, update: int, rate: float
) -> None:
    run = Run(digits, lenet)
    found = run.go(from_state(run.network, run.state, update), stop=update + 1)
    epoch, batch = divmod(update, 23)
    chosen = stream(7, "data order", epoch).permutation(1437)[64 * batch : 64 * (batch + 1)]
    masks = {name: torch.from_numpy(array) for name, array in run.mask.items()}
    start = {name: (value * masks.get(name, 1)).requires_grad_() for name, value in run.state.items()}
    logits = torch.func.functional_call(lenet(), start, normalised(digits.train.images[chosen], digits))
    loss = functional.cross_entropy(logits, torch.from_numpy(digits.train.labels[chosen]))
    for (name, value), gradient in zip(start.items(), torch.autograd.grad(loss, list(start.values())), strict=True):
        expected = value - rate * (gradient * masks.get(name, 1) + 5e-3 * value)
        torch.testing.assert_close(found.state[name], expected.detach(), rtol=1e-5, atol=1e-6)


# Stopping, and going on


@pytest.mark.parametrize("step", [0, 1, 23, 40])
def test_state_after_exactly_that_many_updates(digits: Data, step: int) -> None:
    longer = Run(digits, conv_net)
    states: list[State] = []

    def capture(network: nn.Module, inputs: tuple[Tensor]) -> None:
        if network.training:
            states.append({name: value.clone() for name, value in network.state_dict().items()})

    longer.network.register_forward_pre_hook(capture)
    longer.go(stop=step + 2)
    stopped = Run(digits, conv_net).go(stop=step)
    assert stopped.update == step
    assert_same_bytes(stopped.state, states[step])
    assert any((states[step][name] != states[step + 1][name]).any() for name in longer.state)


class Killed(Exception):
    """What ends a run in the middle of an update."""


@pytest.mark.parametrize("kill_at", [*np.random.default_rng(3).integers(0, 69, 3).tolist(), 22, 23, 68])
def test_killed_run_goes_on_from_its_last_epoch_to_the_same_bytes(kill_at: int) -> None:
    data = coloured(1437)
    undisturbed = Run(data, lambda: conv_net(3)).go()
    assert undisturbed.update == 69

    killed, kept = Run(data, lambda: conv_net(3)), []

    def kill(network: nn.Module, inputs: tuple[Tensor], logits: Tensor) -> None:
        if network.training and len(killed.images) == kill_at + 1:
            raise Killed

    killed.network.register_forward_hook(kill)
    with pytest.raises(Killed):
        killed.go(after_epoch=kept.append)
    assert len(kept) == kill_at // 23

    resumed = Run(data, lambda: conv_net(3))
    assert_same_run(resumed.go(kept[-1] if kept else None), undisturbed)


def test_run_that_stops_at_the_end_of_an_epoch_goes_on_to_the_same_bytes(digits: Data) -> None:
    undisturbed = Run(digits, conv_net).go()
    stopped = Run(digits, conv_net).go(stop=46)
    assert [row["update"] for row in stopped.rows] == [23, 46]
    assert_same_run(Run(digits, conv_net).go(stopped), undisturbed)


def test_run_that_stops_within_an_epoch_goes_on_to_the_same_state_and_later_rows(digits: Data) -> None:
    undisturbed = Run(digits, conv_net).go()
    stopped = Run(digits, conv_net).go(stop=30)
    assert [row["update"] for row in stopped.rows] == [23, 30]
    resumed = Run(digits, conv_net).go(stopped)
    assert_same_bytes(resumed.state, undisturbed.state)
    assert_same_bytes(resumed.velocity, undisturbed.velocity)
    assert [row["update"] for row in resumed.rows] == [23, 30, 46, 69]
    assert without_seconds(resumed.rows[3:]) == without_seconds(undisturbed.rows[2:])
    for key in ("epoch", "update", "learning_rate", "test_loss", "test_accuracy"):
        assert resumed.rows[2][key] == undisturbed.rows[1][key]


def test_every_epoch_is_a_row_with_all_columns_and_given_to_after_epoch(digits: Data) -> None:
    seen: list[Progress] = []
    end = Run(digits, lenet).go(after_epoch=seen.append)
    assert [row["epoch"] for row in end.rows] == [1, 2, 3]
    assert all(tuple(row) == training.COLUMNS for row in end.rows)
    assert [(progress.update, len(progress.rows)) for progress in seen] == [(23, 1), (46, 2), (69, 3)]
    assert_same_run(seen[-1], end)


# Batches and augmentation


def labelled_by_number(data: Data) -> Data:
    """`data` with each training image's number for its label, so that a batch says which images it holds."""
    return replace(data, train=Split(data.train.images, np.arange(len(data.train.labels))))


def epoch_of(data: Data, epoch: int = 0, seed: int = 7, batch_size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """The pixels (bytes) that an epoch shows, and the numbers of the images, in the order in which they come."""
    images, numbers = zip(*resident(labelled_by_number(data), batch_size, seed).epoch(epoch, 0), strict=True)
    values = (torch.cat(images).permute(0, 2, 3, 1).double().numpy() * data.deviation + data.mean) * data.scale
    assert np.abs(values - values.round()).max() < 1e-3
    return values.round().astype(np.uint8), torch.cat(numbers).numpy()


def test_every_epoch_shows_every_image_once_unaltered_where_there_is_no_augmentation(digits: Data) -> None:
    for epoch in (0, 1):
        pixels, numbers = epoch_of(digits, epoch)
        assert sorted(numbers) == list(range(1437))
        np.testing.assert_array_equal(pixels, digits.train.images[numbers])


def test_augmented_images_are_all_81_crops_and_their_mirror_images_equally_often() -> None:
    data = coloured(8100)
    pixels, numbers = epoch_of(data)
    framed = np.zeros((8100, 16, 16, 3), dtype=np.uint8)
    framed[:, 4:12, 4:12] = data.train.images[numbers]
    hits = np.array(
        [
            (pixels == version[:, top : top + 8, left : left + 8]).all((1, 2, 3))
            for version in (framed, framed[:, :, ::-1])
            for top in range(9)
            for left in range(9)
        ]
    )
    assert (hits.sum(0) == 1).all()
    assert hits.sum(1).min() > 0
    assert ((hits.sum(1) - 50) ** 2 / 50).sum() < 230  # chi-squared of 162 cells: above this in 1 of 3500 fair draws


def test_frame_of_a_crop_has_the_value_of_a_zero_pixel_not_of_a_mean_pixel() -> None:
    data = coloured(300)
    data.train.images[:] = 255
    shown = torch.cat([images for images, _ in resident(data).epoch(0, 0)])
    for channel, (mean, deviation) in enumerate([(0.5, 0.25), (0.4, 0.2), (0.3, 0.3)]):
        values = np.unique(shown[:, channel].numpy().round(5))
        np.testing.assert_allclose(values, [-mean / deviation, (1 - mean) / deviation], atol=1e-4)


@pytest.mark.parametrize("augmented", [False, True])
def test_what_an_epoch_shows_depends_on_seed_and_epoch_alone(digits: Data, augmented: bool) -> None:
    data = coloured(1437) if augmented else digits
    pixels, numbers = epoch_of(data, epoch=1)
    for batch_size in (64, 100):
        np.random.seed(batch_size)  # noqa: NPY002
        torch.manual_seed(batch_size)
        again, same_numbers = epoch_of(data, epoch=1, batch_size=batch_size)
        np.testing.assert_array_equal(again, pixels)
        np.testing.assert_array_equal(same_numbers, numbers)
    for epoch, seed in ((0, 7), (2, 7), (1, 8), (1, 6), (0, 8), (7, 1)):
        other, other_numbers = epoch_of(data, epoch, seed)
        assert (numbers == other_numbers).mean() < 0.02
        if augmented:
            a_number = np.argsort(numbers), np.argsort(other_numbers)
            assert (pixels[a_number[0]] == other[a_number[1]]).all((1, 2, 3)).mean() < 0.05  # by chance 1 in 162


# Divergence and test metrics


def test_loss_that_is_not_finite_ends_the_run_with_its_row(digits: Data) -> None:
    recipe = replace(RECIPE, learning_rate=1e10, warmup=0, epochs=20)
    end = Run(digits, conv_net, recipe).go()
    assert training.diverged(end.rows)
    assert not np.isfinite(end.rows[-1]["train_loss"])
    assert all(np.isfinite(row["train_loss"]) for row in end.rows[:-1])
    assert end.update == 23 * len(end.rows) < 23 * 20
    assert_same_run(Run(digits, conv_net, recipe).go(end), end)


def test_run_that_ends_well_has_not_diverged(digits: Data) -> None:
    end = Run(digits, lenet).go()
    assert not training.diverged(end.rows)
    assert end.rows[-1]["test_accuracy"] > 80


@pytest.mark.parametrize("make", [lenet, conv_net])
def test_bf16_rounds_the_factors_of_products_and_nothing_else(make: Callable[[], nn.Module], digits: Data) -> None:
    run = Run(digits, make, replace(RECIPE, precision="bf16"))
    inputs: list[Tensor] = []
    last = [module for module in run.network.modules() if isinstance(module, nn.Linear)][-1]
    last.register_forward_hook(lambda _, given, logits: inputs.extend([given[0].detach(), logits.detach()]))
    weight, bias = (run.state[name] for name in list(run.state)[-2:])
    end = run.go(stop=5)
    # The first logits, from factors of 8 bits, each sum rounded to 8 bits.
    kept = weight * torch.from_numpy(run.mask[next(reversed(run.mask))])
    factors = [values.bfloat16().float() for values in (inputs[0], kept, bias)]
    expected = factors[0] @ factors[1].T + factors[2]
    torch.testing.assert_close(inputs[1].float(), expected, rtol=2**-7, atol=2**-8)
    assert inputs[1].dtype == torch.bfloat16
    assert {value.dtype for value in end.state.values() if value.is_floating_point()} == {torch.float32}
    exact = Run(digits, make).go(stop=5)
    for name, value in exact.state.items():
        torch.testing.assert_close(end.state[name], value, rtol=0.05, atol=0.01)
    assert any((end.state[name] != value).any() for name, value in exact.state.items())
    for name, kept_weights in run.mask.items():
        assert not end.state[name].numpy()[~kept_weights].any()


def test_bf16_learns_as_well_as_float32(digits: Data) -> None:
    found, exact = (Run(digits, lenet, replace(RECIPE, precision=p)).go().rows[-1] for p in ("bf16", "fp32"))
    assert found["test_accuracy"] > 85
    assert abs(found["test_accuracy"] - exact["test_accuracy"]) < 3
    assert found["test_loss"] != exact["test_loss"]


def test_tf32_is_float32_on_a_cpu(digits: Data) -> None:
    found, exact = (Run(digits, conv_net, replace(RECIPE, precision=p)).go(stop=5) for p in ("tf32", "fp32"))
    assert_same_run(found, exact)


def test_test_metrics_equal_those_of_all_test_images_at_once(digits: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK", 7)
    run = Run(digits, conv_net)
    row = run.go(stop=30).rows[-1]
    run.network.eval()
    with torch.no_grad():
        logits = run.network(normalised(digits.test.images, digits)).double().numpy()
    log_probability = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    assert row["test_loss"] == pytest.approx(-log_probability[np.arange(360), digits.test.labels].mean(), rel=1e-5)
    assert row["test_accuracy"] == pytest.approx(100 * (logits.argmax(1) == digits.test.labels).mean())
    assert 0 < row["test_accuracy"] < 100


# The same bytes


def digest_of_a_run() -> str:
    """SHA-256 of everything that an augmented run of a network with batch norm leaves, seconds excepted."""
    torch.set_num_threads(1)
    recipe = replace(RECIPE, epochs=2, batch_size=32)
    end = Run(coloured(300), lambda: conv_net(3), recipe).go()
    digest = hashlib.sha256(json.dumps(without_seconds(end.rows)).encode())
    for tensors in (end.state, end.velocity):
        for name, value in tensors.items():
            digest.update(name.encode() + value.numpy().tobytes())
    return digest.hexdigest()


def test_two_fresh_processes_and_this_one_give_the_same_bytes() -> None:
    here = Path(__file__)
    path = os.pathsep.join([str(here.parent), str(Path(pruning.__file__).parent.parent)])
    torch.manual_seed(5)
    digests = [digest_of_a_run()]
    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", f"import {here.stem}; print({here.stem}.digest_of_a_run())"],
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.append(run.stdout.strip())
    assert digests[0] == digests[1] == digests[2]


KEPT = """
import resource
import torch
import network_job

network_job.keep_memory()
for _ in range(10):
    torch.ones(10_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(10_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="this C library has no mallopt")
def test_process_keeps_the_memory_of_tensors_that_are_gone() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(pruning.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", KEPT], env=environment, capture_output=True, text=True, check=True)
    pages = 10 * 40_000_000 // resource.getpagesize()
    assert int(done.stdout) < pages / 1000
