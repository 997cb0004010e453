"""Locks that end with the run that holds them: a killed run keeps nobody out, a living one does."""

import errno
import fcntl
import platform
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.persistence.file import FilePersistence

import run_lock
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


# ------------------------------------------------------------------------------------------- what a file system answers

HERE = platform.node()


def lists(tmp_path: Path, *names: str) -> SimpleNamespace:
    """A `.snakemake` with lists of runs, each with one file that it makes."""
    (tmp_path / "locks").mkdir()
    for name in names:
        (tmp_path / "locks" / f"{name}.lock").write_text("output\tslow.txt\n")
    return SimpleNamespace(path=tmp_path)


def left(tmp_path: Path) -> list[str]:
    return sorted(path.stem for path in (tmp_path / "locks").iterdir())


def answer_with(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def lockf(*_: object) -> None:
        raise OSError(number, "as the file system says")

    monkeypatch.setattr(fcntl, "lockf", lockf)


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EACCES])
def test_list_that_another_process_has_locked_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    persistence = lists(tmp_path, f"{HERE}-1")
    answer_with(number, monkeypatch)
    assert list(run_lock.held_elsewhere(persistence)) == [("output", "slow.txt")]
    assert persistence.held_by == f"{HERE}-1"
    assert left(tmp_path) == [f"{HERE}-1"]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS])
def test_killed_run_keeps_nobody_out_where_there_are_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    persistence = lists(tmp_path, f"{HERE}-1")
    answer_with(number, monkeypatch)
    assert list(run_lock.held_elsewhere(persistence)) == []


def test_list_of_another_host_is_kept_though_nothing_here_holds_it(tmp_path: Path) -> None:
    persistence = lists(tmp_path, f"{HERE}-1", f"{HERE}-more-1", "a-node-2")
    assert list(run_lock.held_elsewhere(persistence)) == []
    assert left(tmp_path) == sorted(["a-node-2", f"{HERE}-more-1"])
