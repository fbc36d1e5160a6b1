"""Many new rows in one statement.

A server takes them as one value: written as a statement with a place for each value of each row,
reading the statement itself took longer than storing the rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Connection,
    FromClause,
    Insert,
    String,
    Table,
    bindparam,
    cast,
    column,
    func,
    insert,
)
from sqlalchemy import select as choose

from desktop_crm.core import turns

FEW: Final = 20
"""So many rows are put in as values of a statement."""

_MOST: Final = 5_000
"""So many rows at once: what is in memory beside the rows themselves."""


def insert_many(
    connection: Connection, table: FromClause, rows: Sequence[Mapping[str, Any]], *returned: str
) -> list[tuple[Any, ...]]:
    """Insert rows that name the same columns; one statement for thousands.

    Args:
        connection: A transaction.
        table: Where to.
        rows: Values by column name.
        returned: Columns to return of each row, in any order of the rows.
    """
    assert isinstance(table, Table)  # noqa: S101  models call theirs a FROM clause
    found: list[tuple[Any, ...]] = []
    if not rows:
        return found
    as_value = connection.dialect.name == "postgresql" and len(rows) > FEW
    for start in range(0, len(rows), _MOST):
        turns.give_way()
        some = rows[start : start + _MOST]
        if as_value:
            statement = _from_value(table, tuple(rows[0]), returned, len(table.c))
            result = connection.execute(statement, {"rows": _packed(some)})
        else:
            statement = insert(table)
            if returned:
                statement = statement.returning(*(table.c[name] for name in returned))
            result = connection.execute(statement, [dict(row) for row in some])
        if returned:
            found += [tuple(row) for row in result]
    return found


@lru_cache(maxsize=256)
def _from_value(
    table: Table, names: tuple[str, ...], returned: tuple[str, ...], width: int
) -> Insert:
    """Statement for rows in one value; tables grow with fields of one's own, their width tells."""
    held = [column(name, table.c[name].type) for name in names]
    value = cast(bindparam("rows", type_=String()), JSON())
    source = func.json_to_recordset(value).table_valued(*held, name="r")
    rows = source.render_derived(with_types=True)
    statement = insert(table).from_select(names, choose(*(rows.c[name] for name in names)))
    return statement.returning(*(table.c[name] for name in returned)) if returned else statement


def _packed(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps([dict(row) for row in rows], default=_plain, ensure_ascii=False)


def _plain(value: object) -> str:
    """A value as the server reads its text."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("naive datetime reached the database")
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(type(value).__name__)
