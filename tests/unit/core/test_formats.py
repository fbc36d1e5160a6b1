"""Dates, numbers and moments as people of either language write and read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats

ZONE = ZoneInfo("Europe/Bucharest")
EN, RO = Formats("en", ZONE), Formats("ro", ZONE)


@pytest.mark.parametrize(
    ("typed", "english", "romanian"),
    [
        ("1234.5", "1234.5", "1234.5"),
        ("1,234.50", "1234.50", "1234.50"),
        ("1.234,50", "1234.50", "1234.50"),
        ("1.234", "1.234", "1234"),
        ("1,234", "1234", "1.234"),
        ("12345.678", "12345.678", "12345.678"),
        ("1 234 567,89", "1234567.89", "1234567.89"),
        ("1'234'567", "1234567", "1234567"),
        ("1.234.567", "1234567", "1234567"),
        ("-0,5", "-0.5", "-0.5"),
        ("\u22125", "-5", "-5"),
        ("+5", "5", "5"),
        (".5", "0.5", "0.5"),
        ("5.", "5", "5"),
        ("1e3", "1000", "1000"),
    ],
)
def test_typed_numbers(typed: str, english: str, romanian: str) -> None:
    assert EN.parse_decimal(typed) == Decimal(english)
    assert RO.parse_decimal(typed) == Decimal(romanian)


@pytest.mark.parametrize(
    "typed", ["", "abc", "1.2.3", "1.2.2026", "12.34.567", "1,2,3.4", "1..2", ",", "5-", "1_0", "٣",
              "inf", "nan", "0x1", "1e99", "1,23,456"],
)  # fmt: skip
def test_no_numbers(typed: str) -> None:
    for formats in (EN, RO):
        with pytest.raises(UserError, match="is not a number"):
            formats.parse_decimal(typed)


def test_shown_numbers() -> None:
    amount = Decimal("1234567.5")
    assert EN.money(amount, "EUR") == "1,234,567.50 EUR"
    assert RO.money(amount, "EUR") == "1.234.567,50 EUR"
    assert EN.money(amount, "JPY").endswith("JPY")
    assert EN.number(Decimal("12.500")) == "12.5"
    assert EN.number(Decimal(1200)) == "1,200"
    assert (EN.percent(Decimal(19)), RO.percent(Decimal("19.5"))) == (
        "19%",
        "19,5\N{NO-BREAK SPACE}%",
    )


@pytest.mark.parametrize(
    "typed", ["2026-11-02", "02.11.2026", "2/11/2026", "2-11-26", "2 nov 2026", "2 November 2026",
              "2. noiembrie 2026", "02 nov. 2026", "2026-11-02T10:00"],
)  # fmt: skip
def test_typed_days(typed: str) -> None:
    assert RO.parse_date(typed) == date(2026, 11, 2)


@pytest.mark.parametrize("typed", ["", "31.02.2026", "2026-13-01", "tomorrow", "11/2026", "1.1.1"])
def test_no_days(typed: str) -> None:
    with pytest.raises(UserError, match="is not a date"):
        EN.parse_date(typed)


@pytest.mark.parametrize(
    ("typed", "hour", "minute"),
    [
        ("2026-07-01 14:30", 11, 30),
        ("1.7.2026 14:30", 11, 30),
        ("1.7.2026, 2:30 pm", 11, 30),
        ("1.7.2026 12:30 am", None, 30),
        ("1.7.2026 12:30 PM", 9, 30),
        ("2026-07-01T14:30:00+02:00", 12, 30),
        ("2026-07-01T14:30:00Z", 14, 30),
    ],
)
def test_typed_moments(typed: str, hour: int | None, minute: int) -> None:
    wanted = datetime(2026, 6, 30, 21, 30, tzinfo=UTC)
    if hour is not None:
        wanted = datetime(2026, 7, 1, hour, minute, tzinfo=UTC)
    assert EN.parse_datetime(typed) == wanted


def test_a_day_is_its_midnight_in_the_persons_zone() -> None:
    assert EN.parse_datetime("1.7.2026") == datetime(2026, 6, 30, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    "typed", ["", "1.7.2026 25:00", "1.7.2026 noon", "14:30", "0001-01-01T00:00+14:00"]
)
def test_no_moments(typed: str) -> None:
    with pytest.raises(UserError):
        EN.parse_datetime(typed)


def test_the_first_and_the_last_moment_are_shown_everywhere() -> None:
    """Programs write them for "never"; a list that holds one is read all the same."""
    west = Formats("en", ZoneInfo("America/New_York"))
    first = datetime(1, 1, 1, tzinfo=UTC)
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    assert west.datetime(first) == "01 Jan 0001 00:00"
    assert EN.datetime(last) == "31 Dec 9999 23:59"
    assert EN.time(last) == "23:59"
    assert EN.relative_day(last) == "31 Dec 9999"


def test_shown_days_and_moments() -> None:
    moment = datetime(2026, 11, 22, 7, 5, tzinfo=UTC)
    assert EN.date(moment.date()) == "22 Nov 2026"
    assert RO.date(moment.date()) == "22 nov. 2026"
    assert EN.datetime(moment) == "22 Nov 2026 09:05"
    clock.use_clock(lambda: moment)
    assert EN.relative_day(moment) == "09:05"
    assert EN.relative_day(moment - timedelta(days=1)) == "Yesterday"
    assert EN.relative_day(moment + timedelta(days=1)) == "Tomorrow"
    assert EN.relative_day(moment - timedelta(days=9)) == "13 Nov 2026"
    # Late in the evening UTC, the person's day is the next one already.
    clock.use_clock(lambda: datetime(2026, 11, 22, 23, 0, tzinfo=UTC))
    assert clock.today() == date(2026, 11, 22)
    assert clock.today(ZONE) == date(2026, 11, 23)
