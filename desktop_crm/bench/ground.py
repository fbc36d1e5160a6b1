"""What the benchmarks over the data file share: the files, the actors and a raw connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from desktop_crm.bench.data import data_file
from desktop_crm.bench.data_rows import FULL, LOGINS, SMALL
from desktop_crm.db import migrate
from desktop_crm.db.engine import Database
from desktop_crm.services.context import Actor, sign_in

PAGE: Final = 200
COLUMNS: Final = ("full_name", "account", "job_title", "email", "phone", "city", "owner")
_LIKE_OURS: Final = ("PRAGMA cache_size = -32000", "PRAGMA temp_store = MEMORY")

Values = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Ground:
    """One open data file.

    Attributes:
        path: The file.
        db: It, opened by the product.
        raw: It, opened by the driver, set like the product's connections.
        actors: By login: all, team, own with many records, own with few.
    """

    path: Path
    db: Database
    raw: sqlite3.Connection
    actors: dict[str, Actor]

    @property
    def everything(self) -> Actor:
        """The actor who sees every record."""
        return self.actors[LOGINS[0]]

    def fetch(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Rows of a hand-written statement."""
        return self.raw.execute(statement, values).fetchall()

    def plan(self, statement: str, values: Values = ()) -> list[str]:
        """Steps that SQLite takes for a statement."""
        found = self.raw.execute("EXPLAIN QUERY PLAN " + statement, values)
        return [str(row[3]) for row in found]


@contextmanager
def full() -> Iterator[Ground]:
    """The million contacts."""
    with opened(data_file(FULL)) as ground:
        yield ground


@contextmanager
def small() -> Iterator[Ground]:
    """A thousand contacts."""
    with opened(data_file(SMALL)) as ground:
        yield ground


@contextmanager
def opened(path: Path) -> Iterator[Ground]:
    """A data file, opened by the product and by the driver."""
    db = migrate.open_current(str(path))
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            for pragma in _LIKE_OURS:
                raw.execute(pragma)
            yield Ground(path, db, raw, {login: sign_in(db, login) for login in LOGINS})
    finally:
        db.close()
