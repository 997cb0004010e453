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
from pruning.files import read_arrays, read_json, read_rows, replacing

READERS: dict[str, Callable[[Path], Any]] = {".npz": read_arrays, ".json": read_json, ".csv": read_rows}
"""States are read where they are checked, which names them; so does reading arrays."""
FOREIGN = (ValueError, TypeError, AttributeError, LookupError)
"""what is raised where a file can be read and has other keys or values than here"""


def refuse(path: Path, why: str) -> None:
    raise PruningError(f"{path} is not taken in: {why}. Without `elsewhere` in the config it is made here.")


def take(folder: str, outputs: Iterable[str], check: Callable[[Callable[[str], Path]], None]) -> None:
    """Copy `outputs` from their places in `folder`, if `check` lets them pass.

    `check` is given the place there of an output, and raises PruningError. So do files that are missing or torn, or
    that have other keys than here.
    """
    outputs = list(outputs)

    def there(output: str) -> Path:
        return Path(folder) / Path(output).relative_to("results")

    for output in outputs:
        if not there(output).is_file():
            refuse(there(output), "there is no such file")
        check_is_whole(there(output))
    try:
        check(there)
    except FOREIGN as error:
        names = ", ".join(Path(output).name for output in outputs)
        refuse(there(outputs[0]).parent, f"{names}: not with the content that they have here ({error!r})")
    for output in outputs:
        with replacing(output) as temporary:
            shutil.copyfile(there(output), temporary)


def check_is_whole(path: Path) -> None:
    """Raise PruningError where the file at `path` is torn or empty."""
    if path.suffix in READERS:
        try:
            content = READERS[path.suffix](path)
        except (*FOREIGN, OSError) as error:
            refuse(path, f"it cannot be read ({error})")
        if not content:
            refuse(path, "it is empty")


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
