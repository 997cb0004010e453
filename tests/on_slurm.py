"""A small study on a real Slurm of one node with two fake GPUs, disturbed on its way (make test-slurm; root, Debian).

It shows that profiles/slurm works with account and partitions edited: every stage runs as a job of Slurm; jobs that run
a network have one GPU, all others none; memory and time are those of the network's row and grow with the attempt; cells
share submissions. A job is cancelled half way, one runs into its time limit, the node is drained and resumed: the study
ends complete, with the bytes of an undisturbed run on this machine without Slurm.

A fake GPU is none for torch, so the trainings run on the CPU (`device: cpu`) and their GPU is asked for by name
(`gres`). That `device: cuda` asks for a GPU, too, is shown with a job that gets one and says that torch finds none.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow/scripts"))

from pruning.files import read_rows
from workflow_copy import ROOT, SNAKEMAKE, WorkflowCopy, contents

TOOL = ROOT / "tests/tools/slurm_one_node.sh"
SHORT = "short: {base: tiny, memory_mb: 500, minutes: 9}\n"
SLOW_ROW = "slow: {{base: tiny, memory_mb: 600, minutes: 1, epochs: {epochs}}}\n"
SECONDS = 120
"""what the slow training takes at the least: more than its first attempt has, also where Slurm is late to end it"""
STUDY = """
networks: [short]
methods: [random, lottery]
sparsities: [86.6]
ablations: [none]
seeds: [0]
device: cpu
checkpoint_seconds: 2
experiments: {ablations: null, layer_density: null, effective_sparsity: null, neuron_collapse: null}
"""
CELLS = ["dense/0/none", "random/86.6/none", "lottery/86.6/none"]
SLOW = "results/cells/slow/dense/0/none/seed0/evaluation.json"
NETWORK_RULES = ("prune", "train", "train_round", "round_cell", "train_dense", "dense_cell", "replay_state")


def new_study(folder: Path) -> WorkflowCopy:
    workflow = WorkflowCopy.make(folder)
    workflow.append("config/networks.yaml", SHORT)
    (folder / "study.yaml").write_text(STUDY)
    return workflow


def edit_profile(workflow: WorkflowCopy) -> None:
    """What a user would edit in profiles/slurm; and what fake GPUs and an impatient test need."""
    path = workflow.folder / "profiles/slurm/config.yaml"
    profile = yaml.safe_load(path.read_text())
    del profile["default-resources"]["slurm_account"]
    profile |= {"slurm-no-account": True, "slurm-status-command": "squeue"}  # without accounting
    profile |= {"slurm-init-seconds-before-status-checks": 1, "latency-wait": 10}
    profile["default-resources"]["mem_mb"] = "1000 * attempt"
    profile |= {"group-components": ["cell=3"], "retries": 5}
    path.write_text(yaml.safe_dump(profile))
    profile["config"] = ["device=cpu"]
    for rule in (*NETWORK_RULES, "evaluate"):
        profile["set-resources"][rule]["gres"] = "gpu:1"
    path = workflow.folder / "profiles/slurm-fake/config.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(profile))


def command(profile: str, *arguments: str) -> list[str]:
    return [str(SNAKEMAKE), *arguments, "--workflow-profile", f"profiles/{profile}", "--configfile", "study.yaml"]


def slurm(*arguments: str) -> str:
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def jobs() -> list[dict[str, str]]:
    """Every job that Slurm has seen, first to last: what scontrol shows of it, and `rule`, what it was for."""
    found = []
    for line in slurm("scontrol", "show", "job", "-o").splitlines():
        if "JobId=" in line:
            job = dict(re.findall(r"(\w+)=(\S+)", line))
            # `rule_NAME_wildcards_...`; of a group its name and those of its rules
            job["rule"] = re.match(r"rule_(cell(?=_)|\w+?(?=_wildcards_|$))", job["Comment"])[1]
            found.append(job)
    return sorted(found, key=lambda job: int(job["JobId"]))


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, f"waited in vain for {what}")
        time.sleep(0.5)


def check(condition: object, message: str) -> None:
    if not condition:
        raise SystemExit(f"FAILED: {message}")


def report(event: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {event}", flush=True)


def gpus(job: dict[str, str]) -> int:
    asked = re.search(r"gpu(?::[a-z]+)?:(\d+)", " ".join(job[key] for key in job if key.startswith("TresPer")))
    return int(asked[1]) if asked else 0


def disturb_and_finish(workflow: WorkflowCopy) -> None:
    """Run the study on Slurm and see to it that things go wrong."""
    with (workflow.folder / "printed.txt").open("w") as printed:
        main = subprocess.Popen(
            command("slurm-fake", "all", SLOW), cwd=workflow.folder, stdout=printed, stderr=subprocess.STDOUT
        )
    try:

        def cancelled() -> bool:
            check(main.poll() is None, f"snakemake ended at once:\n{(workflow.folder / 'printed.txt').read_text()}")
            for job in jobs():
                if job["rule"] == "cell" and job["JobState"] == "RUNNING" and job["RunTime"] >= "00:00:08":
                    slurm("scancel", job["JobId"])
                    report(f"job {job['JobId']} cancelled, a submission of cells")
                    return True
            return False

        wait_for(cancelled, 600, "a submission of cells to cancel")
        node = slurm("sinfo", "-h", "-o", "%n").split()[0]
        checkpoint = workflow.folder / "results/checkpoints/slow/dense/0/none/seed0.safetensors"
        wait_for(checkpoint.exists, 600, "a checkpoint of the slow training")
        slow = next(job for job in jobs() if job["rule"] == "train_dense" and "slow" in job["Comment"])
        slurm("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
        report("node drained")
        time.sleep(8)
        slurm("scontrol", "update", f"nodename={node}", "state=resume")
        report("node resumed")
        wait_for(
            lambda: any(job["JobId"] == slow["JobId"] and job["JobState"] == "TIMEOUT" for job in jobs()),
            600,
            "the time limit of the slow training",
        )
        report(f"job {slow['JobId']} ran into its time limit")
        main.wait(1200)
    finally:
        main.kill()
    check(main.returncode == 0, f"the study did not end well:\n{(workflow.folder / 'printed.txt').read_text()}")


def check_jobs() -> None:
    """What the jobs of the study asked Slurm for."""
    seen = jobs()
    for job in seen:
        expected = int(job["rule"] in (*NETWORK_RULES, "cell"))
        check(gpus(job) == expected, f"{job['rule']} has {gpus(job)} GPUs: {job['TRES']}")
        check(job["Partition"] == ("gpu" if expected else "cpu"), f"{job['rule']} is in partition {job['Partition']}")
    stages = {job["rule"] for job in seen}
    expected_stages = {"prepare_data", "describe_network", "train_dense", "replay_state", "cell", "cells_table"}
    expected_stages |= {"statistics_table", "claims_table", "figure_claims", "rows_accuracy", "figure_accuracy"}
    check(stages >= expected_stages, f"stages on Slurm: {sorted(stages)}")

    def asked(rule: str, words: str) -> list[tuple[str, str, str]]:
        found = [job for job in seen if job["rule"] == rule and words in job["Comment"]]
        return [(job["TimeLimit"], re.search(r"mem=(\w+)", job["TRES"])[1], job["JobState"]) for job in found]

    slow = asked("train_dense", "slow")
    check(slow[:2] and slow[0] == ("00:01:00", "600M", "TIMEOUT"), f"first attempt of the slow training: {slow}")
    check(slow[1][:2] == ("00:02:00", "1200M"), f"second attempt of the slow training: {slow}")
    check(asked("train_dense", "short") == [("00:09:00", "500M", "COMPLETED")], "training of the short network")
    check(asked("cells_table", "") == [("00:30:00", "1000M", "COMPLETED")], "a table")
    cells = [job for job in seen if job["rule"] == "cell"]
    check("CANCELLED" in {job["JobState"] for job in cells}, "no submission of cells was cancelled")
    # Four cells by threes are two submissions; one was cancelled and made again.
    check(len(cells) <= 4, f"{len(cells)} submissions of cells")
    report(f"{len(seen)} jobs of Slurm for {len(stages)} stages; GPUs, memory and times as asked for")


def check_gpu_of_device_cuda(workflow: WorkflowCopy) -> None:
    """With profiles/slurm alone, a job gets a GPU from Slurm; that it is a fake is said by the job, not hidden."""
    before = {job["JobId"] for job in jobs()}
    target = "results/cells/short/dense/0/none/seed5/states/end.safetensors"
    done = subprocess.run(
        command("slurm", target, "--retries", "0"), cwd=workflow.folder, capture_output=True, text=True
    )
    check(done.returncode == 1, "a training on a GPU that is none should fail")
    new = [job for job in jobs() if job["JobId"] not in before]
    check([(job["rule"], gpus(job), job["JobState"]) for job in new] == [("train_dense", 1, "FAILED")], f"{new}")
    log = workflow.log("dense/0/none/seed5/train.log.unfinished", "short")
    check("This job was given a GPU" in log, f"log of the job: {log}")
    report("device=cuda asks for a GPU, and a job that finds none says so")


def main() -> None:
    place = Path(tempfile.mkdtemp(prefix="on_slurm."))
    undisturbed, workflow = new_study(place / "undisturbed"), new_study(place / "slurm")
    undisturbed.run("all")
    curve = read_rows(undisturbed.cell("dense/0/none", "short") / "training.csv")
    # By the fastest epoch: a machine that is busy now may be quiet when the training has its limit.
    row = SLOW_ROW.format(epochs=round(SECONDS / min(float(epoch["seconds"]) for epoch in curve)))
    report(f"a training to run into its time limit: {row}")
    for copy in (undisturbed, workflow):
        copy.append("config/networks.yaml", row)
    undisturbed.run(SLOW)
    report("undisturbed run without Slurm is there")
    edit_profile(workflow)
    subprocess.run(["bash", TOOL, "start", "2"], check=True)
    try:
        disturb_and_finish(workflow)
        for name, network in [*((cell, "short") for cell in CELLS), ("dense/0/none", "slow")]:
            same = contents(workflow.cell(name, network)) == contents(undisturbed.cell(name, network))
            check(same, f"{network}/{name} has not the bytes of the undisturbed run")
        log = workflow.log("dense/0/none/seed0/train.log", "slow")
        check("going on from update" in log, "the training that ran into its limit did not go on from its checkpoint")
        report(f"{len(CELLS) + 1} cells with the bytes of the undisturbed run")
        check_jobs()
        check_gpu_of_device_cuda(workflow)
    finally:
        subprocess.run(["bash", TOOL, "stop"], check=True)
    shutil.rmtree(place)  # what failed stays to be looked at


if __name__ == "__main__":
    sys.exit(main())
