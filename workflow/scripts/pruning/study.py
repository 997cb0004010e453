"""A study: names from the tables of networks and methods, checked, and made into cells.

Everything that a user writes comes through here, before any job starts. What is wrong is said in one message: which
file, which key, what is allowed. Without torch.
"""

import difflib
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from pruning import PruningError, datasets, registry

DENSE = "dense"


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
        """`0`, `500it`, `10ep`, `end` or `rewind` (the row's own) as a number of updates.

        Raises PruningError where it is none of these or lies behind the end of training.
        """
        text = str(text)
        if text == "end":
            return self.updates
        if text == "rewind":
            return self.step(self.row["rewind"])
        match = re.fullmatch(r"(?:0|(\d+)(it|ep))", text)
        if match is None:
            raise PruningError(f"{text!r} is not a step; allowed are 0, end, updates as 500it and epochs as 10ep")
        update = int(match[1] or 0) * (self.updates_an_epoch if match[2] == "ep" else 1)
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


def sparsity_text(value: Any) -> str:
    """The shortest decimal of a sparsity in percent: `59` for 59.0. Read as a decimal, so 86.6 is exactly 86.6.

    Raises PruningError outside [0, 100).
    """
    text = str(value)
    if not re.fullmatch(r"\d+(\.\d+)?(e-\d+)?", text) or not 0 <= Decimal(text) < 100:
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
            _check_file(networks, name, "dataset", row["dataset"], "datasets")
            _check_file(networks, name, "architecture", row["architecture"], "networks")
        for name, row in method_rows.items():
            _check_file(methods, name, "score", row["score"], "scores")
        tables = cls(network_rows, method_rows)
        for network in tables.networks.values():
            for key in ("rewind", "warmup", "milestones"):
                values = network.row[key] if key == "milestones" else [network.row[key]]
                for value in values:
                    try:
                        network.step(value)
                    except PruningError as error:
                        raise PruningError(f"{networks}: {network.name}.{key}: {error}.") from None
        return tables

    def network(self, name: str) -> Network:
        if name not in self.networks:
            raise PruningError(_unknown("network", name, list(self.networks)))
        return self.networks[name]

    def method(self, name: str, network: Network) -> Method:
        """The method `NAME` or `NAME@STEP` on `network`. Raises PruningError where `@` or the step means nothing."""
        base, at, step = name.partition("@")
        if base == DENSE and not at:
            return Method(DENSE, DENSE, 1, 0, 0, 0)
        if base not in self.methods:
            raise PruningError(_unknown("method", base, [*self.methods]))
        row = self.methods[base]
        steps = {key: row[key] for key in ("prune_at", "rewind_to", "schedule_from")}
        if at:
            if set(map(str, steps.values())) == {"0"}:
                steps = dict.fromkeys(steps, step)
            elif str(row["rewind_to"]) == str(row["schedule_from"]) == "rewind":
                steps |= {"rewind_to": step, "schedule_from": step}
            else:
                raise PruningError(
                    f"{name!r} means nothing: `@STEP` goes with a method that prunes, rewinds and starts at 0, or with"
                    f" one that rewinds to the network's own step; {base} does neither"
                )
        if step in ("end", "rewind"):
            raise PruningError(f"{name!r}: the step after @ is 0, updates as 500it or epochs as 10ep")
        try:
            resolved = {key: network.step(value) for key, value in steps.items()}
        except PruningError as error:
            raise PruningError(f"{name!r}: {error}") from None
        if resolved["schedule_from"] == network.updates:
            raise PruningError(f"{name!r} leaves nothing to train: {network.name} ends at update {network.updates}")
        return Method(name, row["score"], row["iterations"], **resolved)


class Study:
    """Networks x methods x sparsities x ablations x seeds, and the dense networks beside them."""

    def __init__(self, config: Mapping[str, Any], tables: Tables) -> None:
        self.tables = tables
        self.networks: list[str] = list(config["networks"])
        self.methods: list[str] = list(config["methods"])
        self.sparsities = [sparsity_text(value) for value in config["sparsities"]]
        self.ablations: list[str] = list(config["ablations"])
        self.seeds: list[int] = list(config["seeds"])

    @classmethod
    def read(cls, config: Mapping[str, Any], files: Sequence[Path], tables: Tables, schemas: Path) -> "Study":
        """Check `config`, merged from `files` (later ones win), against the schema and the tables.

        Raises PruningError, naming the file that sets the wrong value, its key and what is allowed.
        """
        contents = {str(file): _read_yaml(file) for file in files}

        def place(key: str) -> str:
            setting = [file for file, content in contents.items() if key in content and content[key] == config.get(key)]
            return setting[-1] if setting else "the command line (--config)"

        _check_schema(config, schemas / "config.schema.yaml", place)
        checks: dict[str, Callable[[], Any]] = {
            "sparsities": lambda: _each_once([sparsity_text(value) for value in config["sparsities"]]),
            "networks": lambda: [tables.network(name) for name in config["networks"]],
            "methods": lambda: [
                tables.method(method, tables.network(network))
                for method, network in itertools.product(config["methods"], config["networks"])
            ],
        }
        for key, check in checks.items():
            try:
                check()
            except PruningError as error:
                raise PruningError(f"{place(key)}: {key}: {error}.") from None
        return cls(config, tables)

    @cached_property
    def cells(self) -> list[Cell]:
        """Every cell, in the order of the config. Sparsity 0 is the dense network, which is always among them."""
        cells = [Cell(network, DENSE, "0", "none", seed) for network in self.networks for seed in self.seeds]
        pruned = itertools.product(self.networks, self.methods, self.sparsities, self.ablations, self.seeds)
        return cells + [Cell(*names) for names in pruned if names[2] != "0"]


def _each_once(values: Sequence[Any]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise PruningError(f"{value!r} is there twice; each may be listed once")


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PruningError(f"{path} cannot be read: {error.strerror}.") from None
    except yaml.YAMLError as error:
        raise PruningError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise PruningError(f"{path}: expected keys and values, found {type(content).__name__}.")
    return content


def _with_bases(path: Path, rows: Mapping[str, Any]) -> dict[str, Any]:
    """Rows with `base: OTHER` filled up from that row."""

    def resolve(name: str, seen: tuple[str, ...]) -> dict[str, Any]:
        row = rows[name]
        if not isinstance(row, dict) or "base" not in row:
            return row
        base = row["base"]
        if base not in rows:
            raise PruningError(f"{path}: {name}.base: {_unknown('network', base, list(rows))}")
        if base in seen:
            raise PruningError(f"{path}: {name}.base: {' -> '.join([*seen, base])} goes round in a circle.")
        return {**resolve(base, (*seen, base)), **{key: value for key, value in row.items() if key != "base"}}

    return {name: resolve(name, (name,)) for name in rows}


def _check_file(table: Path, row: str, key: str, name: str, kind: str) -> None:
    allowed = registry.names(kind)
    if name not in allowed:
        raise PruningError(f"{table}: {row}.{key}: {_unknown(key, name, allowed)}.")


def _unknown(kind: str, name: Any, allowed: Sequence[str]) -> str:
    close = difflib.get_close_matches(str(name), allowed, 1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"no {kind} is called {name!r}{hint}; there are {', '.join(allowed)}"


def _check_schema(content: Any, schema_path: Path, place: Any) -> None:
    """Raise PruningError for the first fault of `content`; `place` names the file, or finds it from a top-level key."""
    schema = yaml.safe_load(schema_path.read_text(encoding="utf-8"))
    faults = sorted(jsonschema.Draft202012Validator(schema).iter_errors(content), key=lambda fault: list(fault.path))
    if faults:
        fault = faults[0]
        key = ".".join(map(str, fault.path))
        unknown = sorted(set(fault.instance) - set(fault.schema["properties"])) if _is_unknown_key(fault) else []
        top = str(fault.path[0]) if fault.path else (unknown or [""])[0]
        where = place if isinstance(place, str) else place(top)
        raise PruningError(f"{where}: {f'{key}: ' if key else ''}{_explain(fault, unknown)}.")


def _is_unknown_key(fault: jsonschema.ValidationError) -> bool:
    return bool(fault.validator == "additionalProperties")


def _explain(fault: jsonschema.ValidationError, unknown: Sequence[str]) -> str:
    if unknown:
        return _unknown("key", unknown[0], sorted(fault.schema["properties"]))
    if fault.validator == "enum":
        return f"{fault.instance!r} is not allowed; allowed are {', '.join(map(str, fault.validator_value))}"
    if fault.validator == "required":
        missing = [key for key in fault.validator_value if key not in fault.instance]
        return f"the key {missing[0]!r} is missing"
    if fault.validator == "uniqueItems":
        return next(
            f"{item!r} is there twice; each may be listed once"
            for item in fault.instance
            if fault.instance.count(item) > 1
        )
    hint = fault.schema.get("description")
    return f"{fault.message} ({hint})" if hint else str(fault.message)
