"""Free slots over several people, pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_crm.services.calendar.slots import PersonTimes, Slot, free_slots, merged

BUCHAREST = ZoneInfo("Europe/Bucharest")
NEW_YORK = ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)


def at(day: int, hour: int, minute: int = 0, zone: ZoneInfo = BUCHAREST) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=zone)


def local(found: list[Slot]) -> list[str]:
    return [f"{one.start.astimezone(BUCHAREST):%d %H:%M}" for one in found]


def test_the_next_slots_lie_between_what_is_busy() -> None:
    mine = PersonTimes(BUCHAREST, (Slot(at(25, 9), at(25, 10)), Slot(at(25, 10, 45), at(25, 15))))
    theirs = PersonTimes(BUCHAREST, (Slot(at(25, 15, 30), at(25, 16)),))
    found = free_slots([mine, theirs], at(25, 8), HOUR, 3)
    assert local(found) == ["25 16:00", "26 09:00", "26 10:00"]


def test_half_an_hour_fits_where_an_hour_does_not() -> None:
    mine = PersonTimes(BUCHAREST, (Slot(at(25, 9), at(25, 10)), Slot(at(25, 10, 45), at(25, 17))))
    assert local(free_slots([mine], at(25, 8), timedelta(minutes=30), 1)) == ["25 10:00"]


def test_everybody_must_work_then_in_their_own_zone() -> None:
    people = [PersonTimes(BUCHAREST), PersonTimes(NEW_YORK)]
    found = free_slots(people, at(25, 8), HOUR, 2)
    assert local(found) == ["25 16:00", "26 16:00"]


def test_the_week_end_is_passed_over() -> None:
    assert local(free_slots([PersonTimes(BUCHAREST)], at(27, 16, 10), HOUR, 2)) == [
        "30 09:00", "30 10:00",
    ]  # fmt: skip


def test_nothing_is_offered_where_nothing_fits() -> None:
    tokyo = PersonTimes(ZoneInfo("Asia/Tokyo"))
    assert free_slots([PersonTimes(NEW_YORK), tokyo], at(25, 8), HOUR, 3) == []


def test_unknown_times_count_as_free_and_are_shown_as_unknown() -> None:
    assert local(free_slots([PersonTimes(BUCHAREST, None)], at(25, 8), HOUR, 1)) == ["25 09:00"]


def test_slots_are_kept_apart() -> None:
    found = free_slots([PersonTimes(BUCHAREST)], at(25, 8), HOUR, 3, apart=timedelta(hours=3))
    assert local(found) == ["25 09:00", "25 12:00", "25 15:00"]


SLOTS = st.builds(
    lambda start, length: Slot(
        datetime(2026, 11, 23, tzinfo=UTC) + timedelta(minutes=start),
        datetime(2026, 11, 23, tzinfo=UTC) + timedelta(minutes=start + length),
    ),
    st.integers(0, 60 * 24 * 12),
    st.integers(0, 900),
)


@settings(max_examples=100, deadline=None)
@given(busy=st.lists(SLOTS, max_size=30), minutes=st.sampled_from([15, 30, 60, 150]))
def test_no_slot_touches_busy_time_and_none_that_fits_is_missed(
    busy: list[Slot], minutes: int
) -> None:
    length = timedelta(minutes=minutes)
    person = PersonTimes(BUCHAREST, tuple(busy))
    found = free_slots([person], datetime(2026, 11, 23, tzinfo=UTC), length, 6)
    for one in found:
        assert person.works(one)
        assert all(one.end <= b.start or b.end <= one.start for b in busy if b.end > b.start)
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    while moment < found[0].start:
        slot = Slot(moment, moment + length)
        free = all(slot.end <= b.start or b.end <= slot.start for b in busy if b.end > b.start)
        assert not (free and person.works(slot))
        moment += timedelta(minutes=30)


@given(st.lists(SLOTS, max_size=30))
def test_merged_slots_are_apart_and_in_order(given_slots: list[Slot]) -> None:
    found = merged(given_slots)
    assert all(a.end < b.start for a, b in pairwise(found))
