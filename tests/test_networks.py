"""Architectures against forward passes written out by hand, and initial states against their distributions."""

import itertools
import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from pruning import PruningError, winograd
from pruning.initialisation import INITIALISERS, draw_state
from pruning.networks import build, prunable
from pruning.networks.vgg16 import MANY, Convolution
from pruning.registry import names
from pruning.states import copy_state, state_checksum

MNIST, CIFAR, TINY, IMAGENET = (28, 28, 1), (32, 32, 3), (64, 64, 3), (224, 224, 3)
VGG_WIDTHS = ([64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3)
Shapes = list[tuple[int, ...]]


def basic_blocks(widths: list[int]) -> Shapes:
    """Two blocks a stage of two 3x3 convolutions; a 1x1 shortcut where the width changes."""
    shapes: Shapes = []
    for i, o in itertools.pairwise([64, *widths]):
        shapes += [(o, i, 3, 3), (o, o, 3, 3)] + ([(o, i, 1, 1)] if i != o else []) + [(o, o, 3, 3)] * 2
    return shapes


def bottlenecks(widths: list[int], blocks: list[int]) -> Shapes:
    """1x1, 3x3 and 1x1 convolutions, the last four times as wide; a 1x1 shortcut where a stage starts."""
    shapes: Shapes = []
    inputs = 64
    for width, count in zip(widths, blocks, strict=True):
        for block in range(count):
            shapes += [(width, inputs, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1)]
            shapes += [(4 * width, inputs, 1, 1)] if block == 0 else []
            inputs = 4 * width
    return shapes


SHAPES: dict[str, Shapes] = {
    "lenet-300-100": [(300, 784), (100, 300), (10, 100)],
    "resnet20": [
        (16, 3, 3, 3),
        *[(16, 16, 3, 3)] * 6,
        *[(32, 16, 3, 3), (32, 32, 3, 3), (32, 16, 1, 1)],
        *[(32, 32, 3, 3)] * 4,
        *[(64, 32, 3, 3), (64, 64, 3, 3), (64, 32, 1, 1)],
        *[(64, 64, 3, 3)] * 4,
        (10, 64),
    ],
    "vgg16": [
        *[(o, i, 3, 3) for i, o in itertools.pairwise([3, *itertools.chain(*VGG_WIDTHS)])],
        (10, 512),
    ],
    "lenet5": [(20, 1, 5, 5), (50, 20, 5, 5), (500, 800), (10, 500)],
    "resnet32": [
        (32, 3, 3, 3),
        *[(32, 32, 3, 3)] * 10,
        *[(64, 32, 3, 3), (64, 64, 3, 3), (64, 32, 1, 1)],
        *[(64, 64, 3, 3)] * 8,
        *[(128, 64, 3, 3), (128, 128, 3, 3), (128, 64, 1, 1)],
        *[(128, 128, 3, 3)] * 8,
        (10, 128),
    ],
    "vgg19": [
        *[(o, i, 3, 3) for i, o in itertools.pairwise([3, *[64] * 2, *[128] * 2, *[256] * 4, *[512] * 8])],
        (10, 512),
    ],
    "vgg-d": [
        *[(o, i, 3, 3) for i, o in itertools.pairwise([3, *itertools.chain(*VGG_WIDTHS)])],
        *[(512, 512), (512, 512), (10, 512)],
    ],
    "resnet18": [(64, 3, 7, 7), *basic_blocks([64, 128, 256, 512]), (10, 512)],
    "resnet18-modified": [(64, 3, 3, 3), *basic_blocks([64, 128, 256, 512]), (10, 512)],
    "resnet50": [(64, 3, 7, 7), *bottlenecks([64, 128, 256, 512], [3, 4, 6, 3]), (10, 2048)],
}
INPUT = dict.fromkeys(["lenet-300-100", "lenet5"], MNIST)
INPUT |= dict.fromkeys(["resnet20", "resnet32", "vgg16", "vgg19", "vgg-d"], CIFAR)
INPUT |= dict.fromkeys(["resnet18", "resnet18-modified", "resnet50"], TINY)
"""ResNet-50 on smaller images than ImageNet's: its weights are the same."""
every_architecture = pytest.mark.parametrize("architecture", SHAPES)
every_kind_of_layer = pytest.mark.parametrize("architecture", ["lenet-300-100", "resnet20", "vgg-d"])


def batch_norm(features: Tensor, values: Iterable[Tensor]) -> Tensor:
    gamma, beta, mean, variance, _ = (value[:, None, None] if value.dim() else value for value in values)
    return (features - mean) / (variance + 1e-5).sqrt() * gamma + beta


def lenet_by_hand(images: Tensor, state: dict[str, Tensor]) -> Tensor:
    weight1, bias1, weight2, bias2, weight3, bias3 = state.values()
    features = (images.flatten(1) @ weight1.T + bias1).relu()
    features = (features @ weight2.T + bias2).relu()
    return features @ weight3.T + bias3


def lenet5_by_hand(images: Tensor, state: dict[str, Tensor]) -> Tensor:
    weight1, bias1, weight2, bias2, *rest = state.values()
    for weight, bias in ((weight1, bias1), (weight2, bias2)):
        # Each output position is a product with the 5 x 5 patch below it.
        columns = functional.unfold(images, 5)
        side = images.shape[-1] - 4
        images = (weight.flatten(1) @ columns + bias[:, None]).unflatten(2, (side, side))
        images = images.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).amax((3, 5))
    weight3, bias3, weight4, bias4 = rest
    return (images.flatten(1) @ weight3.T + bias3).relu() @ weight4.T + bias4


def torchvision_resnet_by_hand(images: Tensor, state: dict[str, Tensor], stem_stride: int = 2) -> Tensor:
    """ResNet-18 and -50. A stage's stride is that of its first 3x3 convolution (v1.5) and of its shortcut."""

    def layer(features: Tensor, convolution: str, norm: str, stride: int = 1) -> Tensor:
        weight = state[f"{convolution}.weight"]
        features = functional.conv2d(features, weight, stride=stride, padding=weight.shape[-1] // 2)
        values = [state[f"{norm}.{n}"] for n in ("weight", "bias", "running_mean", "running_var")]
        return batch_norm(features, [*values, torch.tensor(0)])

    features = layer(images, "conv1", "bn1", stem_stride).relu()
    if stem_stride == 2:
        features = functional.max_pool2d(features, 3, stride=2, padding=1)
    for stage in range(1, 5):
        for block in itertools.takewhile(lambda b, s=stage: f"layer{s}.{b}.conv1.weight" in state, itertools.count()):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            if f"{name}.conv3.weight" in state:
                changed = layer(features, f"{name}.conv1", f"{name}.bn1").relu()
                changed = layer(changed, f"{name}.conv2", f"{name}.bn2", stride).relu()
                changed = layer(changed, f"{name}.conv3", f"{name}.bn3")
            else:
                changed = layer(features, f"{name}.conv1", f"{name}.bn1", stride).relu()
                changed = layer(changed, f"{name}.conv2", f"{name}.bn2")
            if f"{name}.downsample.0.weight" in state:
                features = layer(features, f"{name}.downsample.0", f"{name}.downsample.1", stride)
            features = (changed + features).relu()
    return features.mean((2, 3)) @ state["fc.weight"].T + state["fc.bias"]


def resnet20_by_hand(images: Tensor, state: dict[str, Tensor], blocks: int = 3, width: int = 64) -> Tensor:
    values = iter(state.values())

    def convolution(features: Tensor, stride: int = 1) -> Tensor:
        weight = next(values)
        features = functional.conv2d(features, weight, stride=stride, padding=weight.shape[-1] // 2)
        return batch_norm(features, itertools.islice(values, 5))

    features = convolution(images).relu()
    for stage, block in itertools.product(range(3), range(blocks)):
        stride = 2 if stage > 0 and block == 0 else 1
        changed = convolution(convolution(features, stride).relu())
        features = (changed + (convolution(features, stride) if stride == 2 else features)).relu()
    weight, bias = values
    assert features.shape[1:] == (width, 8, 8)
    return features.mean((2, 3)) @ weight.T + bias


def vgg16_by_hand(images: Tensor, state: dict[str, Tensor], groups: Sequence[list[int]] = VGG_WIDTHS) -> Tensor:
    values = iter(state.values())
    features = images
    for group, widths in enumerate(groups):
        if group:
            features = functional.max_pool2d(features, 2)
        for _ in widths:
            features = functional.conv2d(features, next(values), next(values), padding=1)
            features = batch_norm(features, itertools.islice(values, 5)).relu()
    assert features.shape[1:] == (512, 2, 2)
    *hidden, weight, bias = values
    features = (functional.max_pool2d if hidden else functional.avg_pool2d)(features, 2)
    while hidden:
        layer_weight, layer_bias, *norm = hidden[:7]
        linear = features.flatten(1) @ layer_weight.T + layer_bias
        features, hidden = batch_norm(linear[:, :, None, None], norm).relu(), hidden[7:]
    return features.flatten(1) @ weight.T + bias


BY_HAND: dict[str, Callable[[Tensor, dict[str, Tensor]], Tensor]] = {
    "lenet-300-100": lenet_by_hand,
    "lenet5": lenet5_by_hand,
    "resnet20": resnet20_by_hand,
    "resnet32": partial(resnet20_by_hand, blocks=5, width=128),
    "vgg16": vgg16_by_hand,
    "vgg19": partial(vgg16_by_hand, groups=([64] * 2, [128] * 2, [256] * 4, [512] * 4, [512] * 4)),
    "vgg-d": vgg16_by_hand,
    "resnet18": torchvision_resnet_by_hand,
    "resnet18-modified": partial(torchvision_resnet_by_hand, stem_stride=1),
    "resnet50": torchvision_resnet_by_hand,
}


def derivatives(outputs: Tensor, inputs: list[Tensor], direction: Tensor) -> list[Tensor]:
    """Outputs, the gradient of a function of them by `inputs`, and that of a function of this gradient."""
    first = torch.autograd.grad(outputs.pow(3).sum(), inputs, create_graph=True)
    second = torch.autograd.grad((first[0] * direction).sum() + first[1].pow(2).sum(), inputs)
    return [outputs, *first, *second]


@pytest.mark.parametrize(
    ("number", "size"), [(3, 4), (MANY - 1, 2), (MANY, 2), (MANY, 4), (MANY, 6), (MANY, 8), (MANY, 7)]
)
def test_convolutions_of_small_maps_are_torchs_with_their_first_and_second_derivatives(number: int, size: int) -> None:
    layer = Convolution(5, 7).double().to(memory_format=torch.channels_last)
    images, direction = torch.randn(2, number, size, size, 5, dtype=torch.float64).transpose(2, 4).requires_grad_()
    inputs = [images, layer.weight, layer.bias]
    expected = functional.conv2d(images, layer.weight, layer.bias, padding=1)
    for found, known in zip(
        derivatives(layer(images), inputs, direction), derivatives(expected, inputs, direction), strict=True
    ):
        torch.testing.assert_close(found, known)


@pytest.mark.parametrize(("channels", "size"), [(256, 8), (512, 4), (512, 2)])
def test_convolutions_of_small_maps_are_as_precise_as_torchs(channels: int, size: int) -> None:
    layer = Convolution(channels, channels)
    images, direction = torch.randn(2, MANY, channels, size, size).requires_grad_()
    inputs = [images, layer.weight, layer.bias]
    exact_inputs = [value.detach().double().requires_grad_() for value in inputs]
    found = derivatives(layer(images), inputs, direction)
    by_torch = derivatives(functional.conv2d(images, layer.weight, layer.bias, padding=1), inputs, direction)
    exact_outputs = functional.conv2d(*exact_inputs, padding=1)
    exact = derivatives(exact_outputs, exact_inputs, direction.double())
    for ours, theirs, known in zip(found, by_torch, exact, strict=True):
        assert (ours - known).norm() < 1.5 * (theirs - known).norm() + 1e-7 * known.norm()


@pytest.mark.parametrize("size", [2, 4, 8])
def test_channels_that_are_dead_have_outputs_and_gradients_of_exactly_zero(size: int) -> None:
    layer = Convolution(32, 32)
    images = torch.randn(MANY, 32, size, size)
    with torch.no_grad():
        images[:, :9] = 0
        layer.weight[:5] = 0
        layer.bias[:5] = 0
        layer.weight[:, 30:] = 0
    outputs = layer(images.requires_grad_())
    of_images, gradient = torch.autograd.grad(outputs[:, 7:].pow(2).sum(), [images, layer.weight])
    assert not of_images[:, 30:].any()
    assert of_images[:, :30].all()
    assert not outputs[:, :5].any()
    assert not gradient[:7].any()
    assert not gradient[:, :9].any()
    assert gradient[7:, 9:].all()


@pytest.mark.parametrize(
    ("number", "size", "chosen"), [(MANY, 2, True), (MANY, 8, True), (MANY, 7, False), (MANY, 16, False), (1, 8, False)]
)
def test_many_small_maps_of_even_size_are_convolved_in_winograds_way(
    number: int, size: int, chosen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, calls = Convolution(5, 7), []
    monkeypatch.setattr(winograd, "convolution", lambda *_: calls.append(1))
    layer(torch.zeros(number, 5, size, size))
    assert bool(calls) == chosen


def test_every_architecture_is_tested() -> None:
    assert set(SHAPES) == set(names("networks"))


@every_architecture
def test_prunable_weights_have_the_shapes_of_the_architecture(architecture: str) -> None:
    network = build(architecture, INPUT[architecture], 10)
    assert [tuple(weight.shape) for weight in prunable(network).values()] == SHAPES[architecture]


@pytest.mark.parametrize(
    ("architecture", "shape", "classes", "weights"),
    [
        ("resnet18", TINY, 200, 11_269_312),
        ("resnet18-modified", TINY, 200, 11_261_632),
        ("resnet50", IMAGENET, 1000, 25_502_912),
        ("lenet5", MNIST, 10, 430_500),
    ],
)
def test_prunable_weights_are_as_many_as_published(
    architecture: str, shape: tuple[int, int, int], classes: int, weights: int
) -> None:
    network = build(architecture, shape, classes)
    assert sum(weight.numel() for weight in prunable(network).values()) == weights


@every_architecture
def test_forward_pass_is_that_of_the_architecture(architecture: str, initialised: Callable[..., nn.Module]) -> None:
    network = initialised(architecture, INPUT[architecture], seed=3).double().eval()
    generator = torch.Generator().manual_seed(0)
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(generator=generator)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5, generator=generator)
    height, width, channels = INPUT[architecture]
    images = torch.randn(2, channels, height, width, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        expected = BY_HAND[architecture](images, network.state_dict())
        torch.testing.assert_close(network(images), expected, rtol=1e-9, atol=1e-12 * expected.abs().max().item())


@pytest.mark.parametrize(
    ("architecture", "biased_convolutions", "parameters"),
    [
        ("lenet-300-100", 0, 266_200 + 300 + 100 + 10),
        ("resnet20", 0, 270_896 + 10 + 2 * (7 * 16 + 7 * 32 + 7 * 64)),
        ("vgg16", 13, 14_715_584 + 10 + 3 * (2 * 64 + 2 * 128 + 3 * 256 + 6 * 512)),
        ("vgg-d", 13, 14_715_584 + 10 + 3 * (2 * 64 + 2 * 128 + 3 * 256 + 6 * 512) + 2 * (512 * 512 + 3 * 512)),
        ("lenet5", 2, 430_500 + 20 + 50 + 500 + 10),
        ("resnet18", 0, 11_172_032 + 10 + 9600),
    ],
)
def test_biases_are_where_the_architecture_has_them(
    architecture: str, biased_convolutions: int, parameters: int
) -> None:
    network = build(architecture, INPUT[architecture], 10)
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert sum(module.bias is not None for module in convolutions) == biased_convolutions
    assert all(module.bias is not None for module in network.modules() if isinstance(module, nn.Linear))
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_number_of_classes_and_input_size_are_the_datasets() -> None:
    assert build("resnet20", (64, 64, 1), 200)(torch.zeros(2, 1, 64, 64)).shape == (2, 200)
    assert build("vgg16", (32, 32, 1), 7)(torch.zeros(2, 1, 32, 32)).shape == (2, 7)
    assert build("lenet-300-100", (8, 8, 1), 5)(torch.zeros(2, 1, 8, 8)).shape == (2, 5)


def test_prunable_are_weights_of_convolutions_and_linear_layers_only() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(2, 2))
    assert list(prunable(network)) == ["0.weight", "4.weight"]
    assert prunable(network)["4.weight"] is network[4].weight


DEVIATIONS: dict[str, Callable[[np.ndarray], float]] = {
    # weights that lead to an output; weights that lead away from an input
    "kaiming-normal": lambda values: math.sqrt(2 / values[0].size),
    "glorot-normal": lambda values: math.sqrt(2 / (values[0].size + values[:, 0].size)),
    "normal": lambda _: 0.1,
}


def test_every_initialiser_is_tested() -> None:
    assert set(DEVIATIONS) == set(INITIALISERS)


@every_kind_of_layer
@pytest.mark.parametrize("initialiser", DEVIATIONS)
def test_initial_weights_are_normal_with_the_deviation_of_the_initialiser(initialiser: str, architecture: str) -> None:
    network = build(architecture, INPUT[architecture], 10)
    state = draw_state(network, initialiser, 0)
    for name in prunable(network):
        values = state[name].double().numpy()
        expected = DEVIATIONS[initialiser](values)
        assert abs(values.std() / expected - 1) < 5 / math.sqrt(2 * values.size)
        assert abs(values.mean()) < 5 * expected / math.sqrt(values.size)
        for deviations, share in ((1, 0.682689), (2, 0.954500)):
            within = (np.abs(values) < deviations * expected).mean()
            assert abs(within - share) < 5 * math.sqrt(share * (1 - share) / values.size)


@pytest.mark.parametrize(
    ("initialiser", "of_torch"),
    [("kaiming-normal", nn.init.kaiming_normal_), ("glorot-normal", nn.init.xavier_normal_)],
)
def test_initial_weights_spread_as_those_of_torch(initialiser: str, of_torch: Callable[..., Tensor]) -> None:
    torch.manual_seed(0)
    layers = [nn.Linear(400, 90), nn.Conv2d(30, 120, 3), nn.Conv2d(120, 30, (1, 5)), nn.Conv2d(150, 150, 1)]
    state = draw_state(nn.Sequential(*layers), initialiser, 0)
    for number, layer in enumerate(layers):
        expected = of_torch(layer.weight.detach()).std().item()
        tolerance = 5 / math.sqrt(layer.weight.numel())
        assert state[f"{number}.weight"].std().item() == pytest.approx(expected, rel=tolerance)


def test_initialisers_differ_in_the_scale_of_weights_alone() -> None:
    network = build("vgg16", CIFAR, 10)
    states = [draw_state(network, initialiser, 0) for initialiser in DEVIATIONS]
    for name, values in states[0].items():
        for other in states[1:]:
            if name in prunable(network):
                assert torch.allclose(other[name] / other[name].std(), values / values.std(), rtol=1e-4)
                assert not torch.equal(other[name], values)
            else:
                assert torch.equal(other[name], values)


@every_kind_of_layer
def test_initial_biases_are_uniform_within_one_by_root_fan_in(
    architecture: str, initialised: Callable[..., nn.Module]
) -> None:
    network = initialised(architecture, INPUT[architecture])
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    scaled = torch.cat([m.bias.detach() * math.sqrt(m.weight[0].numel()) for m in layers if m.bias is not None]).numpy()
    assert (np.abs(scaled) <= 1 + 1e-6).all()
    quarters = np.histogram(scaled, bins=4, range=(-1.000001, 1.000001))[0] / scaled.size
    assert np.abs(quarters - 0.25).max() < 5 * math.sqrt(0.25 * 0.75 / scaled.size)


@pytest.mark.parametrize("architecture", ["resnet20", "vgg16", "vgg-d"])
def test_initial_batch_norm_has_uniform_gamma_and_is_otherwise_neutral(
    architecture: str, initialised: Callable[..., nn.Module]
) -> None:
    layers = [m for m in initialised(architecture, CIFAR).modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    gamma = torch.cat([layer.weight.detach() for layer in layers]).numpy()
    assert gamma.min() >= 0
    assert gamma.max() < 1
    quarters = np.histogram(gamma, bins=4, range=(0, 1))[0] / gamma.size
    assert np.abs(quarters - 0.25).max() < 5 * math.sqrt(0.25 * 0.75 / gamma.size)
    for layer in layers:
        assert (layer.bias == 0).all()
        assert (layer.running_mean == 0).all()
        assert (layer.running_var == 1).all()
        assert layer.num_batches_tracked == 0


@every_architecture
def test_a_state_covers_all_parameters_and_buffers(architecture: str) -> None:
    network = build(architecture, INPUT[architecture], 10)
    state = draw_state(network, "kaiming-normal", 0)
    expected = dict(itertools.chain(network.named_parameters(), network.named_buffers()))
    assert set(state) == set(expected)
    for name, values in expected.items():
        assert (state[name].shape, state[name].dtype) == (values.shape, values.dtype)


def test_equal_seeds_draw_equal_states_whatever_was_drawn_before() -> None:
    torch.manual_seed(1)
    first = draw_state(build("resnet20", CIFAR, 10), "kaiming-normal", 5)
    torch.manual_seed(2)
    np.random.default_rng(0).random(10)
    second = draw_state(build("resnet20", CIFAR, 10), "kaiming-normal", 5)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_tensor_does_not_depend_on_what_other_tensors_there_are() -> None:
    small = nn.Sequential(nn.Linear(4, 3))
    large = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    states = [draw_state(network, "kaiming-normal", 0) for network in (small, large)]
    assert torch.equal(states[0]["0.weight"], states[1]["0.weight"])


def test_different_seeds_draw_unrelated_states() -> None:
    network = build("resnet20", CIFAR, 10)
    first, second = (draw_state(network, "kaiming-normal", seed) for seed in (0, 1))
    for name in prunable(network):
        correlation = np.corrcoef(first[name].flatten(), second[name].flatten())[0, 1]
        assert abs(correlation) < 5 / math.sqrt(first[name].numel())
    assert not torch.equal(first["norm.weight"], second["norm.weight"])
    assert not torch.equal(first["output.bias"], second["output.bias"])


def test_tensors_of_a_state_are_drawn_independently() -> None:
    network = build("resnet20", CIFAR, 10)
    states = [draw_state(network, "kaiming-normal", seed) for seed in (0, 1)]
    equal_shape = [n for n, weight in prunable(network).items() if weight.shape == (16, 16, 3, 3)]
    draws = np.array([state[name].flatten().numpy() for state in states for name in equal_shape])
    correlations = np.corrcoef(draws) - np.eye(len(draws))
    assert len(draws) == 12
    assert np.abs(correlations).max() < 5 / math.sqrt(draws.shape[1])


def test_an_unknown_kind_of_layer_is_refused_by_name() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))
    with pytest.raises(PruningError, match=re.escape("1.bias, 1.weight")):
        draw_state(network, "kaiming-normal", 0)


def test_a_copied_state_is_safe_from_later_changes(initialised: Callable[..., nn.Module]) -> None:
    network = initialised("resnet20", CIFAR)
    state = copy_state(network)
    before = state_checksum(state)
    with torch.no_grad():
        for values in itertools.chain(network.parameters(), network.buffers()):
            values.add_(1)
    assert state_checksum(state) == before
    assert state_checksum(copy_state(network)) != before
