"""What can go wrong (docs/what-can-go-wrong.md): a clear message or a result, never a half-written file."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from pruning import PruningError, files
from pruning import data as data_module
from pruning.masks import count, load_mask, save_mask
from pruning.scoring import scoring_examples
from pruning.states import load_progress, save_progress
from training_job import TrainingJob
from workflow_copy import ROOT, WorkflowCopy, contents, wait_for

ROWS = """
large-batch: {base: tiny, batch_size: 5000, scoring_batch: 5000}
diverging: {base: tiny, learning_rate: 1.0e+10}
"""
STUDY = """
networks: [large-batch, diverging]
methods: [snip]
sparsities: [50, 99.998]
ablations: [none, shuffle]
seeds: [0]
device: cpu
"""


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> WorkflowCopy:
    """A study of what is odd, run to its last figure. Tests add to it and change nothing of it."""
    workflow = WorkflowCopy.make(tmp_path_factory.mktemp("odd"))
    workflow.append("config/networks.yaml", ROWS)
    (workflow.folder / "study.yaml").write_text(STUDY)
    workflow.run()
    return workflow


def metrics(workflow: WorkflowCopy, cell: str, network: str) -> dict[str, object]:
    return json.loads((workflow.cell(cell, network) / "evaluation.json").read_text())["metrics"]


# -------------------------------------------------------------------------------------------------------------- results


def test_a_batch_larger_than_the_data_is_one_update_an_epoch(workflow: WorkflowCopy) -> None:
    curve = files.read_rows(workflow.cell("snip/50/none", "large-batch") / "training.csv")
    assert [row["update"] for row in curve] == ["1", "2", "3"]
    assert metrics(workflow, "snip/50/none", "large-batch")["accuracy"] > 10


def test_one_weight_that_is_left_is_a_result_with_its_empty_layers(workflow: WorkflowCopy) -> None:
    cell = "snip/99.998/none"
    assert count(load_mask(workflow.cell(cell, "large-batch") / "mask.npz")[0]) == 1
    found = metrics(workflow, cell, "large-batch")
    assert (found["kept"], found["empty_layers"], found["disconnected"], found["collapsed"]) == (1, 2, True, True)


def test_a_loss_that_is_not_a_number_is_a_result_down_to_the_tables(workflow: WorkflowCopy) -> None:
    found = metrics(workflow, "snip/50/none", "diverging")
    assert (found["diverged"], found["loss"]) == (True, None)
    lines = (workflow.folder / "results/tables/accuracy.md").read_text()
    assert re.search(r"diverged", lines)
    rows = files.read_rows(workflow.folder / "results/tables/cells.csv")
    diverged = [row for row in rows if row["network"] == "diverging" and row["sparsity"] == "50"]
    assert {(row["diverged"], row["loss"]) for row in diverged} == {("True", "")}


def test_weights_that_are_not_numbers_are_not_scored_and_the_other_cells_go_on(workflow: WorkflowCopy) -> None:
    target = workflow.target("magnitude-after/50/none", "diverging")
    other = workflow.target("random/50/none", "large-batch")
    output = workflow.run(target, other, "--keep-going", code=1, config=("warm_start=False",))
    assert len(re.findall(r"^Score magnitude, round 1, .*", output, re.M)) == 1
    assert "Traceback" not in output
    assert not (workflow.cell("magnitude-after/50/none", "diverging") / "mask.npz").exists()
    assert (workflow.folder / other).exists()


# ------------------------------------------------------------------------------------------------------------- messages


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has what must be missing")
def test_a_gpu_that_was_asked_for_and_is_not_there_is_missed_at_once(workflow: WorkflowCopy) -> None:
    target = "results/cells/tiny/dense/0/none/seed9/states/end.safetensors"
    output = workflow.run(target, code=1, config=("device=cuda", "warm_start=False"))
    assert output.count("This job was given a GPU on") == 1
    assert "set `device: cpu`" in output
    assert "Traceback" not in output


SAY = """
from snakemake.iocontainers import Wildcards

print("solved for", os.environ.get("CONDA_OVERRIDE_CUDA"))
for time in (minutes, short_minutes):
    print(*(time(Wildcards(fromdict={"network": name}), 2) for name in ("resnet50-imagenet", "tiny")))
"""


def test_conda_on_a_login_node_solves_for_gpus_and_what_trains_nothing_is_short(tmp_path: Path) -> None:
    workflow = WorkflowCopy.make(tmp_path)
    workflow.append("Snakefile", SAY)
    solved = {}
    for device, visible, given in (("cuda", "", ""), ("cuda", "0", ""), ("cpu", "", ""), ("cuda", "", "11.8")):
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": visible}
        environment.pop("CONDA_OVERRIDE_CUDA", None)
        if given:
            environment["CONDA_OVERRIDE_CUDA"] = given
        command = workflow.command("-n", "--quiet", "all", config=(f"device={device}",))
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        solved[device, visible, given] = re.search(r"solved for (\S+)", done.stdout)[1]
        assert "8640 20\n120 20\n" in done.stdout
    assert list(solved.values()) == ["12.9", "None", "None", "11.8"]


def test_a_class_that_is_missing_from_the_scoring_examples_is_named(digits_folder: Path, tmp_path: Path) -> None:
    data = data_module.load(digits_folder)
    data.train.labels[np.flatnonzero(data.train.labels == 7)[9:]] = 3
    with pytest.raises(PruningError, match=r"10 scoring examples a class are needed; classes \[7\] have fewer"):
        scoring_examples(data, 0, torch.device("cpu"))


DATA = "results/data/digits/train_images.npy"


@pytest.mark.parametrize("change", ["cut short", "swapped"])
def test_data_that_change_between_two_jobs_are_refused_by_name(
    workflow: WorkflowCopy, tmp_path: Path, change: str
) -> None:
    """Its time does not show it: Snakemake has no reason to make anything again."""
    copy = workflow.copy(tmp_path)
    data = copy.folder / DATA
    if change == "cut short":
        data.write_bytes(data.read_bytes()[:-1000])
    else:
        np.save(data, np.load(data)[::-1])
    (copy.cell("snip/50/none", "large-batch") / "evaluation.json").unlink()
    (copy.cell("snip/50/none", "large-batch") / "training.csv").unlink()
    output = copy.run(copy.target("snip/50/none", "large-batch"), code=1, config=("warm_start=False",))
    assert len(re.findall(rf"^{DATA} (cannot be read|is not the file that was prepared).*Delete", output, re.M)) == 1
    assert "Traceback" not in output
    assert not (copy.cell("snip/50/none", "large-batch") / "predictions.npz").exists()


@pytest.mark.parametrize("every", [0, 3600])
def test_data_that_change_under_a_training_are_refused_and_no_checkpoint_has_seen_them(
    workflow: WorkflowCopy, tmp_path: Path, every: int
) -> None:
    """A checkpoint at every epoch, or none before the end."""
    copy = workflow.copy(tmp_path)
    targets = {network: copy.target("random/50/none", network) for network in ("long", "long-too")}
    log = copy.folder / "results/logs/cells/long/random/50/none/seed0/train.log.unfinished"
    command = copy.command(targets["long"], config=(f"checkpoint_seconds={every}", "warm_start=False"))
    with subprocess.Popen(command, cwd=copy.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        wait_for(lambda: log.exists() and "epoch=3 " in log.read_text(), seconds=60)
        with (copy.folder / DATA).open("r+b") as file:
            file.seek(5000)
            before = file.read(100)
            file.seek(5000)
            file.write(b"\xff" * 100)
        output, _ = run.communicate(timeout=120)
    assert run.returncode == 1
    assert len(re.findall(rf"^{DATA} is not the file that was prepared.*Delete", output, re.M)) == 1
    assert "Traceback" not in output
    assert not (copy.cell("random/50/none", "long") / "predictions.npz").exists()
    assert ("epoch=150 " in log.read_text()) == bool(every)

    with (copy.folder / DATA).open("r+b") as file:
        file.seek(5000)
        file.write(before)
    copy.run(*targets.values())
    assert ("going on from update" in copy.log("random/50/none/seed0/train.log", "long")) == (not every)
    found, expected = (contents(copy.cell("random/50/none", network)) for network in targets)
    assert {**found, "mask": None} == {**expected, "mask": None}  # a mask names its cell


def test_a_mask_that_the_cell_was_not_trained_under_is_refused(workflow: WorkflowCopy, tmp_path: Path) -> None:
    copy = workflow.copy(tmp_path)
    target, own = copy.target("snip/50/none", "large-batch"), copy.cell("snip/50/none", "large-batch") / "mask.npz"
    other, _ = load_mask(copy.cell("snip/50/shuffle", "large-batch") / "mask.npz")
    save_mask(own, other, load_mask(own)[1])
    output = copy.run(target, "--allowed-rules", "evaluate", code=1, config=("warm_start=False",))
    assert output.count("mask.npz is not the mask that the cell was trained under. Delete it.") == 1
    assert "Traceback" not in output


def test_a_mask_of_other_data_than_the_training_is_refused(workflow: WorkflowCopy, tmp_path: Path) -> None:
    copy = workflow.copy(tmp_path)
    cell = copy.cell("snip/50/none", "large-batch")
    about = json.loads((cell / "training.json").read_text())
    (cell / "training.json").write_text(json.dumps({**about, "data": "other"}))
    target = copy.target("snip/50/none", "large-batch")
    output = copy.run(target, "--allowed-rules", "evaluate", code=1, config=("warm_start=False",))
    assert output.count("was made on other data than the cell was trained on") == 1
    assert "Traceback" not in output


# -------------------------------------------------------------------------------------------------- nowhere to write to

IN_A_NAMESPACE = """
{mount}
"$@" > printed.txt 2>&1
echo $? > code.txt
find results -type f > found.txt
{then}
"""


def run_with_results(workflow: WorkflowCopy, mount: str, target: str, then: str = "") -> tuple[str, set[str]]:
    """Run for `target` with something mounted on results/, then do `then`; what was printed, and the files that were
    there in between."""
    (workflow.folder / "results").mkdir(exist_ok=True)
    script = IN_A_NAMESPACE.format(mount=mount, then=then)
    command = ["unshare", "--map-root-user", "--mount", "bash", "-c", script, "bash"]
    subprocess.run([*command, *workflow.command(target)], cwd=workflow.folder, check=True)
    assert (workflow.folder / "code.txt").read_text() == "1\n"
    return (workflow.folder / "printed.txt").read_text(), set((workflow.folder / "found.txt").read_text().split())


def can_mount() -> bool:
    command = ["unshare", "--map-root-user", "--mount", "true"]
    return sys.platform == "linux" and bool(shutil.which("unshare")) and subprocess.run(command).returncode == 0


needs_mounts = pytest.mark.skipif(not can_mount(), reason="needs mounts of its own")
END_STATE = "results/cells/tiny/dense/0/none/seed0/states/end.safetensors"


@needs_mounts
@pytest.mark.parametrize(
    ("size", "file"), [("40k", DATA), ("200k", END_STATE)], ids=["while data are prepared", "while a state is written"]
)
def test_a_full_disk_is_said_leaves_no_half_file_and_the_same_command_goes_on(
    tmp_path: Path, size: str, file: str
) -> None:
    workflow = WorkflowCopy.make(tmp_path)
    mount = f"mount -t tmpfs -o size={size} tmpfs results"
    make_room = f'mount -o remount,size=100m results && "$@" > again.txt 2>&1; echo $? > again_code.txt; ls {END_STATE}'
    printed, found = run_with_results(workflow, mount, END_STATE, then=make_room)
    assert len(re.findall(rf"^{file} cannot be written .*Make room", printed, re.M)) == 1
    assert "Traceback" not in printed
    assert file not in found
    assert not [name for name in found if "/." in name]
    again = (tmp_path / "again.txt").read_text()
    assert (tmp_path / "again_code.txt").read_text() == "0\n", again
    # What was whole before is not made again.
    assert ("rule prepare_data:" in again) == (file == DATA)


@needs_mounts
def test_results_that_may_not_be_written_are_named(tmp_path: Path) -> None:
    workflow = WorkflowCopy.make(tmp_path)
    mount = "mount --bind results results && mount -o remount,ro,bind results"
    printed, found = run_with_results(workflow, mount, END_STATE)
    assert "Read-only file system: 'results/data'" in printed
    assert "Traceback" not in printed
    assert found == set()


# ---------------------------------------------------------------------------------------------------------- checkpoints


def test_a_config_changed_half_way_concerns_what_it_names_and_no_old_checkpoint_is_taken_up(
    workflow: WorkflowCopy, tmp_path: Path
) -> None:
    copy = workflow.copy(tmp_path)
    (copy.folder / "study.yaml").write_text(STUDY.replace("[large-batch, diverging]", "[tiny, long]"))
    checkpoint = copy.folder / "results/checkpoints/long/snip/50/none/seed0.safetensors"
    targets = [copy.target("snip/50/none", network) for network in ("tiny", "long")]
    mask = copy.cell("snip/50/none", "long").relative_to(copy.folder) / "mask.npz"
    copy.run(targets[0], str(mask), "results/networks/long.json")
    command = copy.command(*targets, config=("checkpoint_seconds=0",))
    with subprocess.Popen(command, cwd=copy.folder, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as snakemake:
        wait_for(checkpoint.exists, seconds=60)
        snakemake.kill()
    wait_for(lambda: not copy.processes())
    copy.replace("config/networks.yaml", "long: {base: lenet300-digits, epochs: 150}", "long: {base: tiny, epochs: 4}")
    assert copy.plan(*targets) == {"train long/snip/50/none/0", "evaluate long/snip/50/none/0"}
    copy.run(*targets)
    log = copy.log("snip/50/none/seed0/train.log", "long")
    assert "checkpoint ignored" in log
    assert "belongs to another run" in log
    assert len(files.read_rows(copy.cell("snip/50/none", "long") / "training.csv")) == 4


def test_the_key_of_a_run_depends_on_the_version_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    work = TrainingJob.__new__(TrainingJob)
    work.settings, work.seed, work.data, work.device = {}, 0, SimpleNamespace(checksum=""), torch.device("cpu")
    work.cell = "net/snip/50/none/seed0"
    mask, state = {"a": np.ones(3, dtype=bool)}, {"a": torch.zeros(3)}
    here = work.key(mask, state)
    assert work.key(mask, state) == here
    monkeypatch.setattr(torch, "__version__", "1.0")
    assert work.key(mask, state) != here


def test_a_checkpoint_of_another_format_or_key_is_ignored_and_the_log_says_so(
    workflow: WorkflowCopy, tmp_path: Path
) -> None:
    copy = workflow.copy(tmp_path)
    cells = {"snip/50/none": "cannot be read", "snip/50/shuffle": "another run"}
    end, _ = load_progress(copy.cell("dense/0/none", "large-batch") / "states/end.safetensors")
    for name in cells:
        checkpoint = copy.folder / f"results/checkpoints/large-batch/{name}/seed0.safetensors"
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("none"):
            save_file({"weights": np.zeros(3)}, checkpoint)
        else:
            save_progress(checkpoint, end, "another key")
        (copy.cell(name, "large-batch") / "predictions.npz").unlink()
        (copy.cell(name, "large-batch") / "evaluation.json").unlink()
    copy.run(*(copy.target(name, "large-batch") for name in cells))
    for name, reason in cells.items():
        log = copy.log(f"{name}/seed0/train.log", "large-batch")
        assert "checkpoint ignored" in log
        assert reason in log
        assert contents(copy.cell(name, "large-batch")) == contents(workflow.cell(name, "large-batch"))


# ------------------------------------------------------------------------------------------------------------ the table


def test_every_row_of_the_table_names_tests_that_exist() -> None:
    text = (ROOT / "docs/what-can-go-wrong.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 12
    for row in rows:
        named = re.findall(r"`(test_\w+)\.(test_\w+)`", row)
        assert named, row
        for file, test in named:
            assert f"def {test}(" in (ROOT / f"tests/{file}.py").read_text(), f"{file}.{test}"
