"""A study: names from the tables of networks and methods, checked, and made into cells.

Everything that a user writes comes through here, before any job starts. What is wrong is said in one message: which
file, which key, what is allowed. Without torch.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from pruning import PruningError, datasets, figures, registry
from pruning.config_files import at, check_each_once, check_name, check_schema, read_yaml
from pruning.quotas import BY_SHAPE

DENSE = "dense"
STEPS = ("prune_at", "rewind_to", "schedule_from")
HIGHEST_MATCHING = "highest-matching"
"""as a sparsity: the end of a network's matching range"""


@dataclass(frozen=True)
class Cell:
    """One training: the target of one evaluation.json. `sparsity` is the shortest decimal, as in paths."""

    network: str
    method: str
    sparsity: str
    ablation: str
    seed: int


@dataclass(frozen=True)
class Method:
    """A method on a network, its steps resolved to updates."""

    name: str
    score: str
    iterations: int
    prune_at: int
    rewind_to: int
    schedule_from: int
    retrain_each_round: bool = False
    """prune_at and rewind_to, where they are the end, are that of the cell with the sparsity before (`predecessor`)"""
    quotas: str | dict[str, Any] | None = None
    """a name in `quotas.BY_SHAPE`, or score and iterations of the method whose counts a layer are the quotas"""


class Network:
    """A row of networks.yaml, its steps resolved to updates."""

    def __init__(self, name: str, row: Mapping[str, Any]) -> None:
        self.name, self.row = name, dict(row)
        self.data = datasets.describe(row["dataset"])

    @property
    def updates_an_epoch(self) -> int:
        return -(-self.data.train // int(self.row["batch_size"]))

    @property
    def updates(self) -> int:
        """The length of the whole training."""
        return int(self.row["epochs"]) * self.updates_an_epoch

    def step(self, text: str | int) -> int:
        """`0`, `500it`, `10ep` or `end` as a number of updates.

        Raises PruningError where it is none of these or lies behind the end of training.
        """
        check_step(text, "end")
        if text == "end":
            return self.updates
        number = int(re.sub(r"\D", "", str(text)))
        update = number * self.updates_an_epoch if str(text).endswith("ep") else number
        if update > self.updates:
            raise PruningError(
                f"step {text} lies after the end of training: {self.name} trains for {self.row['epochs']} epochs,"
                f" {self.updates} updates"
            )
        return update

    def sparsity(self, value: Any) -> str:
        """A sparsity of a study as it stands in paths; `highest-matching` is the end of the matching range."""
        return sparsity_text(self.row["matching"][1] if value == HIGHEST_MATCHING else value)

    def training(self) -> dict[str, Any]:
        """What training depends on, steps as updates: the arguments of `training.Recipe`."""
        row = self.row
        return {
            "epochs": row["epochs"],
            "batch_size": row["batch_size"],
            "learning_rate": row["learning_rate"],
            "milestones": [self.step(milestone) for milestone in row["milestones"]],
            "warmup": self.step(row["warmup"]),
            "momentum": row["momentum"],
            "weight_decay": row["weight_decay"],
        }


def check_step(text: str | int, *words: str) -> None:
    """Raise PruningError where `text` is neither `0`, `500it`, `10ep` nor one of `words`."""
    if str(text) not in words and not re.fullmatch(r"0|\d+(it|ep)", str(text), re.ASCII):
        allowed = ", ".join(["0", "updates as 500it", "epochs as 10ep", *words])
        raise PruningError(f"{str(text)!r} is not a step; allowed are {allowed}")


def seed_number(value: Any) -> int:
    """A seed; text is allowed because Snakemake reads the lists of --config as text. Raises PruningError below 0."""
    if not re.fullmatch(r"\d+", str(value), re.ASCII):
        raise PruningError(f"seed {value} is not allowed: seeds are whole numbers from 0")
    return int(value)


def sparsity_text(value: Any) -> str:
    """The shortest decimal of a sparsity in percent: `59` for 59.0. Read as a decimal, so 86.6 is exactly 86.6.

    Raises PruningError outside [0, 100).
    """
    text = str(value)
    if not re.fullmatch(r"\d+(\.\d+)?(e-\d+)?", text, re.ASCII) or not 0 <= Decimal(text) < 100:
        raise PruningError(
            f"sparsity {text} is not allowed: it is the percentage of weights removed, from 0 to below 100"
        )
    number = Decimal(text)
    return format(number.normalize() if number % 1 else number.to_integral_value(), "f")


MOST_ROUNDS = 27
"""of 20% of what remains; to one decimal, the sparsities of later rounds are no longer all different"""


def sparsity_of_round(number: int) -> str:
    """The sparsity in percent, to one decimal, after rounds that each remove 20% of what remains: 20, 36, 48.8, 59."""
    return sparsity_text(round(100 * (1 - Decimal("0.8") ** number), 1))


class Tables:
    """The tables of networks and methods: what a study can name."""

    def __init__(self, networks: Mapping[str, Any], methods: Mapping[str, Any]) -> None:
        self.networks = {name: Network(name, row) for name, row in networks.items()}
        self.methods = dict(methods)

    @classmethod
    def read(cls, networks: Path, methods: Path, schemas: Path) -> "Tables":
        """Read and check both tables. Raises PruningError, naming file and key."""
        network_rows = _with_bases(networks, read_yaml(networks))
        method_rows = read_yaml(methods)
        check_schema(network_rows, schemas / "networks.schema.yaml", str(networks))
        check_schema(method_rows, schemas / "methods.schema.yaml", str(methods))
        for name, row in network_rows.items():
            for key, folder in (("dataset", "datasets"), ("architecture", "networks")):
                with at(f"{networks}: {name}.{key}"):
                    check_name(key, row[key], registry.names(folder))
            for key in ("matching", "extreme"):
                if row[key][0] > row[key][1]:
                    raise PruningError(f"{networks}: {name}.{key}: the lowest sparsity comes first, found {row[key]}")
            network = Network(name, row)
            for key in ("rewind", "warmup", "milestones"):
                with at(f"{networks}: {name}.{key}"):
                    for step in row[key] if key == "milestones" else [row[key]]:
                        network.step(step)
        for name, row in method_rows.items():
            with at(f"{methods}: {name}.score"):
                check_name("score", row["score"], registry.names("scores"))
            for key in STEPS:
                with at(f"{methods}: {name}.{key}"):
                    check_step(row[key], "end", "rewind")
        for name, row in method_rows.items():
            with at(f"{methods}: {name}.quotas"):
                _check_quotas(row, method_rows)
            if "variant_of" in row:
                with at(f"{methods}: {name}.variant_of"):
                    check_name("method", row["variant_of"], list(method_rows))
            if "retrain_each_round" in row and (row["prune_at"], row["iterations"]) != ("end", 1):
                raise PruningError(
                    f"{methods}: {name}.retrain_each_round: goes with prune_at: end and iterations: 1, found"
                    f" {row['prune_at']} and {row['iterations']}"
                )
        return cls(network_rows, method_rows)

    def network(self, name: str) -> Network:
        check_name("network", name, list(self.networks))
        return self.networks[name]

    def method(self, name: str, network: Network) -> Method:
        """The method `NAME` or `NAME@STEP` on `network`. Raises PruningError where `@` or the step means nothing."""
        if name == DENSE:
            return Method(DENSE, DENSE, 1, 0, 0, 0)
        base, at_sign, step = name.partition("@")
        if base == DENSE:
            raise PruningError(f"{name!r} means nothing: the dense network is not pruned")
        check_name("method", base, list(self.methods))
        row = self.methods[base]
        steps = {key: str(row[key]) for key in STEPS}
        if at_sign:
            if self.prunes_at_initialisation(base):
                if step in ("0", "0it", "0ep"):
                    raise PruningError(f"{name!r} is written {base!r}: that is the step at which it prunes")
                steps = dict.fromkeys(STEPS, step)
            elif steps["rewind_to"] == steps["schedule_from"] == "rewind":
                steps |= {"rewind_to": step, "schedule_from": step}
            else:
                raise PruningError(
                    f"{name!r} means nothing: `@STEP` goes with a method that prunes, rewinds and starts at 0, or with"
                    f" one that rewinds to the network's own step; {base} does neither"
                )
        with at(repr(name)):
            if at_sign:
                check_step(step)
            own = network.row["rewind"]
            updates = {key: network.step(own if value == "rewind" else value) for key, value in steps.items()}
            if updates["schedule_from"] == network.updates:
                raise PruningError(f"that leaves nothing to train: {network.name} ends at update {network.updates}")
        quotas = row.get("quotas")
        if quotas in self.methods:
            quotas = {key: self.methods[quotas][key] for key in ("score", "iterations")}
        return Method(
            name,
            row["score"],
            row["iterations"],
            **updates,
            retrain_each_round="retrain_each_round" in row,
            quotas=quotas,
        )

    def prunes_at_initialisation(self, method: str) -> bool:
        """Whether the method NAME prunes, rewinds to and starts at 0, so that NAME@STEP moves it to STEP."""
        check_name("method", method, list(self.methods))
        return {str(self.methods[method][key]) for key in STEPS} == {"0"}

    def predecessor(self, cell: Cell) -> Cell | None:
        """The cell whose trained weights a cell is scored on: one round earlier, when a fifth fewer weights were gone.

        None for a method without such rounds. Raises PruningError for a sparsity that does not end a round.
        """
        if not self.method(cell.method, self.network(cell.network)).retrain_each_round:
            return None
        rounds = [sparsity_of_round(number) for number in range(MOST_ROUNDS + 1)]
        if cell.sparsity not in rounds:
            raise PruningError(
                f"{cell.method} removes 20% of what remains a round, so it has no sparsity {cell.sparsity}; it has"
                f" {', '.join(rounds[1:])}. Give the experiment that names it sparsities of its own, or set it to null"
            )
        before = rounds[rounds.index(cell.sparsity) - 1]
        if before == "0":
            return Cell(cell.network, DENSE, "0", "none", cell.seed)
        # A shuffled or reinitialised cell takes the unmodified mask; an inverted ranking is so in every round.
        ablation = "invert" if cell.ablation == "invert" else "none"
        return Cell(cell.network, cell.method, before, ablation, cell.seed)

    def method_of(self, cell: Cell) -> Method:
        """The method of a cell, in a study or not. Raises PruningError where there is no such cell."""
        method = self.method(cell.method, self.network(cell.network))
        if (text := sparsity_text(cell.sparsity)) != cell.sparsity:
            raise PruningError(f"sparsity {cell.sparsity} is written {text} in the names of files")
        is_dense = cell.method == DENSE
        if is_dense != (cell.sparsity == "0") or (is_dense and cell.ablation != "none"):
            raise PruningError(
                f"there is no cell {cell.method}/{cell.sparsity}/{cell.ablation}: the dense network, and nothing else,"
                f" has sparsity 0 ({DENSE}/0/none)"
            )
        return method


@dataclass(frozen=True)
class Experiment:
    """A figure and a table of some cells: `figure` is a file of pruning/figures."""

    name: str
    figure: str
    cells: tuple[Cell, ...]


class Study:
    """Experiments: each a figure and a table of the cells of its grids, the dense networks beside them."""

    def __init__(self, config: Mapping[str, Any], tables: Tables) -> None:
        self.tables = tables
        lists = {key: config[key] for key in GRID} | {"steps": []}
        wanted = {name: entry for name, entry in config["experiments"].items() if entry is not None}
        self.experiments = [self._experiment(name, entry, lists) for name, entry in wanted.items()]

    @classmethod
    def read(cls, config: Mapping[str, Any], files: Sequence[Path], tables: Tables, schemas: Path) -> "Study":
        """Check `config`, merged from `files` and the command line, against the schema and the tables.

        Raises PruningError, naming the file that sets the wrong value, its key and what is allowed.
        """
        contents = {str(file): read_yaml(file) for file in files}

        def place(key: str) -> str:
            if key not in config or key == "experiments":
                return ", ".join(file for file, content in contents.items() if key in content or key not in config)
            # Compared as text: NaN is not equal to itself.
            value = repr(config[key])
            setting = [file for file, content in contents.items() if key in content and repr(content[key]) == value]
            return setting[0] if setting else "the command line (--config)"

        check_schema(config, schemas / "config.schema.yaml", place)
        for key in GRID:
            with at(f"{place(key)}: {key}"):
                _check_list(key, config[key], tables)
        with at(f"{place('methods')}: methods"):
            for method, network in itertools.product(config["methods"], config["networks"]):
                tables.method(method, tables.network(network))
        with at(f"{place('experiments')}: experiments"):
            return cls(config, tables)

    def _experiment(self, name: str, entry: Mapping[str, Any], lists: Mapping[str, Sequence[Any]]) -> Experiment:
        with at(name):
            figure = entry.get("figure", name)
            check_name("figure", figure, list(figures.ROWS))
            own = {**lists, **{key: value for key, value in entry.items() if key in lists}}
            cells: dict[Cell, None] = {}
            for grid in entry.get("grids", [{}]):
                for key, values in {**own, **grid}.items():
                    with at(key):
                        _check_list(key, values, self.tables)
                cells |= dict.fromkeys(self._cells({**own, **grid}))
            # The dense networks first, then the order of the config.
            return Experiment(name, figure, tuple(sorted(cells, key=lambda cell: cell.method != DENSE)))

    def _cells(self, grid: Mapping[str, Sequence[Any]]) -> Iterator[Cell]:
        seeds = [seed_number(value) for value in grid["seeds"]]
        for name in grid["networks"]:
            network = self.tables.network(name)
            yield from (Cell(name, DENSE, "0", "none", seed) for seed in seeds)
            named = [self._at_step(m, step, network) for m in grid["methods"] for step in grid["steps"] or [None]]
            methods = list(dict.fromkeys(named))
            self._check_steps(methods, network)
            sparsities = dict.fromkeys(network.sparsity(value) for value in grid["sparsities"])
            for method, sparsity in itertools.product(methods, sparsities):
                if sparsity != "0":
                    cells = [
                        Cell(name, method, sparsity, *rest) for rest in itertools.product(grid["ablations"], seeds)
                    ]
                    self.tables.predecessor(cells[0])
                    yield from cells

    def _at_step(self, method: str, step: str | int | None, network: Network) -> str:
        """NAME@STEP, and NAME where that is its step on the network anyway; checked."""
        at_initialisation = str(step) == "0" and self.tables.prunes_at_initialisation(method)
        name = method if step is None or at_initialisation else f"{method}@{step}"
        base = name.partition("@")[0]
        return base if self._steps(name, network) == self._steps(base, network) else name

    def _steps(self, name: str, network: Network) -> tuple[int, ...]:
        method = self.tables.method(name, network)
        return tuple(getattr(method, key) for key in STEPS)

    def _check_steps(self, methods: Sequence[str], network: Network) -> None:
        """Raise PruningError where two names stand for one method at one step: it would be trained twice."""
        seen: dict[tuple[Any, ...], str] = {}
        for name in methods:
            key = (name.partition("@")[0], self._steps(name, network))
            if key in seen:
                raise PruningError(f"{seen[key]} and {name} are the same step of {network.name}; name it once")
            seen[key] = name

    @cached_property
    def cells(self) -> list[Cell]:
        """Every cell that is trained, each once: those of the experiments that show more than masks."""
        return list(dict.fromkeys(itertools.chain.from_iterable(self.trained())))

    def trained(self) -> list[tuple[Cell, ...]]:
        return [e.cells for e in self.experiments if figures.ROWS[e.figure] != "neurons"]


GRID = ("networks", "methods", "sparsities", "ablations", "seeds")
"""the lists of a study; their product is a grid of cells"""


def _check_list(key: str, values: Sequence[Any], tables: Tables) -> None:
    """Raise PruningError where a list of a grid has an entry twice or one that is not allowed."""
    match key:
        case "seeds":
            check_each_once([seed_number(value) for value in values])
        case "sparsities":
            check_each_once([value if value == HIGHEST_MATCHING else sparsity_text(value) for value in values])
        case "networks":
            for name in values:
                tables.network(name)
        case "methods":
            if DENSE in values:
                raise PruningError(f"{DENSE} is not to be listed: the dense network is always trained")
        case "steps":
            for step in values:
                check_step(step)


def _with_bases(path: Path, rows: Mapping[str, Any]) -> dict[str, Any]:
    """Rows with `base: OTHER` filled up from that row; a base stands before the rows that build on it."""
    complete: dict[str, Any] = {}

    def fill(name: str, via: tuple[str, ...] = ()) -> None:
        row = rows[name]
        if not isinstance(row, dict):
            raise PruningError(f"{path}: {name}: expected keys and values, found {type(row).__name__}")
        base: dict[str, Any] = {}
        if "base" in row:
            with at(f"{path}: {name}.base"):
                check_name("network", row["base"], list(rows))
                if row["base"] in (*via, name):
                    raise PruningError(f"{' -> '.join([*via, name, row['base']])} goes round in a circle")
            fill(row["base"], (*via, name))
            base = complete[row["base"]]
        complete[name] = {**base, **{key: value for key, value in row.items() if key != "base"}}

    for name in rows:
        fill(name)
    return complete


def _check_quotas(row: Mapping[str, Any], rows: Mapping[str, Any]) -> None:
    """Raise PruningError where the quotas of a method's row cannot be made: see the head of config/methods.yaml."""
    if "quotas" not in row:
        return
    if "retrain_each_round" in row:
        raise PruningError("quotas do not go with retrain_each_round: a round chooses among what the last one kept")
    makers = [name for name, other in rows.items() if "quotas" not in other and "retrain_each_round" not in other]
    check_name("way to quotas", row["quotas"], [*BY_SHAPE, *makers])
    if row["iterations"] != 1:
        raise PruningError(f"quotas go with 1 iteration, found {row['iterations']}: the first would fill them")
    if row["quotas"] in makers and str(rows[row["quotas"]]["prune_at"]) != str(row["prune_at"]):
        raise PruningError(
            f"{row['quotas']} scores the weights of step {rows[row['quotas']]['prune_at']}, this method those of step"
            f" {row['prune_at']}; quotas come from the same weights, so both need the same prune_at"
        )
