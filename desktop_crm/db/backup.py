"""Copies of a SQLite database, taken while it is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from desktop_crm.core import clock
from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.db.engine import Database


def backup(database: Database, path: Path) -> Path:
    """Copy the whole database to a file that opens anywhere.

    The copy is written under a temporary name and checked before it takes its place.

    Raises:
        UserError: The database is on a server, or the target is the database itself.
        EnvironmentProblem: The file cannot be written.
    """
    if database.path is None:
        raise UserError(N_("A database on a server is backed up there, for example with pg_dump."))
    target = path.absolute()
    if os.path.realpath(target) == os.path.realpath(database.path):
        raise UserError(N_("The backup cannot replace the database itself. Choose another name."))
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(database.path, draft)
        for left in ("-wal", "-shm"):  # of a database that lay there: it would be played back
            target.with_name(target.name + left).unlink(missing_ok=True)
        draft.replace(target)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise EnvironmentProblem(
            N_("The backup {path} could not be written: {reason}. Nothing was changed."),
            path=target,
            reason=error,
        ) from error
    return target


def backup_before_upgrade(database: Database, revision: str) -> Path | None:
    """Keep a copy beside the file, named after its revision and the moment."""
    if database.path is None:
        return None
    stamp = clock.now().strftime("%Y%m%d-%H%M%S")
    name = f"{database.path.stem}-{revision}-{stamp}{database.path.suffix}"
    return backup(database, database.path.with_name(name))


def _copy(source: Path, draft: Path) -> None:
    reading = sqlite3.connect(source, timeout=10)
    writing = sqlite3.connect(draft)
    try:
        reading.backup(writing, pages=4096)
        found = writing.execute("PRAGMA quick_check").fetchone()
        if found is None or found[0] != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {found}")
    finally:
        writing.close()
        reading.close()
