"""What the scripts share that run a network: its making, and a training that goes on after a kill."""

import json
import logging
import time
from pathlib import Path
from typing import Any

import torch
from job import Run, choose_device
from pruning import networks
from pruning.data import load
from pruning.initialisation import draw_state
from pruning.masks import Mask, mask_checksum
from pruning.predictions import from_logits, save_predictions
from pruning.states import Progress, State, load_checkpoint, run_key, save_progress, state_checksum
from pruning.training import COLUMNS, Recipe, Resident, predict, train
from tqdm import tqdm


class NetworkJob:
    """A job that scores, trains or tests a network: data, device and network as its recipe says."""

    def __init__(self, snakemake: Any) -> None:
        self.settings: dict[str, Any] = snakemake.params.recipe
        self.seed = int(snakemake.wildcards.seed)
        torch.set_num_threads(self.settings["threads"])
        self.device = choose_device(snakemake.resources.gpu > 0)
        self.run = Run(self.device)
        self.data = load(Path(snakemake.input.manifest).parent)
        shape = self.data.train.images.shape[1:]
        self.network = networks.build(self.settings["architecture"], shape, self.data.classes).to(self.device)

    def initial_state(self, purpose: str = "initial weights") -> State:
        return draw_state(self.network, self.settings["initialiser"], self.seed, purpose)

    @property
    def recipe(self) -> Recipe:
        return Recipe.read(self.settings)

    def resident(self) -> Resident:
        return Resident(self.data, self.recipe.batch_size, self.seed, self.device)

    def key(self, mask: Mask, start: State) -> str:
        """The name of this run: all that its bytes depend on."""
        code = json.dumps(self.settings, sort_keys=True)
        return run_key(
            code, mask_checksum(mask), state_checksum(start), self.data.checksum, torch.__version__, str(self.device)
        )

    def train(
        self, mask: Mask, start: Progress, checkpoint: Path, every: float, log: logging.Logger
    ) -> tuple[Progress, dict[str, Any]]:
        """Train to the end of the schedule, going on from `checkpoint` if it is this run's; the end and its record."""
        key = self.key(mask, start.state)
        progress, message = load_checkpoint(checkpoint, key)
        log.info(message)
        bar = tqdm(total=self.recipe.epochs, unit="epoch", disable=None, leave=False, delay=5)
        saved = time.monotonic()

        def after_epoch(progress: Progress) -> None:
            nonlocal saved
            row = progress.rows[-1]
            log.info(" ".join(f"{name}={row[name]:.6g}" for name in COLUMNS))
            bar.update(int(row["epoch"]) - bar.n)
            if time.monotonic() - saved >= every:
                save_progress(checkpoint, progress, key)
                saved = time.monotonic()

        with bar:
            end = train(self.network, mask, self.recipe, self.resident(), progress or start, after_epoch=after_epoch)
        return end, self.run.record(
            recipe=self.settings,
            mask=mask_checksum(mask),
            start_state=state_checksum(start.state),
            data=self.data.checksum,
            training_seconds=sum(float(row["seconds"]) for row in end.rows),
        )

    def predict(self, path: str) -> None:
        """Write the predictions of the network as it is now."""
        logits = predict(self.network, self.resident().test_images).cpu().numpy()
        save_predictions(path, from_logits(logits, self.data.test.labels))
