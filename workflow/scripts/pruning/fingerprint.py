"""A fingerprint of the code that a stage runs, blind to comments, docstrings and blank lines.

A result is stale when the code that made it has changed. Each stage is known by its entry modules; the fingerprint
covers them and every module of this library that they import, directly or not. So a change in one score's file concerns
that score alone, and nobody has to remember to list a file.

Text is compared, not syntax trees: what `ast.dump` gives differs between versions of Python.
"""

import ast
import functools
import hashlib
import io
import tokenize
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent


def fingerprint(*modules: str) -> str:
    """Sixteen hex digits for the code of `modules`, named as in `pruning.scores.snip`, or `train` for a script."""
    digest = hashlib.sha256()
    for path in sorted(_closure(modules)):
        digest.update(f"{path.relative_to(LIBRARY.parent)}\n{bare_code(path.read_text(encoding='utf-8'))}\n".encode())
    return digest.hexdigest()[:16]


@functools.cache
def bare_code(source: str) -> str:
    """`source` without comments, without strings that are statements (docstrings), blank lines and trailing blanks."""
    lines = [line.encode() for line in source.splitlines()]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1].decode()[:column].encode()
    inside_strings: set[int] = set()
    docstrings: set[ast.expr] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as docstring):
                docstrings.add(docstring)
                first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
                behind = lines[last][node.end_col_offset :]
                lines[first : last + 1] = [lines[first][: node.col_offset] + behind] + [b""] * (last - first)
            case ast.Constant(value=str()) | ast.JoinedStr() if node not in docstrings:
                inside_strings |= set(range(node.lineno - 1, (node.end_lineno or node.lineno) - 1))
    return "\n".join(
        line.decode() if number in inside_strings else line.decode().rstrip()
        for number, line in enumerate(lines)
        if line.strip() or number in inside_strings
    )


def _closure(modules: tuple[str, ...]) -> set[Path]:
    found: set[Path] = set()
    waiting = [_path(module) for module in modules]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imports(path))
    return found


def _path(module: str) -> Path:
    place = LIBRARY.parent.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


@functools.cache
def _imports(path: Path) -> tuple[Path, ...]:
    """The files of this library, and scripts beside it, that the file at `path` imports."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
    paths = {_path(name) for name in names}
    return tuple(sorted(place for place in paths if place.exists()))
