"""What commands write."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from desktop_crm.cli.console import dumps, number, table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("71216.8200"), "71216.82"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.000001"), "0.000001"),
        (Decimal("-0.50"), "-0.5"),
        (Decimal("123456789012345.6789"), "123456789012345.6789"),
        (Decimal(0), "0"),
    ],
)
def test_numbers_keep_every_digit(value: Decimal, text: str) -> None:
    assert number(value) == text
    assert dumps(value) == text


def test_json_is_one_line_whatever_is_in_it() -> None:
    nasty = 'line\nbreak\u2028and\u2029and\x85"quotes" și țară'
    text = dumps({"a": [nasty, None, True, 3], "b": {"c": Decimal("1.10")}})

    assert len(text.splitlines()) == 1
    assert json.loads(text) == {"a": [nasty, None, True, 3], "b": {"c": 1.1}}
    assert "și țară" in text


def test_moments_are_utc_and_days_are_days() -> None:
    moment = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert dumps(moment) == '"2026-02-28T23:30:00Z"'
    assert dumps(datetime(2026, 3, 1, tzinfo=UTC)) == '"2026-03-01T00:00:00Z"'
    assert dumps(date(2026, 3, 1)) == '"2026-03-01"'


def test_a_table_is_aligned_by_what_is_seen() -> None:
    text = table(["Name", "Total"], [["Ștefan", "1.5"], ["日本", "100"]], [False, True])

    assert text.splitlines() == [
        "Name    Total",
        "------  -----",
        "Ștefan    1.5",
        "日本      100",
    ]


def test_long_and_broken_texts_stay_in_their_cell() -> None:
    body = table(["Text"], [["x" * 200], ["two\nlines"]]).splitlines()

    assert len(body[2]) == 60
    assert body[2].endswith("…")
    assert body[3] == "two lines"
