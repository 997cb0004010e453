"""Names to modules: a file in `datasets`, `networks` or `scores` is all that it takes to add one of them."""

import importlib
from pathlib import Path
from types import ModuleType

LIBRARY = Path(__file__).resolve().parent


def names(kind: str) -> list[str]:
    """What there is of a kind (`datasets`, `networks`, `scores`), found without importing any of it."""
    return sorted(path.stem.replace("_", "-") for path in (LIBRARY / kind).glob("*.py") if path.stem != "__init__")


def module_name(kind: str, name: str) -> str:
    return f"pruning.{kind}.{name.replace('-', '_')}"


def find(kind: str, name: str) -> ModuleType:
    return importlib.import_module(module_name(kind, name))
