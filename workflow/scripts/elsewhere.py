"""Results from elsewhere: taken in where they are of the present code, data and config, refused by name where not.

With `elsewhere` in the config, a job that would run a network makes nothing: it checks and copies what that folder has
in its place. Which machine and which versions of packages made it stays in its record.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pruning import PruningError
from pruning.files import read_json, replacing


def refuse(path: Path, why: str) -> None:
    raise PruningError(f"{path} is not taken in: {why}. Without `elsewhere` in the config it is made here.")


def take(folder: str, outputs: Iterable[str], check: Callable[[Callable[[str], Path]], None]) -> None:
    """Copy `outputs` from their places in `folder`, if `check` lets them pass.

    `check` is given the place there of an output, and raises PruningError. So do files that are missing or torn.
    """
    outputs = list(outputs)

    def there(output: str) -> Path:
        return Path(folder) / Path(output).relative_to("results")

    for output in outputs:
        if not there(output).is_file():
            refuse(there(output), "there is no such file")
    try:
        check(there)
    except (OSError, ValueError, KeyError, EOFError) as error:
        refuse(there(outputs[0]), f"its files cannot be read ({error})")
    for output in outputs:
        with replacing(output) as temporary:
            shutil.copyfile(there(output), temporary)


def check_record(path: Path, expected: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a run at `path`. Raises PruningError where it is not of what is `expected`: recipe, data, ..."""
    found: dict[str, Any] = read_json(path)
    for name, value in expected.items():
        if isinstance(value, Mapping):
            here, there = json.loads(json.dumps(value)), found[name]
            if different := [key for key in sorted({*here, *there}) if here.get(key) != there.get(key)]:
                refuse(path, f"other {', '.join(different)} than here")
        elif found[name] != value:
            refuse(path, f"of another {name.replace('_', ' ')} than here")
    return found
