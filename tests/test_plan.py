"""The cost of a study before it is run: by hand, and measured on made images."""

from pathlib import Path

import pytest
import torch

from pruning import datasets, networks
from pruning.cost import made_data, measure
from pruning.initialisation import draw_state
from pruning.plan import plan, with_predecessors
from pruning.study import Cell, Study, Tables
from pruning.training import Recipe

ROOT = Path(__file__).resolve().parents[1]
COST = {
    "device": "a GPU",
    "seconds_an_example": 0.002,
    "seconds_a_test_example": 0.001,
    "parameters": 1000,
    "prunable": 800,
}
DIGITS = "lenet300-digits"
AN_EPOCH = 23
"""updates: 1437 training images in batches of 64"""


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables.read(ROOT / "config/networks.yaml", ROOT / "config/methods.yaml", ROOT / "workflow/schemas")


def study(tables: Tables, **grid: list[object]) -> Study:
    lists = {"networks": [DIGITS], "methods": ["snip"], "sparsities": [59], "ablations": ["none"], "seeds": [0]}
    return Study({**lists, **grid, "experiments": {"accuracy": {}}}, tables)


def epochs_left(tables: Tables, **grid: list[object]) -> float:
    return float(plan(study(tables, **grid), {DIGITS: COST}, lambda _: False)["epochs left"].iloc[0])


def test_hours_are_epochs_times_the_seconds_of_training_and_test(tables: Tables) -> None:
    row, total = plan(study(tables), {DIGITS: COST}, lambda _: False).to_dict("records")
    assert (row["network"], row["device"], row["cells"], row["finished"]) == (DIGITS, "a GPU", 2, 0)
    assert row["epochs left"] == 60  # the dense network and one pruned, 30 epochs each
    assert row["seconds an epoch"] == pytest.approx(1437 * 0.002 + 360 * 0.001)
    assert row["hours left"] == pytest.approx(60 * 3.234 / 3600)
    assert (total["network"], total["cells"], total["hours left"]) == ("all", 2, row["hours left"])


def test_finished_cells_cost_nothing(tables: Tables) -> None:
    row = plan(study(tables), {DIGITS: COST}, lambda cell: cell.method == "dense").to_dict("records")[0]
    assert (row["cells"], row["finished"], row["epochs left"]) == (2, 1, 30)


def test_training_from_a_later_step_is_shorter_and_its_state_is_replayed_to_the_end_of_an_epoch(tables: Tables) -> None:
    # Dense 30; from update 10 on 30 - 10/23; the replay to update 10 runs one epoch.
    assert epochs_left(tables, methods=["snip@10it"]) == pytest.approx(30 + (30 - 10 / AN_EPOCH) + 1)
    # A second state is replayed from the first: from update 46 to 46.
    later = epochs_left(tables, methods=["snip@10it", "snip@2ep"])
    assert later == pytest.approx(30 + (30 - 10 / AN_EPOCH) + 28 + 1 + (2 - 10 / AN_EPOCH))


def test_states_are_shared_by_methods_and_ablations_but_not_by_seeds(tables: Tables) -> None:
    one = epochs_left(tables, methods=["lottery"])
    assert one == pytest.approx(30 + 29 + 1)
    assert epochs_left(tables, methods=["lottery", "snip@1ep"], ablations=["none", "shuffle"]) == pytest.approx(
        30 + 4 * 29 + 1
    )
    assert epochs_left(tables, methods=["lottery"], seeds=[0, 1]) == pytest.approx(2 * one)


def test_rounds_with_training_between_them_need_the_rounds_before(tables: Tables) -> None:
    cells = study(tables, methods=["lottery-iterative"], sparsities=[48.8], ablations=["shuffle"]).cells
    found = {(cell.method, cell.sparsity, cell.ablation) for cell in with_predecessors(cells, tables)}
    assert found == {
        ("dense", "0", "none"),
        ("lottery-iterative", "48.8", "shuffle"),
        ("lottery-iterative", "36", "none"),
        ("lottery-iterative", "20", "none"),
    }


def test_disk_of_masks_predictions_and_states(tables: Tables) -> None:
    row = plan(study(tables, methods=["snip", "snip@1ep"]), {DIGITS: COST}, lambda _: False).to_dict("records")[0]
    # Three cells of a bit a weight and 16 bytes a test image; the dense network's end, and a state with its momentum.
    assert row["GB left"] * 1e9 == pytest.approx(3 * (800 / 8 + 16 * 360) + 4 * 1000 + 8 * 1000)


@pytest.mark.parametrize("architecture", ["lenet-300-100", "resnet20"])
def test_measured_cost_is_of_the_recipes_batches(architecture: str) -> None:
    about = datasets.describe("digits")
    network = networks.build(architecture, about.shape, about.classes)
    recipe = Recipe(30, 32, 0.1, (), 0, 0.9, 0.0)
    found = measure(network, draw_state(network, "kaiming-normal", 0), recipe, about, torch.device("cpu"))
    assert found["batch_size"] == 32
    assert found["updates"] >= 3
    assert min(found["seconds_an_example"], found["seconds_a_test_example"]) > 0


def test_made_images_have_the_shape_of_the_dataset() -> None:
    about = datasets.describe("cifar10")
    data = made_data(about, 7)
    assert data.train.images.shape == (7, 32, 32, 3)
    assert (data.augmentation, data.classes) == (about.augmentation, 10)


def test_cells_outside_the_study_are_not_counted(tables: Tables) -> None:
    assert Cell(DIGITS, "snip", "59", "shuffle", 0) not in with_predecessors(study(tables).cells, tables)
