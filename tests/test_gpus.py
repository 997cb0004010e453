"""GPUs shared out among jobs, with a list of GPUs that are not there."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import gpus
from workflow_copy import ROOT

TAKE = "import gpus, os; print(gpus.take(), os.environ.get(gpus.VISIBLE), flush=True); input()"


class Jobs:
    """Processes that each take a place on a GPU and keep it until they are ended."""

    def __init__(self, folder: Path, visible: str) -> None:
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts"), "TMPDIR": str(folder)}
        self.environment[gpus.VISIBLE] = visible
        self.running: list[tuple[str, subprocess.Popen[str]]] = []

    def start(self, count: int) -> list[str]:
        command, pipe = [sys.executable, "-c", TAKE], subprocess.PIPE
        new = [
            subprocess.Popen(command, env=self.environment, stdin=pipe, stdout=pipe, text=True) for _ in range(count)
        ]
        taken = []
        for job in new:
            name, visible = job.stdout.readline().split()
            assert name == visible
            taken.append(name)
            self.running.append((name, job))
        return taken

    def kill(self, name: str) -> None:
        """One of the jobs on a GPU."""
        place = next(job for job in self.running if job[0] == name)
        self.running.remove(place)
        place[1].kill()
        place[1].communicate()


@pytest.fixture
def jobs(tmp_path: Path):
    started = Jobs(tmp_path, "0,3,GPU-5/7")
    yield started
    for _, job in started.running:
        job.communicate("\n")


def test_jobs_spread_over_all_gpus_as_many_on_each(jobs: Jobs) -> None:
    assert Counter(jobs.start(3)) == {"0": 1, "3": 1, "GPU-5/7": 1}
    assert Counter(jobs.start(3)) == {"0": 1, "3": 1, "GPU-5/7": 1}
    assert Counter(jobs.start(1)) == {"0": 1}


def test_a_place_is_free_again_when_its_job_is_killed(jobs: Jobs) -> None:
    jobs.start(6)
    jobs.kill("3")
    assert jobs.start(1) == ["3"]
    jobs.kill("GPU-5/7")
    jobs.kill("GPU-5/7")
    assert jobs.start(2) == ["GPU-5/7", "GPU-5/7"]


@pytest.mark.parametrize(
    ("visible", "names"),
    [("", []), ("-1", []), ("2", ["2"]), ("1, 0", ["1", "0"]), ("GPU-a,GPU-b", ["GPU-a", "GPU-b"])],
)
def test_gpus_are_those_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, visible: str, names: list[str]
) -> None:
    monkeypatch.setenv(gpus.VISIBLE, visible)
    assert gpus.devices() == names


def test_gpus_of_a_container_are_numbered_from_0_whatever_their_names_outside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(gpus.VISIBLE, raising=False)
    monkeypatch.setattr(gpus, "DEVICES", tmp_path)
    assert gpus.devices() == []
    for name in ("nvidia3", "nvidia10", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert gpus.devices() == ["0", "1"]


def test_without_gpus_none_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "")
    assert gpus.take() is None
