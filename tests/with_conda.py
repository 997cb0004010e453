"""A small study through `--use-conda`, with a local channel and a stand-in for conda (make test-conda).

It shows that both environments of envs/ can be solved and made, that each has all that its rules import and no more of
the heavy packages than it says, and that the cells have the bytes of a run without conda. Snakemake runs in an
environment that has what envs/snakemake.yaml lists and nothing else, so that nothing is found there that envs/ lack.
It does not show that conda-forge has these packages in these versions: see docs/cluster.md.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from workflow_copy import ROOT, WorkflowCopy, contents

sys.path.insert(0, str(ROOT / "tests/tools"))

from conda_local_channel import build, stand_in

STUDY = """
networks: [tiny]
methods: [lottery]
sparsities: [86.6]
ablations: [none]
seeds: [0]
device: cpu
experiments: {accuracy: null, ablations: null, effective_sparsity: null}
"""
CELLS = ["dense/0/none", "lottery/86.6/none"]
SCRIPTS = ROOT / "workflow/scripts"
REGISTERED = {"training": ("datasets", "networks", "scores"), "figures": ("figures",)}
"""what rules of an environment import by name when they run"""
ABSENT = {"training": ("matplotlib", "pandas"), "figures": ("torch", "sklearn")}


def report(event: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {event}", flush=True)


def check(condition: object, message: str) -> None:
    if not condition:
        raise SystemExit(f"FAILED: {message}")


def environment_of_snakemake(folder: Path) -> Path:
    """A virtual environment with what envs/snakemake.yaml lists."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    dependencies = yaml.safe_load((ROOT / "envs/snakemake.yaml").read_text())["dependencies"]
    packages = [d.replace("-minimal", "").replace("=", "==") for d in dependencies if not d.startswith("python=")]
    uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--compile-bytecode"]
    subprocess.run([*uv, "--python", str(folder / "bin/python"), *packages], check=True)
    return folder / "bin/snakemake"


def scripts_of_environments() -> dict[str, set[str]]:
    """{environment: the scripts that the rules run in it}"""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        pairs = re.findall(
            r'conda:\s*"../../envs/(\w+).yaml".*?script:\s*"../scripts/(\w+).py"', file.read_text(), re.S
        )
        for environment, script in pairs:
            found.setdefault(environment, set()).add(script)
    return found


def imports_of(script: str) -> str:
    nodes = ast.parse((SCRIPTS / f"{script}.py").read_text()).body
    return "\n".join(ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))


def check_imports(python: Path, environment: str, scripts: set[str]) -> None:
    """Every module that the rules import is there, by the environment's own Python and without Snakemake's."""
    lines = [imports_of(script) for script in sorted(scripts)]
    for kind in REGISTERED[environment]:
        names = sorted(path.stem for path in (SCRIPTS / "pruning" / kind).glob("*.py") if path.stem != "__init__")
        lines += [f"import pruning.{kind}.{name}" for name in names]
    code = "\n".join([f"import sys; sys.path.insert(0, {str(SCRIPTS)!r})", *lines])
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True)
    check(done.returncode == 0, f"envs/{environment}.yaml lacks something:\n{done.stderr}")
    for module in ABSENT[environment]:
        found = subprocess.run([python, "-I", "-c", f"import {module}"], capture_output=True)
        check(found.returncode, f"envs/{environment}.yaml has {module}")


def main() -> None:
    place = Path(tempfile.mkdtemp(prefix="with_conda."))
    build(place / "channel", Path(sys.prefix))
    stand_in(place / "conda", place / "channel")
    report(f"channel of {len(list(place.glob('channel/*/*.conda')))} packages")
    snakemake = environment_of_snakemake(place / "snakemake")
    with_conda, without = WorkflowCopy.make(place / "with"), WorkflowCopy.make(place / "without")
    for workflow in (with_conda, without):
        (workflow.folder / "study.yaml").write_text(STUDY)
    without.run()
    report("run without conda is there")
    subprocess.run(
        [snakemake, "--cores", "2", "--use-conda", "--configfile", "study.yaml", "--quiet", "rules", "progress"],
        cwd=with_conda.folder,
        env={**os.environ, "PATH": f"{place / 'conda/bin'}:{os.environ['PATH']}"},
        check=True,
    )
    for cell in CELLS:
        check(contents(with_conda.cell(cell)) == contents(without.cell(cell)), f"{cell} has other bytes with conda")
    report(f"{len(CELLS)} cells with the bytes of the run without conda")
    made = {
        environment: next(
            path.with_suffix("")
            for path in with_conda.folder.glob(".snakemake/conda/*.yaml")
            if path.read_text() == (ROOT / f"envs/{environment}.yaml").read_text()
        )
        for environment in REGISTERED
    }
    for environment, scripts in scripts_of_environments().items():
        check_imports(made[environment] / "bin/python", environment, scripts)
        report(
            f"envs/{environment}.yaml: all imports of {len(scripts)} scripts, without {', '.join(ABSENT[environment])}"
        )
    shutil.rmtree(place)  # what failed stays to be looked at


if __name__ == "__main__":
    main()
    # As in the stand-in for conda: py-rattler, which made the channel, may not survive Python's own end.
    sys.stdout.flush()
    os._exit(0)
