"""The project's own source, read once, for the tests of its architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
PACKAGE = TOP / "desktop_crm"
NOT_OURS = {
    ".git",
    ".venv",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".import_linter_cache",
    "__pycache__",
    "build",
    "dist",
    "out",
}


@dataclass(frozen=True)
class Module:
    """One Python file."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @cached_property
    def imports(self) -> tuple[tuple[ast.AST, str], ...]:
        """The full names it imports, with where."""
        found: list[tuple[ast.AST, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found += ((node, f"{node.module}.{alias.name}") for alias in node.names)
        return tuple(found)

    @property
    def name(self) -> str:
        """Path from the top folder, with slashes."""
        return self.path.relative_to(TOP).as_posix()

    def at(self, node: ast.AST) -> str:
        """Where a node stands, as an editor opens it."""
        return f"{self.name}:{getattr(node, 'lineno', 1)}"

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))


def files(folder: Path = TOP) -> Iterator[Path]:
    """Every file of the project below a folder; nothing installed, built or cached."""
    for path in sorted(folder.iterdir()):
        if path.name in NOT_OURS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """The Python files below folders of the package (all of the package when none is given)."""
    roots = [PACKAGE / folder for folder in folders] or [PACKAGE]
    found: list[Path] = []
    for root in roots:
        found += sorted(root.rglob("*.py")) if root.is_dir() else [root] if root.exists() else []
    return tuple(_module(path) for path in found)


@cache
def _module(path: Path) -> Module:
    return Module(path)


def forget() -> None:
    """Let go of all that was read: syntax trees are some hundred megabytes."""
    modules.cache_clear()
    _module.cache_clear()


def called(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def literal_text(expression: ast.expr) -> Iterator[str]:
    """The literal texts an expression can yield, also as parts of f-strings and conditions."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield expression.value
    elif isinstance(expression, ast.JoinedStr):
        for part in expression.values:
            yield from literal_text(part)
    elif isinstance(expression, ast.IfExp):
        yield from literal_text(expression.body)
        yield from literal_text(expression.orelse)
    elif isinstance(expression, ast.BinOp):
        yield from literal_text(expression.left)
        yield from literal_text(expression.right)
    elif isinstance(expression, ast.List | ast.Tuple):
        for element in expression.elts:
            yield from literal_text(element)
