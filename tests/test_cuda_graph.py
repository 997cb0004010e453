"""Updates that are recorded and replayed: the same training as without, here with a recording that calls again what it
was given, and on a GPU, where there is one, with a real one."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from network_job import prepare_gpu
from pruning import batches, training
from pruning.cuda_graph import FIRST, Graphed
from pruning.data import Data
from pruning.initialisation import draw_state
from pruning.networks import build, prunable
from pruning.scores import Examples
from pruning.scoring import Pruning, make_mask
from pruning.states import Progress
from pruning.training import Recipe, from_state, train

RECIPE = Recipe(
    epochs=3, batch_size=64, learning_rate=0.1, milestones=(30,), warmup=10, momentum=0.9, weight_decay=5e-3
)
"""On the digits: 22 full batches and one of 29 an epoch."""


@pytest.fixture(autouse=True)
def as_in_a_job() -> Iterator[None]:
    """torch as `network_job` sets it up; and then as it was."""
    backends = torch.backends.cudnn, torch.backends.cuda.matmul
    before = backends[0].deterministic, *(backend.allow_tf32 for backend in backends)
    prepare_gpu(tf32=False)
    yield
    backends[0].deterministic, *rounded = before
    for backend, allowed in zip(backends, rounded, strict=True):
        backend.allow_tf32 = allowed


on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU on this machine")


def lenet() -> nn.Module:
    return build("lenet-300-100", (8, 8, 1), 10)


def with_batch_norm() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))


def trained(
    data: Data,
    make: Callable[[], nn.Module],
    recipe: Recipe = RECIPE,
    device: str = "cpu",
    start: Progress | None = None,
    stop: int | None = None,
) -> Progress:
    network = make()
    draw = np.random.default_rng(1)
    mask = {name: draw.random(tuple(weight.shape)) < 0.4 for name, weight in prunable(network).items()}
    start = start or from_state(network, draw_state(network, "kaiming-normal", 7), 0)
    given = batches.of_data(data, recipe.batch_size, 7, torch.device(device))
    return train(network.to(device), mask, recipe, given, start, stop)


def same(found: Progress, expected: Progress) -> bool:
    rows = [[{**row, "seconds": 0} for row in progress.rows] for progress in (found, expected)]
    return rows[0] == rows[1] and all(torch.equal(found.state[name], expected.state[name]) for name in expected.state)


class Recorder:
    """Counts what is recorded and how often each recording is replayed."""

    def __init__(self) -> None:
        self.replays: list[int] = []

    def record(self, work: Callable[[], None]) -> Callable[[], object]:
        number = len(self.replays)
        self.replays.append(0)

        def replay() -> None:
            self.replays[number] += 1
            work()

        return replay


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    found = Recorder()
    monkeypatch.setattr(training, "graphed", lambda update, size, _: Graphed(update, size, found.record))
    return found


@pytest.mark.parametrize("make", [lenet, with_batch_norm])
def test_replayed_training_has_the_bytes_of_a_plain_one(
    digits: Data, make: Callable[[], nn.Module], monkeypatch: pytest.MonkeyPatch, recorder: Recorder
) -> None:
    found = trained(digits, make)
    assert recorder.replays == [3 * 22 - FIRST]  # one recording; smaller batches and the first updates are not replayed
    with monkeypatch.context() as plain:
        plain.setattr(training, "graphed", lambda update, _, __: update)
        expected = trained(digits, make)
    assert same(found, expected)
    assert [row["learning_rate"] for row in found.rows] == [pytest.approx(rate) for rate in (0.1, 0.01, 0.01)]


def test_replayed_training_goes_on_in_the_middle_of_an_epoch(digits: Data, recorder: Recorder) -> None:
    half = trained(digits, lenet, stop=21)
    found = trained(digits, lenet, start=Progress(half.update, half.state, half.velocity))
    assert len(recorder.replays) == 2
    whole = trained(digits, lenet)
    assert all(torch.equal(found.state[name], whole.state[name]) for name in whole.state)


def test_smaller_batch_is_given_as_it_is_and_replays_read_each_batch_of_their_own() -> None:
    seen: list[tuple[list[float], float]] = []

    def update(images: Tensor, labels: Tensor, rate: Tensor) -> None:
        seen.append((images.tolist(), rate.item()))

    replayed = Graphed(update, 2, lambda work: work)
    given = [([1.0 * number, 2.0], 0.1 * number) for number in range(FIRST + 3)] + [([9.0], 1.0), ([7.0, 8.0], 2.0)]
    for images, rate in given:
        replayed(torch.tensor(images), torch.zeros(len(images)), torch.tensor(rate, dtype=torch.float64))
    assert seen == given


@on_a_gpu
@pytest.mark.parametrize("make", [lenet, with_batch_norm])
def test_gpu_trains_as_a_cpu_does(digits: Data, make: Callable[[], nn.Module]) -> None:
    found, expected = trained(digits, make, device="cuda", stop=8), trained(digits, make, stop=8)
    for name, value in expected.state.items():
        torch.testing.assert_close(found.state[name], value, rtol=1e-3, atol=1e-4)


@on_a_gpu
@pytest.mark.parametrize("make", [lenet, with_batch_norm])
def test_recording_of_a_gpu_trains_as_its_single_launches_do(
    digits: Data, make: Callable[[], nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = trained(digits, make, device="cuda")
    monkeypatch.setattr(training, "graphed", lambda update, _, __: update)
    expected = trained(digits, make, device="cuda")
    assert found.rows[-1]["test_loss"] == pytest.approx(expected.rows[-1]["test_loss"], rel=1e-3)
    assert found.rows[-1]["test_accuracy"] == pytest.approx(expected.rows[-1]["test_accuracy"], abs=0.3)


@on_a_gpu
def test_trainings_that_share_a_gpu_and_a_process_are_those_alone(digits: Data) -> None:
    kinds = [lenet, with_batch_norm] * 4
    with ThreadPoolExecutor(len(kinds)) as threads:
        found = list(threads.map(lambda make: trained(digits, make, device="cuda"), kinds))
    alone = {make: trained(digits, make, device="cuda") for make in (lenet, with_batch_norm)}
    for make, progress in zip(kinds, found, strict=True):
        for name, value in alone[make].state.items():
            torch.testing.assert_close(progress.state[name], value, rtol=1e-3, atol=1e-4)


@on_a_gpu
@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_gpu_learns_as_well_in_fewer_bits(digits: Data, precision: str) -> None:
    prepare_gpu(tf32=precision == "tf32")
    found = trained(digits, with_batch_norm, replace(RECIPE, precision=precision), "cuda")
    prepare_gpu(tf32=False)
    expected = trained(digits, with_batch_norm, device="cuda")
    assert found.rows[-1]["test_accuracy"] == pytest.approx(expected.rows[-1]["test_accuracy"], abs=2)


@on_a_gpu
@pytest.mark.parametrize("score", ["magnitude", "snip", "grasp", "synflow"])
def test_gpu_makes_the_same_mask_each_time(digits: Data, score: str) -> None:
    network = with_batch_norm().cuda()
    network.load_state_dict(draw_state(network, "kaiming-normal", 7))
    images = torch.rand(100, 1, 8, 8, device="cuda")
    examples = Examples(images, torch.arange(100, device="cuda") % 10, at_once=256)
    masks = [make_mask(network, examples, Pruning(score, 1, lambda size: size // 10, "none", 0, None)) for _ in "ab"]
    assert all(np.array_equal(masks[0][name], masks[1][name]) for name in masks[0])
