"""Trainings that share a process: the same bytes, errors that concern one of them alone, and an end of the process that
is heard by all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import shared_process
from workflow_copy import CELLS, ROOT, WorkflowCopy, contents

SCRIPTS = """
import json
import threading
from types import SimpleNamespace

import shared_process
import warm_start


def execute(file, precision="fp32", rule="train", threads=1):
    recipe = {"precision": precision, "threads": threads}
    script = SimpleNamespace(
        conda_env=None, container_img=None, env_modules=None, rulename=rule,
        config={"side_by_side": True}, log=[f"{file}.log"], params=SimpleNamespace(recipe=recipe),
    )
    try:
        warm_start.execute(script, file)
    except BaseException as error:
        return type(error).__name__
    return "well"


def at_once(*calls):
    ends = [None] * len(calls)
    def one(number, call):
        ends[number] = execute(*call)
    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(ends))


warm_start.PRELOADED[:] = []
warm_start.enable()
"""
WELL = """
import os, time
time.sleep(0.5)
open('{name}.pid', 'w').write(str(os.getpid()))
open('{name}.gpu', 'w').write(os.environ['CUDA_VISIBLE_DEVICES'])
"""
WRONG = "raise ValueError('a wrong turn')"
MISTAKEN = "import sys; print('Turn left.', file=sys.stderr); sys.exit(1)"
HELD = """
class Held:
    def __del__(self):
        open('freed', 'w')

held = Held()

def function():
    return held
"""
FATAL = "import os, signal, time; time.sleep(0.2); os.kill(os.getpid(), signal.SIGKILL)"


def run(folder: Path, text: str, **environment: str) -> tuple[list[list[str]], str]:
    """The ends of the jobs of each `at_once` in `text`, and what was printed as an error."""
    (folder / "scripts.py").write_text(SCRIPTS)
    names = ("a", "b", "c", "d")
    scripts = {name: WELL.format(name=name) for name in names} | {
        "wrong": WRONG,
        "mistaken": MISTAKEN,
        "fatal": FATAL,
        "held": HELD,
    }
    for name, script in scripts.items():
        (folder / f"{name}.py").write_text(script)
    path = f"{folder}{os.pathsep}{ROOT / 'workflow/scripts'}"
    done = subprocess.run(
        [sys.executable, "-c", f"from scripts import *\n{text}"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def pids(folder: Path, names: str) -> list[str]:
    return [(folder / f"{name}.pid").read_text() for name in names]


def test_trainings_share_a_process_and_fail_one_by_one(tmp_path: Path) -> None:
    ends, errors = run(tmp_path, "at_once(['a.py'], ['wrong.py'], ['mistaken.py'], ['b.py']); at_once(['c.py'])")
    assert ends == [["well", "CalledProcessError", "CalledProcessError", "well"], ["well"]]
    assert len(set(pids(tmp_path, "abc"))) == 1
    assert errors.count("ValueError: a wrong turn") == errors.count("Traceback") == errors.count("Turn left.") == 1


def test_what_a_training_held_is_free_when_it_ends(tmp_path: Path) -> None:
    """Its functions hold its names, and these them: Python would free such a cycle late, and what it has on a GPU."""
    text = "at_once(['held.py']); import os; print(json.dumps([os.path.exists('freed')]), flush=True)"
    assert run(tmp_path, text)[0] == [["well"], [True]]


def test_rules_that_share_a_process_are_those_of_trainings_under_a_mask() -> None:
    rules = (ROOT / "workflow/rules/train.smk").read_text()
    assert shared_process.RULES == ("train", "train_round")
    assert "\nrule train:\n" in rules
    assert "\nuse rule train as train_round with:\n" in rules


def test_numbers_of_threads_do_not_share_a_process(tmp_path: Path) -> None:
    """`torch.set_num_threads` sets those of MKL's products for the whole process."""
    ends, _ = run(tmp_path, "at_once(['a.py'], ['b.py', 'fp32', 'train', 2], ['c.py'])")
    assert ends == [["well"] * 3]
    a, b, c = pids(tmp_path, "abc")
    assert a == c != b


def test_precisions_and_other_stages_do_not_share_a_process(tmp_path: Path) -> None:
    ends, _ = run(tmp_path, "at_once(['a.py'], ['b.py', 'tf32'], ['c.py', 'fp32', 'prune'], ['d.py', 'tf32'])")
    assert ends == [["well"] * 4]
    a, b, c, d = pids(tmp_path, "abcd")
    assert b == d
    assert len({a, b, c}) == 3


def test_each_gpu_has_a_process_with_as_many_trainings_as_the_others(tmp_path: Path) -> None:
    ends, _ = run(tmp_path, "at_once(['a.py'], ['b.py'], ['c.py'], ['d.py'])", CUDA_VISIBLE_DEVICES="3,5")
    assert ends == [["well"] * 4]
    found = pids(tmp_path, "abcd")
    assert [found.count(pid) for pid in set(found)] == [2, 2]
    visible = dict(zip(found, [(tmp_path / f"{name}.gpu").read_text() for name in "abcd"], strict=True))
    assert sorted(visible.values()) == ["3", "5"]


def test_fatal_fault_ends_those_that_share_the_process_and_the_next_has_a_new_one(tmp_path: Path) -> None:
    ends, errors = run(tmp_path, "at_once(['a.py'], ['fatal.py']); at_once(['b.py'], ['c.py'])")
    assert errors.count("The process that trainings share has ended") == 2
    assert ends == [["CalledProcessError", "CalledProcessError"], ["well", "well"]]
    assert not (tmp_path / "a.pid").exists()
    assert len(set(pids(tmp_path, "bc"))) == 1


def test_cells_that_are_trained_side_by_side_have_the_same_bytes(tmp_path: Path, finished: WorkflowCopy) -> None:
    workflow = WorkflowCopy.make(tmp_path)
    targets = [workflow.target(name) for name in CELLS] + [workflow.target("snip/86.6/none", "two-threads")]
    workflow.run(*targets, cores=4, config=("side_by_side=True",))
    assert {name: contents(workflow.cell(name)) for name in CELLS} == {
        name: contents(finished.cell(name)) for name in CELLS
    }
    alone = WorkflowCopy.make(tmp_path / "alone")
    alone.run(targets[-1])
    two_threads = contents(workflow.cell("snip/86.6/none", "two-threads"))
    assert two_threads == contents(alone.cell("snip/86.6/none", "two-threads"))
    assert not workflow.processes()


def test_side_by_side_needs_processes_that_are_started_warm(tmp_path: Path) -> None:
    output = WorkflowCopy.make(tmp_path).run("-n", code=1, config=("side_by_side=True", "warm_start=False"))
    assert "`side_by_side: true` needs `warm_start: true`" in output
    assert "Traceback" not in output
