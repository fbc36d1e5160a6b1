"""From the to-dos of an iCalendar file to tasks."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Final

from desktop_crm.core.text import clean
from desktop_crm.sync.formats import zones
from desktop_crm.sync.formats.ical_tree import Component, read_tree
from desktop_crm.sync.formats.ical_values import (
    Clock,
    Unreadable,
    alarm_of,
    categories_of,
    description_of,
    modified_at,
    rule_of,
    sensitivity_of,
    stamp,
    uid_of,
    utc,
)
from desktop_crm.sync.port import Quarantined, TaskItem

STATUS: Final = {
    "NEEDS-ACTION": "not_started",
    "IN-PROCESS": "in_progress",
    "COMPLETED": "completed",
    "CANCELLED": "deferred",
}
"""What iCalendar's words mean here."""

OWN_STATUS: Final = "X-DESKTOP-CRM-STATUS"
"""Property of a status iCalendar has no word for: waiting or deferred."""


def read_tasks(data: bytes, default_zone: tzinfo = UTC) -> tuple[list[TaskItem], list[Quarantined]]:
    """The tasks of a file that can be read, and what was set aside with its reason.

    Of a series only the task itself counts, not its changed occurrences.
    """
    items: list[TaskItem] = []
    aside: list[Quarantined] = []
    for calendar in read_tree(data).walk("VCALENDAR"):
        own = zones.zone_by_name(calendar.text("X-WR-TIMEZONE"))
        definitions = {zone.text("TZID"): zone for zone in calendar.walk("VTIMEZONE")}
        for todo in calendar.walk("VTODO"):
            if todo.one("RECURRENCE-ID"):
                continue
            try:
                items.append(_task(todo, Clock(definitions, own or default_zone)))
            except Unreadable as error:
                uid = todo.text("UID")
                name = clean(todo.text("SUMMARY")) or uid
                aside.append(
                    Quarantined(uid, name[:200], error.reason, tuple(error.params.items()))
                )
    return items, aside


def _task(todo: Component, clock: Clock) -> TaskItem:
    start, due = _moment(todo, "DTSTART", clock), _moment(todo, "DUE", clock)
    completed = _moment(todo, "COMPLETED", clock)
    done = utc(completed) if completed else None
    status = STATUS.get(todo.text("STATUS").upper(), "not_started")
    written = todo.text(OWN_STATUS).lower()
    if written in ("waiting", "deferred") and status in ("not_started", "deferred"):
        status = written
    if isinstance(done, datetime):
        status = "completed"
    begins = start or due
    percent = todo.text("PERCENT-COMPLETE")
    return TaskItem(
        uid=uid_of(todo),
        subject=clean(todo.text("SUMMARY")),
        text=description_of(todo),
        start=_day(start, clock),
        due=_day(due, clock),
        completed_at=done if isinstance(done, datetime) else None,
        status=status,
        percent=min(int(percent), 100) if percent.isdigit() else 0,
        importance=_importance(todo.text("PRIORITY")),
        sensitivity=sensitivity_of(todo),
        categories=categories_of(todo),
        rrule=rule_of(todo, begins, clock) if begins else "",
        remind_at=alarm_of(todo, start, due, clock),
        modified_at=modified_at(todo, clock),
        remarks=tuple(clock.remarks),
    )


def _moment(todo: Component, name: str, clock: Clock) -> datetime | date | None:
    line = todo.one(name)
    return stamp(line, clock) if line else None


def _day(value: datetime | date | None, clock: Clock) -> date | None:
    """The day of a time on the clock of whoever looks at the calendar."""
    if isinstance(value, datetime):
        return value.astimezone(clock.default).date()
    return value


def _importance(priority: str) -> str:
    """From 1, the highest, to 9; 5 is the middle and 0 is none (RFC 5545, 3.8.1.9)."""
    if not priority.isdigit() or int(priority) in (0, 5):
        return "normal"
    return "high" if int(priority) < 5 else "low"
