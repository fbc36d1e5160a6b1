"""Events of a calendar in a window of time, occurrences of series included."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, exists, func, or_, select

from desktop_crm.core import turns
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.meta.types import UtcDateTime
from desktop_crm.models import (
    Account,
    Activity,
    ActivityParty,
    Case,
    Contact,
    Lead,
    Opportunity,
    User,
)
from desktop_crm.models.activity import (
    ActivityKind,
    ActivityReason,
    ActivityState,
)
from desktop_crm.models.user import UserState
from desktop_crm.services import permissions, privacy
from desktop_crm.services.calendar import series
from desktop_crm.services.calendar.agenda_event import CHRONOLOGICAL, AgendaEvent
from desktop_crm.services.calendar.calendars import holds, of_events
from desktop_crm.services.context import Actor
from desktop_crm.services.pipeline import may_edit
from desktop_crm.services.prepared import Prepared
from desktop_crm.services.query import key_clause

log = logging.getLogger(__name__)

KINDS = (ActivityKind.APPOINTMENT, ActivityKind.PHONE_CALL, ActivityKind.TASK)
"""Kinds of activity that a calendar shows, once they have a start."""

LONGEST = timedelta(days=60)
"""How far before the window an event may begin that reaches into it; keeps the index useful."""

BUSY = N_("Busy")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page of the calendar shows.

    Attributes:
        events: of the window, in order of their start.
        busy: days of the small month beside it on which something begins.
    """

    events: tuple[AgendaEvent, ...]
    busy: frozenset[date]


_COMPLETED = ActivityState.COMPLETED.value
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
    calendars: Collection[str] = (),
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
        calendars: keys of the actor's own calendars whose events are wanted as well.
        cancel: stops the statements.

    A series whose rule cannot be read shows its first occurrence and is logged.
    """
    moment = _driver_form(actor)
    late = {"begin": moment(start), "since": moment(start - LONGEST), "last": moment(end)}
    asked = _prepared(actor, everybody, tuple(people), tuple(calendars))
    with actor.db.reading(cancel) as connection:
        rows = asked.inside(connection, **late)
        masters = [row[_UID] for row in rows if row[_RULE] is not None]
        moved = series.changed_names(connection, masters)
        owners = {row[_ID]: row[_OWNER] for row in rows}
        taking_part = _taking_part(connection, owners) if people else {}
        stands = of_events(connection, list(owners), calendars) if calendars else {}
    editable = cache(partial(may_edit, actor, "activity"))
    private = cache(partial(_is_private, actor, registry.get("activity")))
    found: list[AgendaEvent] = []
    # Named one by one: plain tuples cost the garbage collector nothing while they wait.
    for row in map(_Found._make, rows):
        turns.give_way()
        event = _event(row, private(row.sensitivity, row.owner_id), editable)
        if row.recurrence_rule is None:
            found.append(event)
        else:
            changed = moved.get(row.ical_uid or "", ())
            found.extend(_occurrences(actor, row, event, (start, end), changed))
    if people or calendars:
        # Who takes part in what is private to others is not to be known.
        found = [
            one
            if one.private
            else one._replace(
                people=(*one.people, *taking_part.get(one.id, ())),
                calendars=stands.get(one.id, ()),
            )
            for one in found
        ]
    return tuple(sorted(_inside(found, (start, end)), key=CHRONOLOGICAL))


def _inside(
    found: Iterable[AgendaEvent], window: tuple[datetime, datetime]
) -> Iterator[AgendaEvent]:
    start, end = window
    return (one for one in found if one.start < end and (one.end > start or one.start >= start))


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
    return _days(actor, events(actor, start, end, everybody=everybody, cancel=cancel))


def _days(actor: Actor, found: Iterable[AgendaEvent]) -> frozenset[date]:
    return frozenset(
        one.start.date() if one.all_day else one.start.astimezone(actor.zone).date()
        for one in found
    )


def page(
    actor: Actor,
    shown: tuple[datetime, datetime],
    month: tuple[datetime, datetime],
    *,
    everybody: bool = False,
    people: Collection[int] = (),
    calendars: Collection[str] = (),
    cancel: Cancel | None = None,
) -> Page:
    """Events of the window that is shown, and the busy days of the month beside it.

    Where both lie together, and they are the same people's, they are read at once: two statements.
    """
    start, end = min(shown[0], month[0]), max(shown[1], month[1])
    apart = shown[0] > month[1] or shown[1] < month[0]
    if people or calendars or apart:
        found = events(
            actor, *shown, everybody=everybody, people=people, calendars=calendars, cancel=cancel
        )
        return Page(found, busy_days(actor, *month, everybody=everybody, cancel=cancel))
    found = events(actor, start, end, everybody=everybody, cancel=cancel)
    return Page(
        tuple(_inside(found, shown)),
        _days(actor, _inside(found, month)),
    )


def _taking_part(
    connection: Connection, owners: Mapping[int, int | None]
) -> dict[int, tuple[int, ...]]:
    """Users who take part in events, without their owners; one statement."""
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


def _scope(
    actor: Actor, everybody: bool, people: tuple[int, ...], calendars: tuple[str, ...]
) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [
        Activity.deleted_at.is_(None),
        Activity.start_at.is_not(None),
        Activity.kind.in_([kind.value for kind in KINDS]),
        Activity.state != ActivityState.CANCELED.value,
    ]
    rights = permissions.row_clause(actor, registry.get("activity"), Activity.__table__, "read")
    mine = or_(
        Activity.owner_id == actor.user_id, _has_party(ActivityParty.user_id == actor.user_id)
    )
    if people or calendars:
        wanted = [holds(calendars)] if calendars else []
        if people:
            wanted.append(Activity.owner_id.in_(people))
            wanted.append(_has_party(ActivityParty.user_id.in_(people)))
        conditions.append(or_(*wanted))
        if rights is not None:
            conditions.append(or_(rights, mine))
    elif not everybody:
        conditions.append(mine)
    elif rights is not None:
        conditions.append(or_(rights, mine))
    return and_(*conditions)


def _has_party(who: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether somebody takes part; asked of each event of the window, which are few."""
    return exists().where(
        ActivityParty.activity_id == Activity.id, who, ActivityParty.deleted_at.is_(None)
    )


class _Found(NamedTuple):
    """What is read of an event or a series."""

    id: int
    version: int
    subject: str
    kind: str
    state: str
    status_reason: str | None
    start_at: datetime
    end_at: datetime | None
    is_all_day: bool
    location: str | None
    sensitivity: str
    owner_id: int | None
    is_organizer: bool
    ical_uid: str | None
    recurrence_rule: str | None
    recurrence_id: str | None
    recurrence_exceptions: list[str] | None
    time_zone: str | None
    case: str | None
    opportunity: str | None
    account: str | None
    contact: str | None
    lead: str | None


_ID, _OWNER, _UID, _RULE = map(
    _Found._fields.index, ("id", "owner_id", "ical_uid", "recurrence_rule")
)

_TITLES = (Case.title, Opportunity.name, Account.name, Contact.full_name, Lead.subject)
"""Titles of what an event may be about, the closest first; the last columns of :class:`_Found`."""


def _prepared(
    actor: Actor, everybody: bool, people: tuple[int, ...], calendars: tuple[str, ...]
) -> Prepared:
    """The statement, made once and kept with the actor; the window comes late."""
    key = ("agenda", everybody, people, calendars)
    found = actor.statements.get(key)
    if found is None:
        scope = _scope(actor, everybody, people, calendars)
        found = actor.statements[key] = Prepared(actor.db, _statement(actor, scope))
    return found


def _driver_form(actor: Actor) -> Callable[[datetime], object]:
    """Turns a moment into what the driver takes."""
    dialect = actor.db.engine.dialect
    made = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    return made or (lambda moment: moment)


def _statement(actor: Actor, scope: ColumnElement[bool]) -> Select[Any]:
    begin, since, last = (
        bindparam(name, datetime(2000, 1, 1, tzinfo=UTC), UtcDateTime())
        for name in ("begin", "since", "last")
    )
    in_window = and_(
        Activity.start_at > since, func.coalesce(Activity.end_at, Activity.start_at) >= begin
    )
    columns = [Activity.__table__.c[name] for name in _Found._fields[: -len(_TITLES)]]
    statement: Select[Any] = select(*columns, *_TITLES).select_from(Activity)
    for title in _TITLES:
        entity = title.table.name
        link = Activity.__table__.c[f"{entity}_id"] == title.table.c.id
        statement = statement.outerjoin(
            title.table, permissions.within_sight(actor, title.table, link)
        )
    # One walk through the index of starts serves both: a series may have begun years ago.
    return statement.where(
        Activity.start_at < last,
        or_(Activity.recurrence_rule.is_not(None), in_window),
        scope,
    )


def _is_private(actor: Actor, activity: Entity, sensitivity: str, owner_id: int | None) -> bool:
    told = {"sensitivity": sensitivity, "owner_id": owner_id}
    return privacy.hides(actor, activity, told)


def _event(row: _Found, private: bool, editable: Callable[[int | None], bool]) -> AgendaEvent:
    """The event of a row; of a series its first occurrence."""
    in_series = row.recurrence_rule is not None or row.recurrence_id is not None
    show_as = row.status_reason if row.status_reason in _SHOW_AS else "busy"
    titles: tuple[Any, ...] = row[-len(_TITLES) :]
    return AgendaEvent(
        id=row.id,
        version=row.version,
        start=row.start_at,
        end=series.end_by(row.start_at, row.end_at, whole_days=row.is_all_day),
        title=tr(BUSY) if private else row.subject,
        place="" if private else row.location or "",
        kind=row.kind,
        all_day=row.is_all_day,
        show_as="busy" if private else show_as,
        private=private,
        series=in_series,
        original=_original(row) if row.recurrence_id else None,
        changed=row.recurrence_id is not None,
        foreign=not row.is_organizer,
        closed=row.state == _COMPLETED,
        editable=not private and editable(row.owner_id),
        regarding="" if private else next((one for one in titles if one is not None), ""),
        people=() if row.owner_id is None else (row.owner_id,),
    )


def _original(row: _Found) -> datetime | None:
    """Start that the rule gives a changed occurrence; None where its name cannot be read."""
    try:
        moment = datetime.fromisoformat(row.recurrence_id or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _occurrences(
    actor: Actor,
    master: _Found,
    first: AgendaEvent,
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
        yield first
        return
    # What all have in common is taken once: `_replace` would ask for each field of each occurrence.
    before, between, after = first[:_START], first[_END + 1 : _ORIGINAL], first[_ORIGINAL + 1 :]
    length = found.length
    for _wall, start in listed:
        yield AgendaEvent._make((*before, start, start + length, *between, start, *after))


_START, _END, _ORIGINAL = map(AgendaEvent._fields.index, ("start", "end", "original"))
