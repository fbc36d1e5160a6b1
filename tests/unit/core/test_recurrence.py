from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.core.recurrence import check, last_wall, occurrences

BUCHAREST = ZoneInfo("Europe/Bucharest")
YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def starts(
    rule: str,
    start: datetime,
    zone: ZoneInfo | None = BUCHAREST,
    exdates: Sequence[datetime] = (),
    window: tuple[datetime, datetime] = YEAR,
) -> list[datetime]:
    return [
        one.start
        for one in occurrences(
            rule, start, zone, exdates, window_start=window[0], window_end=window[1]
        )
    ]


def test_wall_clock_stays_when_the_clock_changes() -> None:
    found = starts("FREQ=WEEKLY;BYDAY=MO", wall("2026-01-05 09:00"))
    assert found[0] == datetime(2026, 1, 5, 7, tzinfo=UTC)
    assert datetime(2026, 7, 6, 6, tzinfo=UTC) in found
    assert len(found) == 52


def test_the_end_is_exclusive_and_the_start_inclusive() -> None:
    window = (datetime(2026, 1, 5, 7, tzinfo=UTC), datetime(2026, 1, 12, 7, tzinfo=UTC))
    found = starts("RRULE:FREQ=WEEKLY", wall("2026-01-05 09:00"), window=window)
    assert found == [datetime(2026, 1, 5, 7, tzinfo=UTC)]


def test_count_is_counted_from_the_first_occurrence() -> None:
    window = (datetime(2026, 1, 7, tzinfo=UTC), YEAR[1])
    found = starts("FREQ=DAILY;COUNT=5", wall("2026-01-05 09:00"), window=window)
    assert [moment.day for moment in found] == [7, 8, 9]


@pytest.mark.parametrize("until", ["20260107T070000Z", "20260107T090000", "20260107"])
def test_until_in_each_of_its_spellings_keeps_the_last_day(until: str) -> None:
    found = starts(f"FREQ=DAILY;UNTIL={until}", wall("2026-01-05 09:00"))
    assert [moment.day for moment in found] == [5, 6, 7]


def test_cancelled_occurrences_are_left_out() -> None:
    found = starts(
        "FREQ=DAILY;COUNT=3", wall("2026-01-05 09:00"), exdates=(wall("2026-01-06 09:00"),)
    )
    assert [moment.day for moment in found] == [5, 7]


def test_an_all_day_series_keeps_its_dates() -> None:
    found = starts("FREQ=MONTHLY;COUNT=2", wall("2026-03-29"), zone=None)
    assert [(moment.month, moment.day, moment.hour) for moment in found] == [(3, 29, 0), (4, 29, 0)]


@pytest.mark.parametrize("days", ["BYMONTH=2;BYMONTHDAY=30", "BYMONTH=4,6;BYMONTHDAY=31,-31"])
def test_a_rule_that_never_matches_ends(days: str) -> None:
    found = starts(f"FREQ=DAILY;{days};COUNT=3", wall("2026-01-05 09:00"))
    assert found == [datetime(2026, 1, 5, 7, tzinfo=UTC)]


def test_a_day_that_only_some_years_have_is_found() -> None:
    window = (YEAR[0], datetime(2029, 1, 1, tzinfo=UTC))
    found = starts("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29", wall("2024-02-29 09:00"), window=window)
    assert found == [datetime(2028, 2, 29, 7, tzinfo=UTC)]


def test_a_time_that_does_not_exist_moves_forward() -> None:
    found = starts("FREQ=DAILY;COUNT=1", wall("2026-03-29 03:30"))
    assert found == [datetime(2026, 3, 29, 1, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=SECONDLY",
        "FREQ=DAILY;BYDAY=XX",
        "FREQ=DAILY;UNTIL=x",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=WEEKLY;INTERVAL=0;BYDAY=MO",
        "FREQ=MONTHLY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=99999999999",
        "FREQ=DAILY;INTERVAL=often",
        "FREQ=DAILY;COUNT=0",
    ],
)
def test_an_unreadable_rule_is_one_clear_sentence(rule: str) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        starts(rule, wall("2026-01-05 09:00"))


@pytest.mark.parametrize("until", ["99991231T235959Z", "99991231"])
def test_a_series_that_ends_with_the_last_day_there_is_has_no_other_end(until: str) -> None:
    rule = f"FREQ=WEEKLY;UNTIL={until}"
    begin = wall("2026-12-28 09:00")
    assert starts(rule, begin) == [datetime(2026, 12, 28, 7, tzinfo=UTC)]
    assert last_wall(rule, begin, BUCHAREST) is not None


def test_a_rule_is_looked_at_on_the_first_and_the_last_day_there_is() -> None:
    for first in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)):
        check("FREQ=DAILY", first)
        with pytest.raises(UserError, match="cannot be read"):
            check("FREQ=DAILY;INTERVAL=0", first)


def test_the_last_occurrence_of_a_series() -> None:
    assert last_wall("FREQ=DAILY;COUNT=3", wall("2026-01-05 09:00"), BUCHAREST) == wall(
        "2026-01-07 09:00"
    )
    assert last_wall("FREQ=DAILY", wall("2026-01-05 09:00"), BUCHAREST) is None
