"""When an activity reminds next: kept in step with its time, its series and its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.models import Activity
from desktop_crm.models.activity import ActivityState
from desktop_crm.services import records_kept
from desktop_crm.services.calendar import series
from desktop_crm.services.drafts import Draft, Work

_DECISIVE: Final = (
    "reminder_minutes", "start_at", "due_at", "state", "is_all_day", "time_zone",
    "recurrence_rule", "recurrence_exceptions", "ical_uid", "recurrence_id",
)  # fmt: skip


def next_reminder(work: Work, drafts: Sequence[Draft]) -> None:
    """Set when each activity reminds next; at most three statements for all of them."""
    reminding = [
        draft
        for draft in drafts
        if draft.id is not None
        and (draft.get("reminder_minutes") is not None or draft.old.get("remind_at") is not None)
        and (draft.is_new or any(draft.changes(name) for name in _DECISIVE))
    ]
    if not reminding:
        return
    rows = {draft.id: {**draft.old, **draft.new, "id": draft.id} for draft in reminding}
    changed = series.changed_names(
        work.connection,
        [row.get("ical_uid") for row in rows.values() if row.get("recurrence_rule")],
    )
    now = clock.now()
    found = {
        key: reminds_at(row, now, work.actor.zone, changed.get(row.get("ical_uid") or "", ()))
        for key, row in rows.items()
        if key is not None
    }
    records_kept.set_each(work.connection, Activity, "remind_at", found)


def of_the_series(work: Work, drafts: Sequence[Draft]) -> None:
    """Set when a series reminds next after one of its occurrences came to be, or went.

    Three statements where there is such an occurrence of a series that reminds.
    """
    uids = [d.get("ical_uid") for d in drafts if d.get("recurrence_id") and d.get("ical_uid")]
    if not uids:
        return
    names = (
        "id", "ical_uid", "start_at", "end_at", "due_at", "state", "is_all_day", "time_zone",
        "recurrence_rule", "recurrence_exceptions", "reminder_minutes",
    )  # fmt: skip
    table = Activity.__table__
    statement = select(*(table.c[name] for name in names)).where(
        table.c.ical_uid.in_(uids),
        table.c.recurrence_rule.is_not(None),
        table.c.reminder_minutes.is_not(None),
        table.c.deleted_at.is_(None),
    )
    rows = work.connection.execute(statement).mappings().all()
    if not rows:
        return
    changed = series.changed_names(work.connection, [row["ical_uid"] for row in rows])
    now, zone = clock.now(), work.actor.zone
    found = {
        row["id"]: reminds_at(dict(row), now, zone, changed.get(row["ical_uid"], ()))
        for row in rows
    }
    records_kept.set_each(work.connection, Activity, "remind_at", found)


def reminds_at(
    row: Mapping[str, Any], after: datetime, zone: ZoneInfo, changed: Sequence[str] = ()
) -> datetime | None:
    """When an activity reminds of its first start (or due moment) after an instant.

    Args:
        row: the activity, by field name.
        after: only what begins later is reminded of.
        zone: zone of whole days and of a series that names none.
        changed: names of the occurrences of a series that remind for themselves.
    """
    minutes = row.get("reminder_minutes")
    state = row.get("state") or ActivityState.OPEN.value
    if minutes is None or state != ActivityState.OPEN.value:
        return None
    begins = begins_after(row, after, zone, changed)
    return None if begins is None else begins - timedelta(minutes=minutes)


def begins_after(
    row: Mapping[str, Any], after: datetime, zone: ZoneInfo, changed: Sequence[str] = ()
) -> datetime | None:
    """First start or due moment after an instant; whole days begin at midnight in `zone`.

    What starts on a day without a time and is due is reminded of by when it is due.
    """
    start: datetime | None = row.get("start_at") or row.get("due_at")
    if start is None:
        return None
    found = series.of_row({"is_all_day": False, "end_at": None, **row}, zone, changed)
    if found is None:
        whole = bool(row.get("is_all_day"))
        begins = (row.get("due_at") or _local(start, zone)) if whole else start
        return begins if begins > after else None
    try:
        # Whole days lie at midnight UTC, which may be up to a day from the midnight meant.
        days = timedelta(days=1 if found.zone is None else 0)
        occurrence = found.next_after(after - days + timedelta(microseconds=1))
        while occurrence is not None:
            begins = _local(occurrence, zone) if found.zone is None else occurrence
            if begins > after:
                return begins
            occurrence = found.next_after(occurrence + timedelta(microseconds=1))
    except UserError:
        return start if start > after else None
    return None


def _local(midnight: datetime, zone: ZoneInfo) -> datetime:
    """Midnight in a zone of the day that is stored as midnight UTC."""
    day = midnight.astimezone(UTC).date()
    return datetime.combine(day, time(), zone).astimezone(UTC)
