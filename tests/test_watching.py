"""What is said of a study while it runs, and of how far it is."""

import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

import status as status_script
import watching
from pruning.tables import read_table
from workflow_copy import WorkflowCopy


def status(workflow: WorkflowCopy, *studies: str, code: int = 0) -> str:
    command = [sys.executable, "workflow/scripts/status.py", *studies]
    done = subprocess.run(command, cwd=workflow.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == code, done.stdout
    return done.stdout


def counts(output: str) -> dict[str, dict[str, int]]:
    """{method, or all: {column: number}}"""
    lines = [[entry.strip() for entry in line.split("|")[1:-1]] for line in output.splitlines() if line.startswith("|")]
    header, _, *rows = lines
    return {row[1] or row[0]: dict(zip(header[2:], map(int, row[2:]), strict=True)) for row in rows}


def write_log(workflow: WorkflowCopy, name: str, text: str) -> None:
    path = workflow.folder / "results/logs/cells/tiny" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_status_tells_states_apart_by_files(new: WorkflowCopy) -> None:
    for cell, diverged in (("random/86.6/none", "false"), ("snip/86.6/none", "true")):
        new.cell(cell).mkdir(parents=True)
        (new.cell(cell) / "evaluation.json").write_text(f'{{\n "metrics": {{\n  "diverged": {diverged}\n }}\n}}')
    write_log(new, "snip/86.6/shuffle/seed0/prune.log", "2026-01-01 12:00:00 INFO 6727 of 50200 weights kept\n")
    write_log(new, "lottery/86.6/none/seed0/train.log", "2026-01-01 12:00:00 ERROR the score of fc.weight is NaN\n")
    write_log(new, "random/86.6/none/seed0/train.log", "2026-01-01 12:00:00 ERROR mended since\n")
    again = "12:00:00 ERROR out of luck\n12:00:01 INFO the attempts above were killed or failed; this is another\n"
    write_log(new, "lottery/86.6/invert/seed0/train.log", again)
    running = "random/86.6/invert/seed0/train.log"
    write_log(new, running, "")
    with (new.folder / "results/logs/cells/tiny" / running).open() as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        output = status(new, "study.yaml")
    none = dict.fromkeys(("done", "running", "failed", "missing", "diverged"), 0)
    assert counts(output) == {
        "dense": none | {"cells": 1, "missing": 1},
        "random": none | {"cells": 4, "done": 1, "running": 1, "missing": 2},
        "snip": none | {"cells": 4, "done": 1, "missing": 3, "diverged": 1},
        "magnitude-after": none | {"cells": 4, "missing": 4},
        "lottery": none | {"cells": 4, "failed": 1, "missing": 3},
        "all": {"cells": 17, "done": 2, "running": 1, "failed": 1, "missing": 13, "diverged": 1},
    }
    assert "/lottery/86.6/none/seed0/train.log\n  the score of fc.weight is NaN" in output
    assert "mended" not in output
    # A lock ends with its process, so a job that was killed is running no longer.
    assert counts(status(new, "study.yaml"))["random"] == none | {"cells": 4, "done": 1, "missing": 3}


@pytest.mark.parametrize(
    ("number", "running"), [(errno.EAGAIN, True), (errno.EACCES, True), (errno.ENOLCK, False), (errno.ENOSYS, False)]
)
def test_only_a_lock_that_is_held_means_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, running: bool
) -> None:
    def flock(*_: object) -> None:
        raise OSError(number, "as the file system says")

    log = tmp_path / "train.log"
    log.touch()
    assert not status_script.is_locked(log)
    monkeypatch.setattr(fcntl, "flock", flock)
    assert status_script.is_locked(log) == running


def test_status_names_a_failure_outside_of_cells(new: WorkflowCopy) -> None:
    (new.folder / "results/logs/data").mkdir(parents=True)
    (new.folder / "results/logs/data/digits.log").write_text("2026-01-01 12:00:00 ERROR no such file\n")
    # Of a dataset of another study.
    (new.folder / "results/logs/data/mnist.log").write_text("2026-01-01 12:00:00 ERROR no network\n")
    found = status(new, "study.yaml")
    assert "failed: results/logs/data/digits.log\n  no such file" in found
    assert "mnist" not in found


def test_status_says_what_is_wrong_with_a_study(new: WorkflowCopy) -> None:
    (new.folder / "study.yaml").write_text("networks: [tinny]\n")
    output = status(new, "study.yaml", code=1)
    assert "study.yaml: networks: no network is called 'tinny' (did you mean tiny?)" in output
    assert "Traceback" not in output


def test_finished_study_is_done(finished: WorkflowCopy) -> None:
    assert counts(status(finished, "study.yaml"))["all"] == {
        "cells": 17,
        "done": 17,
        "running": 0,
        "failed": 0,
        "missing": 0,
        "diverged": 0,
    }


def test_a_line_a_finished_cell(workflow: WorkflowCopy) -> None:
    (workflow.cell("snip/86.6/none") / "evaluation.json").unlink()
    output = workflow.run(workflow.target("snip/86.6/none"), "--quiet", "rules", "host")
    cells = read_table(str(workflow.folder / "results/tables/cells.csv")).set_index(["method", "ablation"])
    accuracy = cells.accuracy["snip", "none"]
    assert output.count(f"1/1 cells, about 0 s left: tiny/snip/86.6/none/seed0 {accuracy:.2f}%\n") == 1
    assert not [noise for noise in ("Finished jobid", "Select jobs", "Execute 1", "steps") if noise in output]


def test_failed_cell_names_its_log(workflow: WorkflowCopy) -> None:
    (workflow.cell("snip/86.6/none") / "evaluation.json").unlink()
    (workflow.cell("snip/86.6/none") / "mask.npz").write_bytes(
        (workflow.cell("random/86.6/none") / "mask.npz").read_bytes()
    )
    output = workflow.run(workflow.target("snip/86.6/none"), "--quiet", "rules", "host", code=1)
    log = "results/logs/cells/tiny/snip/86.6/none/seed0/train.log"
    assert output.count(f"failed: train tiny/snip/86.6/none/0: see {log}\n") == 1
    found = status(workflow, "study.yaml")
    assert counts(found)["snip"]["failed"] == counts(found)["all"]["failed"] == 1
    assert f"failed: {log}\n  " in found
    assert "mask.npz is not of this cell but of tiny/random/86.6/none/seed0" in found


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "about 0 s"), (99, "about 99 s"), (700, "about 12 min"), (12600, "about 3.5 h")]
)
def test_time_left_in_words(seconds: float, words: str) -> None:
    assert watching.duration(seconds) == words


# ---------------------------------------------------------------------------------------------------- a look in between


def test_partial_study_is_drawn_with_a_note_and_trains_nothing(workflow: WorkflowCopy) -> None:
    for name in ("snip/86.6/none", "snip/86.6/shuffle", "lottery/86.6/none"):
        (workflow.cell(name) / "evaluation.json").unlink()
    assert workflow.plan_of_cells(config=("partial=True",)) == set()
    workflow.run(config=("partial=True",))
    note = "Partial: 14 of 17 cells are finished."
    assert note in (workflow.folder / "results/tables/ablations.md").read_text()
    assert "Partial" not in (workflow.folder / "results/tables/neuron_collapse.md").read_text()
    page = (workflow.folder / "results/report.html").read_text()
    assert "This study is not finished: 14 of its 17 cells are there." in page
    assert "snip" not in set(read_table(str(workflow.folder / "results/tables/accuracy.csv")).method)
    assert len(workflow.plan_of_cells()) == 3


def test_partial_study_without_any_cell_is_one_message(new: WorkflowCopy) -> None:
    output = new.run_without_jobs(code=1, config=("partial=True",))
    assert "`partial` draws what is finished, and nothing of this study is." in output
    assert "Traceback" not in output
