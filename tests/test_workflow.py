"""The workflow as its users meet it: messages for mistakes, what is made again and when, and the same bytes always."""

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pruning.batches import Resident
from pruning.data import load
from pruning.files import read_json, write_json
from pruning.initialisation import draw_state
from pruning.masks import load_mask, save_mask
from pruning.networks import all_kept, build
from pruning.states import load_progress, save_progress, state_checksum
from pruning.training import Recipe, from_state, train
from workflow_copy import ABLATIONS, CELLS, METHODS, SNAKEMAKE, WorkflowCopy, contents, jobs_of, of_rules, wait_for

AT_THE_START = ("random", "snip")
"""methods that need no dense training"""


def cells_of(*methods: str) -> list[str]:
    return [f"{method}/86.6/{ablation}" for method in methods for ablation in ABLATIONS]


# --------------------------------------------------------------------------------------------------- mistakes of users


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("methods=[snipp]", "the command line (--config): methods: no method is called 'snipp' (did you mean snip?)"),
        ("seeds=[0,-1]", "the command line (--config): seeds: seed -1 is not allowed: seeds are whole numbers from 0"),
        ("sparsity=50", "the command line (--config): no key is called 'sparsity' (did you mean sparsities?)"),
        ("warm_start=false", "the command line (--config): warm_start: expected true or false, found 'false'"),
    ],
)
def test_mistake_on_the_command_line_is_one_message(fresh: WorkflowCopy, config: str, message: str) -> None:
    check_message(fresh, fresh.run_without_jobs(code=1, config=(config,)), message)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("study.yaml", "sparsities: [100]", "study.yaml: sparsities: sparsity 100 is not allowed"),
        ("config/config.yaml", "warm_start: maybe", "config/config.yaml: warm_start: expected true or false, found"),
        ("config/networks.yaml", "small: {base: tiny, epochs: many}", "config/networks.yaml: small.epochs: expected a"),
        ("config/networks.yaml", "small: {base: tiny", "config/networks.yaml, line "),
        ("config/methods.yaml", "new: {}", "config/methods.yaml: new: the key 'label' is missing"),
    ],
)  # fmt: skip
def test_mistake_in_a_file_is_one_message(new: WorkflowCopy, file: str, text: str, message: str) -> None:
    key = text.partition(":")[0]
    lines = (new.folder / file).read_text().splitlines()
    (new.folder / file).write_text("\n".join([*(line for line in lines if not line.startswith(f"{key}:")), text, ""]))
    check_message(new, new.run_without_jobs(code=1), message)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("cells/tiny/snipp/50/none/seed0/evaluation.json", "no method is called 'snipp' (did you mean snip?)"),
        ("cells/tinny/snip/50/none/seed0/evaluation.json", "no network is called 'tinny' (did you mean tiny?)"),
        ("cells/tiny/snip@4ep/50/none/seed0/evaluation.json", "'snip@4ep': step 4ep lies after the end of training"),
        ("cells/tiny/snip/50.0/none/seed0/evaluation.json", "sparsity 50.0 is written 50 in the names of files"),
        ("cells/tiny/snip/0/none/seed0/evaluation.json", "there is no cell snip/0/none: the dense network"),
        ("cells/tiny/dense/0/none/seed0/states/70it.safetensors", "step 70it lies after the end of training"),
        ("figures/acuracy.pdf", "This study has no figure acuracy. It has "),
    ],
)
def test_mistake_in_a_target_is_one_message(fresh: WorkflowCopy, target: str, message: str) -> None:
    check_message(fresh, fresh.run_without_jobs(f"results/{target}", code=1), message)


def check_message(workflow: WorkflowCopy, output: str, message: str) -> None:
    assert output.count(message) == 1
    assert not [noise for noise in ("Traceback", "Error", ".smk", ".py", ", line 0") if noise in output]
    assert not (workflow.folder / "results").exists()
    assert not list((workflow.folder / ".snakemake/locks").glob("*"))


# ---------------------------------------------------------------------------------------- what is made, and what again


def test_study_makes_every_cell_table_and_figure(finished: WorkflowCopy) -> None:
    cells = {path.parent for path in finished.folder.glob("results/cells/**/evaluation.json")}
    assert cells == {finished.cell(name) for name in CELLS}
    table = (finished.folder / "results/tables/cells.csv").read_text().splitlines()
    assert len(table) == 1 + len(CELLS)
    figures = {path.name for path in finished.folder.glob("results/figures/*")}
    names = ("accuracy", "ablations", "layer_density", "neuron_collapse", "effective_sparsity")
    assert figures == {f"{name}.{suffix}" for name in (*names, "claims") for suffix in ("pdf", "png", "svg")}
    tables = {path.name for path in finished.folder.glob("results/tables/*.*")}
    assert tables == {f"{name}.{suffix}" for name in names for suffix in ("csv", "md", "tex")} | {
        "cells.csv",
        "statistics.csv",
        "claims.csv",
        "claims.md",
        "claim_differences.csv",
        "provenance.csv",
    }
    assert {path.name for path in finished.folder.glob("results/*.html")} == {"report.html", "interactive.html"}
    assert not list(finished.folder.glob("results/checkpoints/**/*.safetensors"))


def test_finished_study_has_nothing_to_do(finished: WorkflowCopy) -> None:
    assert "Nothing to be done" in finished.run()


@pytest.mark.parametrize("cell", ["snip/86.6/shuffle", "lottery/86.6/none"])
def test_deleted_cell_is_made_again_and_no_other(workflow: WorkflowCopy, cell: str) -> None:
    for file in workflow.cell(cell).iterdir():
        file.unlink()
    workflow.cell(cell).rmdir()
    assert workflow.plan_of_cells() == jobs_of(cell)


def test_deleted_cell_of_the_dense_network_is_filled_again_without_training(workflow: WorkflowCopy) -> None:
    for file in workflow.cell("dense/0/none").iterdir():
        if file.name != "states":
            file.unlink()
    expected = {f"{rule} tiny/dense/0/none/0" for rule in ("prune", "evaluate")} | {"dense_cell tiny/0"}
    assert workflow.plan_of_cells() == expected


@pytest.mark.parametrize(
    ("file", "rules"),
    [
        ("mask.npz", ("prune", "train", "evaluate")),
        ("training.csv", ("train", "evaluate")),
        ("evaluation.json", ("evaluate",)),
    ],
)
def test_deleted_file_of_a_cell_is_made_again_with_what_follows_from_it(
    workflow: WorkflowCopy, file: str, rules: tuple[str, ...]
) -> None:
    """With the target file itself: Snakemake does not look behind one that is up to date."""
    for name in {file, "evaluation.json"}:
        (workflow.cell("random/86.6/none") / name).unlink()
    assert workflow.plan_of_cells() == of_rules(rules, jobs_of("random/86.6/none"))


def test_added_seed_makes_its_cells_alone(workflow: WorkflowCopy) -> None:
    jobs = workflow.plan_of_cells(config=("seeds=[0,1]",))
    pruned = jobs_of(*cells_of(*METHODS), seed=1)
    dense = {"train_dense tiny/1", "dense_cell tiny/1", "replay_state tiny/1/23it"}
    assert jobs == pruned | dense | {"prune tiny/dense/0/none/1", "evaluate tiny/dense/0/none/1"}


def test_added_method_that_rewinds_elsewhere_asks_for_one_more_state(workflow: WorkflowCopy) -> None:
    methods = ",".join([*METHODS, "lottery@30it"])
    jobs = workflow.plan_of_cells(config=(f"methods=[{methods}]",))
    assert jobs == jobs_of(*cells_of("lottery@30it")) | {"replay_state tiny/0/30it"}


def test_cell_outside_the_study_can_be_asked_for(workflow: WorkflowCopy) -> None:
    jobs = workflow.plan("results/cells/tiny/snip@1ep/50/shuffle/seed7/evaluation.json")
    cell = {f"{rule} tiny/snip@1ep/50/shuffle/7" for rule in ("prune", "train", "evaluate")}
    assert jobs == cell | {"train_dense tiny/7", "replay_state tiny/7/23it"}


def test_table_or_figure_alone(workflow: WorkflowCopy) -> None:
    (workflow.folder / "results/figures/ablations.pdf").unlink()
    (workflow.folder / "results/tables/accuracy.md").unlink()
    assert workflow.plan("results/figures/ablations.pdf") == {"figure_ablations"}
    assert workflow.plan("results/tables/accuracy.md") == {"figure_accuracy"}


LIBRARY = "workflow/scripts/pruning"


def test_change_of_a_score_concerns_its_cells_alone(workflow: WorkflowCopy) -> None:
    workflow.append(f"{LIBRARY}/scores/snip.py", "\n\nUNUSED = 1\n")
    assert workflow.plan_of_cells() == jobs_of(*cells_of("snip"))


def test_change_of_comments_makes_nothing_stale(workflow: WorkflowCopy) -> None:
    files = [*workflow.folder.glob(f"{LIBRARY}/**/*.py"), *workflow.folder.glob("workflow/scripts/*.py")]
    assert len(files) > 40
    for file in files:
        workflow.append(str(file.relative_to(workflow.folder)), "\n# A remark.\n")
    assert workflow.plan() == set()


@pytest.mark.parametrize("file", [f"{LIBRARY}/training.py", f"{LIBRARY}/predictions.py"])
def test_change_of_the_training_concerns_every_training(workflow: WorkflowCopy, file: str) -> None:
    workflow.append(file, "\n\nUNUSED = 1\n")
    assert workflow.plan_of_cells() == all_trainings()


def test_change_of_the_learning_rate_concerns_every_training(workflow: WorkflowCopy) -> None:
    workflow.replace("config/networks.yaml", "epochs: 3}", "epochs: 3, learning_rate: 0.1}")
    assert workflow.plan_of_cells() == all_trainings()


def all_trainings() -> set[str]:
    """All jobs but the masks of networks that were not trained."""
    dense = {"train_dense tiny/0", "dense_cell tiny/0", "replay_state tiny/0/23it", "evaluate tiny/dense/0/none/0"}
    masks_at_the_start = of_rules(("prune",), jobs_of(*cells_of(*AT_THE_START)))
    return dense | jobs_of(*cells_of(*METHODS)) - masks_at_the_start


def test_change_of_the_scoring_concerns_every_mask_and_no_dense_training(workflow: WorkflowCopy) -> None:
    workflow.append(f"{LIBRARY}/selection.py", "\n\nUNUSED = 1\n")
    dense = {f"{rule} tiny/dense/0/none/0" for rule in ("prune", "evaluate")}
    assert workflow.plan_of_cells() == jobs_of(*cells_of(*METHODS)) | dense


def test_change_of_the_rewind_step_concerns_the_lottery_alone(workflow: WorkflowCopy) -> None:
    workflow.replace("config/networks.yaml", "epochs: 3}", "epochs: 3, rewind: 2ep}")
    masks = of_rules(("prune",), jobs_of(*cells_of("lottery")))
    assert workflow.plan_of_cells() == jobs_of(*cells_of("lottery")) - masks | {"replay_state tiny/0/46it"}


def test_change_of_another_network_concerns_nobody(workflow: WorkflowCopy) -> None:
    workflow.replace("config/networks.yaml", "rewind: 2000it", "rewind: 2001it")
    assert workflow.plan() == set()


def test_change_of_label_and_source_concerns_no_cell(workflow: WorkflowCopy) -> None:
    workflow.replace("config/methods.yaml", "label: SNIP\n", "label: Snip\n")
    workflow.replace("config/methods.yaml", "  source: the trivial baseline", "  source: anybody")
    assert workflow.plan_of_cells() == set()


def test_change_of_the_claims_judges_them_again_and_nothing_else(workflow: WorkflowCopy) -> None:
    workflow.replace("config/claims.yaml", "margin: 0.5", "margin: 1")
    assert workflow.plan() == {"claims_table", "figure_claims", "report_page"}


def test_change_of_a_figure_draws_that_figure_alone(workflow: WorkflowCopy) -> None:
    workflow.append(f"{LIBRARY}/figures/ablations.py", "\n\nUNUSED = 1\n")
    assert workflow.plan() == {"figure_ablations", "report_page"}


def test_quotas_of_a_method_are_its_counts_and_concern_who_takes_them(new: WorkflowCopy) -> None:
    cells = ("snip/86.6/none", "random-snip/86.6/none", "random-snip/86.6/invert")
    targets = [str((new.cell(cell) / "mask.npz").relative_to(new.folder)) for cell in cells]
    new.run(*targets)
    masks = [load_mask(new.folder / target)[0] for target in targets]
    counts = [{name: np.count_nonzero(array) for name, array in mask.items()} for mask in masks]
    assert counts[0] == counts[1] == counts[2]
    new.replace("config/methods.yaml", "quotas: snip", "quotas: erk ")
    assert new.plan(*targets) == {f"prune tiny/{cell}/0" for cell in cells[1:]}
    new.replace("config/methods.yaml", "quotas: erk ", "quotas: snip")
    new.append(f"{LIBRARY}/scores/grasp.py", "\n\nUNUSED = 1\n")
    assert new.plan(*targets) == set()
    new.append(f"{LIBRARY}/scores/snip.py", "\n\nUNUSED = 1\n")
    assert new.plan(*targets) == {f"prune tiny/{cell}/0" for cell in cells}


# ------------------------------------------------------------------------------------------------------ the same bytes


def test_cores_and_other_cells_change_no_byte(finished: WorkflowCopy, new: WorkflowCopy) -> None:
    cells = ["lottery/86.6/shuffle", "random/86.6/invert", "dense/0/none"]
    new.run(*map(new.target, cells), cores=1)
    assert {name: contents(new.cell(name)) for name in cells} == {name: contents(finished.cell(name)) for name in cells}


def test_cold_start_and_warm_start_give_the_same_bytes(
    finished: WorkflowCopy, workflow: WorkflowCopy, new: WorkflowCopy
) -> None:
    """Also with two threads, of which --cores leaves one: a run has the threads of its recipe."""
    new.run(
        new.target("random/86.6/none"),
        new.target("snip/86.6/none", "two-threads"),
        cores=1,
        config=("warm_start=False",),
    )
    workflow.run(workflow.target("snip/86.6/none", "two-threads"))
    assert contents(new.cell("random/86.6/none")) == contents(finished.cell("random/86.6/none"))
    two_threads = contents(new.cell("snip/86.6/none", "two-threads"))
    assert two_threads == contents(workflow.cell("snip/86.6/none", "two-threads"))
    assert two_threads["curve"] != contents(finished.cell("snip/86.6/none"))["curve"]


def test_training_goes_on_after_a_kill_to_the_same_bytes(workflow: WorkflowCopy) -> None:
    killed, undisturbed = (workflow.target("random/86.6/none", network) for network in ("long", "long-too"))
    checkpoint = workflow.folder / "results/checkpoints/long/random/86.6/none/seed0.safetensors"
    command = workflow.command(killed, config=("checkpoint_seconds=0",))
    with subprocess.Popen(
        command, cwd=workflow.folder, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    ) as snakemake:
        wait_for(checkpoint.exists, seconds=60)
        snakemake.send_signal(signal.SIGKILL)
    wait_for(lambda: not workflow.processes(), seconds=10)
    assert checkpoint.exists()
    assert not (workflow.cell("random/86.6/none", "long") / "predictions.npz").exists()

    log = "random/86.6/none/seed0/train.log"
    unfinished = workflow.log(f"{log}.unfinished", "long")
    assert "no checkpoint" in unfinished
    workflow.run(killed, undisturbed)
    first, _, second = workflow.log(log, "long").partition("the attempts above were killed or failed")
    assert first.startswith(unfinished.rstrip())
    assert "going on from update" in second
    assert not (workflow.folder / f"results/logs/cells/long/{log}.unfinished").exists()
    assert "no checkpoint" in workflow.log("random/86.6/none/seed0/train.log", "long-too")
    assert not checkpoint.exists()
    found, expected = (contents(workflow.cell("random/86.6/none", network)) for network in ("long", "long-too"))
    assert found.pop("mask") != expected.pop("mask")  # which names the cell
    assert found == expected


def test_checkpoint_stays_until_the_cell_is_evaluated(workflow: WorkflowCopy, finished: WorkflowCopy) -> None:
    """A training that passes for unfinished, as on Slurm within seconds of its limit, is not begun anew."""
    cell = workflow.cell("snip/86.6/none")
    checkpoint = workflow.folder / "results/checkpoints/tiny/snip/86.6/none/seed0.safetensors"
    outputs = [cell / name for name in ("predictions.npz", "training.csv", "training.json")]
    for path in (*outputs, cell / "evaluation.json"):
        path.unlink()
    paths = [str(path.relative_to(workflow.folder)) for path in outputs]
    for log in ("no checkpoint", "going on from update 69"):
        workflow.run(*paths, config=("checkpoint_seconds=0",))
        assert log in workflow.log("snip/86.6/none/seed0/train.log")
        assert checkpoint.exists()
        (cell / "predictions.npz").unlink()
    workflow.run(workflow.target("snip/86.6/none"))
    assert not checkpoint.exists()
    assert contents(cell) == contents(finished.cell("snip/86.6/none"))


def test_torn_or_foreign_checkpoint_is_ignored_and_the_log_says_so(
    finished: WorkflowCopy, workflow: WorkflowCopy
) -> None:
    other = (finished.cell("dense/0/none") / "states/end.safetensors").read_bytes()
    cells = {"snip/86.6/none": (other[: len(other) // 2], "cannot be read"), "snip/86.6/reinit": (other, "another run")}
    for name, (content, _) in cells.items():
        checkpoint = workflow.folder / f"results/checkpoints/tiny/{name}/seed0.safetensors"
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_bytes(content)
        for file in ("predictions.npz", "evaluation.json"):
            (workflow.cell(name) / file).unlink()
    workflow.run(*map(workflow.target, cells))
    for name, (_, reason) in cells.items():
        log = workflow.log(f"{name}/seed0/train.log")
        assert "checkpoint ignored" in log
        assert reason in log
        assert contents(workflow.cell(name)) == contents(finished.cell(name))


# ------------------------------------------------------------------------------------------------- what the files hold


def dense_state(finished: WorkflowCopy, update: int) -> dict[str, torch.Tensor]:
    """The dense network of seed 0 after some updates, trained here."""
    data = load(finished.folder / "results/data/digits")
    network = build("lenet-300-100", (8, 8, 1), 10)
    recipe = Recipe(
        epochs=3, batch_size=64, learning_rate=0.05, milestones=(), warmup=0, momentum=0.9, weight_decay=0.005
    )
    resident = Resident(data, recipe.batch_size, 0, torch.device("cpu"))
    start = from_state(network, draw_state(network, "kaiming-normal", 0), 0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return train(network, all_kept(network), recipe, resident, start, stop=update).state
    finally:
        torch.set_num_threads(threads)


def assert_is_state(path: Path, expected: dict[str, torch.Tensor], update: int) -> None:
    found, _ = load_progress(path)
    assert found.update == update
    assert found.state.keys() == expected.keys()
    assert all(torch.equal(found.state[name], expected[name]) for name in expected)


def test_states_are_those_of_a_run_that_stops_there(finished: WorkflowCopy, workflow: WorkflowCopy) -> None:
    states = workflow.cell("dense/0/none") / "states"
    assert_is_state(states / "end.safetensors", dense_state(finished, 69), 69)
    assert_is_state(states / "23it.safetensors", dense_state(finished, 23), 23)
    workflow.run(str((states / "30it.safetensors").relative_to(workflow.folder)), config=("warm_start=False",))
    assert_is_state(states / "30it.safetensors", dense_state(finished, 30), 30)
    assert "replaying from update 23 to 30" in workflow.log("dense/0/none/seed0/states/30it.log")


def test_replay_that_does_not_meet_the_dense_run_is_refused(workflow: WorkflowCopy) -> None:
    states = workflow.cell("dense/0/none") / "states"
    end, key = load_progress(states / "end.safetensors")
    end.rows[1]["test_loss"] += 1e-9
    save_progress(states / "end.safetensors", end, key)
    target = str((states / "30it.safetensors").relative_to(workflow.folder))
    output = workflow.run(target, code=1, config=("warm_start=False",))
    assert output.count("The replay does not meet the dense run") == 1
    assert "Traceback" not in output
    assert not (states / "30it.safetensors").exists()


def test_accuracy_of_the_dense_network_is_that_of_its_saved_weights(finished: WorkflowCopy) -> None:
    cell, data = finished.cell("dense/0/none"), finished.folder / "results/data/digits"
    state = load_progress(cell / "states/end.safetensors")[0].state
    seen, images = (np.load(data / f"{split}_images.npy").reshape(-1, 64) / 16 for split in ("train", "test"))
    values = torch.from_numpy((images - seen.mean()) / seen.std()).float()
    for layer in ("hidden1", "hidden2"):
        values = torch.clamp(values @ state[f"{layer}.weight"].T + state[f"{layer}.bias"], min=0)
    logits = values @ state["output.weight"].T + state["output.bias"]
    right = int((logits.argmax(1).numpy() == np.load(data / "test_labels.npy")).sum())
    metrics = json.loads((cell / "evaluation.json").read_text())["metrics"]
    assert metrics["accuracy"] == 100 * right / 360
    assert 50 < metrics["accuracy"] < 100


@pytest.mark.parametrize("method", METHODS)
def test_ablations_have_the_masks_that_they_say(finished: WorkflowCopy, method: str) -> None:
    masks = {ablation: load_mask(finished.cell(f"{method}/86.6/{ablation}") / "mask.npz")[0] for ablation in ABLATIONS}
    none = masks["none"]
    assert sum(int(kept.sum()) for kept in none.values()) == 50_200 - 43_473  # 86.6% of 50,200 is 43,473.2
    for name, kept in none.items():
        assert (masks["reinit"][name] == kept).all()
        assert masks["shuffle"][name].sum() == kept.sum()
        assert (masks["shuffle"][name] != kept).any()
    assert not any((masks["invert"][name] & kept).any() for name, kept in none.items())


def test_ablations_start_from_the_weights_that_they_say(finished: WorkflowCopy) -> None:
    network, states = build("lenet-300-100", (8, 8, 1), 10), finished.cell("dense/0/none") / "states"
    initial, reinit = (draw_state(network, "kaiming-normal", 0, purpose) for purpose in ("initial weights", "reinit"))
    end, rewound = (load_progress(states / f"{step}.safetensors")[0].state for step in ("end", "23it"))
    expected = {"random": initial, "snip": initial, "magnitude-after": end, "lottery": rewound}
    assert expected.keys() == set(METHODS)
    for method, state in expected.items():
        for ablation in ABLATIONS:
            evaluation = json.loads((finished.cell(f"{method}/86.6/{ablation}") / "evaluation.json").read_text())
            provenance = evaluation["provenance"]
            assert provenance["start_state"] == state_checksum(reinit if ablation == "reinit" else state)
            # What a method at initialisation scores is what is trained (but for new weights).
            scored = end if method in ("magnitude-after", "lottery") else initial
            assert provenance["scored_state"] == state_checksum(scored)


def test_a_mask_that_was_scored_on_other_weights_is_refused(finished: WorkflowCopy, tmp_path: Path) -> None:
    workflow = finished.copy(tmp_path)
    path = workflow.cell("snip/86.6/none") / "mask.npz"
    mask, made_from = load_mask(path)
    save_mask(path, mask, {**made_from, "scored_state": state_checksum({"elsewhere": torch.zeros(1)})})
    (workflow.cell("snip/86.6/none") / "predictions.npz").unlink()
    output = workflow.run(workflow.target("snip/86.6/none"), code=1)
    assert "was scored on other weights than training starts from. Delete it" in output


def copy_files(workflow: WorkflowCopy, of: str, to: str, *names: str) -> None:
    for name in names:
        shutil.copy(workflow.cell(of) / name, workflow.cell(to) / name)


def change_recipe(path: Path) -> None:
    """As a run would leave it that was started before the config was changed, and that nobody waited for."""
    record = read_json(path)
    record["recipe"]["threads"] = 7
    write_json(path, record)


FOREIGN: dict[str, tuple[Callable[[WorkflowCopy], object], str]] = {
    "mask": (
        lambda workflow: copy_files(workflow, "random/86.6/none", "snip/86.6/none", "mask.npz", "mask.json"),
        "mask.npz is not of this cell but of tiny/random/86.6/none/seed0. Delete it",
    ),
    "predictions": (
        lambda workflow: copy_files(workflow, "random/86.6/none", "snip/86.6/none", "predictions.npz"),
        "predictions.npz is not the file that its training wrote",
    ),
    "curve": (
        lambda workflow: copy_files(workflow, "random/86.6/none", "snip/86.6/none", "training.csv"),
        "training.csv is not the file that its training wrote",
    ),
    "recipe of the mask": (
        lambda workflow: change_recipe(workflow.cell("snip/86.6/none") / "mask.json"),
        "mask.json is of another recipe or code than the present",
    ),
    "recipe of the training": (
        lambda workflow: change_recipe(workflow.cell("snip/86.6/none") / "training.json"),
        "training.json is of another recipe or code than the present",
    ),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_not_of_this_cell_is_refused_where_it_is_evaluated(
    what: str, finished: WorkflowCopy, tmp_path: Path
) -> None:
    workflow = finished.copy(tmp_path)
    put, message = FOREIGN[what]
    put(workflow)
    # As Snakemake sees it, what lies there is whole and up to date: only the evaluation is to be made.
    subprocess.run([SNAKEMAKE, "--touch", "--cores", "1", "--configfile", "study.yaml"], cwd=tmp_path, check=True)
    (workflow.cell("snip/86.6/none") / "evaluation.json").unlink()
    assert message in workflow.run(workflow.target("snip/86.6/none"), code=1)


# ----------------------------------------------------------------------------------- rounds with training between them


@pytest.fixture(scope="module")
def rounds(finished: WorkflowCopy, tmp_path_factory: pytest.TempPathFactory) -> WorkflowCopy:
    """A workflow with two rounds of every ablation that they are for, and of both methods. Only to be read."""
    workflow = finished.copy(tmp_path_factory.mktemp("rounds"))
    cells = [f"lottery-iterative/36/{ablation}" for ablation in ABLATIONS]
    cells += ["lottery-iterative/20/none", "magnitude-after-iterative/20/none", "magnitude-after-iterative/36/none"]
    workflow.run(*map(workflow.target, cells))
    return workflow


def about(workflow: WorkflowCopy, cell: str, key: str) -> object:
    return json.loads((workflow.cell(cell) / "evaluation.json").read_text())["provenance"][key]


def end_of(workflow: WorkflowCopy, cell: str) -> dict[str, torch.Tensor]:
    return load_progress(workflow.cell(cell) / "states/end.safetensors")[0].state


def test_a_round_is_scored_on_what_the_round_before_was_trained_to(rounds: WorkflowCopy) -> None:
    dense = state_checksum(end_of(rounds, "dense/0/none"))
    for method in ("lottery-iterative", "magnitude-after-iterative"):
        assert about(rounds, f"{method}/20/none", "scored_state") == dense
        trained = state_checksum(end_of(rounds, f"{method}/20/none"))
        assert about(rounds, f"{method}/36/none", "scored_state") == trained != dense
    for ablation, before in {"shuffle": "none", "reinit": "none", "invert": "invert"}.items():
        trained = state_checksum(end_of(rounds, f"lottery-iterative/20/{before}"))
        assert about(rounds, f"lottery-iterative/36/{ablation}", "scored_state") == trained


def test_a_round_starts_from_the_rewound_weights_or_keeps_the_trained_ones(rounds: WorkflowCopy) -> None:
    rewound = state_checksum(load_progress(rounds.cell("dense/0/none") / "states/23it.safetensors")[0].state)
    assert about(rounds, "lottery-iterative/36/none", "start_state") == rewound
    trained = state_checksum(end_of(rounds, "magnitude-after-iterative/20/none"))
    assert about(rounds, "magnitude-after-iterative/36/none", "start_state") == trained


@pytest.mark.parametrize("ablation", ["none", "invert"])
def test_a_round_removes_the_lowest_of_what_the_round_before_kept(rounds: WorkflowCopy, ablation: str) -> None:
    before, mask = (load_mask(rounds.cell(f"lottery-iterative/{s}/{ablation}") / "mask.npz")[0] for s in ("20", "36"))
    weights = {name: end_of(rounds, f"lottery-iterative/20/{ablation}")[name].abs().numpy() for name in mask}
    assert sum(int(kept.sum()) for kept in before.values()) == 50_200 - 10_040
    assert sum(int(kept.sum()) for kept in mask.values()) == 50_200 - 18_072
    assert not any((mask[name] & ~before[name]).any() for name in mask)
    kept = np.concatenate([weights[name][mask[name]] for name in mask])
    removed = np.concatenate([weights[name][before[name] & ~mask[name]] for name in mask])
    assert kept.max() <= removed.min() if ablation == "invert" else kept.min() >= removed.max()


def test_shuffled_and_reinitialised_cells_take_the_mask_of_the_unmodified_rounds(rounds: WorkflowCopy) -> None:
    masks = {
        a: load_mask(rounds.cell(f"lottery-iterative/36/{a}") / "mask.npz")[0] for a in ("none", "shuffle", "reinit")
    }
    for name, kept in masks["none"].items():
        assert (masks["reinit"][name] == kept).all()
        assert masks["shuffle"][name].sum() == kept.sum()
    assert any((masks["shuffle"][name] != kept).any() for name, kept in masks["none"].items())


def test_a_further_round_takes_up_from_the_last_one_though_an_earlier_one_is_gone(
    rounds: WorkflowCopy, tmp_path: Path
) -> None:
    workflow = rounds.copy(tmp_path)
    (workflow.cell("lottery-iterative/20/none") / "states/end.safetensors").unlink()
    assert workflow.plan(workflow.target("lottery-iterative/36/none")) == set()
    jobs = {f"{rule} tiny/lottery-iterative/48.8/none/0" for rule in ("prune", "train_round", "round_cell", "evaluate")}
    assert workflow.plan(workflow.target("lottery-iterative/48.8/none")) == jobs


def test_a_deleted_cell_of_a_round_is_filled_again_without_training(rounds: WorkflowCopy, tmp_path: Path) -> None:
    workflow, cell = rounds.copy(tmp_path), "lottery-iterative/20/none"
    for name in ("predictions.npz", "training.csv", "training.json", "evaluation.json"):
        (workflow.cell(cell) / name).unlink()
    targets = [workflow.target(name) for name in (cell, "lottery-iterative/36/none")]
    assert workflow.plan(*targets) == {f"{rule} tiny/{cell}/0" for rule in ("round_cell", "evaluate")}


# ---------------------------------------------------------------------------------------------------------- experiments

NEURONS = "  neuron_collapse: {grids: [{}]}\n"
EXPERIMENTS = """  ablations: null
  layer_density: null
  effective_sparsity: null
  accuracy: null
  neuron_collapse: {methods: [snip, random], ablations: [none, shuffle], grids: [{}]}
  pruning_step:
    methods: [snip, lottery]
    ablations: [none]
    steps: [0, 1ep, 2ep]
"""


def test_figure_of_masks_asks_for_no_training(new: WorkflowCopy) -> None:
    new.replace("study.yaml", NEURONS, EXPERIMENTS)
    jobs = new.plan("results/figures/neuron_collapse.pdf")
    masks = {f"prune tiny/{method}/86.6/{a}/0" for method in ("snip", "random") for a in ("none", "shuffle")}
    assert jobs == masks | {"prepare_data digits", "rows_neuron_collapse", "figure_neuron_collapse"}


def test_experiment_runs_its_own_cells_and_ends_in_its_figure_and_table(workflow: WorkflowCopy) -> None:
    workflow.replace("study.yaml", NEURONS, EXPERIMENTS)
    # Lottery tickets of this network are rewound to 1ep anyway: that cell is there.
    cells = {"lottery@0", "lottery@2ep", "snip@1ep", "snip@2ep"}
    jobs = of_rules(("train", "train_dense"), workflow.plan("results/figures/pruning_step.pdf"))
    assert jobs == {f"train tiny/{method}/86.6/none/0" for method in cells}
    workflow.run("results/figures/pruning_step.pdf")
    table = (workflow.folder / "results/tables/pruning_step.csv").read_text()
    assert len(table.splitlines()) == 1 + 1 + 6
    assert "lottery,86.6,23," in table
    # What is scored at a later step is the dense network's state then, and training takes up from the same.
    states = workflow.cell("dense/0/none") / "states"
    for method, step in (("snip@1ep", "23it"), ("snip@2ep", "46it")):
        state = state_checksum(load_progress(states / f"{step}.safetensors")[0].state)
        assert about(workflow, f"{method}/86.6/none", "scored_state") == state
        assert about(workflow, f"{method}/86.6/none", "start_state") == state
