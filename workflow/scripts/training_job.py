"""What the scripts share that train a network or use a trained one: a training that goes on after a kill."""

import logging
import time
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from network_job import NetworkJob
from pruning import batches
from pruning.masks import Mask, mask_checksum
from pruning.predictions import from_logits, save_predictions
from pruning.states import Progress, State, load_checkpoint, run_key, save_progress, state_checksum
from pruning.training import COLUMNS, Recipe, predict, train


class TrainingJob(NetworkJob):
    """A job that trains a network, or predicts with a trained one."""

    def __init__(self, snakemake: Any) -> None:
        super().__init__(snakemake)
        self.recipe = Recipe.read(self.settings)
        self.batches = batches.of_data(self.data, self.recipe.batch_size, self.seed, self.device)

    def key(self, mask: Mask, start: State) -> str:
        """The name of this run: all that its bytes depend on."""
        return run_key(
            self.settings,
            self.seed,
            mask_checksum(mask),
            state_checksum(start),
            self.data.checksum,
            torch.__version__,
            self.device.type,
        )

    def train(
        self, mask: Mask, start: Progress, checkpoint: Path, every: float, log: logging.Logger
    ) -> tuple[Progress, dict[str, Any]]:
        """Train to the end of the schedule, going on from `checkpoint` if it is this run's; the end and its record.

        A checkpoint is written at the end of an epoch once `every` seconds have passed since the last.
        """
        key = self.key(mask, start.state)
        progress, message = load_checkpoint(checkpoint, key)
        log.info(message)
        saved = time.monotonic()
        bar = tqdm(total=self.recipe.epochs, unit="epoch", disable=None, leave=False, delay=5)

        def after_epoch(progress: Progress) -> None:
            nonlocal saved
            row = progress.rows[-1]
            log.info(" ".join(f"{name}={row[name]:.6g}" for name in COLUMNS))
            bar.update(int(row["epoch"]) - bar.n)
            if time.monotonic() - saved >= every:
                save_progress(checkpoint, progress, key)
                saved = time.monotonic()

        with bar:
            end = train(self.network, mask, self.recipe, self.batches, progress or start, after_epoch=after_epoch)
        return end, self.run.record(
            recipe=self.settings,
            mask=mask_checksum(mask),
            start_state=state_checksum(start.state),
            data=self.data.checksum,
            training_seconds=sum(float(row["seconds"]) for row in end.rows),
        )

    def save_end_state(self, path: str, end: Progress, mask: Mask, start: State) -> None:
        """Write what a run ends with. Nothing goes on from there: the momentum is not needed."""
        save_progress(Path(path), Progress(end.update, end.state, {}, end.rows), self.key(mask, start))

    def predict(self, path: str) -> None:
        """Write the predictions of the network as it is now."""
        logits = predict(self.network, self.batches.test()).cpu().numpy()
        save_predictions(path, from_logits(logits, self.data.test.labels))
