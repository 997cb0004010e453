"""Wiring and paths against automatic differentiation, hooks and small cases worked out by hand."""

import copy
import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pruning import PruningError
from pruning.evaluation import mask_metrics
from pruning.masks import Mask
from pruning.networks import prunable
from pruning.paths import LayerPaths, layer_paths
from pruning.scores import Examples
from pruning.scoring import Pruning, make_mask
from pruning.wiring import trace

SHAPES = {"lenet-300-100": (28, 28, 1), "resnet20": (32, 32, 3), "vgg16": (32, 32, 3)}
every_architecture = pytest.mark.parametrize("architecture", SHAPES)


def effective(network: nn.Module, mask: Mask, shape: tuple[int, int, int]) -> dict[str, int]:
    """Kept weights with a gradient in the network whose weights are its mask: those on a path from input to output.

    Convolutions wrap around the image, so that no path between channels is lost over its border.
    """
    height, width, channels = shape
    network = copy.deepcopy(network).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.weight.fill_(1)
                module.eps = 0
            elif isinstance(module, nn.Conv2d):
                module.padding_mode = "circular"
        for name, weight in prunable(network).items():
            weight.copy_(torch.from_numpy(mask[name]))
    flow = network(torch.ones(1, channels, height, width, dtype=torch.float64)).sum()
    gradients = torch.autograd.grad(flow, list(prunable(network).values()))
    return {
        name: int(np.count_nonzero(mask[name] & (gradient.numpy() > 0)))
        for name, gradient in zip(mask, gradients, strict=True)
    }


@pytest.mark.parametrize("density", [0.1, 0.018, 0.001])
@pytest.mark.parametrize("score", ["random", "magnitude"])
@every_architecture
def test_effective_weights_are_those_with_a_gradient(
    architecture: str,
    score: str,
    density: float,
    initialised: Callable[..., nn.Module],
    noise: Callable[..., Examples],
) -> None:
    shape = SHAPES[architecture]
    network = initialised(architecture, shape)
    mask = make_mask(network, noise(shape), Pruning(score, 1, lambda total: round(density * total), "none", 0))
    expected = effective(network, mask, shape)
    found = {name: left.effective for name, left in layer_paths(mask, trace(network, shape)).items()}
    assert found == expected
    if density < 0.1:
        assert sum(expected.values()) < sum(np.count_nonzero(array) for array in mask.values())


@pytest.mark.parametrize(
    ("architecture", "shape"),
    [
        ("lenet5", (28, 28, 1)),
        ("resnet32", (32, 32, 3)),
        ("vgg-d", (32, 32, 3)),
        ("resnet18", (64, 64, 3)),
        ("resnet18-modified", (16, 16, 3)),
        ("resnet50", (64, 64, 3)),
    ],
)
def test_effective_weights_of_larger_networks(
    architecture: str,
    shape: tuple[int, int, int],
    initialised: Callable[..., nn.Module],
    noise: Callable[..., Examples],
) -> None:
    network = initialised(architecture, shape)
    wiring = trace(network, shape)
    mask = make_mask(network, noise(shape), Pruning("magnitude", 1, lambda total: round(0.005 * total), "none", 0))
    expected = effective(network, mask, shape)
    assert {name: left.effective for name, left in layer_paths(mask, wiring).items()} == expected
    assert wiring["prunable"] == sum(array.size for array in mask.values())


@pytest.mark.parametrize("seed", range(20))
def test_effective_weights_where_whole_channels_are_cut_off(seed: int, initialised: Callable[..., nn.Module]) -> None:
    """Two thirds of the rows and of the columns of every tensor left: paths break in the middle of the network."""
    draw, shape = np.random.default_rng(seed), (8, 8, 3)
    network = initialised("resnet20", shape)
    mask = {}
    for name, weight in prunable(network).items():
        targets, sources = draw.random(weight.shape[0]) < 0.65, draw.random(weight.shape[1]) < 0.65
        blocks = np.outer(targets, sources).reshape(*weight.shape[:2], *[1] * (weight.dim() - 2))
        mask[name] = np.broadcast_to(blocks, weight.shape) & (draw.random(weight.shape) < 0.8)
    found = {name: left.effective for name, left in layer_paths(mask, trace(network, shape)).items()}
    assert found == effective(network, mask, shape)
    assert 0 < sum(found.values()) < sum(np.count_nonzero(array) for array in mask.values())


@pytest.mark.parametrize("emptied", ["hidden1.weight", "hidden2.weight", "output.weight"])
def test_an_empty_layer_of_a_chain_leaves_nothing_effective(
    emptied: str, initialised: Callable[..., nn.Module]
) -> None:
    network = initialised("lenet-300-100", (28, 28, 1))
    mask = {name: np.ones(weight.shape, dtype=bool) for name, weight in prunable(network).items()}
    wiring = trace(network, (28, 28, 1))
    full = layer_paths(mask, wiring)
    assert {name: left.effective for name, left in full.items()} == {name: array.size for name, array in mask.items()}
    mask[emptied][:] = False
    assert [left.effective for left in layer_paths(mask, wiring).values()] == [0, 0, 0]


def test_an_emptied_block_of_resnet20_is_bypassed_and_an_emptied_stem_is_not(
    initialised: Callable[..., nn.Module],
) -> None:
    network = initialised("resnet20", (32, 32, 3))
    wiring = trace(network, (32, 32, 3))
    mask = {name: np.ones(tuple(weight.shape), dtype=bool) for name, weight in prunable(network).items()}
    mask["blocks.1.conv1.weight"][:] = False
    bypassed = {name for name, left in layer_paths(mask, wiring).items() if left.effective == 0}
    assert bypassed == {"blocks.1.conv1.weight", "blocks.1.conv2.weight"}
    mask["conv.weight"][:] = False
    assert all(left.effective == 0 for left in layer_paths(mask, wiring).values())


# By hand


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 3, 1)
        self.inner = nn.Conv2d(3, 3, 1)
        self.output = nn.Linear(3, 2)

    def forward(self, images: Tensor) -> Tensor:
        features = self.stem(images).relu()
        features = features + self.inner(features)
        logits: Tensor = self.output(features.mean((2, 3)))
        return logits


def test_paths_of_a_residual_network_by_hand() -> None:
    #  input -> stem 0, 1 (stem 2 has no input); inner: stem 2 -> 0, stem 1 -> 1; output reads sums 1 and 2.
    mask = {
        "stem.weight": np.array([1, 1, 0], dtype=bool).reshape(3, 1, 1, 1),
        "inner.weight": np.array([[0, 0, 1], [0, 1, 0], [0, 0, 0]], dtype=bool).reshape(3, 3, 1, 1),
        "output.weight": np.array([[0, 1, 0], [0, 0, 1]], dtype=bool),
    }
    assert layer_paths(mask, trace(Residual(), (2, 2, 1))) == {
        "stem.weight": LayerPaths(effective=1, without_incoming=1, without_outgoing=1),
        "inner.weight": LayerPaths(effective=1, without_incoming=1, without_outgoing=1),
        "output.weight": LayerPaths(effective=1, without_incoming=0, without_outgoing=0),
    }


def test_paths_of_a_chain_by_hand() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.Linear(3, 2))
    #  1.1 is read by 3.0 only, which nothing reads; 1.2 has no input; 3.2 has none either
    mask = {
        "1.weight": np.array([[1, 1], [1, 0], [0, 0]], dtype=bool),
        "3.weight": np.array([[0, 1, 0], [1, 0, 1], [0, 0, 0]], dtype=bool),
        "4.weight": np.array([[0, 1, 1], [0, 0, 0]], dtype=bool),
    }
    assert layer_paths(mask, trace(network, (1, 2, 1))) == {
        "1.weight": LayerPaths(effective=2, without_incoming=1, without_outgoing=0),
        "3.weight": LayerPaths(effective=1, without_incoming=1, without_outgoing=1),
        "4.weight": LayerPaths(effective=1, without_incoming=1, without_outgoing=0),
    }


def test_a_flattened_image_holds_the_values_of_a_channel_together() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Flatten(), nn.Linear(8, 2))
    mask = {
        "0.weight": np.array([True, False]).reshape(2, 1, 1, 1),
        "2.weight": np.array([[1, 0, 1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 1, 0, 0, 0]], dtype=bool),
    }
    assert layer_paths(mask, trace(network, (2, 2, 1))) == {
        "0.weight": LayerPaths(effective=1, without_incoming=1, without_outgoing=0),
        "2.weight": LayerPaths(effective=3, without_incoming=0, without_outgoing=0),
    }


# Counts


@pytest.mark.parametrize(
    ("architecture", "shape", "count"),
    [
        ("lenet-300-100", (28, 28, 1), 266_200),
        ("lenet-300-100", (8, 8, 1), 50_200),
        ("resnet20", (32, 32, 3), 270_896),
        ("vgg16", (32, 32, 3), 14_715_584),
    ],
)
def test_prunable_and_all_parameters_are_counted(
    architecture: str, shape: tuple[int, int, int], count: int, initialised: Callable[..., nn.Module]
) -> None:
    network = initialised(architecture, shape)
    wiring = trace(network, shape)
    assert wiring["prunable"] == count
    assert wiring["parameters"] == sum(parameter.numel() for parameter in network.parameters())


@every_architecture
def test_positions_are_the_pixels_of_each_layers_output(
    architecture: str, initialised: Callable[..., nn.Module]
) -> None:
    network = initialised(architecture, SHAPES[architecture])
    seen: dict[str, int] = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):

            def count(module: nn.Module, _: object, output: Tensor, name: str = f"{name}.weight") -> None:
                seen[name] = output[0, 0].numel()

            module.register_forward_hook(count)
    height, width, channels = SHAPES[architecture]
    network(torch.zeros(2, channels, height, width))
    for hooked in network.modules():
        hooked._forward_hooks.clear()
    found = {
        c["tensor"]: c["positions"] for c in trace(network, (height, width, channels))["connections"] if "tensor" in c
    }
    assert found == seen


@pytest.mark.parametrize(
    ("architecture", "multiply_adds"),
    [
        ("lenet-300-100", 266_200),
        (
            "resnet20",
            1024 * (432 + 6 * 2304) + 256 * (4608 + 5 * 9216 + 512) + 64 * (18_432 + 5 * 36_864 + 2048) + 640,
        ),
    ],
)
def test_multiply_adds_are_weights_times_positions(
    architecture: str, multiply_adds: int, initialised: Callable[..., nn.Module]
) -> None:
    network = initialised(architecture, SHAPES[architecture])
    wiring = trace(network, SHAPES[architecture])
    mask = {name: np.ones(tuple(weight.shape), dtype=bool) for name, weight in prunable(network).items()}
    assert mask_metrics(mask, wiring)["multiply_adds"] == multiply_adds
    assert mask_metrics(mask, wiring)["multiply_adds_left"] == multiply_adds
    mask["output.weight"][1:] = False
    removed = mask["output.weight"].size * 9 // 10
    assert mask_metrics(mask, wiring)["multiply_adds_left"] == multiply_adds - removed


def test_a_wiring_survives_json(initialised: Callable[..., nn.Module]) -> None:
    wiring = trace(initialised("resnet20", (32, 32, 3)), (32, 32, 3))
    assert json.loads(json.dumps(wiring)) == wiring


# What cannot be followed


class Joined(nn.Module):
    """Two convolutions whose outputs are joined by `join`."""

    def __init__(self, join: Callable[[Tensor, Tensor], Tensor], outputs: int) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(1, 4, 1), nn.Conv2d(1, 4, 1)
        self.output = nn.Conv2d(outputs, 2, 1)
        self.join = join

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.output(self.join(self.left(images), self.right(images)))
        return logits


@pytest.mark.parametrize(
    ("join", "outputs"),
    [(lambda left, right: torch.cat([left, right], 1), 8), (lambda left, right: left * right, 4)],
    ids=["concatenation", "product"],
)
def test_groups_that_are_not_summed_are_refused(join: Callable[[Tensor, Tensor], Tensor], outputs: int) -> None:
    with pytest.raises(PruningError, match="left and right otherwise than by a sum"):
        trace(Joined(join, outputs), (2, 2, 1))


@pytest.mark.parametrize(
    "join",
    [lambda left, right: left + right, torch.add, lambda left, right: left.add_(right)],
    ids=["+", "torch.add", "add_"],
)
def test_every_way_to_write_a_sum_is_followed(join: Callable[[Tensor, Tensor], Tensor]) -> None:
    wiring = trace(Joined(join, 4), (2, 2, 1))
    mask = {
        "left.weight": np.array([1, 1, 0, 0], dtype=bool).reshape(4, 1, 1, 1),
        "right.weight": np.array([1, 0, 1, 0], dtype=bool).reshape(4, 1, 1, 1),
        "output.weight": np.ones((2, 4, 1, 1), dtype=bool),
    }
    found = layer_paths(mask, wiring)
    assert [found[name].effective for name in mask] == [2, 2, 6]


def test_a_group_joined_with_itself_by_concatenation_is_refused() -> None:
    """Both signs of the same channels, as in a concatenated ReLU."""

    class BothSigns(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.output = nn.Conv2d(1, 2, 1), nn.Conv2d(4, 2, 1)

        def forward(self, images: Tensor) -> Tensor:
            features = self.first(images)
            logits: Tensor = self.output(torch.cat([features.relu(), (-features).relu()], 1))
            return logits

    with pytest.raises(PruningError):
        trace(BothSigns(), (2, 2, 1))


def test_a_grouped_convolution_is_refused() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 3, groups=2))
    with pytest.raises(PruningError, match="1 reads 2 values of 4 neurons"):
        trace(network, (4, 4, 1))
