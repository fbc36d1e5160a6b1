"""Where a word stands in a database: every column of every table, and every byte of the file."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from sqlalchemy import text

from desktop_crm.db.engine import Database

_TABLES = {
    # Shadow tables of the search index are tables like others.
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


def traces(db: Database, word: str) -> set[str]:
    """Tables, and files, in which a word stands, in whatever case; its first letters for a file."""
    wanted = word.casefold()
    found: set[str] = set()
    with db.reading() as connection:
        for name in connection.execute(text(_TABLES[db.dialect])).scalars().all():
            for row in connection.execute(text(f'SELECT * FROM "{name}"')):
                if any(wanted in _said(value).casefold() for value in row):
                    found.add(name)
    if db.path is not None:
        with closing(db.engine.raw_connection()) as held:
            driver: Any = held.driver_connection
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        for file in db.path.parent.glob(f"{db.path.name}*"):
            # The index of trigrams holds a word in pieces of three letters.
            if wanted[:3].encode() in file.read_bytes().lower():
                found.add(file.name)
    return found


def _said(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
