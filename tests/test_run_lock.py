"""Locks that end with the run that holds them: a killed run keeps nobody out, a living one does."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from snakemake.persistence.file import FilePersistence

from workflow_copy import WorkflowCopy, wait_for

RULES = """

rule slow:
    output:
        "slow.txt",
    shell:
        "touch started; while [ ! -e go ]; do sleep 0.1; done; echo slow > {output}"


rule from_slow:
    input:
        "slow.txt",
    output:
        "from_slow.txt",
    shell:
        "cp {input} {output}"


rule other:
    output:
        "other.txt",
    shell:
        "echo other > {output}"
"""


@pytest.fixture
def workflow(tmp_path: Path) -> WorkflowCopy:
    workflow = WorkflowCopy.make(tmp_path)
    workflow.append("Snakefile", RULES)
    return workflow


@contextmanager
def slow_run(workflow: WorkflowCopy) -> Iterator[subprocess.Popen[bytes]]:
    """A run that is making slow.txt, until the block ends."""
    command, output = workflow.command("slow.txt"), subprocess.DEVNULL
    with subprocess.Popen(command, cwd=workflow.folder, stdout=output, stderr=output) as run:
        wait_for((workflow.folder / "started").exists, seconds=60)
        try:
            yield run
        finally:
            (workflow.folder / "go").touch()


def test_snakemake_still_has_what_is_replaced() -> None:
    assert all(hasattr(FilePersistence, name) for name in ("lock", "locked", "_read_locks"))


def test_run_that_needs_files_of_a_living_one_is_refused_and_others_are_not(workflow: WorkflowCopy) -> None:
    with slow_run(workflow) as first:
        for target in ("slow.txt", "from_slow.txt"):
            refused = workflow.run_without_jobs(target, code=1)
            assert "Another snakemake is making files of this study in this folder" in refused
            assert f"-{first.pid}," in refused
            assert "Traceback" not in refused
        workflow.run("other.txt")
        # That the second run ended has not freed the files of the first.
        assert "Another snakemake" in workflow.run_without_jobs("slow.txt", code=1)
    assert first.returncode == 0
    assert not list((workflow.folder / ".snakemake/locks").glob("*"))
    assert (workflow.folder / "slow.txt").read_text() == "slow\n"


def test_run_that_was_killed_keeps_nobody_out(workflow: WorkflowCopy) -> None:
    with slow_run(workflow) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert list((workflow.folder / ".snakemake/locks").glob("*"))
    assert "cannot be locked" not in workflow.run_without_jobs("-n", "slow.txt")
    workflow.run("from_slow.txt")
    assert (workflow.folder / "from_slow.txt").read_text() == "slow\n"
    assert not list((workflow.folder / ".snakemake/locks").glob("*"))


def test_of_two_runs_started_at_once_one_is_refused(workflow: WorkflowCopy) -> None:
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    runs = [subprocess.Popen(workflow.command("slow.txt"), cwd=workflow.folder, **piped) for _ in range(2)]
    wait_for(lambda: any(run.poll() is not None for run in runs), seconds=120)
    (workflow.folder / "go").touch()
    printed = [run.communicate(timeout=60)[0] for run in runs]
    assert sorted(run.returncode for run in runs) == [0, 1]
    refused = printed[[run.returncode for run in runs].index(1)]
    assert "Another snakemake is making files of this study in this folder" in refused
    assert (workflow.folder / "slow.txt").read_text() == "slow\n"
