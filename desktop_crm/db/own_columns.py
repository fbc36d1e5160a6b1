"""Adding a column to a table of an open database, in the transaction that says what it means.

On a server the administrator's login need not own the tables: a function of the owner does it
after it looked who calls (migration 0002).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Table, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn, ExecutableDDLElement


class _AddColumn(ExecutableDDLElement):
    """ALTER TABLE … ADD COLUMN."""

    inherit_cache = False

    def __init__(self, table: Table, column: Column[Any]) -> None:
        self.table = table
        self.column = column


@compiles(_AddColumn)
def _compiled(element: _AddColumn, compiler: Any, **_: Any) -> str:  # noqa: ANN401  SQLAlchemy's own
    table = compiler.preparer.format_table(element.table)
    definition = compiler.process(CreateColumn(element.column))
    return " ".join(("ALTER TABLE", table, "ADD COLUMN", definition))


def add_column(connection: Connection, table: Table, column: Column[Any], kind: str) -> None:
    """Add a column that every record leaves empty; costs the same however large the table is.

    Args:
        connection: The open writing transaction; rolled back, the column is not there.
        table: The table.
        column: The column; it belongs to no table yet.
        kind: Kind of the field, by which the server's function knows the type.

    Raises:
        EnvironmentProblem: The login may not do it, or the table is busy.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(_AddColumn(table, column))
    else:
        connection.execute(select(func.crm_add_column(table.name, column.name, kind)))
