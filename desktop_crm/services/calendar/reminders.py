"""Reminders of meetings, calls and tasks: what is due now, put off, dismissed.

The next moment stands in the record (`remind_at`), so that it survives a restart and a computer
that slept; putting off and dismissing are marks, no changes anybody would want to undo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, select

from desktop_crm.core import clock
from desktop_crm.db.engine import Cancel
from desktop_crm.models import Activity
from desktop_crm.models.activity import ActivityState
from desktop_crm.services import records_kept
from desktop_crm.services.calendar import series
from desktop_crm.services.changes import Changed, ChangeKind, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.query import key_clause
from desktop_crm.services.rules.reminding import begins_after, reminds_at

MOST: Final = 50
"""Reminders shown at once; the others follow when these are gone."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """Something that wants attention now.

    Attributes:
        activity: its key.
        title: its subject.
        begins: start of the event or of the occurrence, or when the task is due.
        kind: appointment, phone_call or task.
        place: where.
        all_day: whether it begins at midnight because it covers whole days.
    """

    activity: int
    title: str
    begins: datetime
    kind: str
    place: str = ""
    all_day: bool = False


def due(actor: Actor, now: datetime, cancel: Cancel | None = None) -> tuple[Reminder, ...]:
    """Reminders of the actor's own activities that are due, the earliest first; few statements."""
    if actor.user_id is None:
        return ()
    with actor.db.reading(cancel) as connection:
        rows = _rows(connection, actor, Activity.remind_at <= now)
        changed = _changed(connection, rows)
    found = []
    for row in rows:
        lead = timedelta(minutes=row["reminder_minutes"] or 0)
        begins = _begun(actor, row, now + lead, changed)
        if begins is not None:
            found.append(
                Reminder(
                    row["id"],
                    row["subject"],
                    begins,
                    row["kind"],
                    row["location"] or "",
                    bool(row["is_all_day"]) and begins != row["due_at"],
                )
            )
    return tuple(sorted(found, key=lambda one: (one.begins, one.activity)))


def snooze(actor: Actor, activities: Sequence[int], until: datetime) -> ChangeSet:
    """Remind again at a moment; others' activities are left alone."""
    with actor.db.writing() as connection:
        own = [row["id"] for row in _rows(connection, actor, _keys(connection, activities))]
        records_kept.set_each(connection, Activity, "remind_at", dict.fromkeys(own, until))
    return _report(own)


def dismiss(actor: Actor, activities: Sequence[int]) -> ChangeSet:
    """Stop reminding; a series reminds again before its next occurrence."""
    now = clock.now()
    with actor.db.writing() as connection:
        rows = _rows(connection, actor, _keys(connection, activities))
        changed = _changed(connection, rows)
        found: dict[int, datetime | None] = {}
        for row in rows:
            lead = timedelta(minutes=row["reminder_minutes"] or 0)
            names = changed.get(row["ical_uid"] or "", ())
            again = bool(row["recurrence_rule"])
            found[row["id"]] = reminds_at(row, now + lead, actor.zone, names) if again else None
        records_kept.set_each(connection, Activity, "remind_at", found)
    return _report(list(found))


_COLUMNS: Final = (
    "id", "subject", "kind", "state", "start_at", "end_at", "due_at", "is_all_day", "location",
    "reminder_minutes", "ical_uid", "recurrence_rule", "recurrence_exceptions", "time_zone",
)  # fmt: skip


def _keys(connection: Connection, activities: Sequence[int]) -> ColumnElement[bool]:
    return key_clause(connection, Activity.__table__.c.id, list(activities))


def _rows(
    connection: Connection, actor: Actor, condition: ColumnElement[bool]
) -> list[dict[str, Any]]:
    table = Activity.__table__
    statement = (
        select(*(table.c[name] for name in _COLUMNS))
        .where(
            condition,
            Activity.remind_at.is_not(None),
            Activity.deleted_at.is_(None),
            Activity.owner_id == actor.user_id,
            Activity.state == ActivityState.OPEN.value,
        )
        .order_by(Activity.remind_at)
        .limit(MOST)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def _changed(
    connection: Connection, rows: Sequence[Mapping[str, Any]]
) -> dict[str, tuple[str, ...]]:
    uids = [row["ical_uid"] for row in rows if row["recurrence_rule"]]
    return series.changed_names(connection, uids)


def _begun(
    actor: Actor,
    row: Mapping[str, Any],
    latest: datetime,
    changed: Mapping[str, Sequence[str]],
) -> datetime | None:
    """What is reminded of: of a series the latest occurrence whose reminder was due."""
    if not row["recurrence_rule"]:
        return begins_after(row, _EVER, actor.zone)
    names = changed.get(row["ical_uid"] or "", ())
    found = None
    moment = latest - _BACK
    while (begins := begins_after(row, moment, actor.zone, names)) is not None and begins <= latest:
        found = moment = begins
    return found


_EVER: Final = datetime.min.replace(tzinfo=UTC)
_BACK: Final = timedelta(days=40)
"""How long after an occurrence a series still reminds of it: beyond a month's."""


def _report(keys: Sequence[int]) -> ChangeSet:
    return ChangeSet("", (Changed("activity", frozenset(keys), ChangeKind.UPDATED),))
