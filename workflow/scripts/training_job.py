"""What the scripts share that train a network or use a trained one: a training that goes on after a kill."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from elsewhere import refuse
from network_job import NetworkJob
from places import cell_of
from pruning import batches
from pruning.files import file_digest
from pruning.masks import Mask, mask_checksum
from pruning.predictions import from_logits, save_predictions
from pruning.states import Progress, State, load_checkpoint, load_progress, run_key, save_progress, state_checksum
from pruning.training import COLUMNS, Recipe, Rows, predict, train


class TrainingJob(NetworkJob):
    """A job that trains a network, or predicts with a trained one."""

    def __init__(self, snakemake: Any) -> None:
        super().__init__(snakemake, tf32=snakemake.params.recipe["precision"] == "tf32")
        self.cell = cell_of(snakemake.output[0])
        self.recipe = Recipe.read(self.settings)
        self.batches = batches.of_data(self.data, self.recipe.batch_size, self.seed, self.device)

    def made_from(self, mask: Mask, start: State) -> dict[str, Any]:
        """What this run is made from, as its record says it."""
        return {
            "recipe": self.settings,
            "mask": mask_checksum(mask),
            "start_state": state_checksum(start),
            "data": self.data.checksum,
        }

    def key(self, mask: Mask, start: State, torch_version: str | None = None, engine: str | None = None) -> str:
        """The name of this run, or of the same with another torch on another engine: its cell, and a digest of all that
        its bytes depend on."""
        recipe, *checksums = self.made_from(mask, start).values()
        made_by = torch_version or torch.__version__, engine or self.device.type
        return f"{self.cell} {run_key(recipe, self.seed, *checksums, *made_by)}"

    def check_state(
        self, path: Path, record: dict[str, Any], mask: Mask, start: State, update: int | None = None
    ) -> None:
        """Raise PruningError where the state at `path`, from elsewhere, is not of this run, made by what `record` says;
        or not that after `update` updates."""
        progress, key = load_progress(path)
        if key != self.key(mask, start, record["versions"]["torch"], record["engine"]):
            refuse(path, "it is of another run than here (code, data or recipe differ)")
        if update not in (None, progress.update):
            refuse(path, f"it is the state after {progress.update} updates")

    def train(
        self, mask: Mask, start: Progress, checkpoint: Path, every: float, log: logging.Logger
    ) -> tuple[Progress, dict[str, Any]]:
        """Train to the end of the schedule, going on from `checkpoint` if it is this run's; the end and its record.

        A checkpoint is written at the end of an epoch once `every` seconds have passed since the last, and stays until
        the cell is evaluated. Raises PruningError where the data are no longer those that were prepared: on a CPU the
        images are in the files, and what was changed there may have been trained on.
        """
        key = self.key(mask, start.state)
        progress, message = load_checkpoint(checkpoint, key)
        log.info(message)
        saved = time.monotonic()
        bar = tqdm(total=self.recipe.epochs, unit="epoch", disable=None, leave=False, delay=5)

        def after_epoch(rows: Rows, now: Callable[[], Progress]) -> None:
            nonlocal saved
            log.info(" ".join(f"{name}={rows[-1][name]:.6g}" for name in COLUMNS))
            bar.update(int(rows[-1]["epoch"]) - bar.n)
            if time.monotonic() - saved >= every:
                self.read_data()
                save_progress(checkpoint, now(), key)
                saved = time.monotonic()

        with bar:
            end = train(self.network, mask, self.recipe, self.batches, progress or start, after_epoch=after_epoch)
        self.read_data()
        return end, self.run.record(
            **self.made_from(mask, start.state),
            training_seconds=sum(float(row["seconds"]) for row in end.rows),
        )

    def save_end_state(self, path: str, end: Progress, mask: Mask, start: State) -> None:
        """Write what a run ends with. Nothing goes on from there: the momentum is not needed."""
        save_progress(Path(path), Progress(end.update, end.state, {}, end.rows), self.key(mask, start))

    def predict(self, path: str) -> None:
        """Write the predictions of the network as it is now."""
        logits = predict(self.network, self.batches.test(), self.recipe.precision).cpu().numpy()
        save_predictions(path, from_logits(logits, self.data.test.labels))


def digests(predictions: str | Path, curve: str | Path) -> dict[str, str]:
    """What the record of a run says of the two files beside it."""
    return {"predictions": file_digest(predictions), "curve": file_digest(curve)}


def check_digests(record: dict[str, Any], predictions: Path, curve: Path) -> None:
    """Raise PruningError where these files, from elsewhere, are not those that `record` was written beside."""
    for (name, digest), path in zip(digests(predictions, curve).items(), (predictions, curve), strict=True):
        if record[name] != digest:
            refuse(path, "it is not the file that its training wrote")
