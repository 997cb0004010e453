"""A study: names from the tables of networks and methods, checked, and made into cells.

Everything that a user writes comes through here, before any job starts. What is wrong is said in one message: which
file, which key, what is allowed. Without torch.
"""

import difflib
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema.validators
import yaml

from pruning import PruningError, datasets, registry
from pruning.quotas import BY_SHAPE

DENSE = "dense"
STEPS = ("prune_at", "rewind_to", "schedule_from")


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


class Tables:
    """The tables of networks and methods: what a study can name."""

    def __init__(self, networks: Mapping[str, Any], methods: Mapping[str, Any]) -> None:
        self.networks = {name: Network(name, row) for name, row in networks.items()}
        self.methods = dict(methods)

    @classmethod
    def read(cls, networks: Path, methods: Path, schemas: Path) -> "Tables":
        """Read and check both tables. Raises PruningError, naming file and key."""
        network_rows = _with_bases(networks, _read_yaml(networks))
        method_rows = _read_yaml(methods)
        _check_schema(network_rows, schemas / "networks.schema.yaml", str(networks))
        _check_schema(method_rows, schemas / "methods.schema.yaml", str(methods))
        for name, row in network_rows.items():
            for key, folder in (("dataset", "datasets"), ("architecture", "networks")):
                with _at(f"{networks}: {name}.{key}"):
                    _check_name(key, row[key], registry.names(folder))
            for key in ("matching", "extreme"):
                if row[key][0] > row[key][1]:
                    raise PruningError(f"{networks}: {name}.{key}: the lowest sparsity comes first, found {row[key]}")
            network = Network(name, row)
            for key in ("rewind", "warmup", "milestones"):
                with _at(f"{networks}: {name}.{key}"):
                    for step in row[key] if key == "milestones" else [row[key]]:
                        network.step(step)
        for name, row in method_rows.items():
            with _at(f"{methods}: {name}.score"):
                _check_name("score", row["score"], registry.names("scores"))
            for key in STEPS:
                with _at(f"{methods}: {name}.{key}"):
                    check_step(row[key], "end", "rewind")
        for name, row in method_rows.items():
            with _at(f"{methods}: {name}.quotas"):
                _check_quotas(row, method_rows)
        return cls(network_rows, method_rows)

    def network(self, name: str) -> Network:
        _check_name("network", name, list(self.networks))
        return self.networks[name]

    def method(self, name: str, network: Network) -> Method:
        """The method `NAME` or `NAME@STEP` on `network`. Raises PruningError where `@` or the step means nothing."""
        if name == DENSE:
            return Method(DENSE, DENSE, 1, 0, 0, 0)
        base, at, step = name.partition("@")
        if base == DENSE:
            raise PruningError(f"{name!r} means nothing: the dense network is not pruned")
        _check_name("method", base, list(self.methods))
        row = self.methods[base]
        steps = {key: str(row[key]) for key in STEPS}
        if at:
            if set(steps.values()) == {"0"}:
                steps = dict.fromkeys(STEPS, step)
            elif steps["rewind_to"] == steps["schedule_from"] == "rewind":
                steps |= {"rewind_to": step, "schedule_from": step}
            else:
                raise PruningError(
                    f"{name!r} means nothing: `@STEP` goes with a method that prunes, rewinds and starts at 0, or with"
                    f" one that rewinds to the network's own step; {base} does neither"
                )
        with _at(repr(name)):
            if at:
                check_step(step)
            own = network.row["rewind"]
            updates = {key: network.step(own if value == "rewind" else value) for key, value in steps.items()}
            if updates["schedule_from"] == network.updates:
                raise PruningError(f"that leaves nothing to train: {network.name} ends at update {network.updates}")
        quotas = row.get("quotas")
        if quotas in self.methods:
            quotas = {key: self.methods[quotas][key] for key in ("score", "iterations")}
        return Method(name, row["score"], row["iterations"], **updates, quotas=quotas)

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


class Study:
    """Networks x methods x sparsities x ablations x seeds, and the dense networks beside them."""

    def __init__(self, config: Mapping[str, Any], tables: Tables) -> None:
        self.tables = tables
        self.networks: list[str] = list(config["networks"])
        self.methods: list[str] = list(config["methods"])
        self.sparsities = [sparsity_text(value) for value in config["sparsities"]]
        self.ablations: list[str] = list(config["ablations"])
        self.seeds = [seed_number(value) for value in config["seeds"]]

    @classmethod
    def read(cls, config: Mapping[str, Any], files: Sequence[Path], tables: Tables, schemas: Path) -> "Study":
        """Check `config`, merged from `files` and the command line, against the schema and the tables.

        Raises PruningError, naming the file that sets the wrong value, its key and what is allowed.
        """
        contents = {str(file): _read_yaml(file) for file in files}

        def place(key: str) -> str:
            if key not in config:
                return ", ".join(contents)
            # Compared as text: NaN is not equal to itself.
            value = repr(config[key])
            setting = [file for file, content in contents.items() if key in content and repr(content[key]) == value]
            return setting[0] if setting else "the command line (--config)"

        _check_schema(config, schemas / "config.schema.yaml", place)
        with _at(f"{place('seeds')}: seeds"):
            _check_each_once([seed_number(value) for value in config["seeds"]])
        with _at(f"{place('sparsities')}: sparsities"):
            _check_each_once([sparsity_text(value) for value in config["sparsities"]])
        with _at(f"{place('networks')}: networks"):
            for name in config["networks"]:
                tables.network(name)
        with _at(f"{place('methods')}: methods"):
            if DENSE in config["methods"]:
                raise PruningError(f"{DENSE} is not to be listed: the dense network is always trained")
            for method, network in itertools.product(config["methods"], config["networks"]):
                tables.method(method, tables.network(network))
        return cls(config, tables)

    @cached_property
    def cells(self) -> list[Cell]:
        """Every cell, in the order of the config. Sparsity 0 is the dense network, which is always among them."""
        cells = [Cell(network, DENSE, "0", "none", seed) for network in self.networks for seed in self.seeds]
        pruned = itertools.product(self.networks, self.methods, self.sparsities, self.ablations, self.seeds)
        return cells + [Cell(*names) for names in pruned if names[2] != "0"]


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Put `place` in front of the message of a PruningError."""
    try:
        yield
    except PruningError as error:
        raise PruningError(f"{place}: {error}") from None


class _Loader(yaml.SafeLoader):
    """YAML in which no key stands twice: the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: list[Any] = []
        for key, _ in node.value:
            if key.value in seen:
                message = f"the key {key.value} is there twice"
                raise yaml.constructor.ConstructorError(problem=message, problem_mark=key.start_mark)
            seen.append(key.value)
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise PruningError(f"{path} cannot be read: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise PruningError(f"{path}, line {line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise PruningError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise PruningError(f"{path}: expected keys and values, found {type(content).__name__}")
    return content


def _with_bases(path: Path, rows: Mapping[str, Any]) -> dict[str, Any]:
    """Rows with `base: OTHER` filled up from that row; a base stands before the rows that build on it."""
    complete: dict[str, Any] = {}

    def fill(name: str, via: tuple[str, ...] = ()) -> None:
        row = rows[name]
        if not isinstance(row, dict):
            raise PruningError(f"{path}: {name}: expected keys and values, found {type(row).__name__}")
        base: dict[str, Any] = {}
        if "base" in row:
            with _at(f"{path}: {name}.base"):
                _check_name("network", row["base"], list(rows))
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
    makers = [name for name, other in rows.items() if "quotas" not in other]
    _check_name("way to quotas", row["quotas"], [*BY_SHAPE, *makers])
    if row["iterations"] != 1:
        raise PruningError(f"quotas go with 1 iteration, found {row['iterations']}: the first would fill them")
    if row["quotas"] in makers and str(rows[row["quotas"]]["prune_at"]) != str(row["prune_at"]):
        raise PruningError(
            f"{row['quotas']} scores the weights of step {rows[row['quotas']]['prune_at']}, this method those of step"
            f" {row['prune_at']}; quotas come from the same weights, so both need the same prune_at"
        )


def _check_each_once(values: Sequence[Any]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise PruningError(f"{value!r} is there twice; each may be listed once")


def _check_name(kind: str, name: Any, allowed: Sequence[str]) -> None:
    if name not in allowed:
        close = difflib.get_close_matches(str(name), allowed, 1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise PruningError(f"no {kind} is called {name!r}{hint}; there are {', '.join(allowed)}")


_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "keys and values",
    "string": "text",
}
_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    # 1.0 is a number but no seed, and neither a rate nor a time is infinite.
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int,
            "number": lambda _, value: type(value) in (int, float) and math.isfinite(value),
        }
    ),
)


def _check_schema(content: Any, schema_path: Path, place: str | Callable[[str], str]) -> None:
    """Raise PruningError for the first fault of `content`; `place` names the file, or finds it from a top-level key."""
    schema = yaml.safe_load(schema_path.read_text(encoding="utf-8"))
    order = list(content)
    faults = list(_Validator(schema).iter_errors(content))
    faults.sort(key=lambda fault: order.index(fault.path[0]) if fault.path else -1)
    if faults:
        fault = faults[0]
        path = [str(key) for key in fault.path]
        is_unknown_key = fault.validator == "additionalProperties"
        unknown = [key for key in fault.instance if key not in fault.schema["properties"]] if is_unknown_key else []
        file = place if isinstance(place, str) else place((path or unknown or [""])[0])
        with _at(f"{file}: {'.'.join(path)}" if path else file):
            for key in unknown:
                _check_name("key", key, sorted(fault.schema["properties"]))
            raise PruningError(_explain(fault))


def _explain(fault: jsonschema.ValidationError) -> str:
    found, allowed = fault.instance, fault.validator_value
    hint = f" ({fault.schema['description']})" if "description" in fault.schema else ""
    if fault.validator == "enum":
        return f"{found!r} is not allowed; allowed are {', '.join(map(str, allowed))}"
    if fault.validator == "required":
        return f"the key {next(key for key in allowed if key not in found)!r} is missing"
    if fault.validator == "uniqueItems":
        return f"{next(item for item in found if found.count(item) > 1)!r} is there twice; each may be listed once"
    if fault.validator == "type":
        kinds = [allowed] if isinstance(allowed, str) else allowed
        return f"expected {' or '.join(_TYPES[kind] for kind in kinds)}, found {found!r}{hint}"
    return f"{fault.message}{hint}"
