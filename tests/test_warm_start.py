"""Jobs that start in forks of a process that has imported torch: that they do, that they fail as others do, and that
many at once are all told of their end."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workflow_copy import ROOT, WorkflowCopy, wait_for

RULES = """

rule probe:
    output:
        "probe.json",
    script:
        "workflow/scripts/probe.py"


rule failing:
    output:
        "failing.txt",
    script:
        "workflow/scripts/failing.py"


rule mistaken:
    output:
        "mistaken.txt",
    log:
        "mistaken.log",
    script:
        "workflow/scripts/mistaken.py"
"""
PROBE = """
import sys
imported = sorted({"torch", "numpy", "safetensors.torch", "pandas", "PIL.Image", "pruning"} & set(sys.modules))
import gc, json, os
from pathlib import Path
parent = Path(f"/proc/{os.getppid()}")
json.dump(
    {
        "imported": imported,
        "set aside by the collector": gc.get_freeze_count(),
        "parent": parent.joinpath("cmdline").read_text(),
    },
    open(snakemake.output[0], "w"),
)
"""
FAILING = """
open(snakemake.output[0], "w").write("half")
raise ValueError("a wrong turn")
"""
MISTAKEN = """
import job
from pruning import PruningError
with job.reporting(snakemake.log[0]):
    open(snakemake.output[0], "w").write("half")
    raise PruningError("Turn left.")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("warm", [True, False])
def test_scripts_run_or_fail_with_and_without_warm_start(tmp_path: Path, warm: bool) -> None:
    workflow = WorkflowCopy.make(tmp_path)
    workflow.append("Snakefile", RULES)
    for name, text in {"probe": PROBE, "failing": FAILING, "mistaken": MISTAKEN}.items():
        (tmp_path / f"workflow/scripts/{name}.py").write_text(text)
    targets = ("probe.json", "failing.txt", "mistaken.txt")
    output = workflow.run(*targets, "--keep-going", code=1, config=(f"warm_start={warm}",))
    assert output.count("\nValueError: a wrong turn\n") == 1
    assert output.count("\nTurn left.\n") == 1
    assert output.count("Traceback") == 1
    assert "Error in rule failing" in output
    assert not (tmp_path / "failing.txt").exists()
    assert not (tmp_path / "mistaken.txt").exists()
    assert (tmp_path / "mistaken.log").read_text().endswith("Turn left.\n")

    found = json.loads((tmp_path / "probe.json").read_text())
    assert found["imported"] == (["PIL.Image", "numpy", "pandas", "safetensors.torch", "torch"] if warm else [])
    assert ("forkserver" in found["parent"]) == warm
    assert (found["set aside by the collector"] > 100_000) == warm


SLEEPING = """

rule sleeping:
    output:
        "sleeping.txt",
    log:
        "sleeping.log",
    script:
        "workflow/scripts/sleeping.py"
"""
SLEEP = """
import job, time
with job.reporting(snakemake.log[0]) as log:
    log.info("asleep")
    time.sleep(100)
"""
IMPORTING = """

rule importing:
    output:
        "importing.txt",
    script:
        "workflow/scripts/importing.py"
"""
IMPORT = """
import job
from pathlib import Path
import time
Path("begun").touch()
time.sleep(100)  # as if it imported torch
"""


def kill_snakemake(workflow: WorkflowCopy, target: str, warm: bool, when: Callable[[], object]) -> None:
    """Start Snakemake on `target`, and kill it, not its job, as soon as `when` says so."""
    command = workflow.command(target, config=(f"warm_start={warm}",))
    with subprocess.Popen(
        command, cwd=workflow.folder, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    ) as snakemake:
        wait_for(when, seconds=90)
        snakemake.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux to end processes with their parent")
@pytest.mark.parametrize("warm", [True, False])
def test_jobs_of_a_killed_snakemake_end_with_it_and_leave_their_log(tmp_path: Path, warm: bool) -> None:
    workflow = WorkflowCopy.make(tmp_path)
    workflow.append("Snakefile", SLEEPING)
    (tmp_path / "workflow/scripts/sleeping.py").write_text(SLEEP)
    log = tmp_path / "sleeping.log.unfinished"
    kill_snakemake(workflow, "sleeping.txt", warm, lambda: log.exists() and log.read_text().endswith("asleep\n"))
    wait_for(lambda: not workflow.processes())
    assert log.read_text().endswith("asleep\n")


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux to end processes with their parent")
@pytest.mark.parametrize("warm", [True, False])
def test_job_that_still_imports_ends_with_a_killed_snakemake(tmp_path: Path, warm: bool) -> None:
    workflow = WorkflowCopy.make(tmp_path)
    workflow.append("Snakefile", IMPORTING)
    (tmp_path / "workflow/scripts/importing.py").write_text(IMPORT)
    kill_snakemake(workflow, "importing.txt", warm, (tmp_path / "begun").exists)
    wait_for(lambda: not workflow.processes())


CHILD = """
import os, sys, time
from pathlib import Path
import processes
parent = os.getpid()
if os.fork() == 0:
    while sys.argv[1] == "orphan" and os.getppid() == parent:
        time.sleep(0.01)
    try:
        processes.end_with_parent()
        Path("end.txt").write_text("goes on")
    except SystemExit as end:
        Path("end.txt").write_text(str(end))
elif sys.argv[1] == "child":
    os.wait()
"""
PROCESS_1 = ["unshare", "--map-root-user", "--pid", "--fork"]


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux to end processes with their parent")
@pytest.mark.parametrize(
    ("before", "kind", "end"),
    [
        ([], "orphan", "The process that started this job has ended, and so does the job."),
        ([], "child", "goes on"),
        (PROCESS_1, "child", "goes on"),
    ],
    ids=["orphan", "child", "child of process 1"],
)
def test_process_ends_whose_parent_was_gone_before_it_asked(
    tmp_path: Path, before: list[str], kind: str, end: str
) -> None:
    if before and subprocess.run([*before, "true"], check=False).returncode:
        pytest.skip("needs a namespace of processes")
    command = [*before, sys.executable, "-c", CHILD, kind]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, start_new_session=True)
    wait_for(lambda: (tmp_path / "end.txt").exists() and (tmp_path / "end.txt").read_text())
    assert (tmp_path / "end.txt").read_text() == end


SCRIPTS = """
import multiprocessing.forkserver
import threading
import time

import warm_start

read_status = multiprocessing.forkserver.read_signed


class Script:
    conda_env = container_img = env_modules = None
    rulename = "trivial"


def read_slowly(handle):
    time.sleep(0.01)
    return read_status(handle)


def run(times):
    for _ in range(times):
        try:
            warm_start.execute(Script(), "script.py")
        except BaseException as error:
            print(error, flush=True)


def run_many(scripts, threads):
    warm_start.PRELOADED[:] = ["scripts"]
    warm_start.enable()
    multiprocessing.forkserver.read_signed = read_slowly
    running = [threading.Thread(target=run, args=(scripts // threads,)) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def run_one():
    warm_start.PRELOADED.append("in_server")
    warm_start.enable()
    run(1)
"""
IN_SERVER = """
import json
from pathlib import Path
import torch
status = Path("/proc/self/status").read_text()
threads = status.split("Threads:")[1].split()[0]
Path("server.json").write_text(json.dumps({"threads": threads, "device": torch.cuda.is_initialized()}))
"""


def run_scripts(folder: Path, call: str) -> None:
    """Run `call` of SCRIPTS in a new process that knows nothing of Snakemake's command line."""
    (folder / "scripts.py").write_text(SCRIPTS)
    (folder / "in_server.py").write_text(IN_SERVER)
    (folder / "script.py").write_text("import os; open(f'{os.getpid()}.done', 'w').close()\n")
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT / 'workflow/scripts'}"}
    command = [sys.executable, "-c", f"import scripts; scripts.{call}"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_end_of_every_script_is_heard_when_many_run_at_once(tmp_path: Path) -> None:
    """Also where it takes long to read a status, so that another thread finds the time to read it too."""
    run_scripts(tmp_path, "run_many(scripts=100, threads=4)")
    assert len(list(tmp_path.glob("*.done"))) == 100


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_server_has_one_thread_and_no_device_when_it_starts_to_fork(tmp_path: Path) -> None:
    run_scripts(tmp_path, "run_one()")
    assert len(list(tmp_path.glob("*.done"))) == 1
    assert json.loads((tmp_path / "server.json").read_text()) == {"threads": "1", "device": False}
