"""Statements compiled once and run on the driver's cursor."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    Date,
    Integer,
    String,
    bindparam,
    cast,
    literal,
    literal_column,
    select,
    union_all,
)

from desktop_crm.core import turns
from desktop_crm.core.errors import Cancelled
from desktop_crm.db.engine import Cancel
from desktop_crm.meta.types import ExactNumber, UtcDateTime
from desktop_crm.services import prepared as prepared_module
from desktop_crm.services.prepared import Prepared

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database

MOMENT = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


def test_late_values_take_the_place_of_those_compiled_in(database: Database) -> None:
    key = bindparam("key", 1, Integer)
    columns: tuple[Any, ...] = (key, bindparam("word", "a", String), key + 1)
    prepared = Prepared(database, select(*columns))
    assert prepared.tuples(database) == [(1, "a", 2)]
    assert prepared.tuples(database, key=5, word="ș") == [(5, "ș", 6)]
    assert prepared.tuples(database) == [(1, "a", 2)]
    with database.reading() as connection:
        assert prepared.inside(connection, key=7) == [(7, "a", 8)]


def test_rows_that_come_in_parts_are_all_there(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two parts the window has its turn."""
    asked: list[str] = []
    monkeypatch.setattr(turns, "give_way", lambda: asked.append("gave way"))
    monkeypatch.setattr(prepared_module, "_AT_ONCE", 2)
    numbers = [select(literal(number)) for number in range(5)]
    several = Prepared(database, union_all(*numbers))
    with database.reading() as connection:
        asked.clear()
        assert sorted(several.inside(connection)) == [(number,) for number in range(5)]
    assert len(asked) == 3


def test_fixed_values_stand_in_the_statement_of_sqlite(database: Database) -> None:
    """SQLite would plan a statement anew for each run; what a person typed stays a value."""
    late = bindparam("late", 7, Integer)
    columns: tuple[Any, ...] = (
        literal(1), literal("stored"), late, literal("it's ?"), literal("ș"), literal(True),
    )  # fmt: skip
    # A question mark between quotes is none.
    quoted: tuple[Any, ...] = (literal_column("'?'", String), literal_column("'a''?'", String))
    prepared = Prepared(database, select(*quoted, *columns))
    (row,) = prepared.tuples(database, late=8)
    assert row == ("?", "a'?", 1, "stored", 8, "it's ?", "ș", True)
    if not database.is_shared:
        assert prepared.sql.count("?") == 2 + 3
        assert "'stored'" in prepared.sql


def test_values_come_back_in_the_types_of_their_columns(database: Database) -> None:
    amount = cast(literal(Decimal("12.3456"), ExactNumber(4)), ExactNumber(4))
    columns: tuple[Any, ...] = (
        literal(MOMENT, UtcDateTime()),
        amount,
        literal(date(2026, 1, 2), Date),
        literal(None, Date),
    )
    prepared = Prepared(database, select(*columns))
    for _ in range(2):  # the second run uses the converters found by the first
        ((moment, number, day, nothing),) = prepared.tuples(database)
        assert moment == MOMENT
        assert number == Decimal("12.3456")
        assert day == date(2026, 1, 2)
        assert nothing is None


def test_rows_tell_deleted_ones(database: Database) -> None:
    columns: tuple[Any, ...] = (
        literal(3),
        literal(2),
        literal(MOMENT, UtcDateTime()),
        literal("x"),
    )
    (row,) = Prepared(database, select(*columns)).rows(database)
    assert (row.id, row.version, row.deleted, row.values) == (3, 2, True, ("x",))


def test_a_cancelled_token_stops_the_statement(database: Database) -> None:
    prepared = Prepared(database, select(literal(1)))
    token = Cancel()
    assert list(prepared.keys(database, token)) == [1]
    token.cancel()
    with pytest.raises(Cancelled):
        prepared.keys(database, token)
    assert prepared.number(database) == 1
