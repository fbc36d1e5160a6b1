"""A list over a slow line: how often the program waits for the server."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import event

from desktop_crm.services import query, records
from desktop_crm.services.context import system_actor
from desktop_crm.services.query import RecordQuery

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database

CONTACTS = RecordQuery("contact", ("full_name", "account", "owner", "email"))
MOST = 3


class Line:
    """What went over the line to the server, as libpq's own trace tells it."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._path = folder / "trace"
        self._file = self._path.open("w")
        database.engine.dispose()
        event.listen(database.engine, "connect", self._trace)

    def _trace(self, driver: psycopg.Connection[Any], _entry: object) -> None:
        driver.pgconn.trace(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def round_trips(self, work: Callable[[], object]) -> int:
        """Messages during some work that wait for an answer: simple queries and Syncs."""
        before = len(self._sent())
        work()
        return len(self._sent()) - before

    def _sent(self) -> list[str]:
        lines = (line.split("\t") for line in self._path.read_text().splitlines())
        parts = [[cell for cell in line if cell] for line in lines]
        return [cell for line in parts if "F" in line for cell in line if cell in {"Query", "Sync"}]


@pytest.fixture
def line(postgres_db: Database, tmp_path: Path) -> Iterator[Line]:
    if not sys.platform.startswith("linux"):
        pytest.skip("libpq traces to a file descriptor on Linux alone")
    traced = Line(tmp_path, postgres_db)
    yield traced
    postgres_db.engine.dispose()
    traced.close()


def test_a_list_paints_in_three_round_trips(postgres_db: Database, line: Line) -> None:
    actor = system_actor(postgres_db)
    for number in range(3):
        records.save(actor, "contact", None, None, {"last_name": f"Popescu {number}"})
    found = query.first_page(actor, CONTACTS)
    keys = query.keys(actor, CONTACTS)
    assert list(keys) == [row.id for row in found]
    for read in (
        lambda: query.first_page(actor, CONTACTS),
        lambda: query.keys(actor, CONTACTS),
        lambda: query.rows(actor, CONTACTS, keys),
    ):
        assert 1 <= line.round_trips(read) <= MOST
    assert line.round_trips(lambda: records.get(actor, "contact", keys[0])) > MOST
