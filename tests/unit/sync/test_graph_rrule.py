"""Recurrence as Microsoft Graph tells it, both ways."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_crm.sync.graph.rrule import Untellable, recurrence_of, rule_of

START = dt.datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001  a wall clock


@pytest.mark.parametrize(
    ("pattern", "span", "rule"),
    [
        ({"type": "daily", "interval": 2}, {}, "FREQ=DAILY;INTERVAL=2"),
        (
            {
                "type": "weekly",
                "interval": 1,
                "daysOfWeek": ["monday", "friday"],
                "firstDayOfWeek": "sunday",
            },
            {"type": "numbered", "numberOfOccurrences": 4},
            "FREQ=WEEKLY;BYDAY=MO,FR;WKST=SU;COUNT=4",
        ),
        (
            {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31},
            {"type": "endDate", "endDate": "2026-12-31"},
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1;UNTIL=20261231",
        ),
        (
            {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["tuesday"], "index": "last"},
            {"type": "noEnd"},
            "FREQ=MONTHLY;BYDAY=-1TU",
        ),
        (
            {"type": "absoluteYearly", "interval": 1, "month": 12, "dayOfMonth": 31},
            {"type": "noEnd"},
            "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31",
        ),
        (
            {
                "type": "relativeYearly",
                "interval": 1,
                "month": 5,
                "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
                "index": "first",
            },
            {"type": "noEnd"},
            "FREQ=YEARLY;BYMONTH=5;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
        ),
    ],
)
def test_what_graph_says_as_a_rule_and_back(
    pattern: dict[str, Any], span: dict[str, Any], rule: str
) -> None:
    assert rule_of({"pattern": pattern, "range": span}) == rule
    written = recurrence_of(rule, START, "UTC")
    assert rule_of(written) == rule
    assert written["range"]["startDate"] == "2026-03-02"


DAYS = st.lists(
    st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, unique=True
)
INTERVAL = st.integers(1, 12).map(lambda n: f";INTERVAL={n}" if n > 1 else "")
ENDS = st.one_of(
    st.just(""),
    st.integers(1, 200).map(lambda n: f";COUNT={n}"),
    st.dates(dt.date(2026, 3, 3), dt.date(2030, 1, 1)).map(lambda d: f";UNTIL={d:%Y%m%d}"),
)
NTH = st.sampled_from([1, 2, 3, 4, -1])
RULES = st.one_of(
    st.builds(lambda i: f"FREQ=DAILY{i}", INTERVAL),
    st.builds(lambda i, d: f"FREQ=WEEKLY{i};BYDAY={','.join(d)};WKST=MO", INTERVAL, DAYS),
    st.builds(lambda i, n: f"FREQ=MONTHLY{i};BYMONTHDAY={n}", INTERVAL, st.integers(1, 28)),
    st.builds(lambda i, n, d: f"FREQ=MONTHLY{i};BYDAY={n}{d[0]}", INTERVAL, NTH, DAYS),
    st.builds(
        lambda m, n: f"FREQ=YEARLY;BYMONTH={m};BYMONTHDAY={n}",
        st.integers(1, 12),
        st.integers(1, 28),
    ),
)


@given(RULES, ENDS)
def test_a_rule_graph_can_tell_comes_back_as_it_was(rule: str, ends: str) -> None:
    assert rule_of(recurrence_of(rule + ends, START, "UTC")) == rule + ends


def test_a_rule_without_days_takes_them_from_the_start() -> None:
    assert rule_of(recurrence_of("FREQ=WEEKLY", START, "UTC")) == "FREQ=WEEKLY;BYDAY=MO;WKST=MO"
    assert rule_of(recurrence_of("FREQ=MONTHLY", START, "UTC")) == "FREQ=MONTHLY;BYMONTHDAY=2"


def test_an_end_as_an_instant_is_a_day_of_the_wall_clock() -> None:
    # 23:30 in London on the 9th is already the 10th in Bucharest.
    written = recurrence_of("FREQ=DAILY;UNTIL=20260609T223000Z", START, "GTB Standard Time")
    assert written["range"]["endDate"] == "2026-06-10"
    assert written["range"]["recurrenceTimeZone"] == "GTB Standard Time"


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY",
        "FREQ=DAILY;BYHOUR=9,15",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYDAY=5MO",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=YEARLY;BYMONTH=1,7",
        "FREQ=MONTHLY;BYDAY=MO",
    ],
)
def test_a_rule_graph_has_no_pattern_for_is_not_bent(rule: str) -> None:
    with pytest.raises(Untellable):
        recurrence_of(rule, START, "UTC")


@pytest.mark.parametrize(
    "recurrence", [{"pattern": {"type": "hourly"}, "range": {}}, {"pattern": {"type": "weekly"}}]
)
def test_a_pattern_nobody_knows_is_an_error(recurrence: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError)):
        rule_of(recurrence)
