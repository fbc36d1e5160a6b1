"""Reminders: when they are due, put off, dismissed, and what a series reminds of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from desktop_crm.core import clock
from desktop_crm.services import records, steps, undo
from desktop_crm.services.calendar import reminders, series_edits
from desktop_crm.services.calendar.series_edits import Reach
from tests.support.company import NOW, Company, at, small_company

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database


@pytest.fixture
def company(sqlite_db: Database) -> Company:
    clock.use_clock(lambda: NOW)
    return small_company(sqlite_db)


def add(company: Company, name: str, **values: Any) -> int:
    return company.add(
        "activity", name,
        {"subject": name, "kind": "appointment", "reminder_minutes": 15,
         "owner": company.actor.user_id, **values},
    )  # fmt: skip


def due(company: Company, moment: datetime) -> list[tuple[str, datetime]]:
    return [(one.title, one.begins) for one in reminders.due(company.actor, moment)]


def test_a_meeting_reminds_before_it_begins_and_later(company: Company) -> None:
    add(company, "demo 2", start_at=at(25, 14), end_at=at(25, 15))
    assert due(company, at(25, 13, 44)) == []
    assert due(company, at(25, 13, 45)) == [("demo 2", at(25, 14))]
    # The computer slept over it: it is still there.
    assert due(company, at(26, 9)) == [("demo 2", at(25, 14))]


def test_a_task_reminds_before_it_is_due(company: Company) -> None:
    add(company, "letter", kind="task", due_at=at(25, 17), reminder_minutes=60)
    assert due(company, at(25, 15, 59)) == []
    assert due(company, at(25, 16)) == [("letter", at(25, 17))]


def test_a_whole_day_begins_at_midnight_of_ones_own_zone(company: Company) -> None:
    add(
        company, "fair", is_all_day=True, reminder_minutes=18 * 60,
        start_at=datetime(2026, 11, 27, tzinfo=UTC), end_at=datetime(2026, 11, 28, tzinfo=UTC),
    )  # fmt: skip
    assert due(company, at(26, 5, 59)) == []
    assert due(company, at(26, 6)) == [("fair", at(27, 0))]


def test_putting_off_and_dismissing(company: Company) -> None:
    key = add(company, "demo 2", start_at=at(25, 14), end_at=at(25, 15))
    reminders.snooze(company.actor, [key], at(25, 13, 55))
    assert due(company, at(25, 13, 50)) == []
    assert due(company, at(25, 13, 55)) == [("demo 2", at(25, 14))]
    reminders.dismiss(company.actor, [key])
    assert due(company, at(26, 9)) == []


def test_neither_is_a_step_to_take_back_or_a_change_of_the_record(company: Company) -> None:
    key = add(company, "demo 2", start_at=at(25, 14), end_at=at(25, 15))
    version = records.get(company.actor, "activity", key).version
    step = steps.last(company.actor)
    reminders.snooze(company.actor, [key], at(25, 13, 55))
    reminders.dismiss(company.actor, [key])
    assert steps.last(company.actor) == step
    assert records.get(company.actor, "activity", key).version == version


def test_only_ones_own_activities_remind(company: Company) -> None:
    key = add(company, "demo 2", start_at=at(25, 14), end_at=at(25, 15))
    assert reminders.due(company.other, at(25, 14)) == ()
    reminders.dismiss(company.other, [key])
    assert due(company, at(25, 14)) == [("demo 2", at(25, 14))]


def test_what_is_done_or_deleted_reminds_no_more(company: Company) -> None:
    done = add(company, "done", start_at=at(25, 14), end_at=at(25, 15))
    gone = add(company, "gone", start_at=at(25, 14), end_at=at(25, 15))
    records.save(company.actor, "activity", done, None, {"state": "completed"})
    records.delete(company.actor, "activity", [gone])
    assert due(company, at(25, 14)) == []
    undo.undo(company.actor)
    assert due(company, at(25, 14)) == [("gone", at(25, 14))]


def test_moving_reminds_again_and_taking_it_back_too(company: Company) -> None:
    key = add(company, "demo 2", start_at=at(25, 14), end_at=at(25, 15))
    reminders.dismiss(company.actor, [key])
    records.save(
        company.actor, "activity", key, None, {"start_at": at(25, 16), "end_at": at(25, 17)}
    )
    assert due(company, at(25, 15, 44)) == []
    assert due(company, at(25, 15, 45)) == [("demo 2", at(25, 16))]
    undo.undo(company.actor)
    assert due(company, at(25, 13, 45)) == [("demo 2", at(25, 14))]


def test_something_long_past_does_not_begin_to_remind(company: Company) -> None:
    add(company, "old", start_at=at(3, 14), end_at=at(3, 15))
    assert due(company, at(25, 14)) == []


def test_a_series_reminds_of_each_occurrence(company: Company) -> None:
    key = add(
        company, "weekly", start_at=at(4, 14), end_at=at(4, 15),
        recurrence_rule="FREQ=WEEKLY", time_zone="Europe/Bucharest",
    )  # fmt: skip
    assert due(company, at(25, 13, 45)) == [("weekly", at(25, 14))]
    clock.use_clock(lambda: at(25, 13, 50))
    reminders.snooze(company.actor, [key], at(25, 13, 55))
    assert due(company, at(25, 13, 55)) == [("weekly", at(25, 14))]
    reminders.dismiss(company.actor, [key])
    assert due(company, at(26, 9)) == []
    following = at(25, 14) + timedelta(days=7)
    assert due(company, following - timedelta(minutes=15)) == [("weekly", following)]


def test_a_moved_occurrence_reminds_at_its_own_time_alone(company: Company) -> None:
    key = add(
        company, "weekly", start_at=at(4, 14), end_at=at(4, 15),
        recurrence_rule="FREQ=WEEKLY", time_zone="Europe/Bucharest",
    )  # fmt: skip
    series_edits.change(
        company.actor, key, at(25, 14), Reach.THIS,
        {"start_at": at(25, 18), "end_at": at(25, 19)},
    )  # fmt: skip
    assert due(company, at(25, 14)) == []
    assert due(company, at(25, 17, 45)) == [("weekly", at(25, 18))]


def test_a_left_out_occurrence_does_not_remind(company: Company) -> None:
    key = add(
        company, "weekly", start_at=at(4, 14), end_at=at(4, 15),
        recurrence_rule="FREQ=WEEKLY", time_zone="Europe/Bucharest",
    )  # fmt: skip
    series_edits.delete(company.actor, key, at(25, 14), Reach.THIS)
    assert due(company, at(26, 14)) == []
    following = at(25, 14) + timedelta(days=7)
    assert due(company, following) == [("weekly", following)]
