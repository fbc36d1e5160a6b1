"""Substring search: FTS5 with trigrams on SQLite, pg_trgm on PostgreSQL.

Both index the stored, already folded ``search_text``; triggers keep FTS5 true, PostgreSQL does it
by itself. A server without pg_trgm still finds everything, only slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, text

SEARCHED: Final = (
    "contact", "account", "lead", "opportunity", "activity", "product", "quote", "document",
)  # fmt: skip
"""Tables with a search index; the others are small enough to be read through."""

_CREATE: Final = (
    "CREATE VIRTUAL TABLE {t}_fts USING fts5("
    "search_text, content='{t}', content_rowid='id', tokenize='trigram')",
    "CREATE TRIGGER {t}_fts_insert AFTER INSERT ON {t} BEGIN"
    " INSERT INTO {t}_fts(rowid, search_text) VALUES (new.id, new.search_text); END",
    "CREATE TRIGGER {t}_fts_delete AFTER DELETE ON {t} BEGIN"
    " INSERT INTO {t}_fts({t}_fts, rowid, search_text)"
    " VALUES ('delete', old.id, old.search_text); END",
    "CREATE TRIGGER {t}_fts_update AFTER UPDATE OF search_text ON {t}"
    " WHEN old.search_text IS NOT new.search_text BEGIN"
    " INSERT INTO {t}_fts({t}_fts, rowid, search_text)"
    " VALUES ('delete', old.id, old.search_text);"
    " INSERT INTO {t}_fts(rowid, search_text) VALUES (new.id, new.search_text); END",
)
_REBUILD: Final = "INSERT INTO {t}_fts({t}_fts) VALUES ('rebuild')"
_TRIGRAM: Final = "CREATE INDEX ix_{t}_trigram ON {t} USING gin (search_text gin_trgm_ops)"


def create(connection: Connection, tables: tuple[str, ...] = SEARCHED) -> None:
    """Create the search index of some tables and fill it from what they hold."""
    if connection.dialect.name == "sqlite":
        for statement in _sqlite_statements(tables):
            connection.execute(text(statement))
        return
    available = connection.execute(
        text("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
    ).first()
    if available is None:
        return
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    for table in tables:
        connection.execute(text(_TRIGRAM.format(t=table)))


def _sqlite_statements(tables: tuple[str, ...]) -> Iterator[str]:
    for table in tables:
        for statement in (*_CREATE, _REBUILD):
            yield statement.format(t=table)
