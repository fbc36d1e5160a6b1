"""Search by words: FTS5 with trigrams on SQLite, pg_trgm and tsvector on PostgreSQL.

All index the stored, already folded ``search_text``; triggers keep FTS5 true, PostgreSQL does it
by itself. A server without pg_trgm still finds everything, only slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import Connection, text

from desktop_crm.db import search_text
from desktop_crm.meta import registry

SEARCHED: Final = (
    "contact", "account", "lead", "opportunity", "activity", "product", "quote", "case", "document",
    "mail_message",
)  # fmt: skip
"""Tables with a search index; the others are small enough to be read through."""

_CREATE: Final = (
    "CREATE VIRTUAL TABLE {t}_fts USING fts5("
    "search_text, content='{t}', content_rowid='id', tokenize='trigram')",
    'CREATE TRIGGER {t}_fts_insert AFTER INSERT ON "{t}" BEGIN'
    " INSERT INTO {t}_fts(rowid, search_text) VALUES (new.id, new.search_text); END",
    'CREATE TRIGGER {t}_fts_delete AFTER DELETE ON "{t}" BEGIN'
    " INSERT INTO {t}_fts({t}_fts, rowid, search_text)"
    " VALUES ('delete', old.id, old.search_text); END",
    'CREATE TRIGGER {t}_fts_update AFTER UPDATE OF search_text ON "{t}"'
    " WHEN old.search_text IS NOT new.search_text BEGIN"
    " INSERT INTO {t}_fts({t}_fts, rowid, search_text)"
    " VALUES ('delete', old.id, old.search_text);"
    " INSERT INTO {t}_fts(rowid, search_text) VALUES (new.id, new.search_text); END",
)
_DROP: Final = (
    "DROP TRIGGER IF EXISTS {t}_fts_insert",
    "DROP TRIGGER IF EXISTS {t}_fts_delete",
    "DROP TRIGGER IF EXISTS {t}_fts_update",
    "DROP TABLE IF EXISTS {t}_fts",
)
_REBUILD: Final = "INSERT INTO {t}_fts({t}_fts) VALUES ('rebuild')"
_TRIGRAM: Final = 'CREATE INDEX ix_{t}_trigram ON "{t}" USING gin (search_text gin_trgm_ops)'
_WORDS: Final = (
    "CREATE INDEX ix_{t}_words ON \"{t}\" USING gin (to_tsvector('simple'::regconfig, search_text))"
)
_DROP_ON_SERVER: Final = (
    "DROP INDEX IF EXISTS ix_{t}_trigram",
    "DROP INDEX IF EXISTS ix_{t}_words",
)


def create(connection: Connection, tables: tuple[str, ...] = SEARCHED) -> None:
    """Create the search index of some tables and fill it from what they hold."""
    if connection.dialect.name == "sqlite":
        for statement in _sqlite_statements(tables):
            connection.execute(text(statement))
        return
    if not _has_trigrams(connection):
        return
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    for table in tables:
        connection.execute(text(_TRIGRAM.format(t=table)))


def create_words(connection: Connection, tables: tuple[str, ...] = SEARCHED) -> None:
    """Create the index of whole words that a server has beside the trigrams."""
    if connection.dialect.name != "sqlite":
        for table in tables:
            connection.execute(text(_WORDS.format(t=table)))


def rebuild(
    connection: Connection, tell: Callable[[str, int], object] | None = None
) -> dict[str, int]:
    """Write every search text anew where it differs, and make the indexes from nothing.

    Args:
        connection: An open writing transaction.
        tell: Called with the entity's key and the number of its records looked at so far.

    Returns:
        How many search texts were written, by entity.
    """
    # Without their index so many rows are written in a fraction of the time.
    drop = _DROP if connection.dialect.name == "sqlite" else _DROP_ON_SERVER
    for table in SEARCHED:
        for statement in drop:
            connection.execute(text(statement.format(t=table)))
    written: dict[str, int] = {}
    for entity in registry.all():
        if search_text.is_searched(entity):
            key = entity.key
            heard = None if tell is None else (lambda n, key=key: tell(key, n))
            written[key] = search_text.refold(connection, entity, tell=heard)
    create(connection)
    create_words(connection)
    return written


def _has_trigrams(connection: Connection) -> bool:
    statement = text("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
    return connection.execute(statement).first() is not None


def _sqlite_statements(tables: tuple[str, ...]) -> Iterator[str]:
    for table in tables:
        for statement in (*_CREATE, _REBUILD):
            yield statement.format(t=table)
