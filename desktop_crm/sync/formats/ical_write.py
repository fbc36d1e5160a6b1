"""Meetings and tasks as iCalendar, for a server or an invitation.

An item that exists is changed in its own text: what this product does not know of it stays as it
was. An object that went through :func:`quietened` makes no server tell anybody: every participant
carries `SCHEDULE-AGENT=CLIENT`, which leaves that to the one who wrote it (RFC 6638, 7.1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Component, Event, Todo, vCalAddress, vRecur

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.formats.ical_tasks import OWN_STATUS, STATUS
from desktop_crm.sync.formats.zones import zone_by_name
from desktop_crm.sync.port import (
    Attendee,
    MeetingItem,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    TaskItem,
)

OWN_KEY: Final = "X-DESKTOP-CRM-KEY"
"""Property with the key of the deed that wrote an item last."""

_PRODUCT: Final = "-//Desktop CRM//EN"
_ANSWER: Final = {
    Response.NONE: "NEEDS-ACTION",
    Response.ACCEPTED: "ACCEPTED",
    Response.TENTATIVE: "TENTATIVE",
    Response.DECLINED: "DECLINED",
}
_BUSY: Final = {
    ShowAs.FREE: "FREE",
    ShowAs.TENTATIVE: "TENTATIVE",
    ShowAs.BUSY: "BUSY",
    ShowAs.OUT_OF_OFFICE: "OOF",
}
_CLASS: Final = {
    Sensitivity.NORMAL: None,
    Sensitivity.PERSONAL: "PRIVATE",
    Sensitivity.PRIVATE: "PRIVATE",
    Sensitivity.CONFIDENTIAL: "CONFIDENTIAL",
}
_PRIORITY: Final = {"high": 1, "normal": None, "low": 9}
_STATUS: Final = {ours: theirs for theirs, ours in STATUS.items() if ours != "deferred"}


def write_meeting(item: MeetingItem, own_key: str, before: bytes | None = None) -> bytes:
    """A calendar with the meeting in it.

    Args:
        item: the meeting; with a `recurrence_id` it is written beside its series.
        own_key: key of the deed that writes it; empty for none.
        before: the calendar object it is changed in; None makes a new one.

    Raises:
        UserError: `before` cannot be changed without losing something.
    """
    calendar = _opened(before)
    event = _find(calendar, item.recurrence_id)
    if event is None:
        event = Event()
        event.add("UID", item.uid)
        calendar.add_component(event)
    zone = zone_by_name(item.zone) if item.zone else None
    _set_time(event, "DTSTART", item.start, zone)
    event.pop("DURATION", None)
    _set_time(event, "DTEND", item.end, zone)
    if item.recurrence_id is not None:
        _set_time(event, "RECURRENCE-ID", item.recurrence_id, _zone_of(calendar) or zone)
    _set(event, "SUMMARY", item.subject or None)
    _set(event, "LOCATION", item.location or None)
    _set(event, "DESCRIPTION", item.text or None)
    _set(event, "RRULE", vRecur.from_ical(item.rrule) if item.rrule else None)
    event.pop("EXDATE", None)
    for moment in item.exdates:
        event.add("EXDATE", _on_clock(moment, zone))
    _set(event, "CLASS", _CLASS[item.sensitivity])
    _set(event, "TRANSP", "TRANSPARENT" if item.show_as is ShowAs.FREE else "OPAQUE")
    _set(event, "X-MICROSOFT-CDO-BUSYSTATUS", _BUSY[item.show_as])
    if item.cancelled:
        _set(event, "STATUS", "CANCELLED")
    elif str(event.get("STATUS", "")).upper() == "CANCELLED":
        event.pop("STATUS")
    _set(event, "CATEGORIES", list(item.categories) or None)
    _set_people(event, item)
    _set_alarm(event, _ahead(item.reminder_minutes))
    return _closed(calendar, event, own_key)


def write_task(item: TaskItem, own_key: str, before: bytes | None = None) -> bytes:
    """A calendar with the task in it; arguments and errors as for a meeting."""
    calendar = _opened(before)
    todo = next((one for one in calendar.walk("VTODO") if "RECURRENCE-ID" not in one), None)
    if todo is None:
        todo = Todo()
        todo.add("UID", item.uid)
        calendar.add_component(todo)
    _set(todo, "SUMMARY", item.subject or None)
    _set(todo, "DESCRIPTION", item.text or None)
    _set_day(todo, "DTSTART", item.start, "DUE")
    todo.pop("DURATION", None)
    _set_day(todo, "DUE", item.due, "DTSTART")
    _set(todo, "COMPLETED", item.completed_at)
    _set(todo, "STATUS", _STATUS.get(item.status, "NEEDS-ACTION"))
    own = item.status if item.status in ("waiting", "deferred") else None
    _set(todo, OWN_STATUS, own)
    _set(todo, "PERCENT-COMPLETE", item.percent or None)
    _set(todo, "PRIORITY", _PRIORITY.get(item.importance))
    _set(todo, "CLASS", _CLASS[item.sensitivity])
    _set(todo, "CATEGORIES", list(item.categories) or None)
    _set(todo, "RRULE", vRecur.from_ical(item.rrule) if item.rrule else None)
    _set_alarm(todo, item.remind_at)
    return _closed(calendar, todo, own_key)


def without_occurrence(before: bytes, start: datetime | date, own_key: str) -> bytes:
    """The calendar object of a series without the occurrence that began at `start`.

    Raises:
        UserError: it is no series.
    """
    calendar = _opened(before)
    series = _find(calendar, None)
    if series is None or "RRULE" not in series:
        raise UserError(N_("The meeting is no series, so it has no single occurrence to delete."))
    changed = _find(calendar, start)
    if changed is not None:
        calendar.subcomponents.remove(changed)
    moment = start
    begins = _value(series, "DTSTART").dt
    if not isinstance(begins, datetime) and isinstance(moment, datetime):
        moment = moment.date()
    series.add("EXDATE", _on_clock(moment, _zone_of(calendar)))
    return _closed(calendar, series, own_key)


def answered(before: bytes, address: str, response: Response, own_key: str) -> bytes:
    """The calendar object with one attendee's answer, for the meeting and each occurrence.

    Raises:
        UserError: the meeting does not name that attendee.
    """
    calendar = _opened(before)
    found = False
    events = calendar.walk("VEVENT")
    for event in events:
        for person in _each(event, "ATTENDEE"):
            if address_of(person) == address.casefold():
                person.params["PARTSTAT"] = _ANSWER[response]
                person.params.pop("RSVP", None)
                found = True
    if not found:
        raise UserError(
            N_("The meeting does not name {address} among its attendees, so there is no answer."),
            address=address,
        )
    return _closed(calendar, events[0], own_key)


def message_of(data: bytes, method: str, attendee: str = "") -> bytes:
    """A calendar object as what is sent to people: with a method, without this product's marks.

    Args:
        data: the calendar object.
        method: REQUEST, CANCEL or REPLY.
        attendee: the one who replies; the only one a reply names.
    """
    calendar = _opened(data)
    calendar.pop("METHOD", None)
    calendar.add("METHOD", method)
    for event in calendar.walk("VEVENT"):
        event.pop(OWN_KEY, None)
        event.subcomponents = []  # an alarm is the writer's own
        for person in (*_each(event, "ATTENDEE"), *_each(event, "ORGANIZER")):
            person.params.pop("SCHEDULE-AGENT", None)
        if method == "CANCEL":
            _set(event, "STATUS", "CANCELLED")
        if attendee:
            people = [p for p in _each(event, "ATTENDEE") if address_of(p) == attendee.casefold()]
            event["ATTENDEE"] = people
    return bytes(calendar.to_ical())


def quietened(data: bytes, own: Collection[str]) -> bytes:
    """The calendar object in a form in which no server tells anybody of it.

    Args:
        data: the object.
        own: addresses of the mailbox's owner, folded. Who does not organize a meeting may change
            nothing but who tells its organizer.
    """
    calendar = _opened(data)
    organizer = organizer_of(data)
    mine = not organizer or organizer in own
    for event in calendar.walk("VEVENT"):
        people = [*_each(event, "ORGANIZER"), *(_each(event, "ATTENDEE") if mine else ())]
        for person in people:
            person.params["SCHEDULE-AGENT"] = "CLIENT"
    return bytes(calendar.to_ical())


def server_tells(data: bytes) -> bool:
    """Whether a server that sends invitations would do so for a change of this object."""
    return any(
        str(person.params.get("SCHEDULE-AGENT", "SERVER")).upper() == "SERVER"
        for event in _opened(data).walk("VEVENT")
        for person in _each(event, "ATTENDEE")
    )


def keyed(data: bytes, own_key: str) -> bytes:
    """The calendar object with the key of the deed that writes it anew."""
    calendar = _opened(data)
    parts = [one for one in calendar.subcomponents if one.name in ("VEVENT", "VTODO")]
    for number, part in enumerate(parts):
        _set(part, OWN_KEY, own_key if number == 0 else None)
    return bytes(calendar.to_ical())


def organizer_of(data: bytes) -> str:
    """Address of who called the meeting, folded; empty for a meeting of one."""
    people = (p for one in _opened(data).walk("VEVENT") for p in _each(one, "ORGANIZER"))
    return next((address_of(person) for person in people), "")


def own_key_of(data: bytes) -> str:
    """Keys of the deeds that wrote the object's parts last, joined by blanks."""
    found = [str(one[OWN_KEY]) for one in _opened(data).walk() if OWN_KEY in one]
    return " ".join(found)


def address_of(person: Any) -> str:  # noqa: ANN401  a value of icalendar's
    """Address of an attendee or organizer, folded."""
    text = str(person).casefold()
    return text.removeprefix("mailto:").strip()


# --- the pieces ---------------------------------------------------------------------------------


def _opened(before: bytes | None) -> Calendar:
    if before is None:
        calendar = Calendar()
        calendar.add("PRODID", _PRODUCT)
        calendar.add("VERSION", "2.0")
        return calendar
    try:
        found = Calendar.from_ical(before)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise _unsafe() from error
    if any(one.errors for one in found.walk()):
        raise _unsafe()
    return found


def _unsafe() -> UserError:
    return UserError(
        N_(
            "The entry on the server holds something that cannot be written back as it is. "
            "Nothing was changed; change it in the program that made it."
        )
    )


def _closed(calendar: Calendar, changed: Component, own_key: str) -> bytes:
    now = clock.now().astimezone(UTC).replace(microsecond=0)
    _set(changed, "DTSTAMP", now)
    _set(changed, "LAST-MODIFIED", now)
    _set(changed, OWN_KEY, own_key or None)
    if isinstance(changed, Event):
        _set(changed, "SEQUENCE", int(_value(changed, "SEQUENCE") or 0) + 1)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _find(calendar: Calendar, recurrence_id: datetime | date | None) -> Event | None:
    for event in calendar.walk("VEVENT"):
        found = _value(event, "RECURRENCE-ID")
        if (found is None) != (recurrence_id is None):
            continue
        if found is None or _same(found.dt, recurrence_id):
            return event if isinstance(event, Event) else None
    return None


def _same(one: datetime | date, two: datetime | date | None) -> bool:
    if isinstance(one, datetime) and isinstance(two, datetime):
        aware = one if one.tzinfo else one.replace(tzinfo=UTC)
        return aware == two
    days = [value.date() if isinstance(value, datetime) else value for value in (one, two)]
    return days[0] == days[1]


def _zone_of(calendar: Calendar) -> ZoneInfo | None:
    """Zone of the series, in which its occurrences are named."""
    series = _find(calendar, None)
    start = None if series is None else _value(series, "DTSTART")
    name = start.params.get("TZID") if start is not None else None
    return zone_by_name(str(name)) if name else None


def _on_clock(value: datetime | date, zone: ZoneInfo | None) -> datetime | date:
    if isinstance(value, datetime):
        return value.astimezone(zone or UTC)
    return value


def _value(component: Component, name: str) -> Any:  # noqa: ANN401  one of icalendar's thirty
    return component.get(name)


def _set(component: Component, name: str, value: object) -> None:
    component.pop(name, None)
    if value is not None:
        component.add(name, value)


def _set_time(
    component: Component, name: str, value: datetime | date, zone: ZoneInfo | None
) -> None:
    """Set a time; one that says the same already stays in the writing it has."""
    stands = _value(component, name)
    wanted = _on_clock(value, zone)
    if stands is not None and isinstance(stands.dt, datetime) == isinstance(wanted, datetime):
        unzoned = isinstance(stands.dt, datetime) and stands.dt.tzinfo is None
        if not unzoned and stands.dt == wanted:
            return
    _set(component, name, wanted)


def _set_day(todo: Component, name: str, day: date | None, other: str) -> None:
    """Set a day; a time on that day stays, and both are days or both times (RFC 5545, 3.8.2.3)."""
    stands = _value(todo, name)
    if stands is not None and day is not None:
        known = stands.dt.date() if isinstance(stands.dt, datetime) else stands.dt
        if known == day:
            return
    beside = _value(todo, other)
    clock_ = beside.dt.timetz() if beside and isinstance(beside.dt, datetime) else None
    _set(todo, name, datetime.combine(day, clock_) if day and clock_ else day)


def _ahead(minutes: int | None) -> timedelta | None:
    return None if minutes is None else timedelta(minutes=-minutes)


def _set_alarm(component: Component, trigger: timedelta | datetime | None) -> None:
    """Set the alarm a person sees; alarms by mail stay."""
    shown = [
        one
        for one in component.subcomponents
        if one.name == "VALARM" and str(one.get("ACTION", "")).upper() not in ("EMAIL", "NONE")
    ]
    if len(shown) == 1 and trigger is not None and _trigger_of(shown[0]) == trigger:
        return
    component.subcomponents = [one for one in component.subcomponents if one not in shown]
    if trigger is None:
        return
    alarm = Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", str(component.get("SUMMARY", "")) or "-")
    alarm.add("TRIGGER", trigger)
    component.add_component(alarm)


def _trigger_of(alarm: Component) -> object:
    trigger = _value(alarm, "TRIGGER")
    return None if trigger is None or "RELATED" in trigger.params else trigger.dt


def _set_people(event: Event, item: MeetingItem) -> None:
    """Set who takes part; who stands there already keeps what else is said of them."""
    stands = {address_of(person): person for person in _each(event, "ATTENDEE")}
    event.pop("ATTENDEE", None)
    for attendee in item.attendees:
        person = stands.get(attendee.address.address.casefold()) or _new(attendee)
        _describe(person, attendee)
        event.add("ATTENDEE", person, encode=False)
    organizer = item.organizer
    if organizer is None:
        event.pop("ORGANIZER", None)
    elif "ORGANIZER" not in event or address_of(event["ORGANIZER"]) != organizer.address.address:
        _set(event, "ORGANIZER", _new(organizer))


def _new(attendee: Attendee) -> vCalAddress:
    person = vCalAddress(f"mailto:{attendee.address.address}")
    if attendee.address.name:
        person.params["CN"] = attendee.address.name
    if attendee.role is not Role.ORGANIZER:
        person.params["RSVP"] = "TRUE"
    return person


def _describe(person: vCalAddress, attendee: Attendee) -> None:
    if attendee.role is Role.RESOURCE:
        person.params["CUTYPE"] = "RESOURCE"
    optional = attendee.role is Role.OPTIONAL
    person.params["ROLE"] = "OPT-PARTICIPANT" if optional else "REQ-PARTICIPANT"
    person.params["PARTSTAT"] = _ANSWER[attendee.response]


def _each(component: Component, name: str) -> Sequence[Any]:
    found = _value(component, name)
    if found is None:
        return ()
    return found if isinstance(found, list) else (found,)


def attendees_of(data: bytes) -> tuple[str, ...]:
    """Addresses of everybody an object invites, in its order."""
    found: Iterable[str] = (
        address_of(person)
        for event in _opened(data).walk("VEVENT")
        for person in _each(event, "ATTENDEE")
    )
    return tuple(dict.fromkeys(found))
