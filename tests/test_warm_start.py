"""Jobs that start in forks of a process that has imported torch: that they do, that they fail as others do, and that
many at once are all told of their end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workflow_copy import ROOT, WorkflowCopy

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
imported = sorted({"torch", "numpy", "safetensors.torch", "pandas", "pruning"} & set(sys.modules))
import json, os, torch
from pathlib import Path
parent = Path(f"/proc/{os.getppid()}")
json.dump(
    {
        "imported": imported,
        "parent": parent.joinpath("cmdline").read_text(),
        "threads of parent": parent.joinpath("status").read_text().split("Threads:")[1].split()[0],
        "device is initialised": torch.cuda.is_initialized(),
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
    assert not found["device is initialised"]
    if warm:
        assert found["imported"] == ["numpy", "pandas", "safetensors.torch", "torch"]
        assert "forkserver" in found["parent"]
        assert found["threads of parent"] == "1"
    else:
        assert found["imported"] == []
        assert "forkserver" not in found["parent"]


MANY = """
import threading

import warm_start


class Script:
    conda_env = container_img = env_modules = None
    rulename = "trivial"


def run(times):
    for _ in range(times):
        try:
            warm_start.execute(Script(), "script.py")
        except BaseException as error:
            print(error, flush=True)


def main(scripts, threads):
    warm_start.PRELOADED[:] = ["many"]
    warm_start.enable()
    running = [threading.Thread(target=run, args=(scripts // threads,)) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
"""


def test_end_of_every_script_is_heard_when_many_run_at_once(tmp_path: Path) -> None:
    (tmp_path / "many.py").write_text(MANY)
    (tmp_path / "script.py").write_text("import os; open(f'{os.getpid()}.done', 'w').close()\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT / 'workflow/scripts'}"}
    command = [sys.executable, "-c", "import many; many.main(scripts=400, threads=4)"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0
    assert len(list(tmp_path.glob("*.done"))) == 400
