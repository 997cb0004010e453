"""Studies: what a config may say, the one message for each mistake in it, and the cells that it makes."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from pruning import PruningError
from pruning.study import MOST_ROUNDS, Cell, Network, Study, Tables, sparsity_of_round, sparsity_text

ROOT = Path(__file__).resolve().parents[1]
CONFIG = Path("config/config.yaml")
NETWORKS = Path("config/networks.yaml")
METHODS = Path("config/methods.yaml")
STUDY = Path("my-study.yaml")


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a copy of the config files."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)


def read_tables() -> Tables:
    return Tables.read(NETWORKS, METHODS, ROOT / "workflow/schemas")


def read_study(*files: Path, **command_line: Any) -> Study:
    """The study of config.yaml, `files` and --config, merged and listed as Snakemake does it."""
    config: dict[str, Any] = {}
    for file in (CONFIG, *files):
        update_config(config, yaml.safe_load(file.read_text()) or {})
    return Study.read({**config, **command_line}, [*files, CONFIG], read_tables(), ROOT / "workflow/schemas")


def mistake(*files: Path, **command_line: Any) -> str:
    with pytest.raises(PruningError) as caught:
        read_study(*files, **command_line)
    return str(caught.value)


def change(file: Path, row: str, **changes: Any) -> None:
    """Set keys of a row of a table; None removes a key, and a row that is not there is made."""
    table = yaml.safe_load(file.read_text())
    table[row] = {key: value for key, value in {**table.get(row, {}), **changes}.items() if value is not None}
    file.write_text(yaml.safe_dump(table, sort_keys=False))


def check(message: str, start: str, *words: str) -> None:
    """The message starts with file and key, is short, and says what is allowed."""
    assert message.startswith(start)
    assert not [word for word in words if word not in message], message
    assert "\n" not in message
    assert len(message) < 400


# ------------------------------------------------------------------------------------------------- mistakes in a study

STEP_FORMS = ("0, updates as 500it, epochs as 10ep",)
SPARSITY_RANGE = ("from 0 to below 100",)
MISTAKES: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "unknown key": ({"sparsity": [50]}, "no key is called 'sparsity'", ("did you mean sparsities?", "seeds")),
    "unknown network": ({"networks": ["lenet300-digit"]}, "networks: ", ("mean lenet300-digits?", "lenet300-mnist")),
    "no network": ({"networks": []}, "networks: ", ("non-empty", "config/networks.yaml")),
    "network twice": ({"networks": ["lenet300-digits"] * 2}, "networks: ", ("'lenet300-digits' is there twice",)),
    "unknown method": ({"methods": ["snipp"]}, "methods: ", ("'snipp' (did you mean snip?)", "synflow")),
    "method twice": ({"methods": ["snip", "snip"]}, "methods: ", ("'snip' is there twice",)),
    "dense as method": ({"methods": ["dense"]}, "methods: ", ("always trained",)),
    "unknown ablation": ({"ablations": ["shufle"]}, "ablations.0: ", ("allowed are none, shuffle, reinit, invert",)),
    "sparsity 100": ({"sparsities": [100]}, "sparsities: sparsity 100 ", SPARSITY_RANGE),
    "sparsity -1": ({"sparsities": [50, -1]}, "sparsities: sparsity -1 ", SPARSITY_RANGE),
    "sparsity abc": ({"sparsities": ["abc"]}, "sparsities: sparsity abc ", SPARSITY_RANGE),
    "sparsity 1e2": ({"sparsities": ["1e2"]}, "sparsities: sparsity 1e2 ", SPARSITY_RANGE),
    "sparsity nan": ({"sparsities": [float("nan")]}, "sparsities.0: ", ("percentages", "nan")),
    "sparsity true": ({"sparsities": [True]}, "sparsities.0: ", ("found True", "a number")),
    "sparsity twice": ({"sparsities": [59, 86.6, 59]}, "sparsities: ", ("'59' is there twice",)),
    "sparsity twice, 59 and 59.0": ({"sparsities": [59, 59.0]}, "sparsities: ", ("'59' is there twice",)),
    "seed twice": ({"seeds": [1, 2, 1]}, "seeds: 1 is there twice", ()),
    "seed twice, 1 and '1'": ({"seeds": [1, "1"]}, "seeds: 1 is there twice", ()),
    "seed -1": ({"seeds": [0, -1]}, "seeds: seed -1 ", ("whole numbers from 0",)),
    "seed 1.5": ({"seeds": [1.5]}, "seeds.0: ", ("whole numbers from 0", "found 1.5")),
    "seed 1.0": ({"seeds": [1.0]}, "seeds.0: ", ("whole numbers from 0", "found 1.0")),
    "seed one": ({"seeds": ["one"]}, "seeds: seed one ", ("whole numbers from 0",)),
    "seeds no list": ({"seeds": 3}, "seeds: expected a list, found 3", ("whole numbers from 0",)),
    "no seed": ({"seeds": []}, "seeds: ", ("non-empty",)),
    "step after the end": ({"methods": ["snip@31ep"]}, "methods: 'snip@31ep': ", ("30 epochs", "690 updates")),
    "step at the end": ({"methods": ["snip@30ep"]}, "methods: 'snip@30ep': ", ("nothing to train", "690")),
    "no step": ({"methods": ["snip@"]}, "methods: 'snip@': ", STEP_FORMS),
    "no such step": ({"methods": ["snip@foo"]}, "methods: 'snip@foo': 'foo' ", STEP_FORMS),
    "step without unit": ({"methods": ["snip@500"]}, "methods: 'snip@500': '500' ", STEP_FORMS),
    "two steps": ({"methods": ["snip@5ep@6ep"]}, "methods: 'snip@5ep@6ep': '5ep@6ep' ", STEP_FORMS),
    "step end": ({"methods": ["random@end"]}, "methods: 'random@end': 'end' ", STEP_FORMS),
    "step rewind": ({"methods": ["lottery@rewind"]}, "methods: 'lottery@rewind': 'rewind' ", STEP_FORMS),
    "@ after training": ({"methods": ["magnitude-after@5ep"]}, "methods: 'magnitude-after@5ep' means nothing", ()),
    "@ on dense": ({"methods": ["dense@3ep"]}, "methods: 'dense@3ep' means nothing", ("not pruned",)),
    "@ on nothing known": ({"methods": ["nosuch@5ep"]}, "methods: no method is called 'nosuch'", ("random",)),
    "@ at its own step": ({"methods": ["snip@0"]}, "methods: 'snip@0' is written 'snip'", ()),
    "@ at its own step in updates": ({"methods": ["snip@0it"]}, "methods: 'snip@0it' is written 'snip'", ()),
    "wrong device": ({"device": "gpu"}, "device: 'gpu' is not allowed", ("auto, cpu, cuda",)),
    "warm_start as text": ({"warm_start": "false"}, "warm_start: expected true or false, found 'false'", ()),
    "endless checkpoints": ({"checkpoint_seconds": float("inf")}, "checkpoint_seconds: expected a number", ("inf",)),
    "negative time": ({"checkpoint_seconds": -1}, "checkpoint_seconds: -1 is less than the minimum of 0", ()),
    "no data folder": ({"data": ""}, "data: ", ("folder",)),
}  # fmt: skip
every_mistake = pytest.mark.parametrize(("wrong", "start", "words"), MISTAKES.values(), ids=MISTAKES)


@every_mistake
def test_mistake_in_a_study_file_names_that_file_the_key_and_what_is_allowed(
    wrong: dict[str, Any], start: str, words: tuple[str, ...]
) -> None:
    STUDY.write_text(yaml.safe_dump(wrong))
    check(mistake(STUDY), f"my-study.yaml: {start}", *words)


def test_mistake_in_the_default_config_names_it_although_a_study_is_given() -> None:
    CONFIG.write_text(CONFIG.read_text().replace("warm_start: true", "warm_start: maybe"))
    STUDY.write_text("seeds: [4]\n")
    check(mistake(STUDY), "config/config.yaml: warm_start: expected true or false, found 'maybe'")


def test_of_two_studies_the_one_that_wins_is_named() -> None:
    STUDY.write_text("seeds: [-4]\n")
    Path("second.yaml").write_text("seeds: [-5]\n")
    check(mistake(STUDY, Path("second.yaml")), "second.yaml: seeds: seed -5")
    check(mistake(Path("second.yaml"), STUDY), "my-study.yaml: seeds: seed -4")


def test_mistake_that_no_file_has_is_from_the_command_line() -> None:
    STUDY.write_text("seeds: [4]\n")
    check(mistake(STUDY, seeds=["-1"]), "the command line (--config): seeds: seed -1")


def test_missing_key_names_the_files_that_could_have_it() -> None:
    config = yaml.safe_load(CONFIG.read_text())
    del config["seeds"]
    CONFIG.write_text(yaml.safe_dump(config))
    STUDY.write_text("methods: []\n")
    check(mistake(STUDY), "my-study.yaml, config/config.yaml: the key 'seeds' is missing")


# ---------------------------------------------------------------------------------------------- mistakes in the tables


@pytest.mark.parametrize("file", [CONFIG, STUDY, NETWORKS, METHODS], ids=str)
@pytest.mark.parametrize(
    ("content", "words"),
    {
        "empty": (b"", "expected keys and values"),
        "list": (b"- a\n- b\n", "expected keys and values, found list"),
        "invalid": (b"a: 1\nb: [1, 2\nc: 3\n", "line 3: not valid YAML"),
        "key twice": (b"a: 1\nb: 2\na: 3\n", "line 3: not valid YAML: the key a is there twice"),
        "not text": (b"\xff\xfe\x00", "cannot be read"),
    }.values(),
    ids=["empty", "list", "invalid", "key twice", "not text"],
)
def test_file_that_is_no_table_is_named(file: Path, content: bytes, words: str) -> None:
    config = yaml.safe_load(CONFIG.read_text())
    file.write_bytes(content)
    with pytest.raises(PruningError) as caught:
        Study.read(config, [*([STUDY] if file == STUDY else []), CONFIG], read_tables(), ROOT / "workflow/schemas")
    check(str(caught.value), str(file), words)


def test_missing_table_is_named() -> None:
    METHODS.unlink()
    check(mistake(), "config/methods.yaml cannot be read", "No such file")


@pytest.mark.parametrize(
    ("changes", "start", "words"),
    [
        ({"epoch": 3}, "tiny: no key is called 'epoch'", ("did you mean epochs?", "epochs, ", "milestones")),
        ({"epochs": "many"}, "tiny.epochs: expected a whole number, found 'many'", ("at least 1",)),
        ({"epochs": 0}, "tiny.epochs: 0 is less than the minimum of 1", ()),
        ({"epochs": 3.0}, "tiny.epochs: expected a whole number, found 3.0", ()),
        ({"learning_rate": float("nan")}, "tiny.learning_rate: expected a number, found nan", ()),
        ({"learning_rate": 0}, "tiny.learning_rate: 0 is less than or equal to the minimum of 0", ()),
        ({"momentum": 1}, "tiny.momentum: 1 is greater than or equal to the maximum of 1", ()),
        ({"optimizer": "adam"}, "tiny.optimizer: 'adam' is not allowed", ("allowed are sgd",)),
        ({"initialiser": "xavier"}, "tiny.initialiser: 'xavier' is not allowed", ("kaiming-normal, glorot-normal",)),
        ({"dataset": "digit"}, "tiny.dataset: no dataset is called 'digit'", ("did you mean digits?", "mnist")),
        ({"architecture": "resnet"}, "tiny.architecture: no architecture is called 'resnet'", ("resnet20", "vgg16")),
        ({"rewind": "31ep"}, "tiny.rewind: step 31ep lies after the end", ("30 epochs", "690 updates")),
        ({"rewind": "rewind"}, "tiny.rewind: 'rewind' is not a step", STEP_FORMS),
        ({"rewind": 500}, "tiny.rewind: '500' is not a step", STEP_FORMS),
        ({"rewind": 1.5}, "tiny.rewind: expected text or a whole number, found 1.5", ()),
        ({"warmup": "5 ep"}, "tiny.warmup: '5 ep' is not a step", STEP_FORMS),
        ({"milestones": ["10ep", "691it"]}, "tiny.milestones: step 691it lies after the end", ("690 updates",)),
        ({"milestones": "10ep"}, "tiny.milestones: expected a list, found '10ep'", ()),
        ({"matching": [50]}, "tiny.matching: [50] is too short", ("lowest and highest sparsity",)),
        ({"extreme": [98, 90]}, "tiny.extreme: the lowest sparsity comes first", ("[98, 90]",)),
        ({"base": "lenet300-digit"}, "tiny.base: no network is called 'lenet300-digit'", ("lenet300-digits?",)),
        ({"base": ["lenet300-digits"]}, "tiny.base: no network is called", ("lenet300-mnist",)),
        ({"base": "tiny"}, "tiny.base: tiny -> tiny goes round in a circle", ()),
    ],
)  # fmt: skip
def test_mistake_in_networks_names_row_and_key(changes: dict[str, Any], start: str, words: tuple[str, ...]) -> None:
    change(NETWORKS, "tiny", **{"base": "lenet300-digits", **changes})
    check(mistake(), f"config/networks.yaml: {start}", *words)


def test_bases_in_a_circle_are_named() -> None:
    change(NETWORKS, "a", base="b")
    change(NETWORKS, "b", base="a")
    check(mistake(), "config/networks.yaml: b.base: a -> b -> a goes round in a circle")


def test_mistake_in_a_base_is_told_of_the_base() -> None:
    change(NETWORKS, "a-row-on-it", base="lenet300-digits")
    table = yaml.safe_load(NETWORKS.read_text())
    table = {"a-row-on-it": table.pop("a-row-on-it"), **table}
    table["lenet300-digits"]["epochs"] = "many"
    NETWORKS.write_text(yaml.safe_dump(table, sort_keys=False))
    check(mistake(), "config/networks.yaml: lenet300-digits.epochs")


@pytest.mark.parametrize("row", ["", " [1]", " text"])
def test_row_without_keys_is_named(row: str) -> None:
    NETWORKS.write_text(f"{NETWORKS.read_text()}\ntiny:{row}\nsmall: {{base: tiny}}\n")
    check(mistake(), "config/networks.yaml: tiny: expected keys and values")


@pytest.mark.parametrize("key", ["architecture", "epochs", "rewind", "threads", "extreme"])
def test_key_that_a_network_lacks_is_named(key: str) -> None:
    change(NETWORKS, "resnet20-cifar10", **{key: None})
    check(mistake(), f"config/networks.yaml: resnet20-cifar10: the key {key!r} is missing")


@pytest.mark.parametrize(
    ("row", "changes", "start", "words"),
    [
        ("snip", {"scores": "snip"}, "snip: no key is called 'scores'", ("did you mean score?", "iterations")),
        ("snip", {"score": "snap"}, "snip.score: no score is called 'snap'", ("did you mean snip?", "synflow")),
        ("snip", {"score": None}, "snip: the key 'score' is missing", ()),
        ("snip", {"iterations": 0}, "snip.iterations: 0 is less than the minimum of 1", ("rounds",)),
        ("snip", {"iterations": "one"}, "snip.iterations: expected a whole number, found 'one'", ()),
        ("snip", {"prune_at": "start"}, "snip.prune_at: 'start' is not a step", (*STEP_FORMS, "end, rewind")),
        ("snip", {"rewind_to": 5}, "snip.rewind_to: '5' is not a step", STEP_FORMS),
        ("random-snip", {"quotas": "snap"}, "random-snip.quotas: no way to quotas is called 'snap'", ("snip?", "erk")),
        ("random-snip", {"quotas": "random-erk"}, "random-snip.quotas: no way to quotas", ("uniform, erk", "grasp")),
        ("random-snip", {"quotas": "random-snip"}, "random-snip.quotas: no way to quotas", ("uniform, erk", "grasp")),
        ("random-snip", {"quotas": "lottery-iterative"}, "random-snip.quotas: no way to quotas", ("uniform, erk",)),
        ("lottery-iterative", {"quotas": "erk"}, "lottery-iterative.quotas: quotas do not go with retrain", ()),
        ("lottery-iterative", {"prune_at": 0}, "lottery-iterative.retrain_each_round: goes with prune_at: end", ("0",)),
        ("synflow", {"retrain_each_round": True, "prune_at": "end"}, "synflow.retrain_each_round: goes", ("100",)),
        ("snip", {"variant_of": "snap"}, "snip.variant_of: no method is called 'snap'", ("did you mean snip?",)),
        ("random-snip", {"quotas": ["snip"]}, "random-snip.quotas: expected text, found ['snip']", ("uniform",)),
        (
            "random-snip",
            {"quotas": "lottery"},
            "random-snip.quotas: lottery scores",
            ("step end", "step 0", "prune_at"),
        ),
        ("random-erk", {"iterations": 2}, "random-erk.quotas: quotas go with 1 iteration, found 2", ()),
        ("erk", {"label": "ERK"}, "'erk' does not match", ("uniform and erk are quotas",)),
        ("dense", {"label": "Dense"}, "'dense' does not match", ("dense is the network that is not pruned",)),
        ("a/b", {"label": "A"}, "'a/b' does not match", ("letters, digits",)),
        ("snip@2ep", {"label": "A"}, "'snip@2ep' does not match", ("letters, digits",)),
    ],
)
def test_mistake_in_methods_names_row_and_key(
    row: str, changes: dict[str, Any], start: str, words: tuple[str, ...]
) -> None:
    change(METHODS, row, **changes)
    check(mistake(), f"config/methods.yaml: {start}", *words)


def test_row_that_is_named_by_a_number_is_refused() -> None:
    NETWORKS.write_text(f"{NETWORKS.read_text()}\n300: {{base: lenet300-digits}}\n")
    check(mistake(), "config/networks.yaml: ", "300", "letters, digits")


# --------------------------------------------------------------------------------------------------------------- steps


@pytest.mark.parametrize(
    ("network", "an_epoch", "updates", "steps"),
    [
        # The paper's: 50,000 images in batches of 128, the last of 80, 160 times; 60,000 in batches of 128, 40 times.
        ("resnet20-cifar10", 391, 62_560, {"80ep": 31_280, "120ep": 46_920, "1000it": 1000}),
        ("lenet300-mnist", 469, 18_760, {"1ep": 469, "40ep": 18_760}),
        ("lenet300-digits", 23, 690, {"0": 0, "0ep": 0, "1ep": 23, "10ep": 230, "690it": 690}),
    ],
)
def test_steps_count_updates(network: str, an_epoch: int, updates: int, steps: dict[str, int]) -> None:
    row = read_tables().network(network)
    assert (row.updates_an_epoch, row.updates) == (an_epoch, updates)
    assert {step: row.step(step) for step in steps} == steps
    assert row.step(0) == 0
    assert row.step("end") == updates


@pytest.mark.parametrize(("batch_size", "an_epoch"), [(1437, 1), (1436, 2), (479, 3), (478, 4), (1, 1437), (5000, 1)])
def test_the_last_smaller_batch_is_an_update(batch_size: int, an_epoch: int) -> None:
    row = read_tables().network("lenet300-digits").row  # 1437 = 3 x 479 training images
    assert Network("digits", {**row, "batch_size": batch_size}).step("10ep") == 10 * an_epoch


def test_training_of_the_papers_resnet20() -> None:
    assert read_tables().network("resnet20-cifar10").training() == {
        "epochs": 160,
        "batch_size": 128,
        "learning_rate": 0.1,
        "milestones": [31_280, 46_920],
        "warmup": 0,
        "momentum": 0.9,
        "weight_decay": 0.0001,
    }


@pytest.mark.parametrize(
    ("method", "network", "steps"),
    [
        # prune at, rewind to, schedule from
        ("snip", "resnet20-cifar10", (0, 0, 0)),
        ("synflow", "resnet20-cifar10", (0, 0, 0)),
        ("magnitude-after", "resnet20-cifar10", (62_560, 62_560, 0)),
        ("lottery", "resnet20-cifar10", (62_560, 1000, 1000)),
        ("lottery", "vgg16-cifar10", (62_560, 2000, 2000)),
        ("lottery", "lenet300-digits", (690, 23, 23)),
        ("snip@1000it", "resnet20-cifar10", (1000, 1000, 1000)),
        ("random@2ep", "lenet300-digits", (46, 46, 46)),
        ("lottery@2000it", "resnet20-cifar10", (62_560, 2000, 2000)),
        ("lottery@0", "lenet300-digits", (690, 0, 0)),
    ],
)
def test_methods_are_points_in_one_space(method: str, network: str, steps: tuple[int, int, int]) -> None:
    tables = read_tables()
    found = tables.method(method, tables.network(network))
    assert (found.prune_at, found.rewind_to, found.schedule_from) == steps
    assert found.name == method


def test_method_has_the_score_and_rounds_of_its_row() -> None:
    tables = read_tables()
    digits = tables.network("lenet300-digits")
    found = {name: tables.method(name, digits) for name in ("synflow@5it", "lottery", "grasp")}
    assert {name: (method.score, method.iterations) for name, method in found.items()} == {
        "synflow@5it": ("synflow", 100),
        "lottery": ("magnitude", 1),
        "grasp": ("grasp", 1),
    }


def test_quotas_are_a_rule_or_score_and_rounds_of_another_row() -> None:
    tables = read_tables()
    digits = tables.network("lenet300-digits")
    names = ("random", "random-uniform", "random-erk", "random-magnitude", "random-snip", "random-synflow@5it")
    found = {name: tables.method(name, digits) for name in names}
    assert {method.score for method in found.values()} == {"random"}
    assert [method.quotas for method in found.values()] == [
        *(None, "uniform", "erk"),
        *({"score": "magnitude", "iterations": 1}, {"score": "snip", "iterations": 1}),
        {"score": "synflow", "iterations": 100},
    ]


def test_row_takes_from_its_base_what_it_does_not_say_and_rows_of_the_base_follow() -> None:
    change(NETWORKS, "tiny", base="lenet300-mnist-5ep", epochs=3)
    change(NETWORKS, "lenet300-mnist", batch_size=100, threads=2)
    tiny = read_tables().network("tiny")
    assert (tiny.row["epochs"], tiny.row["dataset"], tiny.row["threads"]) == (3, "mnist", 2)
    assert tiny.updates == 3 * 600


@pytest.mark.parametrize("base", ["lenet300-digits", "lenet300-mnist", "resnet20-cifar10", "vgg16-cifar10"])
@pytest.mark.parametrize(("suffix", "initialiser"), [("normal", "normal"), ("glorot", "glorot-normal")])
def test_network_with_other_initial_weights_differs_in_nothing_else(base: str, suffix: str, initialiser: str) -> None:
    tables = read_tables()
    row = tables.network(f"{base}-{suffix}").row
    assert row == {**tables.network(base).row, "initialiser": initialiser}
    assert row["initialiser"] != tables.network(base).row["initialiser"]


# --------------------------------------------------------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (59.0, "59"),
        (59, "59"),
        (86.6, "86.6"),
        ("48.8", "48.8"),
        ("48.80", "48.8"),
        (99.95, "99.95"),
        (1e-05, "0.00001"),
        (20, "20"),
        (0, "0"),
        ("0.0", "0"),
        ("99.999999999999999999", "99.999999999999999999"),  # as a float it would be 100
    ],
)
def test_sparsity_is_the_shortest_decimal(value: Any, text: str) -> None:
    assert sparsity_text(value) == text


def test_default_study_has_387_cells() -> None:
    cells = read_study().cells
    assert len(cells) == 8 * 4 * 4 * 3 + 3
    assert len(set(cells)) == 387
    assert [cell for cell in cells if cell.method == "dense"] == [
        Cell("lenet300-digits", "dense", "0", "none", seed) for seed in (0, 1, 2)
    ]
    assert Cell("lenet300-digits", "grasp-magnitude", "96.5", "invert", 2) in cells


def test_cells_are_the_product_in_the_order_of_the_config() -> None:
    config = {"methods": ["snip", "random"], "sparsities": [86.6, 59.0], "ablations": ["none"], "seeds": [1, 0]}
    names = [(cell.method, cell.sparsity, cell.seed) for cell in read_study(**config).cells]
    assert names == [
        *[("dense", "0", 1), ("dense", "0", 0)],
        *[("snip", "86.6", 1), ("snip", "86.6", 0), ("snip", "59", 1), ("snip", "59", 0)],
        *[("random", "86.6", 1), ("random", "86.6", 0), ("random", "59", 1), ("random", "59", 0)],
    ]


def test_sparsity_0_is_the_dense_network_alone() -> None:
    cells = read_study(sparsities=[0, 50], seeds=[0]).cells
    assert [cell for cell in cells if cell.sparsity == "0"] == [Cell("lenet300-digits", "dense", "0", "none", 0)]
    assert cells == read_study(sparsities=[50], seeds=[0]).cells


@pytest.mark.parametrize(
    "more",
    [
        {"seeds": [0, 1, 2, 3]},
        {"seeds": ["0", "1", "2", "3"]},  # as --config 'seeds=[0,1,2,3]' gives them
        {"sparsities": [73.8, 86.6, 93.1, 96.5, 98.2]},
        {"networks": ["lenet300-digits", "lenet300-mnist"]},
    ],
)
def test_adding_to_a_study_only_adds_cells(more: dict[str, Any]) -> None:
    before, after = set(read_study().cells), set(read_study(**more).cells)
    assert before < after


def test_a_study_without_methods_is_the_dense_networks() -> None:
    assert len(read_study(methods=[], sparsities=[]).cells) == 3


@pytest.mark.parametrize("study", sorted(path.name for path in (ROOT / "config/studies").glob("*.yaml")))
def test_studies_that_come_along_are_in_order(study: str) -> None:
    read_study(Path("config/studies") / study)


def test_readme_says_how_many_cells_each_study_has() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    counts = {name: int(count) for name, count in re.findall(r"`config/studies/(\S+)` .*\| (\d+) \|$", readme, re.M)}
    studies = {path.name: path.relative_to(ROOT) for path in (ROOT / "config/studies").glob("*.yaml")}
    assert counts == {name: len(read_study(path).cells) for name, path in studies.items()}


def test_the_study_of_cifar10_has_its_cells() -> None:
    # 2 networks, 18 sparsities, 8 methods in 4 versions, 5 seeds; and the dense networks.
    assert len(read_study(Path("config/studies/cifar10.yaml")).cells) == 2 * (18 * 8 * 4 * 5 + 5)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (Cell("lenet300-digits", "snip", "59.0", "none", 0), "sparsity 59.0 is written 59"),
        (Cell("lenet300-digits", "snip", "100", "none", 0), "sparsity 100 is not allowed"),
        (Cell("lenet300-digits", "snip", "0", "none", 0), "there is no cell snip/0/none"),
        (Cell("lenet300-digits", "dense", "50", "none", 0), "there is no cell dense/50/none"),
        (Cell("lenet300-digits", "dense", "0", "shuffle", 0), "there is no cell dense/0/shuffle"),
        (Cell("lenet300-digits", "snap", "50", "none", 0), "did you mean snip?"),
        (Cell("lenet", "snip", "50", "none", 0), "no network is called 'lenet'"),
    ],
)
def test_no_cell_but_the_one_path_of_each(cell: Cell, words: str) -> None:
    with pytest.raises(PruningError, match=words.replace("?", r"\?")):
        read_tables().method_of(cell)


def test_cell_outside_the_study_has_its_method() -> None:
    tables = read_tables()
    assert tables.method_of(Cell("lenet300-digits", "snip@3it", "12.5", "shuffle", 7)).prune_at == 3
    assert tables.method_of(Cell("lenet300-digits", "dense", "0", "none", 7)).name == "dense"


# --------------------------------------------------------------------------------------------------------- experiments


def cells_of(study: Study, name: str) -> list[Cell]:
    (found,) = [experiment for experiment in study.experiments if experiment.name == name]
    return list(found.cells)


def names(cells: list[Cell]) -> set[tuple[str, str, str]]:
    return {(cell.method, cell.sparsity, cell.ablation) for cell in cells if cell.method != "dense"}


def test_experiment_takes_from_the_study_what_it_does_not_say() -> None:
    experiments = {"accuracy": {"methods": ["snip"], "ablations": ["none"]}}
    cells = cells_of(read_study(experiments=experiments), "accuracy")
    assert names(cells) == {("snip", s, "none") for s in ("73.8", "86.6", "93.1", "96.5")}
    assert {cell.seed for cell in cells} == {0, 1, 2}
    assert [cell.method for cell in cells[:3]] == ["dense"] * 3


def test_grids_take_from_their_experiment_and_their_union_holds_each_cell_once() -> None:
    grids = [{"methods": ["synflow"]}, {"methods": ["synflow", "snip"], "ablations": ["shuffle", "none"], "seeds": [0]}]
    experiment = {"figure": "accuracy", "sparsities": [50], "ablations": ["none"], "grids": grids}
    cells = cells_of(read_study(experiments={"mine": experiment}), "mine")
    assert names(cells) == {(m, "50", a) for m in ("synflow", "snip") for a in ("none", "shuffle")}
    assert len(cells) == 3 + 3 + 3  # dense, synflow with three seeds, and three more with seed 0


def test_cells_of_a_study_are_those_of_its_experiments_and_null_leaves_one_out() -> None:
    experiments = {
        "accuracy": {"methods": ["snip"], "sparsities": [50], "ablations": ["none"], "seeds": [0]},
        "ablations": {"methods": ["grasp"], "sparsities": [50, 60], "ablations": ["invert"], "seeds": [0]},
        "layer_density": None,
    }
    study = read_study(experiments=experiments)
    assert [experiment.name for experiment in study.experiments] == ["accuracy", "ablations"]
    assert names(study.cells) == {("snip", "50", "none"), ("grasp", "50", "invert"), ("grasp", "60", "invert")}
    assert sum(cell.method == "dense" for cell in study.cells) == 1


def test_figure_of_masks_alone_asks_for_no_training() -> None:
    experiments = {"neuron_collapse": {"methods": ["snip"], "sparsities": [50]}}
    study = read_study(experiments=experiments)
    assert study.cells == []
    assert names(cells_of(study, "neuron_collapse")) == {
        ("snip", "50", a) for a in ("none", "shuffle", "reinit", "invert")
    }


def test_steps_make_methods_at_steps_and_step_0_is_the_method_itself() -> None:
    grid = {"methods": ["snip", "lottery"], "steps": [0, "1ep"], "sparsities": [50], "ablations": ["none"]}
    cells = cells_of(read_study(experiments={"pruning_step": grid}), "pruning_step")
    # Lottery tickets of the digits are rewound to 1ep anyway.
    assert {method for method, _, _ in names(cells)} == {"snip", "snip@1ep", "lottery@0", "lottery"}


def test_highest_matching_is_the_end_of_each_networks_range() -> None:
    change(NETWORKS, "lenet300-mnist", matching=[20, 59.0])
    experiment = {"sparsities": ["highest-matching"], "networks": ["lenet300-digits", "lenet300-mnist"]}
    cells = cells_of(read_study(experiments={"accuracy": experiment}), "accuracy")
    pruned = {(cell.network, cell.sparsity) for cell in cells if cell.method != "dense"}
    assert pruned == {("lenet300-digits", "86.6"), ("lenet300-mnist", "59")}


def test_highest_matching_that_the_list_has_already_is_one_sparsity() -> None:
    experiment = {"sparsities": [86.6, "highest-matching"], "methods": ["snip"], "ablations": ["none"], "seeds": [0]}
    cells = cells_of(read_study(experiments={"accuracy": experiment}), "accuracy")
    assert [cell.sparsity for cell in cells] == ["0", "86.6"]


@pytest.mark.parametrize(
    ("experiments", "start", "words"),
    [
        ({"accurracy": {}}, "experiments: accurracy: no figure is called 'accurracy'", ("did you mean accuracy?",)),
        ({"mine": {"figure": "claims"}}, "experiments: mine: no figure is called 'claims'", ("ablations",)),
        ({"accuracy": {"method": ["snip"]}}, "experiments.accuracy: no key is called 'method'", ("methods?", "grids")),
        ({"accuracy": {"methods": ["snipp"]}}, "experiments: accuracy: no method is called", ("did you mean snip?",)),
        ({"accuracy": {"sparsities": [100]}}, "experiments: accuracy: sparsities: sparsity 100", SPARSITY_RANGE),
        ({"accuracy": {"grids": [{"seeds": [1, 1]}]}}, "experiments: accuracy: seeds: 1 is there twice", ()),
        ({"pruning_step": {"steps": ["1 ep"]}}, "experiments: pruning_step: steps: '1 ep' is not a step", STEP_FORMS),
        ({"pruning_step": {"methods": ["magnitude-after"], "steps": ["1ep"]}}, "experiments: pruning_step: 'magni", ()),
        (
            {"accuracy": {"methods": ["lottery-iterative"], "sparsities": [50]}},
            "experiments: accuracy: lottery-iterative removes 20% of what remains a round, so it has no sparsity 50",
            ("20, 36, 48.8, 59",),
        ),
        (
            {"accuracy": {"methods": ["snip@23it", "snip@1ep"]}},
            "experiments: accuracy: snip@23it and snip@1ep are the same step of lenet300-digits; name it once",
            (),
        ),
        ({"accuracy": [1]}, "experiments.accuracy: expected keys and values or ", ("found [1]",)),
    ],
)
def test_mistake_in_an_experiment_is_named(experiments: dict[str, Any], start: str, words: tuple[str, ...]) -> None:
    STUDY.write_text(yaml.safe_dump({"experiments": experiments}))
    message = mistake(STUDY)
    assert str(STUDY) in message
    check(message.partition(str(STUDY))[2].removeprefix(", config/config.yaml"), f": {start}", *words)


# ----------------------------------------------------------------------------------- rounds with training between them


def test_sparsities_of_rounds_each_leave_80_percent_of_the_last() -> None:
    known = "20 36 48.8 59 67.2 73.8 79 83.2 86.6 89.3 91.4 93.1 94.5 95.6 96.5 97.2 97.7 98.2 98.6 98.8 99.1 99.3 99.4"
    assert [sparsity_of_round(number) for number in range(24)] == ["0", *known.split()]
    assert len({sparsity_of_round(number) for number in range(MOST_ROUNDS + 1)}) == MOST_ROUNDS + 1


@pytest.mark.parametrize(
    ("cell", "before"),
    [
        (("lottery-iterative", "59", "none"), ("lottery-iterative", "48.8", "none")),
        (("lottery-iterative", "59", "shuffle"), ("lottery-iterative", "48.8", "none")),
        (("lottery-iterative", "59", "reinit"), ("lottery-iterative", "48.8", "none")),
        (("lottery-iterative", "59", "invert"), ("lottery-iterative", "48.8", "invert")),
        (("lottery-iterative@2ep", "36", "none"), ("lottery-iterative@2ep", "20", "none")),
        (("magnitude-after-iterative", "20", "none"), ("dense", "0", "none")),
        (("magnitude-after-iterative", "20", "invert"), ("dense", "0", "none")),
    ],
)
def test_a_round_scores_the_weights_of_the_round_before(
    cell: tuple[str, str, str], before: tuple[str, str, str]
) -> None:
    assert read_tables().predecessor(Cell("lenet300-digits", *cell, 3)) == Cell("lenet300-digits", *before, 3)


@pytest.mark.parametrize("method", ["snip", "synflow", "lottery", "magnitude-after"])
def test_methods_without_training_between_rounds_have_no_cell_before(method: str) -> None:
    assert read_tables().predecessor(Cell("lenet300-digits", method, "59", "none", 0)) is None
