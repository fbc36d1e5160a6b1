"""Who may write, and that no statement is put together from text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from desktop_crm.models import MODELS
from tests.support.source import Module, literal_text, modules

#: One module writes records, with version and audit; one keeps the program's own rows.
MAY_UPDATE = re.compile(r"desktop_crm/(services/(writer|records_kept)\.py|db/.+\.py)")
STATEMENT = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|ALTER\s+TABLE|"
    r"(CREATE|DROP)\s+(TABLE|INDEX|TRIGGER|VIEW|DATABASE|EXTENSION)|PRAGMA|ATTACH|SELECT\s)",
)


def test_only_the_records_service_updates_rows() -> None:
    found = []
    for module in modules():
        if MAY_UPDATE.fullmatch(module.name):
            continue
        names = {name for _, name in module.imports}
        for call in module.calls():
            function = ast.unparse(call.func)
            by_name = function == "update" and any(
                name.startswith("sqlalchemy") and name.endswith(".update") for name in names
            )
            by_module = function in {"sa.update", "sqlalchemy.update", "orm.update"}
            by_table = function.endswith(("__table__.update", "table.update"))
            if by_name or by_module or by_table:
                found.append(module.at(call))
    assert not found, "\n".join(map(str, found))


def test_nothing_is_mapped_to_objects() -> None:
    # The ORM takes time from every start; what it makes of a class, `models.base` does not know.
    found = [
        module.at(node)
        for module in modules()
        for node, name in module.imports
        if name.startswith("sqlalchemy.orm")
    ]
    assert not found, "\n".join(map(str, found))


def test_no_statement_selects_a_table_whole() -> None:
    # The table may have columns of another database that was open in the process.
    whole = re.compile(rf"(^|[._])table(__)?$|^({'|'.join(m.__name__ for m in MODELS)})$")
    found = [
        module.at(call)
        for module in modules("services", "sync", "demo", "cli", "db")
        for call in module.calls()
        if ast.unparse(call.func) in {"select", "sa.select"}
        for argument in call.args
        if whole.search(ast.unparse(argument))
    ]
    assert not found, "\n".join(map(str, found))


def test_no_statement_is_put_together_from_text() -> None:
    found = [module.at(node) for module in modules() for node in _composed_statements(module)]
    assert not found, "\n".join(map(str, found))


def _composed_statements(module: Module) -> Iterator[ast.AST]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.JoinedStr):
            composed = any(_varies(part) for part in node.values)
            pieces = literal_text(node) if composed else iter(())
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            pieces = literal_text(node)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "format"
        ):
            pieces = literal_text(node.func.value)
        else:
            continue
        if any(STATEMENT.search(piece) for piece in pieces) and not _is_constant(node):
            yield node


def _varies(part: ast.expr) -> bool:
    """True for all but text and constants of the module (a PRAGMA takes no parameters)."""
    if not isinstance(part, ast.FormattedValue):
        return False
    return not (isinstance(part.value, ast.Name) and part.value.id.isupper())


def _is_constant(node: ast.AST) -> bool:
    """Literal text broken over several lines with plus signs."""
    return isinstance(node, ast.BinOp) and all(
        isinstance(part, ast.BinOp | ast.Constant | ast.operator) for part in ast.walk(node)
    )
