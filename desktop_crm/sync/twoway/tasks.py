"""Fields of a task: table of both directions.

The mailbox reckons tasks in days and the record in moments: the day is what both share, the time
of day stays what it was here. A task that starts on a day without a time stands on that day in the
calendar.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from desktop_crm.core.i18n import N_
from desktop_crm.models.activity import ActivityReason, ActivityState, Priority
from desktop_crm.sync.port import TaskItem
from desktop_crm.sync.twoway.fields import (
    CATEGORIES,
    PRIVACY,
    Field,
    Frame,
    Record,
    Value,
    block,
    line,
)
from desktop_crm.sync.twoway.meetings import rule_key, subject_of, subject_to

END_OF_WORK: Final = time(17)
"""Time of day of a due date that came as a day."""

CANCELLED: Final = "cancelled"
_OPEN: Final = {
    ActivityReason.NOT_STARTED.value: "not_started",
    ActivityReason.IN_PROGRESS.value: "in_progress",
    ActivityReason.WAITING.value: "waiting",
    ActivityReason.DEFERRED.value: "deferred",
}
_REASONS: Final = {status: reason for reason, status in _OPEN.items()}
_PRIORITIES: Final = frozenset(one.value for one in Priority)


def _due_of(record: Record, frame: Frame) -> Value:
    due = record.get("due_at")
    return due.astimezone(frame.zone).date().isoformat() if due is not None else ""


def _due_to(value: Value, record: Record, frame: Frame) -> dict[str, Any]:
    if not value:
        return {"due_at": None}
    before = record.get("due_at")
    at = before.astimezone(frame.zone).time() if before is not None else END_OF_WORK
    moment = datetime.combine(date.fromisoformat(value), at, tzinfo=frame.zone)
    return {"due_at": moment.astimezone(UTC)}


def _start_of(record: Record, frame: Frame) -> Value:
    start = record.get("start_at")
    if start is None:
        return ""
    return start.astimezone(UTC if record.get("is_all_day") else frame.zone).date().isoformat()


def _start_to(value: Value, record: Record, frame: Frame) -> dict[str, Any]:
    """The start on another day; of work planned for some hours these stay what they are."""
    if not value:
        return {"start_at": None, "end_at": None, "is_all_day": False}
    day, before, end = date.fromisoformat(value), record.get("start_at"), record.get("end_at")
    if before is None or record.get("is_all_day"):
        start = datetime.combine(day, time(), tzinfo=UTC)
        length = end - before if before is not None and end is not None else timedelta(days=1)
        return {"start_at": start, "end_at": start + length, "is_all_day": True}
    wall = datetime.combine(day, before.astimezone(frame.zone).time(), tzinfo=frame.zone)
    start = wall.astimezone(UTC)
    return {"start_at": start, "end_at": start + (end - before) if end is not None else None}


def _status_of_item(item: TaskItem) -> Value:
    if item.status == "completed" or item.completed_at is not None:
        return "completed"
    return item.status if item.status in _REASONS else "not_started"


def _status_of_record(record: Record, _frame: Frame) -> Value:
    state = record.get("state")
    if state == ActivityState.COMPLETED.value:
        return "completed"
    if state == ActivityState.CANCELED.value:
        return CANCELLED
    return _OPEN.get(str(record.get("status_reason")), "not_started")


def _status_to_item(item: TaskItem, value: Value) -> TaskItem:
    if value == "completed":
        return replace(item, status="completed", percent=100)
    percent = 0 if value == "not_started" or item.percent == 100 else item.percent
    return replace(item, status=value, completed_at=None, percent=percent)


def _status_to_record(value: Value, _record: Record, _frame: Frame) -> dict[str, Any]:
    if value == "completed":
        state, reason = ActivityState.COMPLETED, ActivityReason.COMPLETED.value
    elif value == CANCELLED:
        state, reason = ActivityState.CANCELED, ActivityReason.CANCELED.value
    else:
        state, reason = ActivityState.OPEN, _REASONS[value]
    return {"state": state.value, "status_reason": reason}


_DAYS: Final = (
    Field(
        "due",
        N_("Due"),
        lambda item: item.due.isoformat() if item.due else "",
        _due_of,
        lambda item, value: replace(item, due=date.fromisoformat(value) if value else None),
        _due_to,
    ),
    Field(
        "start",
        N_("Start"),
        lambda item: item.start.isoformat() if item.start else "",
        _start_of,
        lambda item, value: replace(item, start=date.fromisoformat(value) if value else None),
        _start_to,
    ),
    Field(
        "rule",
        N_("Recurrence"),
        lambda item: line(item.rrule, 1_000).removeprefix("RRULE:"),
        lambda record, _frame: line(record.get("recurrence_rule"), 1_000).removeprefix("RRULE:"),
        lambda item, value: replace(item, rrule=value),
        lambda value, _record, _frame: {"recurrence_rule": value or None},
        key=lambda value: rule_key(value or ""),
    ),
    Field(
        "status",
        N_("Status"),
        _status_of_item,
        _status_of_record,
        _status_to_item,
        _status_to_record,
    ),
    PRIVACY,
)

_CONTENT: Final = (
    Field(
        "subject",
        N_("Subject"),
        lambda item: line(item.subject, 400),
        subject_of,
        lambda item, value: replace(item, subject=value),
        subject_to,
    ),
    Field(
        "text",
        N_("Description"),
        lambda item: block(item.text),
        lambda record, _frame: block(record.get("description")),
        lambda item, value: replace(item, text=value),
        lambda value, _record, _frame: {"description": value or None},
    ),
    Field(
        "priority",
        N_("Priority"),
        lambda item: item.importance if item.importance in _PRIORITIES else "normal",
        lambda record, _frame: record.get("priority") or "normal",
        lambda item, value: replace(item, importance=value),
        lambda value, _record, _frame: {"priority": value},
    ),
)

FIELDS: Final = (*_DAYS, *_CONTENT, CATEGORIES)
PRIVATE_FIELDS: Final = frozenset(field.name for field in _DAYS)
