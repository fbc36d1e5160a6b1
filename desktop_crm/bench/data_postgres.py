"""The bench data on a PostgreSQL server: copied row by row from the finished SQLite file.

So both databases hold the same records with the same keys. Rows go in by COPY; indexes are made
after them.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import Boolean, Column, LargeBinary, Table, select
from sqlalchemy.dialects import sqlite

from desktop_crm.bench.postgres_server import LOGIN, Server
from desktop_crm.core.text import fold
from desktop_crm.db import migrate
from desktop_crm.meta.types import ExactNumber, UtcDateTime
from desktop_crm.models import Base

_CHUNK: Final = 10_000
_Convert = Callable[[Any], Any]


def server_database(server: Server, file: Path) -> str:
    """Return the URL of the database that holds what a data file holds, made when not there.

    The full one takes some minutes and about 3 GB. Copies of other files of this size are dropped.
    """
    name = "bench_" + file.stem.replace("-", "_").lower()
    with server.connect() as connection:
        found = {n for (n,) in connection.execute("SELECT datname FROM pg_database")}
    if name in found:
        return server.url(name)
    size = name.split("_")[1]
    for old in found:
        if old.startswith(f"bench_{size}_"):
            server.drop_database(old)
    draft = f"bench_part_{os.getpid()}"
    server.drop_database(draft)
    try:
        url = server.create_database(draft)
        migrate.create(url).close()
        with closing(sqlite3.connect(file)) as source, server.connect(draft) as target:
            _copy_all(source, target)
            _add_login(target)
        _rename(server, draft, name)
    finally:
        server.drop_database(draft)
    return server.url(name)


def _rename(server: Server, draft: str, name: str) -> None:
    with server.connect() as connection:
        command = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(command.format(sql.Identifier(draft), sql.Identifier(name)))


def _copy_all(source: sqlite3.Connection, target: psycopg.Connection) -> None:
    kept = _take_indexes(target)
    target.execute("SET session_replication_role = replica")  # no foreign keys while copying
    for table in Base.metadata.sorted_tables:
        _copy(source, target, table)
    target.execute("SET session_replication_role = origin")
    for statement in kept:
        target.execute(sql.SQL(statement))  # the server's own words
    target.execute("ANALYZE")


def _take_indexes(target: psycopg.Connection) -> list[str]:
    """Drop the indexes no constraint stands on; return the statements that make them again."""
    found = target.execute(
        "SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.schemaname = 'public'"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)"
        " ORDER BY i.indexname"
    ).fetchall()
    for name, _ in found:
        target.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [statement for _, statement in found]


def _copy(source: sqlite3.Connection, target: psycopg.Connection, table: Table) -> None:
    found = source.execute("SELECT name FROM pragma_table_info(?)", (table.name,))
    there = {row[0] for row in found}
    columns = [column for column in table.columns if column.name in there]
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)
    with target.cursor() as cursor, cursor.copy(command) as copy:
        for row in _rows(source, table, columns):
            copy.write_row(row)
    if "id" in table.c:
        target.execute(
            sql.SQL(
                "SELECT setval(pg_get_serial_sequence({}, 'id'),"
                " (SELECT coalesce(max(id), 0) + 1 FROM {}), false)"
            ).format(sql.Literal(f'"{table.name}"'), sql.Identifier(table.name))
        )


def _rows(
    source: sqlite3.Connection, table: Table, columns: list[Column[Any]]
) -> Iterator[tuple[Any, ...]]:
    statement = str(select(*columns).order_by(table.c.id).compile(dialect=sqlite.dialect()))
    converters = [(n, c) for n, column in enumerate(columns) if (c := _converter(column))]
    cursor = source.execute(statement)
    while chunk := cursor.fetchmany(_CHUNK):
        for row in chunk:
            values = list(row)
            for place, convert in converters:
                if values[place] is not None:
                    values[place] = convert(values[place])
            yield tuple(values)


def _converter(column: Column[Any]) -> _Convert | None:
    """From SQLite's stored form to the text COPY takes; None where they are the same."""
    type_ = column.type
    if isinstance(type_, ExactNumber):
        scale = type_.scale
        return lambda value: f"{value // 10**scale}.{value % 10**scale:0{scale}d}"
    if isinstance(type_, UtcDateTime):
        return lambda value: f"{value}+00"
    if isinstance(type_, Boolean):
        return bool
    if isinstance(type_, LargeBinary):
        return bytes
    return None


def _add_login(target: psycopg.Connection) -> None:
    """Let the server's login act, as an administrator; the four actors have no logins there."""
    target.execute(
        "INSERT INTO role (uid, version, created_at, modified_at, name, is_admin,"
        " sees_confidential, title_key, search_text)"
        " VALUES (gen_random_uuid(), 1, now(), now(), %s, true, true, %s, %s)",
        ("Administrator", fold("Administrator"), fold("Administrator")),
    )
    target.execute(
        'INSERT INTO "user" (uid, version, created_at, modified_at, name, login, role_id, state,'
        " title_key, search_text) SELECT gen_random_uuid(), 1, now(), now(), %s, %s, max(id),"
        " 'active', %s, %s FROM role",
        (LOGIN, LOGIN, LOGIN, LOGIN),
    )
