"""Days of moments on the person's clock, which SQLite is told offset by offset."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, literal, select

from desktop_crm.meta.types import UtcDateTime
from desktop_crm.services import grouping

ZONES = ("Europe/Bucharest", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "UTC")


@pytest.fixture(scope="module")
def connection() -> Connection:
    return create_engine("sqlite://").connect()


@settings(max_examples=60, deadline=None)
@given(
    moment=st.integers(31_536_000, 2_366_841_600).map(lambda s: datetime.fromtimestamp(s, UTC)),
    zone=st.sampled_from(ZONES),
)
@example(moment=datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), zone="Europe/Bucharest")
@example(moment=datetime(2026, 3, 29, 21, 0, tzinfo=UTC), zone="Europe/Bucharest")
@example(moment=datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC), zone="Europe/Bucharest")
@example(moment=datetime(2026, 10, 25, 22, 0, tzinfo=UTC), zone="Europe/Bucharest")
def test_a_moment_lies_on_the_day_of_the_persons_clock(
    connection: Connection, moment: datetime, zone: str
) -> None:
    local = grouping._local(literal(moment, UtcDateTime()), "sqlite", ZoneInfo(zone))
    day = grouping._bucket(local, grouping.DAY, "sqlite")
    expected = moment.astimezone(ZoneInfo(zone)).date().isoformat()
    assert connection.execute(select(day)).scalar_one() == expected
