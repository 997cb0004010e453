"""Cells of another machine: taken in with their bytes and nothing trained, or refused by name."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pruning.files import write_arrays
from workflow_copy import WorkflowCopy, contents

CELLS = ["snip/86.6/none", "random/86.6/reinit", "lottery/86.6/none", "lottery-iterative/20/none", "dense/0/none"]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> WorkflowCopy:
    """The other machine: a workflow with some cells. Only to be read."""
    workflow = WorkflowCopy.make(tmp_path_factory.mktemp("there"))
    workflow.run(*map(workflow.target, CELLS))
    return workflow


def take(workflow: WorkflowCopy, folder: Path, code: int = 0) -> str:
    return workflow.run("take_in", "--keep-going", code=code, config=(f"elsewhere={folder}",))


def test_cells_are_taken_with_their_bytes_and_nothing_is_trained(there: WorkflowCopy, tmp_path: Path) -> None:
    here = WorkflowCopy.make(tmp_path)
    take(here, there.folder / "results")
    assert {name: contents(here.cell(name)) for name in CELLS} == {name: contents(there.cell(name)) for name in CELLS}
    for name in CELLS:
        for record in ("mask.json", "training.json"):
            assert (here.cell(name) / record).read_bytes() == (there.cell(name) / record).read_bytes()
    assert not [log for log in here.folder.glob("results/logs/**/*.log") if "epoch=" in log.read_text()]
    states = [sorted(path.name for path in w.cell("dense/0/none").glob("states/*")) for w in (here, there)]
    assert states[0] == states[1]
    assert here.plan(*map(here.target, CELLS)) == set()


def test_a_list_of_jobs_makes_the_same_cells_without_snakemake(there: WorkflowCopy, tmp_path: Path) -> None:
    machine, here = WorkflowCopy.make(tmp_path / "machine"), WorkflowCopy.make(tmp_path / "here")
    here.run_without_jobs("-n", *map(here.target, CELLS), config=("job_list=jobs.txt",))
    assert not (here.folder / "results").exists()
    shutil.move(here.folder / "jobs.txt", machine.folder)
    (machine.folder / "snakemake.py").write_text("raise ImportError")
    command = [sys.executable, "workflow/scripts/run_job_list.py", "jobs.txt"]
    environment = {**os.environ, "PYTHONPATH": str(machine.folder)}
    printed = subprocess.run(command, cwd=machine.folder, env=environment, check=True, capture_output=True, text=True)
    assert f"1 of {len((machine.folder / 'jobs.txt').read_text().splitlines())}: " in printed.stdout
    assert {name: contents(machine.cell(name)) for name in CELLS} == {
        name: contents(there.cell(name)) for name in CELLS
    }
    (machine.cell(CELLS[0]) / "evaluation.json").unlink()
    again = subprocess.run(command, cwd=machine.folder, env=environment, check=True, capture_output=True, text=True)
    assert len(again.stdout.splitlines()) == 1
    take(here, machine.folder / "results")
    assert here.plan(*map(here.target, CELLS)) == set()


def test_a_list_of_jobs_of_a_whole_study_ends_with_its_cells(tmp_path: Path) -> None:
    """Tables, figures and pages are made where the cells are taken in."""
    here = WorkflowCopy.make(tmp_path)
    here.run_without_jobs("-n", config=("job_list=jobs.txt",))
    jobs = [json.loads(line) for line in (here.folder / "jobs.txt").read_text().splitlines()]
    outputs = [output for job in jobs for output in job["output"]["items"]]
    assert {output.split("/")[1] for output in outputs} == {"data", "networks", "cells"}
    assert (
        sum(output.endswith("/evaluation.json") for output in outputs) == 1 + 4 * 4
    )  # dense; methods in their versions


def test_a_list_without_jobs_and_what_a_job_lacks_are_said(tmp_path: Path) -> None:
    workflow = WorkflowCopy.make(tmp_path)
    workflow.run_without_jobs(workflow.target(CELLS[0]), "-n", "--quiet", "rules", config=("job_list=jobs.txt",))
    jobs = (tmp_path / "jobs.txt").read_text().splitlines()
    assert len(jobs) == 5  # data, network, mask, training, evaluation
    command = [sys.executable, "workflow/scripts/run_job_list.py", "jobs.txt"]
    for lines, message in (
        ([], "jobs.txt has no jobs: write it with `snakemake -n --quiet rules`"),
        (jobs[-1:], f"{CELLS[0]}/seed0/evaluation.json: "),
        (jobs[-1:], "is not here, and not in the list before it"),
    ):
        (tmp_path / "jobs.txt").write_text("".join(f"{line}\n" for line in lines))
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1
        assert message in done.stdout + done.stderr


def test_a_list_of_other_code_is_refused_before_anything_runs(tmp_path: Path) -> None:
    here, older = WorkflowCopy.make(tmp_path / "here"), WorkflowCopy.make(tmp_path / "older")
    here.run_without_jobs(here.target(CELLS[0]), "-n", config=("job_list=jobs.txt",))
    listed = (here.folder / "jobs.txt").read_text()
    scripts = "workflow/scripts"

    def refused(text: str) -> str:
        (older.folder / "jobs.txt").write_text(text)
        command = [sys.executable, f"{scripts}/run_job_list.py", "jobs.txt"]
        done = subprocess.run(command, cwd=older.folder, capture_output=True, text=True)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert not (older.folder / "results").exists()
        return done.stderr

    older.append(f"{scripts}/pruning/scores/random.py", "\nOTHER = 1\n")
    older.append(f"{scripts}/evaluate.py", "\n# a comment is no other code\n")
    for file, differ in (
        (f"{scripts}/pruning/scores/snip.py", "prune.py"),
        (f"{scripts}/train.py", "prune.py, train.py"),
    ):
        older.append(file, "\nOTHER = 1\n")
        assert f"jobs.txt was written by another version of {differ}, or of what they import" in refused(listed)
    (older.folder / f"{scripts}/pruning/scores/snip.py").unlink()
    assert "another version of prune.py, train.py" in refused(listed)
    without = [{key: value for key, value in json.loads(line).items() if key != "code"} for line in listed.splitlines()]
    assert "another version of describe_network.py, evaluate.py, prepare_data.py, " in refused(
        "".join(f"{json.dumps(job)}\n" for job in without)
    )


def test_a_folder_without_results_is_not_taken_in(tmp_path: Path) -> None:
    workflow = WorkflowCopy.make(tmp_path)
    output = workflow.run_without_jobs("-n", "take_in", code=1, config=("elsewhere=/no/results",))
    assert "There are no results in /no/results (a folder with cells/ in it) to be taken in." in output


def test_what_does_not_fit_is_refused_by_name_and_the_rest_is_taken(there: WorkflowCopy, tmp_path: Path) -> None:
    cells = ["snip/86.6/none", "random/86.6/reinit", "lottery/86.6/none", "lottery-iterative/20/none"]
    folder = Path(shutil.copytree(there.folder / "results", tmp_path / "results"))
    predictions, code, missing, fits = (folder / f"cells/tiny/{name}/seed0" for name in cells)
    shutil.copy(folder / "cells/tiny/lottery/86.6/none/seed0/predictions.npz", predictions)
    record = json.loads((code / "training.json").read_text())
    record["recipe"] |= {"learning_rate": 0.1, "training_code": "other"}
    (code / "training.json").write_text(json.dumps(record))
    (missing / "training.csv").unlink()
    here = WorkflowCopy.make(tmp_path / "here")
    output = take(here, folder, code=1)
    expected = {
        predictions / "predictions.npz": "it is not the file that its training wrote",
        code / "training.json": "other learning_rate, training_code than here",
        missing / "training.csv": "there is no such file",
    }
    for path, why in expected.items():
        assert output.count(f"{path} is not taken in: {why}.") == 1
    assert output.count("is not taken in") == len(expected)
    assert "Traceback" not in output
    found = {str(path.parent.relative_to(here.folder)) for path in here.folder.glob("results/cells/**/predictions.npz")}
    taken = {str(path.relative_to(tmp_path)) for path in (fits, folder / "cells/tiny/dense/0/none/seed0")}
    assert found == taken


def test_torn_files_are_refused_by_name(there: WorkflowCopy, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(there.folder / "results", tmp_path / "results"))
    cut, flipped, empty, foreign, fits = (folder / f"cells/tiny/{name}/seed0" for name in CELLS)
    mask, predictions = cut / "mask.npz", flipped / "predictions.npz"
    mask.write_bytes(mask.read_bytes()[:-100])
    content = bytearray(predictions.read_bytes())
    content[content.index(b"top.npy") + 100] ^= 0xFF  # among the numbers, not in a field of the archive
    predictions.write_bytes(content)
    (empty / "training.csv").write_text("")
    write_arrays(foreign / "predictions.npz", {"logits": np.zeros(3)})
    here = WorkflowCopy.make(tmp_path / "here")
    output = take(here, folder, code=1)
    for path in (mask, predictions, empty / "training.csv", foreign / "predictions.npz"):
        assert f"{path} " in output
    assert "Traceback" not in output
    assert "fault of the program" not in "".join(log.read_text() for log in here.folder.glob("results/logs/**/*.log"))
    assert [path.parent for path in here.folder.glob("results/cells/**/evaluation.json")] == [
        here.folder / fits.relative_to(tmp_path)
    ]


def test_cells_that_are_unknown_here_or_unfinished_there_are_named_and_the_rest_is_taken(
    there: WorkflowCopy, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(there.folder / "results", tmp_path / "results"))
    cells, known = folder / "cells/tiny", folder / "cells/tiny/snip/86.6/none/seed0"
    unknown = {
        folder / "cells/other/snip/86.6/none/seed0": "no network is called 'other'",
        cells / "grasq/86.6/none/seed0": "no method is called 'grasq' (did you mean grasp?)",
        cells / "snip/86.60/none/seed0": "sparsity 86.60 is written 86.6",
        cells / "lottery-iterative/85/none/seed0": "so it has no sparsity 85",
        cells / "snip/86.6/shufle/seed0": "no ablation is called 'shufle'",
        cells / "snip/86.6/none/seed00": "seed00 is written seed0",
        cells / "snip/86.6/none/seed0-old": "seed 0-old is not allowed",
    }
    for path in unknown:
        shutil.copytree(known, path)
    unfinished = cells / "random/86.6/reinit/seed0"
    (unfinished / "evaluation.json").unlink()
    here = WorkflowCopy.make(tmp_path / "here")
    for _ in range(2):  # also when all others are here already
        output = take(here, folder, code=1)
        said = {line.partition(" is not taken in: ")[::2] for line in output.splitlines()}
        for path, why in unknown.items():
            assert [reason for name, reason in said if name == str(path) and why in reason]
        assert output.count(f"{unfinished} is not finished") == 1
        assert output.splitlines().count("7 cells are not taken in: the first lines say why") == 1
        assert "Traceback" not in output
        assert {name: here.cell(name).exists() for name in CELLS} == {
            name: here.cell(name).relative_to(here.folder) != unfinished.relative_to(tmp_path) for name in CELLS
        }


@pytest.mark.parametrize(
    ("file", "why"), [("mask.npz", "of another cell than here"), ("training.json", "another mask")]
)
def test_a_cell_under_the_name_of_another_seed_is_refused(
    there: WorkflowCopy, tmp_path: Path, file: str, why: str
) -> None:
    """Its mask names its cell; its training has checksums of the mask and of the weights that it started from."""
    folder = tmp_path / "results"
    seed1 = folder / "cells/tiny/random/86.6/reinit/seed1"
    shutil.copytree(there.cell("random/86.6/reinit"), seed1)
    here = WorkflowCopy.make(tmp_path / "here")
    if file == "training.json":
        own = str((here.cell("random/86.6/reinit").parent / "seed1/mask.npz").relative_to(here.folder))
        here.run(own)
    output = take(here, folder, code=1)
    assert output.count(f"{seed1 / file} is not taken in: of {why}" if file != "mask.npz" else why) == 1
