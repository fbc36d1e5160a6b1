"""The bench data file: made once for a schema and a generator, kept in the cache folder.

Rows go in through the driver; indexes, triggers and the search index are made after them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from desktop_crm.bench.data_rows import Rows, Size, Values
from desktop_crm.core.paths import cache_dir
from desktop_crm.db import migrate
from desktop_crm.db.search_index import SEARCHED
from desktop_crm.models import Base

GENERATOR: Final = 2
"""Raised whenever the same size gives other rows."""

_CHUNK: Final = 20_000
_TRACKED: Final = (
    "uid", "version", "created_at", "modified_at", "created_by_id", "modified_by_id",
)  # fmt: skip
_KEYS: Final = ("title_key", "search_text")
TABLES: Final[dict[str, tuple[str, ...]]] = {
    "team": ("id", "name", *_KEYS),
    "role": ("id", "name", "is_admin", "sees_confidential", *_KEYS),
    "role_right": ("role_id", "entity", "read", "create", "edit", "remove"),
    "user": ("id", "name", "login", "team_id", "role_id", "state", *_KEYS),
    "currency": ("id", "code", "name", *_KEYS),
    "own_company": (
        "id", "name", "currency_id", "fiscal_year_start", "tax_rounding", "attachment_limit_mb",
        *_KEYS,
    ),
    "exchange_rate": ("currency_id", "rate", "valid_from"),
    "stage": (
        "id", "name", "state", "probability", "forecast_category", "position", "is_active", *_KEYS,
    ),
    "account": (
        "id", "name", "account_number", "relationship_type", "industry", "domain", "employees",
        "currency_id", "annual_revenue", "state", "city", "region", "country", "owner_id", *_KEYS,
        "do_not_email", "do_not_phone", "do_not_bulk", "name_key",
    ),
    "contact": (
        "id", "full_name", "salutation", "first_name", "last_name", "account_id", "job_title",
        "department", "role", "manager_id", "birthday", "anniversary", "website", "source",
        "state", "description", "email", "phone", "street", "postal_code", "city", "region",
        "country", "do_not_email", "do_not_phone", "do_not_bulk", "owner_id", "external_id",
        *_KEYS, "deleted_at", "name_key",
    ),
    "email_address": ("address", "domain", "is_invalid", "type", "is_primary", "contact_id"),
    "phone": ("number", "canonical", "type", "is_primary", "contact_id"),
    "postal_address": (
        "street", "postal_code", "city", "region", "country", "type", "is_primary",
        "account_id", "contact_id",
    ),
    "opportunity": (
        "id", "name", "account_id", "contact_id", "stage_id", "state", "probability",
        "forecast_category", "currency_id", "amount", "close_on", "is_probability_overridden",
        "is_system_calculated", "owner_id", *_KEYS,
    ),
    "activity": (
        "id", "subject", "kind", "state", "priority", "occurred_at", "sensitivity", "contact_id",
        "description", "owner_id", "is_all_day", "is_organizer", *_KEYS,
    ),
    "link": (
        "activity_id", "record_type", "record_id", "rule", "evidence", "confidence", "state",
        "is_regarding",
    ),
}  # fmt: skip
"""Columns of the made-up rows, before the six that every table has."""


def data_file(size: Size, folder: Path | None = None) -> Path:
    """Return the file of a size, made when it is not there; a finished one is never changed.

    The full one takes some minutes and about 1.5 GB. Files of other schemas are removed.
    """
    return kept_file(size.name, GENERATOR, lambda draft: _build(draft, Rows(size)), folder)


def kept_file(
    name: str, generator: int, make: Callable[[Path], None], folder: Path | None = None
) -> Path:
    """Return a file of this schema and generator, made whole or not at all; older ones go."""
    home = folder or cache_dir() / "bench"
    home.mkdir(parents=True, exist_ok=True)
    path = home / f"{name}-{migrate.HEAD}-{schema_digest()}-{generator}.db"
    if path.exists():
        return path
    for old in home.glob(f"{name}-*"):
        old.unlink(missing_ok=True)
    draft = home / f"{name}-{os.getpid()}.part"
    try:
        make(draft)
        draft.replace(path)
    finally:
        for left in home.glob(f"{draft.name}*"):
            left.unlink(missing_ok=True)
    return path


def grown_file(name: str, generator: int, size: Size, add: Callable[[Path], None]) -> Path:
    """Return a kept file that begins as a copy of a data file."""

    def make(draft: Path) -> None:
        shutil.copyfile(data_file(size), draft)
        add(draft)

    return kept_file(name, generator, make)


@lru_cache(maxsize=1)
def schema_digest() -> str:
    """Short hash of every table and index of the models."""
    dialect = sqlite.dialect()
    digest = hashlib.sha256()
    for table in Base.metadata.sorted_tables:
        digest.update(str(CreateTable(table).compile(dialect=dialect)).encode())
        for index in sorted(table.indexes, key=lambda i: str(i.name)):
            digest.update(str(CreateIndex(index).compile(dialect=dialect)).encode())
    return digest.hexdigest()[:10]


def _build(path: Path, rows: Rows) -> None:
    migrate.create(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "PRAGMA locking_mode = EXCLUSIVE",
            "PRAGMA cache_size = -400000",
            "PRAGMA temp_store = MEMORY",
        ):
            connection.execute(pragma)
        connection.execute("BEGIN")
        kept = _take_indexes(connection)
        _fill(connection, rows)
        for table in SEARCHED:
            name = f"{table}_fts"
            rebuild = _insert_text(name, (name,))
            connection.execute(rebuild, ("rebuild",))
        for statement in kept:
            connection.execute(statement)
        connection.execute("COMMIT")
        for pragma in ("ANALYZE", "PRAGMA locking_mode = NORMAL", "PRAGMA journal_mode = WAL"):
            connection.execute(pragma).fetchall()


def _take_indexes(connection: sqlite3.Connection) -> list[str]:
    """Drop indexes and triggers; return the statements that make them again."""
    found = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql <> ''"
    ).fetchall()
    drop = {"index": 'DROP INDEX "@"', "trigger": 'DROP TRIGGER "@"'}
    for kind, name, _ in found:
        connection.execute(drop[kind].replace("@", name))
    return [statement for _, _, statement in sorted(found)]


def _insert_text(table: str, columns: tuple[str, ...]) -> str:
    found = Base.metadata.tables.get(table)
    if found is None:  # the search index is no declared table
        return "INSERT INTO @(@) VALUES (?)".replace("@", table)
    statement = insert(found).values(dict.fromkeys(columns))
    return str(statement.compile(dialect=sqlite.dialect(), column_keys=list(columns)))


def _put(connection: sqlite3.Connection, table: str, rows: Iterable[Values]) -> None:
    columns = (*TABLES[table], *_TRACKED)
    order = [column.name for column in Base.metadata.tables[table].columns]
    # The compiler names columns in the table's order.
    places = sorted(range(len(columns)), key=lambda n: order.index(columns[n]))
    statement = _insert_text(table, columns)
    connection.executemany(statement, (tuple(row[p] for p in places) for row in rows))


def _fill(connection: sqlite3.Connection, rows: Rows) -> None:
    for table, made in (
        ("team", rows.teams()),
        ("role", rows.roles()),
        ("role_right", rows.rights()),
        ("user", rows.users()),
        ("currency", rows.currencies()),
        ("own_company", rows.own_company()),
        ("exchange_rate", rows.rates()),
        ("stage", rows.stages()),
    ):
        _put(connection, table, made)
    for accounts in _chunks(rows.accounts()):
        _put(connection, "account", accounts)
        _put(connection, "postal_address", _account_addresses(rows, accounts))
    for contacts in _chunks(rows.contacts()):
        _put(connection, "contact", contacts)
        _put_reaches(connection, rows, contacts)
    for table, made in (
        ("opportunity", rows.opportunities()),
        ("activity", rows.activities()),
        ("link", rows.links()),
    ):
        _put(connection, table, made)


def _chunks(rows: Iterator[Values]) -> Iterator[list[Values]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _account_addresses(rows: Rows, accounts: list[Values]) -> Iterator[Values]:
    at = TABLES["account"].index
    first = at("city")
    for row in accounts:
        place = (None, None, *row[first : first + 3])
        yield rows.postal_address("account", int(str(row[0])), place)


def _put_reaches(connection: sqlite3.Connection, rows: Rows, contacts: list[Values]) -> None:
    at = TABLES["contact"].index
    email, phone, street = at("email"), at("phone"), at("street")
    keys = [int(str(row[0])) for row in contacts]
    both = list(zip(keys, contacts, strict=True))
    mails = (rows.email_address(key, str(row[email])) for key, row in both)
    _put(connection, "email_address", mails)
    phones = (rows.phone(key, str(row[phone])) for key, row in both if row[phone])
    _put(connection, "phone", phones)
    places = (
        rows.postal_address("contact", key, row[street : street + 5])
        for key, row in both
        if row[street]
    )
    _put(connection, "postal_address", places)
