"""Changing a series at one date, from a date on, and as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import PermissionDenied, UserError, ValidationFailed
from desktop_crm.core.recurrence_pattern import Frequency
from desktop_crm.models import Activity
from desktop_crm.services import records, undo
from desktop_crm.services.calendar import agenda, reminders, series_edits, series_facts
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.services.calendar.series_edits import Reach
from tests.support.company import NOW, ZONE, Company, at, small_company

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)


def on(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


@pytest.fixture
def company(sqlite_db: Database) -> Company:
    clock.use_clock(lambda: NOW)
    return small_company(sqlite_db)


def series_of(company: Company, rule: str, **values: Any) -> int:
    return company.add(
        "activity", "weekly",
        {"subject": "Review", "kind": "appointment", "start_at": at(3, 9), "end_at": at(3, 10),
         "recurrence_rule": rule, "time_zone": "Europe/Bucharest",
         "owner": company.actor.user_id, **values},
    )  # fmt: skip


def shown(company: Company, title: str = "Review") -> list[AgendaEvent]:
    found = agenda.events(company.actor, START, END)
    return [event for event in found if event.title == title]


def starts(company: Company, title: str = "Review") -> list[str]:
    return [f"{event.start.astimezone(ZONE):%m-%d %H:%M}" for event in shown(company, title)]


def pick(company: Company, day: date) -> AgendaEvent:
    return next(one for one in shown(company) if one.start.astimezone(ZONE).date() == day)


def move(
    company: Company, day: date, reach: Reach, start: datetime, **more: Any
) -> series_edits.Edited:
    event = pick(company, day)
    assert event.original is not None
    values = {"start_at": start, "end_at": start + (event.end - event.start), **more}
    return series_edits.change(company.actor, event.id, event.original, reach, values)


def values_of(company: Company, key: int) -> Mapping[str, Any]:
    return records.get(company.actor, "activity", key).values


TUESDAYS = ["11-03 09:00", "11-10 09:00", "11-17 09:00", "11-24 09:00", "12-01 09:00"]


def test_one_occurrence_moves_alone_and_is_taken_back(company: Company) -> None:
    series_of(company, "FREQ=WEEKLY;COUNT=5")
    assert starts(company) == TUESDAYS
    moved = move(company, date(2026, 11, 17), Reach.THIS, at(18, 15))
    assert starts(company) == [*TUESDAYS[:2], "11-18 15:00", *TUESDAYS[3:]]
    instance = values_of(company, moved.activity)
    assert instance["recurrence_id"] == "2026-11-17T07:00:00+00:00"
    assert instance["recurrence_rule"] is None
    undo.undo(company.actor)
    assert starts(company) == TUESDAYS


def test_a_moved_occurrence_is_moved_again_in_place(company: Company) -> None:
    series_of(company, "FREQ=WEEKLY;COUNT=5")
    first = move(company, date(2026, 11, 17), Reach.THIS, at(18, 15))
    again = move(company, date(2026, 11, 18), Reach.THIS, at(19, 8))
    assert again.activity == first.activity
    assert starts(company) == [*TUESDAYS[:2], "11-19 08:00", *TUESDAYS[3:]]


def test_the_following_ones_move_and_the_earlier_stay(company: Company) -> None:
    key = series_of(
        company, "FREQ=WEEKLY;COUNT=5", recurrence_exceptions=["2026-12-01T07:00:00+00:00"]
    )
    edited = move(company, date(2026, 11, 17), Reach.FOLLOWING, at(18, 10, 30))
    assert starts(company) == ["11-03 09:00", "11-10 09:00", "11-18 10:30", "11-25 10:30"]
    assert values_of(company, key)["recurrence_rule"] == "FREQ=WEEKLY;COUNT=2"
    rest = values_of(company, edited.activity)
    assert rest["recurrence_rule"].endswith("COUNT=3")
    assert rest["recurrence_exceptions"] == ["2026-12-02T08:30:00+00:00"]
    undo.undo(company.actor)
    assert starts(company) == TUESDAYS[:4]


def test_an_end_by_date_is_kept_by_the_rest(company: Company) -> None:
    key = series_of(company, "FREQ=WEEKLY;UNTIL=20261201T070000Z")
    edited = move(company, date(2026, 11, 17), Reach.FOLLOWING, at(17, 11))
    assert starts(company) == [
        "11-03 09:00", "11-10 09:00", "11-17 11:00", "11-24 11:00", "12-01 11:00",
    ]  # fmt: skip
    assert values_of(company, key)["recurrence_rule"].endswith("UNTIL=20261110T070000Z")
    rest = values_of(company, edited.activity)["recurrence_rule"]
    assert rest.endswith("UNTIL=20261201T090000Z")


def test_all_move_and_what_was_said_of_single_dates_follows(company: Company) -> None:
    series_of(company, "FREQ=WEEKLY;BYDAY=TU;COUNT=5")
    first = pick(company, date(2026, 11, 10))
    series_edits.delete(company.actor, first.id, first.start, Reach.THIS)
    move(company, date(2026, 11, 24), Reach.THIS, at(26, 9))
    move(company, date(2026, 11, 17), Reach.ALL, at(18, 14))
    assert starts(company) == ["11-04 14:00", "11-18 14:00", "11-26 09:00", "12-02 14:00"]


def test_one_weekday_of_several_moves_for_all(company: Company) -> None:
    series_of(company, "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=6")
    move(company, date(2026, 11, 12), Reach.ALL, at(13, 9))
    assert starts(company) == [
        "11-03 09:00", "11-06 09:00", "11-10 09:00", "11-13 09:00", "11-17 09:00", "11-20 09:00",
    ]  # fmt: skip


def test_the_first_weekday_moves_behind_the_second(company: Company) -> None:
    series_of(company, "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=4")
    move(company, date(2026, 11, 3), Reach.ALL, at(6, 9))
    assert starts(company) == ["11-05 09:00", "11-06 09:00", "11-12 09:00", "11-13 09:00"]


@pytest.mark.parametrize("reach", [Reach.ALL, Reach.FOLLOWING])
def test_no_date_comes_up_in_a_week_that_began_later(company: Company, reach: Reach) -> None:
    # It begins on Thursday; the Mondays move to Friday, and the first Friday stays free.
    series_of(
        company, "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=5", start_at=at(5, 9), end_at=at(5, 10)
    )  # fmt: skip
    before = ["11-05 09:00", "11-09 09:00", "11-12 09:00", "11-16 09:00", "11-19 09:00"]
    assert starts(company) == before
    move(company, date(2026, 11, 9), reach, at(13, 9))
    assert starts(company) == [
        "11-05 09:00", "11-12 09:00", "11-13 09:00", "11-19 09:00", "11-20 09:00",
    ]  # fmt: skip


def test_a_series_keeps_its_hour_over_the_change_of_the_clock(company: Company) -> None:
    company.add(
        "activity", "dst",
        {"subject": "Review", "kind": "appointment",
         "start_at": datetime(2026, 10, 19, 6, tzinfo=UTC),
         "end_at": datetime(2026, 10, 19, 7, tzinfo=UTC),
         "recurrence_rule": "FREQ=WEEKLY;COUNT=4", "time_zone": "Europe/Bucharest",
         "owner": company.actor.user_id},
    )  # fmt: skip
    event = pick(company, date(2026, 11, 2))
    assert event.start == datetime(2026, 11, 2, 7, tzinfo=UTC)
    assert event.original is not None
    start = event.start + timedelta(hours=2)
    series_edits.change(
        company.actor, event.id, event.original, Reach.ALL,
        {"start_at": start, "end_at": start + timedelta(hours=1)},
    )  # fmt: skip
    found = agenda.events(company.actor, datetime(2026, 10, 1, tzinfo=UTC), END)
    hours = {f"{one.start.astimezone(ZONE):%H:%M}" for one in found if one.title == "Review"}
    assert hours == {"11:00"}


def test_a_monthly_series_does_not_leave_its_month(company: Company) -> None:
    series_of(company, "FREQ=MONTHLY;BYMONTHDAY=3")
    with pytest.raises(UserError, match="another month"):
        move(company, date(2026, 11, 3), Reach.ALL, on(12, 1, 9))
    move(company, date(2026, 11, 3), Reach.ALL, at(5, 9))
    assert starts(company) == ["11-05 09:00", "12-05 09:00"]


@pytest.mark.parametrize(
    ("reach", "left"),
    [
        (Reach.THIS, [*TUESDAYS[:2], *TUESDAYS[3:]]),
        (Reach.FOLLOWING, TUESDAYS[:2]),
        (Reach.ALL, []),
    ],
)
def test_deleting_is_taken_back_in_one_step(
    company: Company, reach: Reach, left: list[str]
) -> None:
    series_of(company, "FREQ=WEEKLY;COUNT=5")
    event = pick(company, date(2026, 11, 17))
    assert event.original is not None
    series_edits.delete(company.actor, event.id, event.original, reach)
    assert starts(company) == left
    undo.undo(company.actor)
    assert starts(company) == TUESDAYS


def test_deleting_a_changed_occurrence_does_not_bring_the_old_one_back(company: Company) -> None:
    series_of(company, "FREQ=WEEKLY;COUNT=5")
    move(company, date(2026, 11, 17), Reach.THIS, at(18, 15))
    event = pick(company, date(2026, 11, 18))
    assert event.original is not None
    series_edits.delete(company.actor, event.id, event.original, Reach.THIS)
    assert starts(company) == [*TUESDAYS[:2], *TUESDAYS[3:]]


def test_whole_days_follow_as_dates(company: Company) -> None:
    series_of(
        company, "FREQ=WEEKLY;COUNT=3", is_all_day=True, time_zone=None,
        start_at=datetime(2026, 11, 3, tzinfo=UTC), end_at=datetime(2026, 11, 4, tzinfo=UTC),
    )  # fmt: skip
    event = shown(company)[1]
    assert event.original is not None
    series_edits.delete(company.actor, event.id, event.original, Reach.THIS)
    event = shown(company)[1]
    assert event.original is not None
    start = event.start + timedelta(days=1)
    series_edits.change(
        company.actor, event.id, event.original, Reach.ALL,
        {"start_at": start, "end_at": start + timedelta(days=1)},
    )  # fmt: skip
    days = [one.start.date().isoformat() for one in shown(company)]
    assert days == ["2026-11-04", "2026-11-18"]


def test_a_new_rule_drops_the_changed_dates_it_no_longer_gives(company: Company) -> None:
    series_of(company, "FREQ=WEEKLY;BYDAY=TU;COUNT=5")
    move(company, date(2026, 11, 17), Reach.THIS, at(18, 15))
    event = pick(company, date(2026, 11, 3))
    assert event.original is not None
    series_edits.change(
        company.actor, event.id, event.original, Reach.ALL,
        {"recurrence_rule": "FREQ=WEEKLY;BYDAY=TH;COUNT=2"},
    )  # fmt: skip
    assert starts(company) == ["11-05 09:00", "11-12 09:00"]


def test_a_series_stops_repeating(company: Company) -> None:
    series_of(company, "FREQ=WEEKLY;COUNT=5")
    event = pick(company, date(2026, 11, 17))
    assert event.original is not None
    series_edits.change(
        company.actor, event.id, event.original, Reach.ALL, {"recurrence_rule": None}
    )
    assert starts(company) == ["11-17 09:00"]


def test_what_is_said_of_all_reaches_occurrences_that_said_the_same(company: Company) -> None:
    series_of(company, "FREQ=WEEKLY;COUNT=3", location="Room 1")
    moved = move(company, date(2026, 11, 10), Reach.THIS, at(11, 9))
    event = pick(company, date(2026, 11, 3))
    assert event.original is not None
    series_edits.change(company.actor, event.id, event.original, Reach.ALL, {"location": "Room 2"})
    assert {one.place for one in shown(company)} == {"Room 2"}
    assert values_of(company, moved.activity)["start_at"] == at(11, 9)


def test_participants_are_taken_over(company: Company) -> None:
    series_of(
        company, "FREQ=WEEKLY;COUNT=5",
        parties=[{"address": "claire@rossi.example", "participation": "required"}],
    )  # fmt: skip
    edited = move(company, date(2026, 11, 17), Reach.FOLLOWING, at(17, 11))
    lines = records.get(company.actor, "activity", edited.activity).lines["parties"]
    assert [line["address"] for line in lines] == ["claire@rossi.example"]


def test_a_stranger_changes_nothing(company: Company) -> None:
    key = series_of(company, "FREQ=WEEKLY;COUNT=5")
    with pytest.raises(PermissionDenied):
        series_edits.change(company.other, key, at(17, 9), Reach.THIS, {"location": "x"})
    with pytest.raises(PermissionDenied):
        series_edits.delete(company.other, key, at(17, 9), Reach.ALL)
    assert starts(company) == TUESDAYS


def test_a_date_that_is_gone_is_not_made_again(company: Company) -> None:
    key = series_of(company, "FREQ=WEEKLY;COUNT=5")
    with pytest.raises(UserError, match="no longer part"):
        series_edits.change(company.actor, key, at(18, 9), Reach.THIS, {"location": "x"})


def test_an_unknown_zone_is_kept_until_another_is_chosen(company: Company) -> None:
    key = series_of(company, "FREQ=WEEKLY;COUNT=5", time_zone="Customized Time Zone 3")
    assert starts(company) == TUESDAYS
    facts = series_facts.read(company.actor, key, at(3, 9))
    series_facts.save(company.actor, facts, "FREQ=WEEKLY;COUNT=3", facts.zone, Reach.ALL)
    assert starts(company) == TUESDAYS[:3]
    assert values_of(company, key)["time_zone"] == "Customized Time Zone 3"
    facts = series_facts.read(company.actor, key, at(3, 9))
    series_facts.save(company.actor, facts, facts.rule, ZoneInfo("Europe/London"), Reach.ALL)
    assert starts(company) == TUESDAYS[:3]
    assert values_of(company, key)["time_zone"] == "Europe/London"


def test_the_editor_of_a_changed_occurrence_shows_its_series(company: Company) -> None:
    key = series_of(company, "FREQ=WEEKLY;COUNT=5")
    moved = move(company, date(2026, 11, 17), Reach.THIS, at(18, 15))
    facts = series_facts.read(company.actor, moved.activity, at(17, 9))
    assert (facts.activity, facts.rule, facts.changed) == (key, "FREQ=WEEKLY;COUNT=5", 1)


def test_a_series_is_parted_and_reminds_on_a_server_too(postgres_db: Database) -> None:
    clock.use_clock(lambda: NOW)
    company = small_company(postgres_db)
    series_of(company, "FREQ=WEEKLY;COUNT=5", reminder_minutes=15)
    move(company, date(2026, 12, 1), Reach.FOLLOWING, on(12, 2, 10))
    assert starts(company) == [*TUESDAYS[:4], "12-02 10:00"]
    found = reminders.due(company.actor, on(12, 2, 9, 45))
    assert [one.begins for one in found] == [on(12, 2, 10)]
    undo.undo(company.actor)
    assert starts(company) == TUESDAYS


# --- rules nobody can follow --------------------------------------------------------------------


def test_a_rule_nobody_can_follow_is_refused_where_it_is_given(company: Company) -> None:
    for rule in ("FREQ=DAILY;INTERVAL=0", "every monday"):
        with pytest.raises(ValidationFailed, match="can be followed"):
            series_of(company, rule)
    key = series_of(company, "FREQ=WEEKLY;UNTIL=99991231T235959Z")
    assert starts(company)[:2] == ["11-03 09:00", "11-10 09:00"]
    with pytest.raises(ValidationFailed, match="can be followed"):
        records.save(company.actor, "activity", key, None, {"recurrence_rule": "FREQ=NEVER"})


def test_a_series_with_such_a_rule_is_shown_once_and_can_be_mended(company: Company) -> None:
    """One that a file brought before such rules were left out."""
    key = series_of(company, "FREQ=WEEKLY")
    table = Activity.__table__
    with company.actor.db.writing() as connection:
        broken = {"recurrence_rule": "FREQ=DAILY;INTERVAL=0"}
        connection.execute(table.update().where(table.c.id == key).values(broken))
    assert starts(company) == ["11-03 09:00"]
    records.save(company.actor, "activity", key, None, {"subject": "Review"})
    facts = series_facts.read(company.actor, key, None)
    assert facts.pattern.frequency is Frequency.WEEKLY
    series_facts.save(
        company.actor, facts, facts.rule_of(facts.pattern, facts.zone), facts.zone, Reach.ALL
    )
    assert starts(company)[:2] == ["11-03 09:00", "11-10 09:00"]


def test_a_series_of_meetings_longer_than_years_leaves_the_calendar_readable(
    company: Company,
) -> None:
    series_of(company, "FREQ=YEARLY", end_at=datetime(9990, 1, 1, tzinfo=UTC))
    assert starts(company) == ["11-03 09:00"]
