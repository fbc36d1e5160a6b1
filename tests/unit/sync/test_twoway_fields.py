"""Fields of meetings and tasks that both sides may change, through whole passes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from desktop_crm.services import records
from desktop_crm.sync.memory import CALENDAR, TASKS
from desktop_crm.sync.port import TaskItem
from desktop_crm.sync.writes import Deed, Save, Written
from tests.unit.sync.conftest import World, meeting
from tests.unit.sync.two_ways import SOON, activity, go, held, quiet

pytestmark = pytest.mark.usefixtures("moment")


def test_categories_and_reminder_of_a_meeting_go_both_ways(both: World) -> None:
    key = both.port.put(CALENDAR, meeting(attendees=(), categories=("Client",), start=SOON))
    go(both)
    (row,) = both.activities
    assert (row.tags, row.reminder_minutes) == ("|Client|", None)
    both.port.put(CALENDAR, replace(held(both), reminder_minutes=15), key)
    records.save(both.actor, "activity", row.id, None, {"tags": "|client|VIP|"})
    go(both)
    (row,) = both.activities
    assert (row.reminder_minutes, set(held(both).categories)) == (15, {"Client", "VIP"})
    assert row.remind_at == SOON - dt.timedelta(minutes=15)
    records.save(both.actor, "activity", row.id, None, {"tags": None, "reminder_minutes": 0})
    go(both)
    assert (held(both).categories, held(both).reminder_minutes) == ((), 0)
    quiet(both)


def test_of_a_mailbox_that_is_only_read_neither_comes(both: World) -> None:
    records.save(both.actor, "mailbox", both.mailbox, None, {"two_way": False})
    key = both.port.put(CALENDAR, meeting(categories=("Client",), reminder_minutes=15))
    go(both)
    (row,) = both.activities
    assert (row.tags, row.reminder_minutes) == (None, None)
    records.save(both.actor, "activity", row.id, None, {"tags": "|VIP|", "reminder_minutes": 5})
    both.port.put(CALENDAR, replace(held(both), location="Sala 9"), key)
    go(both)
    (row,) = both.activities
    assert (row.location, row.tags, row.reminder_minutes) == ("Sala 9", "|VIP|", 5)


def test_start_and_recurrence_of_a_task_go_both_ways(both: World) -> None:
    item = TaskItem("t1", "Raport", start=dt.date(2026, 3, 5), due=dt.date(2026, 3, 9))
    key = both.port.put(TASKS, replace(item, rrule="FREQ=WEEKLY;BYDAY=TH", categories=("Lunar",)))
    go(both)
    (row,) = both.activities
    first = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
    assert (row.start_at, row.is_all_day, row.tags) == (first, True, "|Lunar|")
    assert row.recurrence_rule == "FREQ=WEEKLY;BYDAY=TH"
    later = first + dt.timedelta(days=1)
    records.save(both.actor, "activity", row.id, None, {"start_at": later, "end_at": None})
    go(both)
    assert held(both, TASKS).start == dt.date(2026, 3, 6)
    both.port.put(TASKS, replace(held(both, TASKS), start=None, rrule=""), key)
    go(both)
    (row,) = both.activities
    assert (row.start_at, row.recurrence_rule, row.due_at.date()) == (None, None, item.due)
    quiet(both)


def test_hours_planned_for_a_task_stay_when_its_day_moves(both: World) -> None:
    key = both.save(
        "activity", kind="task", subject="Ofertă", owner=both.ana, due_at=SOON,
        start_at=SOON - dt.timedelta(days=1), end_at=SOON - dt.timedelta(hours=22),
    )  # fmt: skip
    go(both)
    assert held(both, TASKS).start == dt.date(2026, 3, 3)
    (item,) = both.port.held(TASKS)
    both.port.put(TASKS, replace(held(both, TASKS), start=dt.date(2026, 3, 4)), item)
    go(both)
    row = activity(both, key)
    assert (row.start_at, row.end_at) == (SOON, SOON + dt.timedelta(hours=2))
    assert not row.is_all_day
    quiet(both)


def test_a_task_with_a_start_day_is_reminded_of_by_when_it_is_due(both: World) -> None:
    values = {"kind": "task", "subject": "Raport", "owner": both.ana, "due_at": SOON}
    key = both.save("activity", **values, reminder_minutes=30)
    go(both)
    (item,) = both.port.held(TASKS)
    both.port.put(TASKS, replace(held(both, TASKS), start=dt.date(2026, 3, 3)), item)
    go(both)
    assert activity(both, key).remind_at == SOON - dt.timedelta(minutes=30)


def test_a_recurring_task_that_moves_on_when_it_is_done_moves_on_here(
    both: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exchange opens such a task again at its next date; the record follows."""
    item = TaskItem("t1", "Raport", due=dt.date(2026, 3, 5), rrule="FREQ=WEEKLY")
    both.port.put(TASKS, item)
    go(both)
    (row,) = both.activities
    do = both.port.do

    def as_exchange(deed: Deed) -> Written:
        if isinstance(deed, Save) and isinstance(deed.item, TaskItem):
            again = replace(deed.item, status="not_started", percent=0, due=dt.date(2026, 3, 12))
            deed = replace(deed, item=again)
        return do(deed)

    monkeypatch.setattr(both.port, "do", as_exchange)
    records.save(both.actor, "activity", row.id, None, {"state": "completed"})
    go(both)
    go(both)
    (row,) = both.activities
    assert (row.state, row.due_at.date()) == ("open", dt.date(2026, 3, 12))
    quiet(both)
