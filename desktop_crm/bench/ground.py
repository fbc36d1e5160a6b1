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
from desktop_crm.core.paths import cache_dir
from desktop_crm.db import migrate
from desktop_crm.db.engine import Database
from desktop_crm.services.context import Actor, sign_in

PAGE: Final = 200
COLUMNS: Final = ("full_name", "account", "job_title", "email", "phone", "city", "owner")
_LIKE_OURS: Final = ("PRAGMA cache_size = -32000",)

Values = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Ground:
    """One open data file.

    Attributes:
        path: The file; on a server the one its rows were copied from.
        db: The database, opened by the product.
        raw: The same, opened by the driver, set like the product's connections.
        actors: By login: all, team, own with many records, own with few.
    """

    path: Path
    db: Database
    raw: Any
    actors: dict[str, Actor]

    @property
    def database(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.db.dialect

    @property
    def everything(self) -> Actor:
        """The actor who sees every record."""
        return self.actors[LOGINS[0]]

    def fetch(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Rows of a hand-written statement, its values written as ``?`` for both databases."""
        found: list[tuple[Any, ...]] = self.run(statement, values).fetchall()
        return found

    def run(self, statement: str, values: Values = ()) -> Any:  # noqa: ANN401  a driver's cursor
        """Cursor of a hand-written statement."""
        if self.database == "sqlite":
            return self.raw.execute(statement, values)
        return self.raw.execute(statement.replace("%", "%%").replace("?", "%s"), values or None)

    def run_many(self, statement: str, values: Sequence[Values]) -> None:
        """Run a hand-written statement for many rows of values."""
        if self.database == "sqlite":
            self.raw.executemany(statement, values)
            return
        with self.raw.cursor() as cursor:
            cursor.executemany(statement.replace("%", "%%").replace("?", "%s"), values)

    def plan(self, statement: str, values: Values = ()) -> list[str]:
        """Steps that the database takes for a statement."""
        if self.database == "sqlite":
            found = self.raw.execute("EXPLAIN QUERY PLAN " + statement, values)
            return [str(row[3]) for row in found]
        return [str(row[0]) for row in self.raw.execute("EXPLAIN " + statement, values or None)]


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


@contextmanager
def on_server(path: Path) -> Iterator[Ground]:
    """What a data file holds, on a PostgreSQL server that is started when none runs.

    Raises:
        NoServer: There is no PostgreSQL here.
    """
    import psycopg

    from desktop_crm.bench.data_postgres import server_database
    from desktop_crm.bench.postgres_server import kept_server

    with kept_server(cache_dir() / "bench") as server:
        url = server_database(server, path)
        db = migrate.open_current(url)
        try:
            plain = url.replace("postgresql+psycopg://", "postgresql://")
            with psycopg.connect(plain, autocommit=True) as raw:
                yield Ground(path, db, raw, {login: sign_in(db, login) for login in LOGINS})
        finally:
            db.close()


@contextmanager
def full_on_server() -> Iterator[Ground]:
    """The million contacts on PostgreSQL."""
    with on_server(data_file(FULL)) as ground:
        yield ground


@contextmanager
def small_on_server() -> Iterator[Ground]:
    """A thousand contacts on PostgreSQL."""
    with on_server(data_file(SMALL)) as ground:
        yield ground
