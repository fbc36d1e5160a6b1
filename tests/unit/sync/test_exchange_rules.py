"""Rules of series, as Exchange holds them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from desktop_crm.core import recurrence
from desktop_crm.core.errors import UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.sync.exchange.mailbox import CALENDAR, ExchangeMailbox
from desktop_crm.sync.exchange.rrule import recurrence_of, rule_of
from desktop_crm.sync.exchange.xml import T
from desktop_crm.sync.writes import Save
from tests.contract.writing_driver import meeting
from tests.ews_server import EwsServer

UTC = dt.UTC

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
STEPS, DAYS, MONTHS = st.integers(1, 6), st.integers(1, 28), st.integers(1, 12)
RULES = st.one_of(
    st.builds("FREQ=DAILY;INTERVAL={}".format, st.integers(1, 30)),
    st.builds(
        "FREQ=WEEKLY;INTERVAL={};BYDAY={};WKST={}".format,
        st.integers(1, 6),
        st.lists(
            st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, unique=True
        ).map(",".join),
        st.sampled_from(["MO", "SU"]),
    ),
    st.builds(
        "FREQ=MONTHLY;INTERVAL={};BYMONTHDAY={}".format, st.integers(1, 6), st.integers(1, 28)
    ),
    st.builds(
        "FREQ=MONTHLY;BYDAY={}{}".format,
        st.sampled_from([1, 2, 3, 4, -1]),
        st.sampled_from(["MO", "WE", "SU"]),
    ),
    st.builds(
        "FREQ=MONTHLY;BYDAY={};BYSETPOS={}".format,
        st.sampled_from(["MO,TU,WE,TH,FR", "SA,SU", "SU,MO,TU,WE,TH,FR,SA"]),
        st.sampled_from([1, 4, -1]),
    ),
    st.builds(
        "FREQ=YEARLY;BYMONTH={};BYMONTHDAY={}".format, st.integers(1, 12), st.integers(1, 28)
    ),
    st.builds("FREQ=YEARLY;BYMONTH={};BYDAY=-1SU".format, st.integers(1, 12)),
    st.sampled_from(
        [
            "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
            "FREQ=WEEKLY",
            "FREQ=MONTHLY",
            "FREQ=YEARLY",
            "FREQ=YEARLY;INTERVAL=2",
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
        ]
    ),
)
ENDS = st.sampled_from(["", ";COUNT=7", ";UNTIL=20270301", ";UNTIL=20270301T070000Z"])


@given(rule=RULES, end=ENDS, month=st.integers(1, 12))
def test_a_rule_written_and_read_again_means_the_same(rule: str, end: str, month: int) -> None:
    zone = ZoneInfo("Europe/Bucharest")
    first = dt.datetime(2026, month, 9, 10)  # noqa: DTZ001  a wall clock
    window = {
        "window_start": dt.datetime(2026, 1, 1, tzinfo=UTC),
        "window_end": dt.datetime(2029, 1, 1, tzinfo=UTC),
    }
    wanted = recurrence.occurrences(rule + end, first, zone, (), **window)
    # A series begins with an occurrence; Exchange counts from the first day that fits.
    assume(bool(wanted) and wanted[0].wall == first)
    again = rule_of(recurrence_of(rule + end, first, zone.key), T)
    assert recurrence.occurrences(again, first, zone, (), **window) == wanted


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=MONTHLY;BYDAY=5MO",
        "FREQ=MONTHLY;BYDAY=MO",
        "FREQ=YEARLY;BYWEEKNO=20",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=YEARLY;INTERVAL=2;BYMONTH=5",
        "FREQ=WEEKLY;BYMONTH=3",
        "FREQ=DAILY;BYSETPOS=1",
        "nothing",
    ],
)
def test_a_rule_exchange_has_no_pattern_for_is_refused(
    ews: EwsServer, mailbox: ExchangeMailbox, rule: str
) -> None:
    with pytest.raises(UserError, match="cannot hold the repetition"):
        mailbox.do(Save(new_uid(), CALENDAR.key, meeting(rrule=rule)))
    assert "CreateItem" not in ews.requests
