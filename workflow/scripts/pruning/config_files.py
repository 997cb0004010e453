"""Config files: YAML that is read, checked against a schema, and whose mistakes are told in one message.

A message says which file, which key, what was found and what is allowed. Without torch.
"""

import difflib
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema.validators
import yaml

from pruning import PruningError


@contextmanager
def at(place: str) -> Iterator[None]:
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


def read_yaml(path: Path) -> dict[str, Any]:
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


def check_each_once(values: Sequence[Any]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise PruningError(f"{value!r} is there twice; each may be listed once")


MOST_LISTED = 20
"""Of more names than these, a message lists those most like the name that is wrong."""


def check_name(kind: str, name: Any, allowed: Sequence[str]) -> None:
    if name not in allowed:
        close = difflib.get_close_matches(str(name), allowed, 1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        listed, more = allowed, ""
        if len(allowed) > MOST_LISTED:
            listed = difflib.get_close_matches(str(name), allowed, 8, cutoff=0)
            more = f" and {len(allowed) - len(listed)} more"
        raise PruningError(f"no {kind} is called {name!r}{hint}; there are {', '.join(listed)}{more}")


_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
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


def check_schema(content: Any, schema_path: Path, place: str | Callable[[str], str]) -> None:
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
        with at(f"{file}: {'.'.join(path)}" if path else file):
            for key in unknown:
                check_name("key", key, sorted(fault.schema["properties"]))
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
