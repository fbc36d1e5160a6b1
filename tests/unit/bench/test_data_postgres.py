"""The bench data on PostgreSQL is the file's, value for value."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from desktop_crm.bench import data
from desktop_crm.bench.data_postgres import server_database
from desktop_crm.bench.data_rows import LOGINS, Size
from desktop_crm.bench.postgres_server import Server
from desktop_crm.db import migrate
from desktop_crm.services import query, records
from desktop_crm.services.context import sign_in
from desktop_crm.services.query import RecordQuery

TINY = Size("tinier", 200, 20, 40, own=25, few=5, team=50, users=20)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data.data_file(TINY, tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def copied(postgres_server: Server, tiny: Path) -> Iterator[str]:
    url = server_database(postgres_server, tiny)
    yield url
    postgres_server.drop_database(url.rpartition("/")[2])


@pytest.mark.parametrize("entity", ["contact", "account", "opportunity", "activity"])
def test_records_are_the_same_on_both(tiny: Path, copied: str, entity: str) -> None:
    found = []
    for url in (str(tiny), copied):
        db = migrate.open_current(url)
        try:
            actor = sign_in(db, LOGINS[0])
            keys = query.keys(actor, RecordQuery(entity, ("id",)))
            found.append([records.get(actor, entity, key).values for key in sorted(keys)[:50]])
        finally:
            db.close()
    assert found[0] == found[1]
    assert found[0]


def test_new_rows_get_keys_of_their_own(tiny: Path, copied: str) -> None:
    with closing(sqlite3.connect(tiny)) as raw:
        (greatest,) = raw.execute("SELECT max(id) FROM account").fetchone()
    db = migrate.open_current(copied)
    try:
        actor = sign_in(db, LOGINS[0])
        assert records.save(actor, "account", None, None, {"name": "New"}).id == greatest + 1
    finally:
        db.close()


def test_a_finished_copy_is_taken_again(postgres_server: Server, tiny: Path, copied: str) -> None:
    assert server_database(postgres_server, tiny) == copied
