"""Connections and the two kinds of transaction.

SQLite gets ``BEGIN IMMEDIATE`` for writers: with the default, read-then-write of three threads
lost 194 of 300 updates without an error. Readers never wait for the writer (WAL).
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from desktop_crm.core import turns
from desktop_crm.core.errors import Cancelled
from desktop_crm.db.problems import explain
from desktop_crm.db.target import Target

log = logging.getLogger(__name__)

T = TypeVar("T")

_WRITE: Final = "crm_write"
_SLOW_S: Final = 0.5
_WATCH: Final = "PRAGMA foreign_keys = ON"
_DO_NOT_WATCH: Final = "PRAGMA foreign_keys = OFF"
_BUSY_MS: Final = 10_000
# SQLite asks for the lock again ten times a second, and misses every gap between the changes of
# one who writes on and on. Asking often finds a gap that is three times as long.
_ASK_AGAIN_S: Final = 0.002
_TURN_OF_OTHERS_S: Final = 0.006
_LONG_S: Final = 0.03
_CACHE_KB: Final = 32_000
_CACHE_OF_WHOLE_KB: Final = 8_000
_STATISTICS: Final = (
    "PRAGMA busy_timeout = 100",
    "PRAGMA analysis_limit = 400",
    "PRAGMA optimize",
)


class Cancel:
    """Token that stops the statement running under it, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[Any] = []
        self._cancelled = False

    @property
    def is_cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """Interrupt running statements and refuse new ones."""
        with self._lock:
            self._cancelled = True
            for driver in self._running:
                driver.interrupt() if isinstance(driver, sqlite3.Connection) else driver.cancel()

    def check(self) -> None:
        """Between two steps of long work: let the window go first.

        Raises:
            Cancelled: The token was used.
        """
        turns.give_way()
        if self._cancelled:
            raise Cancelled

    @contextmanager
    def _watching(self, driver: Any) -> Iterator[None]:  # noqa: ANN401  drivers share no type
        with self._lock:
            if self._cancelled:
                raise Cancelled
            self._running.append(driver)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(driver)


class Database:
    """An open database; safe to share between threads.

    Attributes:
        target: What was opened.
        dialect: ``sqlite`` or ``postgresql``.
    """

    def __init__(self, target: Target, engine: Engine) -> None:
        self.target = target
        self.engine = engine
        self.dialect = engine.dialect.name
        self._written = False

    @classmethod
    def open(cls, url: str, password: str | None = None) -> Self:
        """Open a database without looking at its schema; see ``migrate.ensure_current``.

        Args:
            url: ``sqlite:///file``, a plain path, or ``postgresql://user@host/name``.
            password: For PostgreSQL when neither pgpass nor PGPASSWORD has it.

        Raises:
            UserError: The address is no database address, holds a password, or is a SQLite file
                on a network share.
            EnvironmentProblem: The file or server cannot be reached.
        """
        target = Target.parse(url)
        engine = _sqlite(target) if target.is_sqlite else _postgresql(target.url, password)
        database = cls(target, engine)
        try:
            with database.reading():
                pass
        except BaseException:
            engine.dispose()
            raise
        return database

    @property
    def is_shared(self) -> bool:
        """Whether colleagues work in the same database."""
        return self.dialect != "sqlite"

    @property
    def path(self) -> Path | None:
        """File of a SQLite database."""
        return self.target.path

    @property
    def name(self) -> str:
        """Short name for the status bar."""
        return self.target.name

    @contextmanager
    def reading(self, cancel: Cancel | None = None) -> Iterator[Connection]:
        """Give a connection with one consistent snapshot; nothing may be written.

        Raises:
            Cancelled: The token was used.
            EnvironmentProblem: The database cannot be reached.
        """
        with self._transaction(write=False, cancel=cancel) as connection:
            yield connection

    def read(
        self,
        statement: str,
        parameters: Any,  # noqa: ANN401  a sequence or a mapping, as the driver wants it
        take: Callable[[Any], T],
        cancel: Cancel | None = None,
        *,
        whole: bool = False,
    ) -> T:
        """Run one SELECT on the driver's own cursor, where SQLAlchemy's rows would cost the most.

        A single statement sees one snapshot by itself, so that no transaction is opened: one
        round trip on a server.

        Args:
            statement: SQL in the driver's form.
            parameters: Values in the driver's form.
            take: Reads the cursor; called while the connection is still held.
            cancel: Stops the statement.
            whole: It goes through a whole table, and leaves little of it in the cache.

        Raises:
            Cancelled: The token was used.
            EnvironmentProblem: The database cannot be reached.
        """
        dialect = self.engine.dialect
        errors = dialect.loaded_dbapi.Error
        try:
            with closing(self.engine.raw_connection()) as held:
                driver: Any = held.driver_connection
                try:
                    with (
                        _single(driver),
                        _passing(driver) if whole else nullcontext(),
                        nullcontext() if cancel is None else cancel._watching(driver),
                    ):
                        return take(driver.execute(statement, parameters))
                except errors as error:
                    if dialect.is_disconnect(error, held, None):
                        held.invalidate(error)
                    raise DBAPIError.instance(statement, parameters, error, errors) from error
        except DBAPIError as error:
            problem = self._explained(error, cancel)
            if problem is None:
                raise
            raise problem from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose work is kept as a whole or not at all.

        Keep it short and never wait for a person or a network inside. Whoever held a file for
        long steps back for some milliseconds, so that others come in between its changes.

        Raises:
            EnvironmentProblem: Locked for more than 10 s, disk full, read-only or unreachable.
        """
        started = time.monotonic()
        with self._transaction(write=True, cancel=None) as connection:
            yield connection
        self._written = True
        self._let_others(started)

    @contextmanager
    def trying(self) -> Iterator[Connection]:
        """Give a connection on which anything may be written; nothing of it is kept.

        It holds a file from others as :meth:`writing` does. It steps back however short it was:
        whoever tries something waits rather than those who write.

        Raises:
            EnvironmentProblem: Locked for more than 10 s, disk full, read-only or unreachable.
        """
        started = time.monotonic()
        with self._transaction(write=True, cancel=None) as connection:
            yield connection
            connection.rollback()
        self._let_others(started, after=0)

    def _let_others(self, started: float, after: float = _LONG_S) -> None:
        elapsed = time.monotonic() - started
        if elapsed > _SLOW_S:
            log.info("Writing transaction took %.2f s", elapsed, stack_info=True)
        if elapsed > after and not self.is_shared:
            time.sleep(_TURN_OF_OTHERS_S)

    @contextmanager
    def _transaction(self, *, write: bool, cancel: Cancel | None) -> Iterator[Connection]:
        try:
            with (
                self.engine.connect().execution_options(**self._options(write)) as connection,
                connection.begin(),
            ):
                if cancel is None:
                    yield connection
                else:
                    with cancel._watching(connection.connection.driver_connection):
                        yield connection
        except DBAPIError as error:
            problem = self._explained(error, cancel)
            if problem is None:
                raise
            raise problem from error

    def _options(self, write: bool) -> dict[str, Any]:
        if write or not self.is_shared:
            return {_WRITE: write}
        # The server's default shows every statement a newer state.
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Give a writing connection for changes of the schema, with foreign keys unwatched.

        SQLite changes a table by making it anew; with foreign keys watched, dropping the old one
        would delete every row that refers to it.
        """
        if self.is_shared:
            with self.writing() as connection:
                yield connection
            return
        engine = _sqlite(self.target, watch_foreign_keys=False)
        try:
            with Database(self.target, engine).writing() as connection:
                yield connection
        finally:
            engine.dispose()

    def _explained(self, error: DBAPIError, cancel: Cancel | None) -> Exception | None:
        """What a person is told of a driver's error; None when it is our bug."""
        if cancel is not None and cancel.is_cancelled:
            return Cancelled()
        problem = explain(error, self.target)
        if problem is not None:
            log.warning("Database problem", exc_info=error)
        return problem

    def close(self) -> None:
        """Close every connection; SQLite first learns how its tables have grown."""
        if self._written and self.path is not None:
            self._refresh_statistics()
        self.engine.dispose()

    def _refresh_statistics(self) -> None:
        """Let SQLite look again at tables that changed much, a few hundred rows of each.

        Without statistics it takes the wrong index for lists of people with few records.
        """
        try:
            with closing(self.engine.raw_connection()) as held:
                driver: Any = held.driver_connection
                for pragma in _STATISTICS:
                    driver.execute(pragma)
        except (DBAPIError, sqlite3.Error) as error:
            # Locked, full or read-only: the plans stay as they were.
            log.debug("Statistics were not refreshed", exc_info=error)


@contextmanager
def _single(driver: Any) -> Iterator[None]:  # noqa: ANN401  drivers share no type
    """Let one statement of a server connection run without BEGIN and ROLLBACK around it."""
    if isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.autocommit = True
    try:
        yield
    finally:
        if not driver.closed:
            driver.autocommit = False


@contextmanager
def _passing(driver: Any) -> Iterator[None]:  # noqa: ANN401  drivers share no type
    """Let a statement pass through few pages of a SQLite connection's cache.

    A table longer than the cache pushes out everything in it and comes back to none of its
    pages: it takes as long with few of them, which are all the memory that is left behind.
    """
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.execute(f"PRAGMA cache_size = -{_CACHE_OF_WHOLE_KB}")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA cache_size = -{_CACHE_KB}")


def _sqlite(target: Target, *, watch_foreign_keys: bool = True) -> Engine:
    memory = target.path is None
    engine = create_engine(
        URL.create("sqlite", database=None if memory else str(target.path)),
        poolclass=StaticPool if memory else None,
        connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000},
        hide_parameters=True,  # what a record says belongs into no log
        **({} if memory else {"pool_size": 8, "max_overflow": 16}),
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, entry: ConnectionPoolEntry) -> None:  # noqa: ANN401
        # The driver's own BEGIN is switched off; `_begin` below is the only one.
        connection.isolation_level = None
        connection.create_function("unicode_lower", 1, _lower, deterministic=True)
        cursor = connection.cursor()
        for pragma in (
            _WATCH if watch_foreign_keys else _DO_NOT_WATCH,
            "PRAGMA synchronous = NORMAL",
            f"PRAGMA cache_size = -{_CACHE_KB}",
        ):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_WRITE, False):
            _begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _begin_writing(connection: Connection) -> None:
    """Take a file's lock in one of the short gaps that another writer leaves."""
    driver: Any = connection.connection.driver_connection
    patient_until = time.monotonic() + _BUSY_MS / 1000
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
                if code != sqlite3.SQLITE_BUSY or time.monotonic() > patient_until:
                    raise
            time.sleep(_ASK_AGAIN_S)
    finally:
        driver.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _postgresql(url: URL, password: str | None) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg", password=password),
        pool_size=6,
        max_overflow=10,
        pool_pre_ping=False,
        hide_parameters=True,
        connect_args={"connect_timeout": 10, "application_name": "Desktop CRM"},
    )
