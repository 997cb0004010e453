"""What the tests share: where real data lies, prepared datasets, small networks, and a workflow that has run."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pruning import data as data_module
from pruning.data import Data
from workflow_copy import WorkflowCopy

REAL_DATA = "PRUNING_TEST_DATA"
"""Names the folder with the official files of MNIST and CIFAR-10, and with ten classes of small pictures in the layouts
of TinyImageNet and ImageNet; without it the tests that need them skip."""


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the publishers' files."""
    if REAL_DATA not in os.environ:
        pytest.skip(f"the environment variable {REAL_DATA} names no folder with the publishers' files")
    return Path(os.environ[REAL_DATA])


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits, prepared."""
    folder = tmp_path_factory.mktemp("digits")
    data_module.prepare("digits", Path("unused"), folder)
    return folder


@pytest.fixture(scope="session")
def digits(digits_folder: Path) -> Data:
    return data_module.load(digits_folder)


@pytest.fixture(scope="session")
def initialised() -> Callable[..., Any]:
    """A network by its architecture, in the initial state of a seed."""
    from pruning.initialisation import draw_state
    from pruning.networks import build

    def make(architecture: str, shape: tuple[int, int, int], classes: int = 10, seed: int = 0) -> Any:
        network = build(architecture, shape, classes)
        network.load_state_dict(draw_state(network, "kaiming-normal", seed))
        return network

    return make


@pytest.fixture(scope="session")
def noise() -> Callable[..., Any]:
    """Scoring examples of random pixels for images of a shape, labels taking turns."""
    import torch

    from pruning.scores import Examples

    def make(shape: tuple[int, int, int], count: int = 10, classes: int = 10, seed: int = 0) -> Any:
        height, width, channels = shape
        images = torch.randn(count, channels, height, width, generator=torch.Generator().manual_seed(seed))
        return Examples(images, torch.arange(count) % classes)

    return make


@pytest.fixture(scope="session")
def resnet(initialised: Callable[..., Any]) -> Any:
    return initialised("resnet20", (8, 8, 3))


@pytest.fixture(scope="session")
def thumbnails(noise: Callable[..., Any]) -> Any:
    """Images of 8x8 pixels: the size of ResNet-20 does not depend on theirs."""
    return noise((8, 8, 3))


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> WorkflowCopy:
    """A workflow that has not run. Only to be read."""
    return WorkflowCopy.make(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def finished(fresh: WorkflowCopy, tmp_path_factory: pytest.TempPathFactory) -> WorkflowCopy:
    """A workflow that has run: all cells at once, two at a time. Only to be read."""
    workflow = fresh.copy(tmp_path_factory.mktemp("finished"))
    workflow.run()
    return workflow


@pytest.fixture
def workflow(finished: WorkflowCopy, tmp_path: Path) -> WorkflowCopy:
    """A workflow that has run, for a test to change."""
    return finished.copy(tmp_path)


@pytest.fixture
def new(fresh: WorkflowCopy, tmp_path: Path) -> WorkflowCopy:
    """A workflow that has not run, for a test to change."""
    return fresh.copy(tmp_path)
