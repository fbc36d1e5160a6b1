from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views.calendar import gesture, layout
from desktop_crm.views.calendar.gesture import ALL_DAY, Edge, Slots
from tests.support.company import ZONE, at

DAY = date(2026, 11, 25)


def event(number: int, start: datetime, end: datetime, *, all_day: bool = False) -> AgendaEvent:
    return AgendaEvent(number, 1, start, end, f"event {number}", all_day=all_day)


def whole_days(number: int, first: date, last: date) -> AgendaEvent:
    start, end = gesture.whole_day(first, last)
    return event(number, start, end, all_day=True)


def columns(*events: AgendaEvent) -> dict[int, tuple[int, int]]:
    return {block.event.id: (block.column, block.columns) for block in
            layout.blocks(events, DAY, ZONE)}  # fmt: skip


def test_an_event_alone_has_the_whole_width() -> None:
    assert columns(event(1, at(25, 9), at(25, 10))) == {1: (0, 1)}


def test_overlapping_events_stand_side_by_side() -> None:
    found = columns(
        event(1, at(25, 9), at(25, 11)),
        event(2, at(25, 10), at(25, 12)),
        event(3, at(25, 11), at(25, 12)),
        event(4, at(25, 13), at(25, 14)),
    )
    assert found == {1: (0, 2), 2: (1, 2), 3: (0, 2), 4: (0, 1)}


def test_a_short_event_is_drawn_long_enough_to_hit() -> None:
    block = layout.blocks([event(1, at(25, 9), at(25, 9, 5))], DAY, ZONE)[0]
    assert block.bottom - block.top == layout.SHORTEST_BLOCK


def test_an_event_over_midnight_shows_on_both_days() -> None:
    night = event(1, at(25, 22), at(26, 2))
    first, second = (layout.blocks([night], DAY + timedelta(n), ZONE)[0] for n in (0, 1))
    assert (first.top, first.bottom) == (22 * 60, 24 * 60)
    assert (second.top, second.bottom) == (0, 2 * 60)


def test_an_event_that_ends_at_midnight_is_not_on_the_next_day() -> None:
    assert layout.blocks([event(1, at(24, 22), at(25, 0))], DAY, ZONE) == []


@given(st.lists(st.tuples(st.integers(0, 1380), st.integers(1, 600)), max_size=12))
def test_blocks_of_one_column_never_overlap(spans: list[tuple[int, int]]) -> None:
    midnight = at(25, 0)
    events = [
        event(n, midnight + timedelta(minutes=a), midnight + timedelta(minutes=min(a + b, 1440)))
        for n, (a, b) in enumerate(spans)
    ]
    blocks = layout.blocks(events, DAY, ZONE)
    assert len(blocks) == len(events)
    for one in blocks:
        assert one.column < one.columns
        for other in blocks:
            if one is not other and one.column == other.column:
                assert one.bottom <= other.top or other.bottom <= one.top


def test_bars_take_as_few_rows_as_they_need() -> None:
    days = [DAY + timedelta(n) for n in range(5)]
    bars = layout.strips(
        [whole_days(1, DAY, DAY + timedelta(1)), whole_days(2, DAY + timedelta(2), days[4]),
         whole_days(3, DAY - timedelta(3), DAY)],
        days, ZONE,
    )  # fmt: skip
    by_id = {bar.event.id: bar for bar in bars}
    assert (by_id[1].first, by_id[1].last) == (0, 1)
    assert by_id[2].row == 0
    assert by_id[3].row != by_id[1].row
    assert not by_id[3].begins


@given(
    starts=st.lists(
        st.tuples(st.integers(-10, 50), st.integers(0, 1439), st.integers(0, 5000), st.booleans()),
        max_size=40,
    )
)
def test_every_bar_of_a_month_lies_in_the_first_row_that_is_free(
    starts: list[tuple[int, int, int, bool]],
) -> None:
    """Whole days above hours, the longest first, then as they begin."""
    days = layout.month_days(DAY)
    events = []
    for number, (day, minute, length, all_day) in enumerate(starts):
        begin = at(1, 0) + timedelta(days=day, minutes=0 if all_day else minute)
        whole = whole_days(number, begin.date(), begin.date() + timedelta(minutes=length))
        events.append(whole if all_day else event(number, begin, begin + timedelta(minutes=length)))
    for bars, week in zip(
        layout.weeks(events, days, ZONE), (days[n : n + 7] for n in range(0, 42, 7)), strict=True
    ):
        taken: set[tuple[int, int]] = set()
        expected = []
        spans = [(one, *layout.day_span(one, ZONE)) for one in events]
        inside = [span for span in spans if span[1] <= week[-1] and span[2] >= week[0]]
        inside.sort(
            key=lambda span: (
                max(span[1], week[0]), not layout.covers_days(span[0]),
                max(span[1], week[0]) - span[2], span[0].start, span[0].id,
            )
        )  # fmt: skip
        for one, first, last in inside:
            cells = [n for n, day in enumerate(week) if first <= day <= last]
            row = next(n for n in range(99) if not taken & {(n, cell) for cell in cells})
            taken |= {(row, cell) for cell in cells}
            ends = (first >= week[0], last <= week[-1])
            expected.append((one, row, cells[0], cells[-1], *ends))
        assert [tuple(bar) for bar in bars] == expected


@given(
    zone=st.sampled_from(
        ["Europe/Bucharest", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"]
    ),
    moment=st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
    minutes=st.integers(0, 3000),
)
def test_an_event_ends_on_the_day_its_clock_says(zone: str, moment: datetime, minutes: int) -> None:
    start = moment.replace(tzinfo=UTC)
    end = start + timedelta(minutes=minutes)
    clock = ZoneInfo(zone)
    first = start.astimezone(clock).date()
    last = (end - timedelta(microseconds=1)).astimezone(clock).date()
    assert layout.day_span(event(1, start, end), clock) == (first, max(first, last))


def test_a_day_has_its_hours_even_when_the_clock_changes() -> None:
    spring = date(2026, 3, 29)
    local = datetime.combine(spring, datetime.min.time()) + timedelta(hours=9)
    morning = layout.instant(local, ZONE)
    assert morning == datetime(2026, 3, 29, 6, tzinfo=UTC)
    block = layout.blocks([event(1, morning, morning + timedelta(hours=1))], spring, ZONE)[0]
    assert block.top == 9 * 60


def test_a_moved_event_keeps_its_hour_and_its_length_over_the_change_of_the_clock() -> None:
    zone = ZoneInfo("Europe/Bucharest")
    friday = event(1, datetime(2026, 3, 27, 7, tzinfo=UTC), datetime(2026, 3, 27, 8, tzinfo=UTC))
    start, end = gesture.moved(friday, zone, days=3)
    assert start == datetime(2026, 3, 30, 6, tzinfo=UTC)
    assert end - start == timedelta(hours=1)


def test_an_event_is_never_shorter_than_a_quarter_of_an_hour() -> None:
    one = event(1, at(25, 9), at(25, 10))
    local = layout.wall(at(25, 8), ZONE)
    start, end = gesture.resized(one, ZONE, Edge.END, local)
    assert end - start == timedelta(minutes=15)
    start, end = gesture.resized(one, ZONE, Edge.START, layout.wall(at(25, 12), ZONE))
    assert (start, end) == (at(25, 9, 45), at(25, 10))


def test_the_last_day_of_an_event_moves_and_its_hour_stays() -> None:
    late = event(1, at(25, 22), at(26, 2))
    assert gesture.until_day(late, ZONE, 2) == (at(25, 22), at(28, 2))
    # At two o'clock of its first day it had not begun: the day after is the earliest.
    assert gesture.until_day(late, ZONE, -1) == (at(25, 22), at(26, 2))
    saturday = event(2, datetime(2026, 3, 28, 7, tzinfo=UTC), datetime(2026, 3, 28, 8, tzinfo=UTC))
    start, end = gesture.until_day(saturday, ZONE, 1)
    assert end - start == timedelta(hours=24)  # a day of 23 hours and one more
    fair = whole_days(3, date(2026, 11, 24), date(2026, 11, 26))
    assert gesture.until_day(fair, ZONE, -9) == gesture.whole_day(date(2026, 11, 24))


@pytest.mark.parametrize(("minute", "snapped"), [(7, 0), (8, 15), (52, 45), (1433, 1440)])
def test_snapping(minute: int, snapped: int) -> None:
    assert gesture.snap(minute) == snapped


def test_the_cursor_stays_on_the_page() -> None:
    top = Slots(0, ALL_DAY, ALL_DAY)
    assert top.all_day
    assert top.step(-1, -1, columns=5) == top
    assert Slots(4, 1410, 1410).step(1, 1, columns=5) == Slots(4, 1410, 1410)
    assert Slots(0, 0, 0).step(0, -1, columns=5).all_day


def test_the_cursor_stretches_both_ways() -> None:
    slots = Slots(0, 600, 600).stretch(1).stretch(1)
    assert (slots.start, slots.end) == (600, 690)
    slots = Slots(0, 600, 600).stretch(-1)
    assert (slots.start, slots.end) == (570, 630)


def test_months() -> None:
    assert layout.add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert layout.add_months(date(2026, 1, 31), -2) == date(2025, 11, 30)
    days = layout.month_days(date(2026, 11, 25))
    assert (len(days), days[0]) == (42, date(2026, 10, 26))


def test_thirty_at_once_leave_room_to_say_how_many_are_left_out() -> None:
    hour = [event(n, at(25, 9), at(25, 10)) for n in range(30)]
    alone = event(40, at(25, 14), at(25, 15))
    shown, crowds = layout.fitted(layout.blocks([*hour, alone], DAY, ZONE), 4)
    assert [(one.event.id, one.column, one.columns) for one in shown] == [
        (0, 0, 4), (1, 1, 4), (2, 2, 4), (40, 0, 1),
    ]  # fmt: skip
    assert [(one.top, one.bottom, len(one.events)) for one in crowds] == [(540, 600, 27)]


def test_what_is_left_out_at_different_times_is_counted_apart() -> None:
    long = [event(n, at(25, 8), at(25, 12)) for n in range(2)]
    short = [event(9, at(25, 8), at(25, 9)), event(10, at(25, 11), at(25, 12))]
    shown, crowds = layout.fitted(layout.blocks([*long, *short], DAY, ZONE), 2)
    assert len(shown) == 1
    assert [len(one.events) for one in crowds] == [3]
    shown, crowds = layout.fitted(layout.blocks([*long, *short], DAY, ZONE), 3)
    assert (len(shown), crowds) == (4, [])


def test_how_full_days_are() -> None:
    night = event(1, at(24, 22), at(25, 2))
    fair = whole_days(2, date(2026, 11, 25), date(2026, 11, 26))
    call = event(3, at(25, 9), at(25, 9, 45))
    free = event(4, at(25, 12), at(25, 13))._replace(show_as="free")
    full = layout.fullness([night, fair, call, free], ZONE)
    days = [date(2026, 11, day) for day in (24, 25, 26)]
    assert [full.minutes[day] for day in days] == [120, 120 + 480 + 45, 480]
    assert [full.counts[day] for day in days] == [1, 4, 1]
