"""Scores against closed forms, against finite differences one weight at a time, and what scoring must leave alone."""

import itertools
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from pruning import PruningError, scoring
from pruning.networks import prunable
from pruning.registry import names
from pruning.scores import Examples, find, prospr
from pruning.scoring import Pruning, make_mask
from pruning.states import copy_state
from pruning.streams import stream

TEMPERATURE = 200
BATCH = 256
every_score = pytest.mark.parametrize("name", names("scores"))
Values = dict[str, Tensor]


def score(name: str, network: nn.Module, examples: Examples, seed: int = 0) -> dict[str, Tensor]:
    return find(name)(network, examples, partial(stream, seed))


# A linear model, its loss written out in numpy


class Linear:
    """Softmax regression of 3 classes on 2x2 images of one channel, in numpy, with its torch twin."""

    def __init__(self, count: int, seed: int = 0) -> None:
        draw = np.random.default_rng(seed)
        self.weight, self.bias = draw.normal(size=(3, 4)), draw.normal(size=3)
        self.images = draw.normal(size=(count, 4))
        self.labels = draw.integers(0, 3, count)
        self.network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).double()
        with torch.no_grad():
            self.network[1].weight.copy_(torch.from_numpy(self.weight))
            self.network[1].bias.copy_(torch.from_numpy(self.bias))
        self.examples = Examples(torch.from_numpy(self.images).reshape(-1, 1, 2, 2), torch.from_numpy(self.labels))

    def probabilities(self, temperature: float) -> np.ndarray:
        exponentials = np.exp((self.images @ self.weight.T + self.bias) / temperature)
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def gradient(self, temperature: float = 1, part: slice = slice(None)) -> np.ndarray:
        errors = (self.probabilities(temperature) - np.eye(3)[self.labels])[part] / temperature
        return errors.T @ self.images[part] / len(errors)

    def hessian(self, temperature: float, part: slice = slice(None)) -> np.ndarray:
        """(3, 4, 3, 4): mean over examples of (diag(p) - p p') / T^2, outer x x'."""
        p = self.probabilities(temperature)[part]
        softmax = (np.einsum("na,ab->nab", p, np.eye(3)) - np.einsum("na,nb->nab", p, p)) / temperature**2
        return np.einsum("nab,ni,nj->aibj", softmax, self.images[part], self.images[part]) / len(p)

    def prospr(self, part: slice = slice(None)) -> np.ndarray:
        """|w * (I - 0.1 H0)(I - 0.1 H1)(I - 0.1 H2) g3|, Hi and gi of weights and bias after step i."""
        features = np.hstack([self.images[part], np.ones((len(self.images[part]), 1))])
        parameters = np.hstack([self.weight, self.bias[:, None]])
        hessians = []
        for _ in range(4):
            exponentials = np.exp(features @ parameters.T)
            p = exponentials / exponentials.sum(axis=1, keepdims=True)
            gradient = (p - np.eye(3)[self.labels[part]]).T @ features / len(p)
            softmax = np.einsum("na,ab->nab", p, np.eye(3)) - np.einsum("na,nb->nab", p, p)
            hessians.append(np.einsum("nab,ni,nj->aibj", softmax, features, features) / len(p))
            parameters = parameters - 0.1 * gradient
        for hessian in reversed(hessians[:3]):
            gradient = gradient - 0.1 * np.tensordot(hessian, gradient, 2)
        return np.abs(self.weight * gradient[:, :4])

    def snip(self, part: slice = slice(None)) -> np.ndarray:
        return np.abs(self.weight * self.gradient(part=part))

    def grasp(self, part: slice = slice(None)) -> np.ndarray:
        product = np.tensordot(self.hessian(TEMPERATURE, part), self.gradient(TEMPERATURE, part), 2)
        return self.weight * product


CLOSED_FORMS: dict[str, Callable[[Linear], np.ndarray]] = {
    "snip": Linear.snip,
    "grasp": Linear.grasp,
    "grasp-magnitude": lambda linear: np.abs(linear.grasp()),
    "prospr": Linear.prospr,
    "magnitude": lambda linear: np.abs(linear.weight),
    "synflow": lambda linear: np.abs(linear.weight),
}


def assert_scores(found: Tensor, expected: np.ndarray, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(
        found.detach().numpy(), expected, rtol=tolerance, atol=tolerance * np.abs(expected).max()
    )


@pytest.mark.parametrize(("name", "expected"), CLOSED_FORMS.items())
def test_score_of_a_linear_model_is_the_closed_form(name: str, expected: Callable[[Linear], np.ndarray]) -> None:
    linear = Linear(20)
    found = score(name, linear.network, linear.examples)
    assert list(found) == ["1.weight"]
    assert_scores(found["1.weight"], expected(linear))


def test_grasp_is_weight_times_hessian_times_gradient_of_the_loss_at_temperature_200() -> None:
    linear = Linear(20)

    def loss(weight: Tensor) -> Tensor:
        logits = linear.examples.images.flatten(1) @ weight.reshape(3, 4).T + torch.from_numpy(linear.bias)
        return functional.cross_entropy(logits / 200, linear.examples.labels)

    weight = torch.from_numpy(linear.weight).flatten()
    hessian = torch.autograd.functional.hessian(loss, weight)
    gradient = torch.autograd.functional.jacobian(loss, weight)
    expected = (weight * (hessian @ gradient)).reshape(3, 4)
    assert_scores(score("grasp", linear.network, linear.examples)["1.weight"], expected.numpy())


@pytest.mark.parametrize(("name", "expected"), CLOSED_FORMS.items())
def test_the_weights_of_the_highest_closed_form_stay(name: str, expected: Callable[[Linear], np.ndarray]) -> None:
    linear = Linear(20)
    ranks = np.argsort(np.argsort(-expected(linear).ravel())).reshape(3, 4)
    for keep in (1, 5, 11):
        mask = make_mask(linear.network, linear.examples, Pruning(name, 1, lambda _, keep=keep: keep, "none", 0))
        np.testing.assert_array_equal(mask["1.weight"], ranks < keep)


def test_grasp_keeps_other_weights_than_its_magnitude() -> None:
    scores = Linear(20).grasp().ravel()
    assert set(np.argsort(-scores)[:5]) != set(np.argsort(-np.abs(scores))[:5])


# Several batches of examples


def two_batches() -> tuple[Linear, list[tuple[float, slice]]]:
    """300 examples, the last 44 of another kind; shares and places of the batches."""
    linear = Linear(300)  # arrays and tensors share their memory
    linear.images[BATCH:] += 2
    linear.labels[BATCH:] = 0
    return linear, [(BATCH / 300, slice(0, BATCH)), (44 / 300, slice(BATCH, 300))]


def test_batches_hold_every_example_once_in_order_and_know_their_share() -> None:
    images, labels = torch.arange(600.0).reshape(600, 1, 1, 1), torch.arange(600)
    batches = list(Examples(images, labels).chunks())
    assert [len(batch_labels) for _, batch_labels, _ in batches] == [256, 256, 88]
    assert [share for _, _, share in batches] == [256 / 600, 256 / 600, 88 / 600]
    assert torch.equal(torch.cat([batch for batch, _, _ in batches]), images)
    assert torch.equal(torch.cat([batch_labels for _, batch_labels, _ in batches]), labels)


def test_examples_stay_bytes_and_are_normalised_batch_by_batch() -> None:
    images, sizes = torch.arange(50, dtype=torch.uint8).reshape(50, 1, 1, 1), []

    def normalise(batch: torch.Tensor) -> torch.Tensor:
        sizes.append(len(batch))
        return batch / 2

    examples = Examples(images, torch.arange(50), normalise, 20)
    assert torch.equal(torch.cat([batch for batch, _, _ in examples.chunks()]), images / 2)
    assert sizes == [20, 20, 10]
    assert torch.equal(examples.first_image(), images[:1] / 2)


def test_snip_averages_absolute_values_of_batches_weighted_by_size() -> None:
    linear, batches = two_batches()
    found = score("snip", linear.network, linear.examples)["1.weight"]
    assert_scores(found, sum(share * linear.snip(part) for share, part in batches))
    assert not np.allclose(found.numpy(), linear.snip(), rtol=1e-2, atol=0)
    assert not np.allclose(found.numpy(), sum(linear.snip(part) / 2 for _, part in batches), rtol=1e-2, atol=0)


def test_grasp_averages_signed_values_of_batches_weighted_by_size() -> None:
    linear, batches = two_batches()
    found = score("grasp", linear.network, linear.examples)["1.weight"]
    assert_scores(found, sum(share * linear.grasp(part) for share, part in batches))
    assert not np.allclose(found.numpy(), linear.grasp(), rtol=1e-2, atol=0)


def test_grasp_magnitude_is_the_absolute_value_of_the_mean_over_batches() -> None:
    linear, batches = two_batches()
    found = score("grasp-magnitude", linear.network, linear.examples)["1.weight"]
    assert_scores(found, np.abs(sum(share * linear.grasp(part) for share, part in batches)))
    assert not np.allclose(
        found.numpy(), sum(share * np.abs(linear.grasp(part)) for share, part in batches), rtol=1e-2, atol=0
    )


def test_prospr_averages_absolute_values_of_batches_weighted_by_size() -> None:
    linear, batches = two_batches()
    found = score("prospr", linear.network, linear.examples)["1.weight"]
    assert_scores(found, sum(share * linear.prospr(part) for share, part in batches))
    assert not np.allclose(found.numpy(), linear.prospr(), rtol=1e-2, atol=0)


@pytest.mark.parametrize("count", [20, 300])
def test_ntk_sap_of_a_linear_model_is_the_closed_form(count: int) -> None:
    """D is the mean of |dw x|^2 over inputs x, so dD/dm = 2 dw * (dw S), S the mean of x x'; so for several batches."""
    linear = Linear(count)
    inputs = noise_of("inputs", (count, 1, 2, 2)).reshape(count, 4)
    step = 0.01 * noise_of("1.weight", (3, 4))
    expected = np.abs(2 * step * (step @ inputs.T @ inputs / count))
    assert_scores(score("ntk-sap", linear.network, linear.examples)["1.weight"], expected)


def noise_of(part: str, shape: tuple[int, ...]) -> np.ndarray:
    return stream(0, "score noise", part).standard_normal(shape, dtype=np.float32).astype(float)


# A convolutional network, one weight at a time


class Small(nn.Module):
    """Two convolutions with batch norm, a residual sum, pooling and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 3, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(3)
        self.conv2 = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(3)
        self.output = nn.Linear(12, 3)

    def forward(self, images: Tensor) -> Tensor:
        features = self.norm1(self.conv1(images)).relu()
        features = (features + self.norm2(self.conv2(features))).relu()
        logits: Tensor = self.output(functional.max_pool2d(features, 2).flatten(1))
        return logits


WEIGHTS = ("conv1.weight", "conv2.weight", "output.weight")


def small_network() -> Small:
    """As after some training: parameters of both signs, running statistics that are not 0 and 1."""
    network, generator = Small().double(), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, values in network.state_dict().items():
            if name.endswith("running_var"):
                values.uniform_(0.5, 2, generator=generator)
            elif name.endswith("num_batches_tracked"):
                values.fill_(7)
            else:
                values.normal_(0, 0.5, generator=generator)
    return network


def small_examples() -> Examples:
    generator = torch.Generator().manual_seed(2)
    return Examples(torch.randn(6, 2, 4, 4, dtype=torch.float64, generator=generator), torch.tensor([0, 1, 2, 0, 1, 1]))


def small_logits(values: Values, images: Tensor, batch_statistics: bool) -> Tensor:
    """The forward pass of `Small`, written out."""

    def norm(features: Tensor, layer: str) -> Tensor:
        if batch_statistics:
            mean, variance = features.mean((0, 2, 3)), features.var((0, 2, 3), unbiased=False)
        else:
            mean, variance = values[f"{layer}.running_mean"], values[f"{layer}.running_var"]
        scale = values[f"{layer}.weight"] / (variance + 1e-5).sqrt()
        return (features - mean[:, None, None]) * scale[:, None, None] + values[f"{layer}.bias"][:, None, None]

    features = functional.conv2d(images, values["conv1.weight"], values["conv1.bias"], padding=1)
    features = norm(features, "norm1").relu()
    features = (features + norm(functional.conv2d(features, values["conv2.weight"], padding=1), "norm2")).relu()
    return functional.max_pool2d(features, 2).flatten(1) @ values["output.weight"].T + values["output.bias"]


def small_loss(values: Values, examples: Examples, temperature: float) -> Tensor:
    logits = small_logits(values, examples.images, batch_statistics=True) / temperature
    return (logits.logsumexp(1) - logits[range(len(logits)), examples.labels]).mean()


def one_at_a_time(function: Callable[[Values], Tensor], values: Values, name: str, step: float) -> np.ndarray:
    """Central differences of `function` by every entry of tensor `name`."""
    derivative = np.zeros(values[name].shape)
    for place in np.ndindex(*derivative.shape):
        sides = []
        for sign in (1, -1):
            moved = values[name].clone()
            moved[place] += sign * step
            sides.append(float(function({**values, name: moved})))
        derivative[place] = (sides[0] - sides[1]) / (2 * step)
    return derivative


def snip_one_at_a_time(values: Values, examples: Examples, name: str) -> np.ndarray:
    return np.abs(values[name].numpy() * one_at_a_time(lambda v: small_loss(v, examples, 1), values, name, 1e-6))


def grasp_one_at_a_time(values: Values, examples: Examples, name: str) -> np.ndarray:
    """w * (H g), because H g is the gradient of |g|^2 / 2, g by the three weight tensors."""

    def half_square(values: Values) -> Tensor:
        weights = [values[tensor].clone().requires_grad_() for tensor in WEIGHTS]
        moved = {**values, **dict(zip(WEIGHTS, weights, strict=True))}
        gradients = torch.autograd.grad(small_loss(moved, examples, TEMPERATURE), weights)
        return sum(gradient.square().sum() for gradient in gradients) / 2

    return values[name].numpy() * one_at_a_time(half_square, values, name, 1e-5)


def synflow_one_at_a_time(values: Values, examples: Examples, name: str) -> np.ndarray:
    parameters = [tensor for tensor, _ in Small().named_parameters()]
    values = {tensor: value.abs() if tensor in parameters else value for tensor, value in values.items()}
    ones = torch.ones(1, 2, 4, 4, dtype=torch.float64)
    flow = one_at_a_time(lambda v: small_logits(v, ones, batch_statistics=False).sum(), values, name, 1e-5)
    return values[name].numpy() * flow


def prospr_one_at_a_time(values: Values, examples: Examples, name: str) -> np.ndarray:
    """The loss after three steps by the mask that the start is multiplied with; pruned weights sit the steps out."""
    parameters = [tensor for tensor, _ in Small().named_parameters()]

    def loss_after_steps(mask: Values) -> Tensor:
        now = {**values, **{tensor: values[tensor] * mask[tensor] for tensor in WEIGHTS}}
        for _ in range(3):
            leaves = {tensor: now[tensor].clone().requires_grad_() for tensor in parameters}
            small_loss({**now, **leaves}, examples, 1).backward()
            for tensor, leaf in leaves.items():
                trains = values[tensor] != 0 if tensor in WEIGHTS else 1
                now[tensor] = now[tensor] - 0.1 * leaf.grad * trains
        return small_loss(now, examples, 1)

    return np.abs(one_at_a_time(loss_after_steps, mask_of(values), name, 1e-6))


def ntk_sap_one_at_a_time(values: Values, examples: Examples, name: str) -> np.ndarray:
    """The distance of outputs by the mask, with batch norm held at the statistics of the inputs under the mask."""
    inputs = torch.from_numpy(noise_of("inputs", tuple(examples.images.shape)))
    steps = {tensor: 0.01 * torch.from_numpy(noise_of(tensor, tuple(values[tensor].shape))) for tensor in WEIGHTS}
    fixed = dict(values)
    features = functional.conv2d(inputs, values["conv1.weight"], values["conv1.bias"], padding=1)
    fixed["norm1.running_mean"], fixed["norm1.running_var"] = features.mean((0, 2, 3)), features.var((0, 2, 3))
    norm = (None, None, values["norm1.weight"], values["norm1.bias"], True)
    features = functional.conv2d(functional.batch_norm(features, *norm).relu(), values["conv2.weight"], padding=1)
    fixed["norm2.running_mean"], fixed["norm2.running_var"] = features.mean((0, 2, 3)), features.var((0, 2, 3))

    def distance(mask: Values) -> Tensor:
        plain = {**fixed, **{tensor: mask[tensor] * values[tensor] for tensor in WEIGHTS}}
        moved = {**fixed, **{tensor: mask[tensor] * (values[tensor] + steps[tensor]) for tensor in WEIGHTS}}
        outputs = [small_logits(of, inputs, batch_statistics=False) for of in (plain, moved)]
        return (outputs[0] - outputs[1]).square().sum(1).mean()

    return np.abs(one_at_a_time(distance, mask_of(values), name, 1e-5))


def mask_of(values: Values) -> Values:
    return {tensor: (values[tensor] != 0).double() for tensor in WEIGHTS}


SLOW = {
    "snip": snip_one_at_a_time,
    "grasp": grasp_one_at_a_time,
    "grasp-magnitude": lambda *of: np.abs(grasp_one_at_a_time(*of)),
    "synflow": synflow_one_at_a_time,
    "prospr": prospr_one_at_a_time,
    "ntk-sap": ntk_sap_one_at_a_time,
    "magnitude": lambda values, _, name: np.abs(values[name].numpy()),
}


@pytest.mark.parametrize("pruned", [0, 0.3])
@pytest.mark.parametrize("name", SLOW)
def test_score_of_a_network_with_batch_norm_is_that_found_one_weight_at_a_time(name: str, pruned: float) -> None:
    network, examples = small_network(), small_examples()
    with torch.no_grad():
        for weight in prunable(network).values():
            weight.mul_(torch.rand(weight.shape, generator=torch.Generator().manual_seed(3)) >= pruned)
    values = copy_state(network)
    found = score(name, network, examples)
    assert list(found) == list(WEIGHTS)
    for tensor in WEIGHTS:
        expected = SLOW[name](values, examples, tensor)
        assert np.abs(expected).max() > 0
        assert_scores(found[tensor], expected, 1e-5)


@pytest.mark.parametrize("name", ["snip", "grasp", "grasp-magnitude", "prospr", "ntk-sap"])
def test_single_precision_scores_are_close_to_double_precision(name: str) -> None:
    examples = small_examples()
    single = Examples(examples.images.float(), examples.labels)
    expected, found = score(name, small_network(), examples), score(name, small_network().float(), single)
    for tensor in WEIGHTS:
        assert found[tensor].dtype == torch.float32
        assert_scores(found[tensor], expected[tensor].numpy(), 1e-4)


@pytest.mark.parametrize("name", ["snip", "grasp", "grasp-magnitude", "prospr", "ntk-sap"])
def test_batch_norm_has_the_statistics_of_what_is_scored_with(name: str) -> None:
    network, evaluated = small_network(), small_network().eval()
    for buffer in evaluated.buffers():
        buffer.fill_(3)
    expected = score(name, network, small_examples())
    found = score(name, evaluated, small_examples())
    assert all(torch.equal(found[tensor], expected[tensor]) for tensor in WEIGHTS)


def test_every_score_but_random_is_tested_one_weight_at_a_time() -> None:
    assert set(SLOW) == set(names("scores")) - {"random"}


# SynFlow


def linear_chain() -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(32, 9, bias=False), nn.ReLU(), nn.Linear(9, 7, bias=False), nn.Linear(7, 4, bias=False)
    )


def convolutional_chain() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(2, 5, 3, padding=1, bias=False),
        nn.ReLU(),
        nn.Conv2d(5, 6, 3, stride=2, padding=1, bias=False),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(6, 8, bias=False),
        nn.Linear(8, 4, bias=False),
    )


@pytest.mark.parametrize("chain", [linear_chain, convolutional_chain])
def test_synflow_scores_of_every_layer_sum_to_the_same_flow(chain: Callable[[], nn.Sequential]) -> None:
    network, generator = chain(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in prunable(network).values():
            weight.normal_(generator=generator)
    positive = chain().double()
    positive.load_state_dict({name: value.abs() for name, value in network.state_dict().items()})
    flow = positive(torch.ones(1, 2, 4, 4, dtype=torch.float64)).sum().item()
    scores = score("synflow", network, Examples(torch.zeros(3, 2, 4, 4), torch.zeros(3)))
    assert len(scores) >= 3
    assert [values.sum().item() for values in scores.values()] == pytest.approx([flow] * len(scores), rel=1e-12)


@pytest.mark.parametrize("architecture", ["resnet20", "vgg16"])
def test_synflow_is_finite_and_positive_for_every_weight_that_is_not_zero(
    architecture: str, initialised: Callable[..., nn.Module], noise: Callable[..., Examples]
) -> None:
    network = initialised(architecture, (32, 32, 3))
    present = {name: weight != 0 for name, weight in prunable(network).items()}
    for name, values in score("synflow", network, noise((32, 32, 3))).items():
        assert values.dtype == torch.float64
        assert values.isfinite().all()
        assert torch.equal(values > 0, present[name])


def test_synflow_has_room_for_products_that_leave_single_precision() -> None:
    network = nn.Sequential(nn.Flatten(), *(nn.Linear(4, 4, bias=False) for _ in range(5)))
    with torch.no_grad():
        for weight in prunable(network).values():
            weight.fill_(1e10)
    scores = score("synflow", network, Examples(torch.zeros(1, 1, 2, 2), torch.zeros(1)))
    for values in scores.values():
        assert values.numpy() == pytest.approx(4**4 * 1e50, rel=1e-6)


def test_synflow_reads_only_the_shape_of_the_examples() -> None:
    examples = small_examples()
    others = Examples(1000 * torch.randn(2, 2, 4, 4, generator=torch.Generator().manual_seed(3)), torch.zeros(2))
    expected, found = score("synflow", small_network(), examples), score("synflow", small_network(), others)
    assert all(torch.equal(found[tensor], expected[tensor]) for tensor in WEIGHTS)


# ProsPr and NTK-SAP


def test_prospr_without_steps_is_snip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prospr, "STEPS", 0)
    expected, found = (score(name, small_network(), small_examples()) for name in ("snip", "prospr"))
    assert_scores(found["conv2.weight"], expected["conv2.weight"].numpy())


def test_ntk_sap_reads_only_shape_and_number_of_the_examples() -> None:
    examples = small_examples()
    others = Examples(1000 * torch.randn(6, 2, 4, 4, generator=torch.Generator().manual_seed(3)), torch.zeros(6))
    others = replace(others, images=others.images.double())
    expected, found = score("ntk-sap", small_network(), examples), score("ntk-sap", small_network(), others)
    assert all(torch.equal(found[tensor], expected[tensor]) for tensor in WEIGHTS)


def test_noise_of_a_score_is_new_in_each_round_and_random_scores_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    draws: dict[str, list[float]] = {"score noise": [], "random scores": []}

    def spy(network: nn.Module, examples: Examples, draw: Callable[..., np.random.Generator]) -> Values:
        for purpose, values in draws.items():
            values.append(draw(purpose, "conv1.weight").random())
        return find("magnitude")(network, examples, draw)

    monkeypatch.setattr(scoring, "find", lambda _: spy)
    for keep in (90, 30):
        make_mask(small_network(), small_examples(), Pruning("spy", 3, lambda _, keep=keep: keep, "none", 0))
    assert draws["score noise"][:3] == draws["score noise"][3:]
    assert len(set(draws["score noise"])) == 3
    assert len(set(draws["random scores"])) == 1


@pytest.mark.parametrize(("architecture", "shape"), [("resnet20", (8, 8, 3)), ("vgg16", (32, 32, 3))])
@pytest.mark.parametrize(("name", "rounds"), [("prospr", 1), ("ntk-sap", 3)])
def test_later_methods_are_finite_at_the_end_of_the_grid(
    name: str,
    rounds: int,
    architecture: str,
    shape: tuple[int, int, int],
    initialised: Callable[..., nn.Module],
    noise: Callable[..., Examples],
) -> None:
    network = initialised(architecture, shape)
    keep = round(0.018 * sum(weight.numel() for weight in prunable(network).values()))
    mask = make_mask(network, noise(shape, count=4), Pruning(name, rounds, lambda _: keep, "none", 0))
    assert sum(np.count_nonzero(array) for array in mask.values()) == keep


# Random


def test_random_scores_are_uniform(initialised: Callable[..., nn.Module], noise: Callable[..., Examples]) -> None:
    for values in score("random", initialised("resnet20", (8, 8, 3)), noise((8, 8, 3))).values():
        assert values.min() >= 0
        assert values.max() < 1
        tenths = np.histogram(values.numpy(), bins=10, range=(0, 1))[0] / values.numel()
        assert np.abs(tenths - 0.1).max() < 5 * np.sqrt(0.1 * 0.9 / values.numel())


def test_random_scores_read_neither_weights_nor_examples() -> None:
    network = small_network()
    expected = score("random", network, small_examples())
    with torch.no_grad():
        for values in network.parameters():
            values.fill_(float("nan"))
    found = score("random", network, Examples(torch.full((1, 2, 4, 4), float("nan")), torch.zeros(1)))
    assert all(torch.equal(found[tensor], expected[tensor]) for tensor in WEIGHTS)


def test_random_scores_differ_between_seeds_and_between_tensors() -> None:
    network = nn.Sequential(nn.Linear(40, 40), nn.Linear(40, 40))
    draws = [
        values.flatten() for seed in (0, 1) for values in score("random", network, small_examples(), seed).values()
    ]
    correlations = np.corrcoef(torch.stack(draws)) - np.eye(4)
    assert np.abs(correlations).max() < 5 / np.sqrt(1600)


def test_random_masks_of_a_seed_lie_inside_each_other() -> None:
    network, examples = small_network(), small_examples()
    masks = [
        make_mask(network, examples, Pruning("random", 1, lambda _, keep=keep: keep, "none", 0))
        for keep in (120, 60, 9)
    ]
    for wider, narrower in itertools.pairwise(masks):
        assert all((wider[tensor] >= narrower[tensor]).all() for tensor in WEIGHTS)


# What scoring leaves alone


@pytest.fixture
def network_in_use() -> Small:
    """In single precision, modules in mixed modes, gradients lying about, a parameter that asks for none."""
    network = small_network().float()
    network.norm1.eval()
    network.conv1.weight.grad = torch.full_like(network.conv1.weight, 2)
    network.norm2.bias.requires_grad_(False)
    return network


def snapshot(network: nn.Module, examples: Examples) -> Iterator[object]:
    """All that scoring could change, in forms that compare with ==."""
    for name, value in network.state_dict(keep_vars=True).items():
        gradient = None if value.grad is None else value.grad.tolist()
        yield name, value.tolist(), value.dtype, value.requires_grad, gradient, value.data_ptr()
    yield [(name, module.training) for name, module in network.named_modules()]
    yield examples.images.tolist(), examples.images.grad, examples.labels.tolist()
    yield torch.get_rng_state().tolist(), random.getstate()
    yield str(np.random.get_state())  # noqa: NPY002
    yield torch.is_grad_enabled(), torch.get_default_dtype()


@every_score
@pytest.mark.parametrize("ablation", ["none", "shuffle", "reinit", "invert"])
def test_making_a_mask_changes_nothing_but_the_mask(name: str, ablation: str, network_in_use: Small) -> None:
    examples = small_examples()
    examples = Examples(examples.images.float(), examples.labels)
    before = list(snapshot(network_in_use, examples))
    make_mask(network_in_use, examples, Pruning(name, 4, lambda _: 20, ablation, 0))
    assert list(snapshot(network_in_use, examples)) == before


@every_score
def test_a_mask_does_not_depend_on_global_random_states(name: str) -> None:
    masks = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        masks.append(make_mask(small_network(), small_examples(), Pruning(name, 2, lambda _: 50, "shuffle", 0)))
    assert all((masks[0][tensor] == masks[1][tensor]).all() for tensor in WEIGHTS)


@every_score
def test_scored_is_the_very_state_of_the_network_under_the_mask_so_far(
    name: str, network_in_use: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[Values] = []

    def spy(network: nn.Module, examples: Examples, draw: Callable[..., np.random.Generator]) -> Values:
        scored.append(copy_state(network))
        return find(name)(network, examples, draw)

    monkeypatch.setattr(scoring, "find", lambda _: spy)
    state, single = copy_state(network_in_use), replace(small_examples(), images=small_examples().images.float())
    masks = [
        make_mask(network_in_use, single, Pruning(name, rounds, lambda _, keep=keep: keep, "none", 0))
        for rounds, keep in ((1, 57), (2, 19))  # 171 weights: 57 is what the second leaves after its first round
    ]
    assert len(scored) == 3
    for number in (0, 1):
        assert all(torch.equal(scored[number][tensor], state[tensor]) for tensor in state)
    for tensor, value in state.items():
        alive = torch.from_numpy(masks[0][tensor]) if tensor in WEIGHTS else 1
        assert torch.equal(scored[2][tensor], value * alive)


@pytest.mark.parametrize("name", sorted(set(names("scores")) - {"random"}))
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_score_that_is_not_finite_is_an_error_that_names_score_and_tensor(name: str, value: float) -> None:
    network = small_network()
    with torch.no_grad():
        network.output.weight[1, 2] = value
    tensor = "output.weight" if name == "magnitude" else f"({'|'.join(map(re.escape, WEIGHTS))})"
    with pytest.raises(PruningError, match=rf"\b{name}\b(?!-).*{tensor}"):
        make_mask(network, small_examples(), Pruning(name, 1, lambda _: 50, "none", 0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda scores: scores.pop("output.weight"), r"wrong: output.weight is missing; \(\d+, \d+\) is expected"),
        (
            lambda scores: scores.update({"output.weight": torch.ones(3)}),
            r"output.weight has the shape \(3,\); \(\d+, \d+\) is",
        ),
        (lambda scores: scores.update({"output.bias": torch.ones(3)}), "output.bias .* no such prunable weights"),
    ],
)
def test_a_score_of_other_names_or_shapes_than_the_weights_is_refused(
    change: Callable[[dict], object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(network: nn.Module, *_: object) -> dict[str, Tensor]:
        scores = {name: weight.detach().abs() for name, weight in prunable(network).items()}
        change(scores)
        return scores

    monkeypatch.setattr(scoring, "find", lambda _: wrong)
    with pytest.raises(PruningError, match=message):
        make_mask(small_network(), small_examples(), Pruning("wrong", 1, lambda _: 50, "none", 0))
