"""config/claims.yaml, read and checked. Judging (`pruning.claims`) needs neither schemas nor the other tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pruning import PruningError
from pruning.config_files import at, check_name, check_schema, read_yaml
from pruning.study import DENSE, Study, Tables, check_step

WITHOUT_SIDES = ("none is best", "rises")
"""what is expected by claims that do not compare two sides"""


def read_claims(path: Path, tables: Tables, schemas: Path) -> dict[str, Any]:
    """The claims of `path` (claims.yaml). Raises PruningError, naming file and key."""
    content = read_yaml(path)
    check_schema(content, schemas / "claims.schema.yaml", str(path))
    for name, claim in content["claims"].items():
        with at(f"{path}: claims.{name}"):
            _check_sides(claim)
        with at(f"{path}: claims.{name}.methods"):
            for method in claim["methods"]:
                _check_method(method, tables)
        with at(f"{path}: claims.{name}"):
            _check_steps(claim)
        for key in ("left", "right"):
            with at(f"{path}: claims.{name}.{key}.method"):
                _check_method(claim.get(key, {}).get("method", DENSE), tables)
        with at(f"{path}: claims.{name}.ranges"):
            for bounds in claim["ranges"]:
                if isinstance(bounds, str):
                    check_name("range", bounds, ["matching", "extreme"])
                elif bounds[0] > bounds[1]:
                    raise PruningError(f"the lowest sparsity comes first, found {bounds}")
        if "initialiser" in claim:
            with at(f"{path}: claims.{name}.initialiser"):
                known = {network.row["initialiser"] for network in tables.networks.values()}
                check_name("initialiser", claim["initialiser"], sorted(known))
    return content


def _check_sides(claim: Mapping[str, Any]) -> None:
    sides = [key for key in ("left", "right") if key in claim]
    if claim["expect"] in WITHOUT_SIDES:
        if sides:
            raise PruningError(f"{' and '.join(sides)} means nothing where {claim['expect']!r} is expected")
    elif claim.get("left", {}) == claim.get("right", {}):
        raise PruningError("left and right are the same; one names another method or ablation")


def _check_steps(claim: Mapping[str, Any]) -> None:
    keys = [key for key in ("steps", "until") if key in claim]
    if any(method.endswith("@STEP") for method in claim["methods"]):
        if len(keys) < 2:
            raise PruningError("methods with @STEP need steps (every or some) and until (percent of training)")
    elif keys:
        raise PruningError(f"{' and '.join(keys)} means nothing where no method is NAME@STEP")


def _check_method(name: str, tables: Tables) -> None:
    base, sign, step = name.partition("@")
    check_name("method", base, [DENSE, *tables.methods])
    if sign and step != "STEP":
        check_step(step)


def claimed_networks(study: Study) -> dict[str, dict[str, Any]]:
    """What verdicts depend on beside cells: of each network its row's initialiser and ranges, the length of its
    training in updates, and {method of the study: update at which it starts}."""
    methods: dict[str, dict[str, None]] = {}
    for cell in study.cells:
        methods.setdefault(cell.network, {})[cell.method] = None
    networks = {name: study.tables.network(name) for name in methods}
    return {
        name: {
            **{key: network.row[key] for key in ("initialiser", "matching", "extreme", "ranges_are")},
            "updates": network.updates,
            "steps": {method: study.tables.method(method, network).rewind_to for method in methods[name]},
        }
        for name, network in networks.items()
    }
