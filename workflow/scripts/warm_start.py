"""Start scripts in processes that have imported torch already: importing it costs more than many a training.

Snakemake runs a `script:` as a new Python process. Here the same generated file runs in a child forked from a server
process that has done the imports, one server for each Snakemake process. This changes when things happen, never what: a
job with a conda environment or a container runs as Snakemake runs it, and without this module all do.
"""

import gc
import multiprocessing
import multiprocessing.connection
import multiprocessing.forkserver
import os
import runpy
import signal
import subprocess
import sys
import threading
from multiprocessing.managers import BaseManager

from snakemake.script import PythonScript

import gpus
import shared_process
from processes import end_with_parent

PRELOADED = ["snakemake.cli", "torch", "numpy", "safetensors.torch", "pandas", "PIL.Image"]
"""Other people's modules, and none of the library: a server that is running must not keep an old version of it."""

plain_execution = PythonScript.execute_script
processes = threading.Lock()
"""Held while the status of any child may be read. Starting a process reads that of all others too, and of two threads
that read one at once, one finds nothing and takes it for a failure."""


def enable() -> None:
    """From now on, run plain `script:` jobs of this process in forked children. No server is started yet."""
    multiprocessing.set_forkserver_preload(PRELOADED)
    PythonScript.execute_script = execute


def execute(script: PythonScript, file: str, edit: bool = False) -> None:
    """Takes the place of `PythonScript.execute_script`: run the generated `file`."""
    if script.conda_env or script.container_img or script.env_modules:
        plain_execution(script, file, edit)
        return
    if shared_process.takes(script):
        shared_process.execute(script, file, start_shared)
        return
    child = multiprocessing.get_context("forkserver").Process(target=run, args=(file,))
    with processes:
        start_server()
        child.start()
    multiprocessing.connection.wait([child.sentinel])
    with processes:
        child.join()
    if child.exitcode:
        raise subprocess.CalledProcessError(child.exitcode, f"script of rule {script.rulename}")


def start_server() -> None:
    """Start the server if it does not run, without threads in it: a fork copies only the one that forks."""
    settings = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def start_shared(process: BaseManager, gpu: str) -> None:
    """Start a process in which jobs run side by side, on one GPU."""
    with processes:
        start_server()
        process.start(prepare_shared, (gpu,))


def prepare_shared(gpu: str) -> None:
    """In that process: see one GPU, end with Snakemake, and with Ctrl-C, which a manager would ignore."""
    os.environ[gpus.VISIBLE] = gpu
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(file: str) -> None:
    """In the child: end with Snakemake, then be the script."""
    # The collector of garbage would look at all that the server imported, and so copy its memory, page by page.
    gc.freeze()
    die_with_parent()
    sys.argv = [file]
    runpy.run_path(file, run_name="__main__")


def die_with_parent() -> None:
    """Let a killed Snakemake take server and children with it (Linux).

    The server ends once nobody holds the other end of its pipe any more, and it takes along the children that asked for
    that. In this order: the server cannot end between the two.
    """
    end_with_parent()
    server = multiprocessing.forkserver._forkserver
    if server._forkserver_alive_fd is not None:
        os.close(server._forkserver_alive_fd)
        server._forkserver_alive_fd = None
