"""Leaving no trace of what was deleted in the file of a database.

SQLite marks what is deleted as free and lets its bytes stand, in the file, in the log beside it
and in the segments of the search index. A server does its own housekeeping (VACUUM).
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from desktop_crm.db.engine import Database

log = logging.getLogger(__name__)

_MERGE: Final = (
    "INSERT INTO mail_message_fts(mail_message_fts) VALUES ('optimize')",
    "INSERT INTO activity_fts(activity_fts) VALUES ('optimize')",
    "INSERT INTO document_fts(document_fts) VALUES ('optimize')",
)
"""For the tables whose search index holds words of messages."""


@contextmanager
def overwriting(connection: Connection) -> Iterator[None]:
    """Let what is deleted meanwhile be overwritten with zeros."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")


def scrub(db: Database) -> None:
    """Merge the search index, so that deleted words leave it, and empty the log of the file.

    Takes some seconds for a hundred thousand messages. Where somebody reads meanwhile the log is
    emptied later, as SQLite always does.
    """
    if db.dialect != "sqlite":
        return
    with db.writing() as connection, overwriting(connection):
        for statement in _MERGE:
            connection.exec_driver_sql(statement)
    try:
        with closing(db.engine.raw_connection()) as held:
            driver: Any = held.driver_connection
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except (DBAPIError, sqlite3.Error) as error:
        log.info("The log of the database was not emptied yet", exc_info=error)
