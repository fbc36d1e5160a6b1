"""Events of a calendar in a window of time, occurrences of series included."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import Account, Activity, ActivityParty, Contact, Lead, Opportunity, User
from desktop_crm.models.activity import (
    ActivityKind,
    ActivityReason,
    ActivityState,
)
from desktop_crm.models.user import UserState
from desktop_crm.services import permissions, privacy, series
from desktop_crm.services.agenda_event import AgendaEvent
from desktop_crm.services.context import Actor
from desktop_crm.services.dashboards import regarding
from desktop_crm.services.pipeline import AnyRow, may_edit
from desktop_crm.services.query import key_clause

log = logging.getLogger(__name__)

KINDS = (ActivityKind.APPOINTMENT, ActivityKind.PHONE_CALL, ActivityKind.TASK)
"""Kinds of activity that a calendar shows, once they have a start."""

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
    people: Collection[int] = (),
    cancel: Cancel | None = None,
) -> tuple[AgendaEvent, ...]:
    """Events that touch the half-open window, in order of their start.

    Args:
        actor: whose calendar; another person's private events come as "Busy" (R39).
        start: first instant, aware.
        end: first instant after the window, aware.
        everybody: every event the actor may see instead of the actor's own and those they
            take part in.
        people: users whose events are wanted instead, as far as the actor may see them.
        cancel: stops the statements.

    A series whose rule cannot be read shows its first occurrence and is logged.
    """
    scope = _scope(actor, everybody=everybody, people=people)
    single = and_(
        scope,
        Activity.recurrence_rule.is_(None),
        Activity.start_at < end,
        Activity.start_at > start - LONGEST,
        func.coalesce(Activity.end_at, Activity.start_at) >= start,
    )
    recurring = and_(scope, Activity.recurrence_rule.is_not(None), Activity.start_at < end)
    with actor.db.reading(cancel) as connection:
        rows = connection.execute(_statement(actor).where(single)).all()
        masters = connection.execute(_statement(actor).where(recurring)).all()
        moved = series.changed_names(connection, [row.ical_uid for row in masters])
        taking_part = _taking_part(connection, [*rows, *masters]) if people else {}
    found = [_event(actor, row, row.start_at, series.end_of(row._asdict())) for row in rows]
    for master in masters:
        found.extend(_occurrences(actor, master, (start, end), moved.get(master.ical_uid, ())))
    if people:
        # Who takes part in what is private to others is not to be known.
        found = [
            one if one.private else replace(one, people=(*one.people, *taking_part.get(one.id, ())))
            for one in found
        ]
    inside = (one for one in found if one.end > start or one.start >= start)
    return tuple(sorted(inside, key=lambda one: (one.start, one.end, one.id)))


def colleagues(actor: Actor) -> tuple[tuple[int, str], ...]:
    """Keys and names of the users whose calendars may be asked for, the actor's first."""
    table = User.__table__
    statement = select(User.id, User.name).where(
        User.deleted_at.is_(None), User.state == UserState.ACTIVE.value
    )
    rights = permissions.row_clause(actor, registry.get("user"), table, "read")
    if rights is not None:
        statement = statement.where(or_(rights, User.id == actor.user_id))
    with actor.db.reading() as connection:
        rows = [(key, str(name)) for key, name in connection.execute(statement)]
    return tuple(sorted(rows, key=lambda row: (row[0] != actor.user_id, row[1].casefold())))


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


def _taking_part(connection: Connection, rows: Sequence[AnyRow]) -> dict[int, tuple[int, ...]]:
    """Users who take part in events, without their owners; one statement."""
    owners = {row.id: row.owner_id for row in rows}
    found: dict[int, tuple[int, ...]] = {}
    statement = select(ActivityParty.activity_id, ActivityParty.user_id).where(
        key_clause(connection, ActivityParty.__table__.c.activity_id, list(owners)),
        ActivityParty.user_id.is_not(None),
        ActivityParty.deleted_at.is_(None),
    )
    for activity, user in connection.execute(statement) if owners else ():
        if user is not None and user != owners[activity]:
            found[activity] = (*found.get(activity, ()), user)
    return found


def _scope(actor: Actor, *, everybody: bool, people: Collection[int] = ()) -> ColumnElement[bool]:
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
    if people:
        theirs = Activity.id.in_(
            select(ActivityParty.activity_id).where(
                ActivityParty.user_id.in_(people), ActivityParty.deleted_at.is_(None)
            )
        )
        conditions.append(or_(Activity.owner_id.in_(people), theirs))
        if rights is not None:
            conditions.append(or_(rights, Activity.owner_id == actor.user_id, takes_part))
    elif not everybody:
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
            Activity.is_organizer,
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


def _event(
    actor: Actor,
    row: AnyRow,
    start: datetime,
    end: datetime,
    original: datetime | None = None,
) -> AgendaEvent:
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
        original=original or _original(row),
        changed=row.recurrence_id is not None,
        foreign=not row.is_organizer,
        closed=row.state == ActivityState.COMPLETED.value,
        editable=not private and may_edit(actor, "activity", row.owner_id),
        regarding="" if private else regarding(row)[2],
        people=() if row.owner_id is None else (row.owner_id,),
    )


def _original(row: AnyRow) -> datetime | None:
    """Start that the rule gives a changed occurrence; None where its name cannot be read."""
    try:
        moment = datetime.fromisoformat(row.recurrence_id or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _occurrences(
    actor: Actor,
    master: AnyRow,
    window: tuple[datetime, datetime],
    changed: tuple[str, ...],
) -> Iterator[AgendaEvent]:
    found = series.of_row(master._asdict(), actor.zone, changed)
    assert found is not None  # noqa: S101  asked for with a rule and a start
    try:
        listed = found.between(window[0] - found.length, window[1])
    except UserError:
        log.warning(
            "Recurrence of activity %d cannot be read: %s", master.id, master.recurrence_rule
        )
        yield _event(actor, master, master.start_at, master.start_at + found.length)
        return
    for one in listed:
        yield _event(actor, master, one.start, one.start + found.length, one.start)
