"""What is stale is found, also without a record of what made it, and `make stale` says why."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workflow_copy import ROOT, WorkflowCopy, jobs_of

CELLS = ("snip/86.6/none", "random/86.6/none")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> WorkflowCopy:
    """A workflow with two cells. Only to be read."""
    workflow = WorkflowCopy.make(tmp_path_factory.mktemp("finished"))
    workflow.run(*map(workflow.target, CELLS))
    return workflow


@pytest.fixture
def workflow(finished: WorkflowCopy, tmp_path: Path) -> WorkflowCopy:
    return finished.copy(tmp_path)


def stale(printed: str) -> list[str]:
    command = [sys.executable, ROOT / "workflow/scripts/stale.py"]
    return subprocess.run(command, input=printed, check=True, capture_output=True, text=True).stdout.splitlines()


def listed(workflow: WorkflowCopy) -> list[str]:
    return stale(workflow.run_without_jobs("-n", *map(workflow.target, CELLS)))


def test_nothing_is_stale_where_nothing_changed(workflow: WorkflowCopy) -> None:
    assert listed(workflow) == ["0 results stale, 0 follow from them or from new ones, 0 new"]


def test_what_is_stale_is_listed_with_what_changed_and_what_follows_is_counted(workflow: WorkflowCopy) -> None:
    workflow.append("workflow/scripts/pruning/scores/snip.py", "\n\nUNUSED = 1\n")
    workflow.replace("config/networks.yaml", "epochs: 3}", "epochs: 3, learning_rate: 0.1, milestones: [2ep]}")
    assert listed(workflow) == [
        "1 of prune: scoring_code changed",
        "    results/cells/tiny/snip/86.6/none/seed0/mask.npz",
        "1 of train: learning_rate 0.05 -> 0.1, milestones [] -> [46]",
        "    results/cells/tiny/random/86.6/none/seed0/predictions.npz",
        "2 results stale, 3 follow from them or from new ones, 0 new",
    ]


def test_results_that_are_not_there_are_new_and_not_stale(workflow: WorkflowCopy) -> None:
    shutil.rmtree(workflow.cell("random/86.6/none"))
    assert listed(workflow)[-1] == "0 results stale, 0 follow from them or from new ones, 3 new"


def test_results_without_a_record_are_made_again(workflow: WorkflowCopy) -> None:
    """Snakemake alone has nothing to do here."""
    shutil.rmtree(workflow.folder / ".snakemake/metadata")
    jobs = {"prepare_data digits", "describe_network tiny"} | jobs_of(*CELLS)
    assert workflow.plan(*map(workflow.target, CELLS)) == jobs
    lines = listed(workflow)
    assert "1 of prepare_data: no record of what made it" in lines
    assert lines[-1].startswith("2 results stale, 6 follow")


def test_message_of_a_dry_run_that_failed_is_passed_on(workflow: WorkflowCopy) -> None:
    printed = workflow.run_without_jobs("-n", code=1, config=("seeds=[-1]",))
    command = [sys.executable, ROOT / "workflow/scripts/stale.py"]
    done = subprocess.run(command, input=printed, capture_output=True, text=True)
    assert done.returncode == 1
    assert "seed -1 is not allowed" in done.stdout
