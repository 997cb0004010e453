"""Other people's code, run as it is: a checkout of open_lth or of Synaptic-Flow is only read.

    git clone https://github.com/facebookresearch/open_lth
    git clone https://github.com/ganguli-lab/Synaptic-Flow

Both are of 2020. What today's libraries no longer have is put in place before they are imported: `numpy.product`, and a
stand-in for DistributedDataParallel, whose bases have changed (one process needs none).
"""

import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Seconds = dict[str, float]


def prepare(checkout: str) -> None:
    """Make the modules of a checkout those that are imported."""
    import torch

    vars(np)["product"] = np.prod
    torch.nn.parallel.DistributedDataParallel = type("NotDistributed", (torch.nn.Module,), {})  # type: ignore[misc]
    sys.path.insert(0, checkout)
    os.chdir(checkout)


def open_lth(
    meet: Callable[[], object],
    checkout: str,
    model_name: str,
    batch: int,
    train_images: int,
    test_images: int,
    loader: bool,
) -> Seconds:
    """An epoch of open_lth's own `train` with a random mask (its PrunedModel) and its evaluation of the test set.

    `loader`: its own dataset, transforms and loader, in the process (its default). Else batches are made beforehand.
    """
    prepare(checkout)
    import models.registry
    import torch
    import torchvision
    from datasets import base
    from foundations.step import Step
    from PIL import Image
    from platforms import local, platform
    from pruning.mask import Mask
    from pruning.pruned_model import PrunedModel
    from training.standard_callbacks import create_eval_callback
    from training.train import train

    platform._PLATFORM = local.Platform()
    is_grey = model_name.startswith("mnist")
    transforms = torchvision.transforms
    images_of, tensors_of = [], [transforms.Normalize([0.1307], [0.3081])]
    if not is_grey:
        images_of = [transforms.RandomHorizontalFlip(), transforms.RandomCrop(32, 4)]
        tensors_of = [transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]

    class Made(base.ImageDataset):
        @staticmethod
        def num_train_examples() -> int:
            return train_images

        @staticmethod
        def num_test_examples() -> int:
            return test_images

        @staticmethod
        def num_classes() -> int:
            return 10

        @staticmethod
        def get_train_set(use_augmentation: bool) -> None:
            raise NotImplementedError

        @staticmethod
        def get_test_set() -> None:
            raise NotImplementedError

        def example_to_image(self, example: np.ndarray) -> Any:
            return Image.fromarray(example)

    class InMemory:
        """Batches of noise: one, seen again and again."""

        def __init__(self, count: int) -> None:
            shape = (1, 28, 28) if is_grey else (3, 32, 32)
            self.batches = -(-count // batch)
            self.one = torch.randn(batch, *shape), torch.randint(10, (batch,))
            self.dataset, self.iterations_per_epoch = range(count), self.batches

        def shuffle(self, seed: object) -> None:
            pass

        def __len__(self) -> int:
            return self.batches

        def __iter__(self) -> Any:
            return (self.one for _ in range(self.batches))

    def data(count: int, augment: bool) -> Any:
        if not loader:
            return InMemory(count)
        draw = np.random.default_rng(0)
        shape = (28, 28) if is_grey else (32, 32, 3)
        images = draw.integers(0, 256, (count, *shape), dtype=np.uint8)
        made = Made(images, draw.integers(0, 10, count), images_of if augment else [], tensors_of)
        return base.DataLoader(made, batch_size=batch, num_workers=0)

    settings = models.registry.get_default_hparams(model_name)
    model = models.registry.get(settings.model_hparams, outputs=10)
    mask = {name: (torch.rand_like(one) > 0.8).float() for name, one in Mask.ones_like(model).items()}
    training, test = data(train_images, augment=True), data(test_images, augment=False)
    updates = training.iterations_per_epoch
    stamps: list[float] = []

    def epoch(model: Any, stop: int, folder: str) -> Seconds:
        stamps.clear()
        began = time.perf_counter()
        train(
            settings.training_hparams,
            model,
            training,
            folder,
            [lambda *_: stamps.append(time.perf_counter())],
            end_step=Step.from_epoch(0, stop, updates),
        )
        ended = time.perf_counter()
        from training.metric_logger import MetricLogger

        create_eval_callback("test", test)(folder, Step.zero(updates), model, None, MetricLogger())
        return {"update": (ended - began) / stop, "epoch": time.perf_counter() - began}

    pruned = PrunedModel(model, Mask(mask))
    with tempfile.TemporaryDirectory() as folder:
        epoch(pruned, min(3, updates), folder)
        meet()
        return epoch(pruned, updates, folder)


def synaptic_flow(
    meet: Callable[[], object], checkout: str, model_name: str, method: str, rounds: int, density: float
) -> Seconds:
    """One mask by Synaptic-Flow's own `prune_loop`: 100 examples of noise in one batch, batch norm in the mode that its
    method asks for here (training mode for SNIP and GraSP, as the study has it)."""
    prepare(checkout)
    import torch
    from Utils import generator, load

    from prune import prune_loop

    batch = [(torch.randn(100, 3, 32, 32), torch.randint(10, (100,)))]

    def mask() -> None:
        model = load.model(model_name, "lottery")((3, 32, 32), 10)
        pruner = load.pruner(method)(generator.masked_parameters(model))
        loss = torch.nn.CrossEntropyLoss()
        began.append(time.perf_counter())
        with contextlib.redirect_stderr(io.StringIO()):
            prune_loop(
                model, loss, pruner, batch, torch.device("cpu"), density, "exponential", "global", rounds,
                train_mode=method != "synflow",
            )  # fmt: skip
        began.append(time.perf_counter())

    began: list[float] = []
    mask()
    meet()
    mask()
    return {"mask": began[-1] - began[-2]}
