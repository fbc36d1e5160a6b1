"""Events of a calendar in a window of time, occurrences of series included."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.recurrence import occurrences
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import Account, Activity, ActivityParty, Contact, Lead, Opportunity
from desktop_crm.models.activity import (
    ActivityKind,
    ActivityReason,
    ActivityState,
)
from desktop_crm.services import permissions, privacy
from desktop_crm.services.agenda_event import AgendaEvent
from desktop_crm.services.context import Actor
from desktop_crm.services.dashboards import regarding
from desktop_crm.services.pipeline import AnyRow, may_edit

log = logging.getLogger(__name__)

KINDS = (ActivityKind.APPOINTMENT, ActivityKind.PHONE_CALL, ActivityKind.TASK)
"""Kinds of activity that a calendar shows, once they have a start."""

DEFAULT_LENGTH = timedelta(minutes=30)
"""Length of an event that has a start and no end."""

LONGEST = timedelta(days=60)
"""How far before the window an event may begin that reaches into it; keeps the index useful."""

BUSY = N_("Busy")
_SHOW_AS = frozenset(
    {
        ActivityReason.FREE.value,
        ActivityReason.TENTATIVE.value,
        ActivityReason.BUSY.value,
        ActivityReason.OUT_OF_OFFICE.value,
    }
)


def events(
    actor: Actor,
    start: datetime,
    end: datetime,
    *,
    everybody: bool = False,
    cancel: Cancel | None = None,
) -> tuple[AgendaEvent, ...]:
    """Events that touch the half-open window, in order of their start.

    Args:
        actor: whose calendar; another person's private events come as "Busy" (R39).
        start: first instant, aware.
        end: first instant after the window, aware.
        everybody: every event the actor may see instead of the actor's own and those they
            take part in.
        cancel: stops the statements.

    A series whose rule cannot be read shows its first occurrence and is logged.
    """
    scope = _scope(actor, everybody=everybody)
    single = and_(
        scope,
        Activity.recurrence_rule.is_(None),
        Activity.start_at < end,
        Activity.start_at > start - LONGEST,
        func.coalesce(Activity.end_at, Activity.start_at) >= start,
    )
    series = and_(scope, Activity.recurrence_rule.is_not(None), Activity.start_at < end)
    with actor.db.reading(cancel) as connection:
        rows = connection.execute(_statement(actor).where(single)).all()
        masters = connection.execute(_statement(actor).where(series)).all()
        moved = _moved_occurrences(
            connection.execute(
                select(Activity.ical_uid, Activity.recurrence_id).where(
                    Activity.deleted_at.is_(None),
                    Activity.recurrence_id.is_not(None),
                    Activity.ical_uid.in_([row.ical_uid for row in masters if row.ical_uid]),
                )
            ).all()
            if masters
            else ()
        )
    found = [_event(actor, row, row.start_at, _end(row)) for row in rows]
    for master in masters:
        found.extend(_occurrences(actor, master, (start, end), moved.get(master.ical_uid, ())))
    inside = (one for one in found if one.end > start or one.start >= start)
    return tuple(sorted(inside, key=lambda one: (one.start, one.end, one.id)))


def busy_days(
    actor: Actor,
    start: datetime,
    end: datetime,
    *,
    everybody: bool = False,
    cancel: Cancel | None = None,
) -> frozenset[date]:
    """Days of the window, in the actor's zone, on which something begins."""
    return frozenset(
        one.start.date() if one.all_day else one.start.astimezone(actor.zone).date()
        for one in events(actor, start, end, everybody=everybody, cancel=cancel)
    )


def _scope(actor: Actor, *, everybody: bool) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [
        Activity.deleted_at.is_(None),
        Activity.start_at.is_not(None),
        Activity.kind.in_([kind.value for kind in KINDS]),
        Activity.state != ActivityState.CANCELED.value,
    ]
    rights = permissions.row_clause(actor, registry.get("activity"), Activity.__table__, "read")
    takes_part = Activity.id.in_(
        select(ActivityParty.activity_id).where(
            ActivityParty.user_id == actor.user_id, ActivityParty.deleted_at.is_(None)
        )
    )
    if not everybody:
        conditions.append(or_(Activity.owner_id == actor.user_id, takes_part))
    elif rights is not None:
        conditions.append(or_(rights, takes_part))
    return and_(*conditions)


def _statement(actor: Actor) -> Select[*tuple[object, ...]]:
    statement: Select[*tuple[object, ...]] = (
        select(
            Activity.id,
            Activity.version,
            Activity.subject,
            Activity.kind,
            Activity.state,
            Activity.status_reason,
            Activity.start_at,
            Activity.end_at,
            Activity.is_all_day,
            Activity.location,
            Activity.sensitivity,
            Activity.owner_id,
            Activity.ical_uid,
            Activity.recurrence_rule,
            Activity.recurrence_id,
            Activity.recurrence_exceptions,
            Activity.time_zone,
            Activity.opportunity_id,
            Opportunity.name.label("opportunity"),
            Activity.account_id,
            Account.name.label("account"),
            Activity.contact_id,
            Contact.full_name.label("contact"),
            Activity.lead_id,
            Lead.subject.label("lead"),
        )
        .outerjoin(
            Opportunity,
            permissions.within_sight(
                actor, Opportunity.__table__, Opportunity.id == Activity.opportunity_id
            ),
        )
        .outerjoin(
            Account,
            permissions.within_sight(actor, Account.__table__, Account.id == Activity.account_id),
        )
        .outerjoin(
            Contact,
            permissions.within_sight(actor, Contact.__table__, Contact.id == Activity.contact_id),
        )
        .outerjoin(
            Lead, permissions.within_sight(actor, Lead.__table__, Lead.id == Activity.lead_id)
        )
    )
    return statement


def _end(row: AnyRow) -> datetime:
    if row.end_at is not None and row.end_at > row.start_at:
        end: datetime = row.end_at
        return end
    start: datetime = row.start_at
    return start + (timedelta(days=1) if row.is_all_day else DEFAULT_LENGTH)


def _event(actor: Actor, row: AnyRow, start: datetime, end: datetime) -> AgendaEvent:
    private = privacy.hides(actor, registry.get("activity"), row._asdict())
    in_series = row.recurrence_rule is not None or row.recurrence_id is not None
    show_as = row.status_reason if row.status_reason in _SHOW_AS else "busy"
    return AgendaEvent(
        id=row.id,
        version=row.version,
        start=start,
        end=end,
        title=tr(BUSY) if private else row.subject,
        place="" if private else row.location or "",
        kind=row.kind,
        all_day=row.is_all_day,
        show_as="busy" if private else show_as,
        private=private,
        series=in_series,
        synced=row.ical_uid is not None,
        closed=row.state == ActivityState.COMPLETED.value,
        editable=not private and may_edit(actor, "activity", row.owner_id),
        regarding="" if private else regarding(row)[2],
    )


def _occurrences(
    actor: Actor,
    master: AnyRow,
    window: tuple[datetime, datetime],
    moved: tuple[str, ...],
) -> Iterator[AgendaEvent]:
    zone = None if master.is_all_day else _zone(master.time_zone, actor.zone)
    clock_zone = zone or UTC
    first = master.start_at.astimezone(clock_zone).replace(tzinfo=None)
    length = _end(master) - master.start_at
    left_out = [*(master.recurrence_exceptions or ()), *moved]
    skipped = [wall for text in left_out if (wall := _wall(text, first, zone)) is not None]
    try:
        found = occurrences(
            master.recurrence_rule,
            first,
            zone,
            skipped,
            window_start=window[0] - length,
            window_end=window[1],
        )
    except UserError:
        log.warning(
            "Recurrence of activity %d cannot be read: %s", master.id, master.recurrence_rule
        )
        yield _event(actor, master, master.start_at, _end(master))
        return
    for one in found:
        yield _event(actor, master, one.start, one.start + length)


def _moved_occurrences(rows: object) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    if isinstance(rows, list | tuple):
        for uid, original in rows:
            found[uid] = (*found.get(uid, ()), original)
    return found


def _zone(name: str | None, fallback: ZoneInfo) -> ZoneInfo:
    try:
        return ZoneInfo(name) if name else fallback
    except (ZoneInfoNotFoundError, ValueError):
        return fallback


def _wall(text: str, first: datetime, zone: ZoneInfo | None) -> datetime | None:
    """Wall-clock start named by an exception: an instant, a local time or a bare day."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        log.warning("An exception of a series cannot be read: %s", text)
        return None
    if len(text) == len("2026-11-25"):
        return datetime.combine(moment.date(), first.time() if zone else time())
    if moment.tzinfo is not None:
        return moment.astimezone(zone or UTC).replace(tzinfo=None)
    return moment
