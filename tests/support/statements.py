"""Counting what a call asks of the database, whichever way it reaches the driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import event

from desktop_crm.db.engine import Database

_NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE")


@contextmanager
def counted(db: Database) -> Iterator[list[str]]:
    """Collect the statements that reach the driver inside the block."""
    seen: list[str] = []

    def note(statement: object) -> None:
        text = str(statement).lstrip()
        # A trigger of SQLite reports what it does itself as a comment.
        if not text.upper().startswith((*_NOT_COUNTED, "--")):
            seen.append(text)

    if db.dialect == "sqlite":
        with _traced(db, note):
            yield seen
        return
    original = psycopg.Cursor.execute

    def execute(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        note(query)
        return original(self, query, *args, **options)

    psycopg.Cursor.execute = execute  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        psycopg.Cursor.execute = original  # type: ignore[method-assign]


@contextmanager
def executed(db: Database) -> Iterator[list[str]]:
    """Collect the statements handed to SQLAlchemy; one for many rows counts once."""
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@contextmanager
def _traced(db: Database, note: Any) -> Iterator[None]:
    traced: list[Any] = []

    def checkout(driver: Any, _entry: object, _proxy: object) -> None:
        driver.set_trace_callback(note)
        traced.append(driver)

    event.listen(db.engine, "checkout", checkout)
    try:
        yield
    finally:
        event.remove(db.engine, "checkout", checkout)
        for driver in traced:
            driver.set_trace_callback(None)
