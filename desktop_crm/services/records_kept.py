"""Rows the program keeps for itself: mailbox items, sync states, parties, links made by rules.

They carry identity, version and time stamps like every row, but no audit: nobody decided them.
What a person decides about them goes through ``records``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from desktop_crm.core import clock
from desktop_crm.core.identity import new_uid
from desktop_crm.db.many_rows import insert_many
from desktop_crm.models import Base, DocumentContent, RecordMark
from desktop_crm.services.query import key_clause

_CHUNK: Final = 1_000


def insert_rows(
    connection: Connection,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    by: int | None,
) -> list[int]:
    """Insert rows by column name and return their keys in order; one statement."""
    if not rows:
        return []
    now = clock.now()
    stamp = {
        "version": 1,
        "created_at": now,
        "modified_at": now,
        "created_by_id": by,
        "modified_by_id": by,
    }
    # One statement serves all rows, so each names every column.
    names = {name for row in rows for name in row}
    empty = dict.fromkeys(names)
    full = [{**stamp, **empty, **row, "uid": new_uid()} for row in rows]
    table: Any = model.__table__
    # Keys come back by uid: asked for in order, SQLite would insert row by row.
    keys = dict(insert_many(connection, table, full, "uid", "id"))
    return [keys[row["uid"]] for row in full]


def update_rows(
    connection: Connection,
    model: type[Base],
    changes: Sequence[tuple[int, Mapping[str, Any]]],
    by: int | None,
) -> None:
    """Change rows by key; raises their version. One statement per set of columns changed."""
    table: Any = model.__table__
    grouped: dict[frozenset[str], list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    for key, values in changes:
        grouped[frozenset(values)].append((key, values))
    now = clock.now()
    for names, members in grouped.items():
        statement = (
            update(table)
            .where(table.c.id == bindparam("k"))
            .values(
                {name: bindparam(f"n_{name}") for name in sorted(names)}
                | {"version": table.c.version + 1, "modified_at": now, "modified_by_id": by}
            )
        )
        for start in range(0, len(members), _CHUNK):
            connection.execute(
                statement,
                [
                    {"k": key, **{f"n_{name}": value for name, value in values.items()}}
                    for key, values in members[start : start + _CHUNK]
                ],
            )


def insert_again(
    connection: Connection, model: type[Base], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows exactly as they once stood, key and all; by column name, one statement."""
    if rows:
        connection.execute(insert(model), [dict(row) for row in rows])


def insert_facts(
    connection: Connection, model: type[Base], rows: Sequence[Mapping[str, Any]]
) -> list[int]:
    """Insert rows without version and time stamps and return their keys in order."""
    table: Any = model.__table__
    statement = insert(model).returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, [dict(row) for row in rows]).scalars())


def insert_new(
    connection: Connection,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    unique: Sequence[str],
) -> None:
    """Insert rows without version and time stamps, leaving out those that are there already."""
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    put = dialect.insert(model).on_conflict_do_nothing(index_elements=list(unique))
    if rows:
        connection.execute(put, [dict(row) for row in rows])


def set_where(
    connection: Connection,
    model: type[Base],
    condition: ColumnElement[bool],
    values: Mapping[str, Any],
) -> None:
    """Set columns of all rows that meet a condition; marks, so versions stay. One statement."""
    connection.execute(update(model).where(condition).values(**values))


def set_each(
    connection: Connection, model: type[Base], name: str, values: Mapping[int, Any]
) -> None:
    """Set one column of rows by key; marks, so versions stay. One statement."""
    if values:
        table: Any = model.__table__
        statement = update(table).where(table.c.id == bindparam("k")).values({name: bindparam("v")})
        connection.execute(statement, [{"k": key, "v": value} for key, value in values.items()])


def delete_where(connection: Connection, model: type[Base], condition: ColumnElement[bool]) -> int:
    """Remove the rows that meet a condition and tell how many; one statement."""
    return connection.execute(delete(model).where(condition)).rowcount


def delete_rows(
    connection: Connection, model: type[Base], column: str, keys: Sequence[int]
) -> None:
    """Remove rows whose column holds one of the keys; for rows that are made anew."""
    if keys:
        table: Any = model.__table__
        connection.execute(delete(model).where(key_clause(connection, table.c[column], keys)))


def keep_content(connection: Connection, digest: str, content: bytes) -> None:
    """Store the bytes of a file once by its hash; what is there already is left alone."""
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    row = {"sha256": digest, "size_bytes": len(content), "content": content}
    put = dialect.insert(DocumentContent).on_conflict_do_nothing(index_elements=["sha256"])
    connection.execute(put, [row])


def hold_contents(connection: Connection, digests: Sequence[str]) -> int:
    """Let nobody remove or take up the bytes of files before the transaction ends; one statement.

    Returns:
        How many of them are there.
    """
    content: Any = DocumentContent.__table__
    held = select(content.c.id).where(content.c.sha256.in_(digests)).order_by(content.c.id)
    return len(connection.execute(held.with_for_update()).all())


def mark(
    connection: Connection,
    user: int,
    kind: str,
    entity: str,
    keys: Sequence[int],
    at: datetime,
) -> None:
    """Put a user's mark on records; on those that have it, the moment becomes this one."""
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    put = dialect.insert(RecordMark)
    put = put.on_conflict_do_update(
        index_elements=["user_id", "kind", "record_type", "record_id"],
        set_={"marked_at": put.excluded.marked_at},
    )
    rows = [
        {"user_id": user, "kind": kind, "record_type": entity, "record_id": key, "marked_at": at}
        for key in keys
    ]
    if rows:
        connection.execute(put, rows)


def unmark(connection: Connection, user: int, kind: str, entity: str, keys: Sequence[int]) -> None:
    """Take a user's mark off records."""
    own = RecordMark.__table__.c
    connection.execute(
        delete(RecordMark).where(
            own.user_id == user,
            own.kind == kind,
            own.record_type == entity,
            key_clause(connection, own.record_id, keys),
        )
    )


def keep_latest_marks(connection: Connection, user: int, kind: str, entity: str, most: int) -> None:
    """Forget the oldest marks of a kind beyond a number."""
    own = RecordMark.__table__.c
    same = (own.user_id == user, own.kind == kind, own.record_type == entity)
    latest = select(own.id).where(*same).order_by(own.marked_at.desc(), own.id.desc()).limit(most)
    connection.execute(delete(RecordMark).where(*same, own.id.not_in(latest)))
