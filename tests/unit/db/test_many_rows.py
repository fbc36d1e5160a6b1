"""Many rows put in as one value say the same as rows put in one by one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import DataError, IntegrityError

from desktop_crm.core.errors import CrmError
from desktop_crm.core.identity import new_uid
from desktop_crm.db.many_rows import FEW, insert_many
from desktop_crm.models import ExchangeRate, MailboxItem
from desktop_crm.services import records
from desktop_crm.services.context import system_actor
from tests.support.company import NOW

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database

ITEMS, RATES = MailboxItem.__table__, ExchangeRate.__table__
MANY = FEW + 5
STAMP = {"version": 1, "created_at": NOW, "modified_at": NOW}


def save(database: Database, entity: str, **values: Any) -> int:
    return records.save(system_actor(database), entity, None, None, values).id


def items(box: int, count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            **STAMP, "uid": new_uid(), "mailbox_id": box, "folder": "Poștă \\ \"a\" 😀\n",
            "item_key": f"{number:03d}", "state": "stored", "is_read": number % 2 == 0,
            "categories": ["preț", "a'b"] if number % 3 else None,
            "sent_at": NOW - timedelta(minutes=number, microseconds=7), **more,
        }
        for number in range(count)
    ]  # fmt: skip


@pytest.fixture
def box(database: Database) -> int:
    return save(database, "mailbox", name="A", kind="folder", address="a@b.example", path="m")


@pytest.mark.parametrize("count", [1, MANY])
def test_rows_come_back_as_they_were_put_in(database: Database, box: int, count: int) -> None:
    rows = items(box, count)
    with database.writing() as connection:
        keys = dict(insert_many(connection, ITEMS, rows, "uid", "id"))
        columns = (ITEMS.c[name] for name in (*rows[0], "id", "flag"))
        stored = connection.execute(select(*columns).order_by(ITEMS.c.id)).mappings().all()
    assert [keys[row["uid"]] for row in rows] == [row["id"] for row in stored]
    assert [{name: row[name] for name in rows[0]} for row in stored] == rows
    # What no row names has what the model says.
    assert {row["flag"] for row in stored} == {"none"}


def test_numbers_and_days_stay_exact(database: Database) -> None:
    currency = save(database, "currency", code="XYZ", name="Try")
    rates = [Decimal(number) / 7 for number in range(1, MANY)]
    first = date(2026, 1, 31)
    rows = [
        {**STAMP, "uid": new_uid(), "currency_id": currency, "rate": rate,
         "valid_from": first + timedelta(days=number)}
        for number, rate in enumerate(rates)
    ]  # fmt: skip
    with database.writing() as connection:
        assert insert_many(connection, RATES, rows) == []
        stored = connection.execute(
            select(RATES.c.rate, RATES.c.valid_from)
            .where(RATES.c.currency_id == currency)
            .order_by(RATES.c.id)
        ).all()
    assert [row.rate for row in stored] == [rate.quantize(Decimal("0.000001")) for rate in rates]
    assert [row.valid_from for row in stored] == [row["valid_from"] for row in rows]


@pytest.mark.parametrize("count", [2, MANY])
def test_a_row_twice_is_refused(database: Database, box: int, count: int) -> None:
    rows = items(box, count)
    rows[-1]["item_key"] = rows[0]["item_key"]
    with pytest.raises((IntegrityError, CrmError)), database.writing() as connection:
        insert_many(connection, ITEMS, rows)
    with database.reading() as connection:
        assert connection.execute(select(ITEMS.c.id)).all() == []


@pytest.mark.parametrize("count", [2, MANY])
@pytest.mark.parametrize("bad", [{"item_key": "a\0b"}, {"flag": "x" * 900}])
def test_a_server_refuses_what_it_cannot_hold(
    database: Database, box: int, count: int, bad: dict[str, str]
) -> None:
    if not database.is_shared:
        pytest.skip("SQLite holds it")
    rows = items(box, count, flag="none")
    rows[1] |= bad
    with pytest.raises(DataError), database.writing() as connection:
        insert_many(connection, ITEMS, rows)


def test_a_moment_without_a_zone_is_a_bug(database: Database, box: int) -> None:
    assert isinstance(ITEMS, Table)
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  on purpose
    with pytest.raises(Exception, match="naive"), database.writing() as connection:
        insert_many(connection, ITEMS, items(box, MANY, sent_at=naive))
