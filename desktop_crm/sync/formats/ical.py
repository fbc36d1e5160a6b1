"""From an iCalendar file to meetings; what cannot be read is quarantined one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from desktop_crm.core import turns
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import canonical_email, clean
from desktop_crm.sync.formats import zones
from desktop_crm.sync.formats.ical_tree import Component, Line, read_tree
from desktop_crm.sync.formats.ical_values import (
    Clock,
    Unreadable,
    alarm_of,
    categories_of,
    description_of,
    duration,
    modified_at,
    rule_of,
    sensitivity_of,
    stamp,
    uid_of,
    utc,
    zone_name,
)
from desktop_crm.sync.port import (
    Address,
    Attendee,
    MeetingItem,
    Quarantined,
    Response,
    Role,
    Sensitivity,
    ShowAs,
)

_RESPONSES: Final = {
    "ACCEPTED": Response.ACCEPTED,
    "COMPLETED": Response.ACCEPTED,
    "TENTATIVE": Response.TENTATIVE,
    "DECLINED": Response.DECLINED,
}
# Messages about a meeting that say nothing a calendar could show.
_ANSWERS: Final = frozenset({"REPLY", "REFRESH", "COUNTER", "DECLINECOUNTER"})
_ROLES: Final = {"OPT-PARTICIPANT": Role.OPTIONAL, "NON-PARTICIPANT": Role.OPTIONAL}
_BUSY: Final = {
    "FREE": ShowAs.FREE,
    "TENTATIVE": ShowAs.TENTATIVE,
    "OOF": ShowAs.OUT_OF_OFFICE,
    "BUSY": ShowAs.BUSY,
}


@dataclass(slots=True)
class Calendar:
    """What a file holds: the readable meetings, and what was set aside with its reason."""

    items: list[MeetingItem] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)


def read_calendar(data: bytes, default_zone: tzinfo = UTC) -> Calendar:
    """Read every event of a file.

    Args:
        data: the file; several calendars may follow one another in it.
        default_zone: clock of times that name no zone, where the calendar names none either.

    To-dos, journals and components of unknown kind are passed over: they are no meetings.
    """
    found = Calendar()
    root = read_tree(data)
    calendars = [child for child in root.children if child.name == "VCALENDAR"]
    if not calendars:
        reason = N_("The file is empty.") if not data.strip() else N_("The file is no calendar.")
        found.quarantined.append(Quarantined("", "", reason))
    for calendar in calendars:
        _read(calendar, default_zone, found)
    return found


def _read(calendar: Component, default_zone: tzinfo, found: Calendar) -> None:
    own = zones.zone_by_name(calendar.text("X-WR-TIMEZONE"))
    definitions = {zone.text("TZID"): zone for zone in calendar.walk("VTIMEZONE")}
    method = calendar.text("METHOD").upper()
    if method in _ANSWERS:
        return
    cancelled = method == "CANCEL"
    begins = len(found.items)
    for event in calendar.walk("VEVENT"):
        turns.give_way()
        clock = Clock(definitions, own or default_zone)
        try:
            item = _event(event, clock, cancelled=cancelled)
        except Unreadable as error:
            uid = event.text("UID")
            name = clean(event.text("SUMMARY")) or uid
            params = tuple(error.params.items())
            found.quarantined.append(Quarantined(uid, name[:200], error.reason, params))
        else:
            found.items.append(item)
    found.items[begins:] = _as_private_as_the_series(found.items[begins:])


def _as_private_as_the_series(items: list[MeetingItem]) -> list[MeetingItem]:
    """Changed occurrences seldom repeat that their series is private."""
    series = {
        item.uid: item.sensitivity
        for item in items
        if item.recurrence_id is None and item.sensitivity is not Sensitivity.NORMAL
    }
    return [
        replace(item, sensitivity=series[item.uid])
        if item.sensitivity is Sensitivity.NORMAL and item.uid in series
        else item
        for item in items
    ]


def _event(event: Component, clock: Clock, *, cancelled: bool) -> MeetingItem:
    start = _start(event, clock)
    end = _end(event, start, clock)
    start, end = _whole_days(event, start, end)
    recurrence_id = event.one("RECURRENCE-ID")
    zone = zone_name(start)
    rule = rule_of(event, start, clock)
    organizer = event.one("ORGANIZER")
    return MeetingItem(
        uid=uid_of(event),
        start=utc(start),
        end=utc(end),
        recurrence_id=utc(stamp(recurrence_id, clock)) if recurrence_id else None,
        subject=clean(event.text("SUMMARY")),
        location=clean(event.text("LOCATION")),
        text=description_of(event),
        zone=zone,
        rrule=rule,
        exdates=_exdates(event, clock) if rule else (),
        organizer=_person(organizer, Role.ORGANIZER) if organizer else None,
        attendees=_attendees(event),
        cancelled=cancelled or event.text("STATUS").upper() in ("CANCELLED", "CANCELED"),
        show_as=_show_as(event),
        sensitivity=sensitivity_of(event),
        categories=categories_of(event),
        reminder_minutes=_reminder(event, start, end, clock),
        modified_at=modified_at(event, clock),
        remarks=tuple(clock.remarks),
    )


def _start(event: Component, clock: Clock) -> datetime | date:
    line = event.one("DTSTART")
    if line is None:
        raise Unreadable(N_("The event has no start."))
    return stamp(line, clock)


def _end(event: Component, start: datetime | date, clock: Clock) -> datetime | date:
    day = timedelta(days=1)
    timed = isinstance(start, datetime)
    line = event.one("DTEND")
    end: datetime | date = start if timed else start + day
    if line is not None:
        end = stamp(line, clock)
    elif (lasts := event.one("DURATION")) is not None:
        end = start + duration(lasts.value, clock)
    if isinstance(end, datetime) != timed:
        clock.remark(N_("Its end is not of the same kind as its start; the end was left out."))
        return start if timed else start + day
    if end < start:
        clock.remark(N_("Its end lies before its start; the end was left out."))
        return start if timed else start + day
    return start + day if not timed and end == start else end


def _whole_days(
    event: Component, start: datetime | date, end: datetime | date
) -> tuple[datetime | date, datetime | date]:
    """Outlook writes an all-day event as midnight to midnight and says so in a line of its own."""
    marked = event.text("X-MICROSOFT-CDO-ALLDAYEVENT").upper() == "TRUE"
    if marked and isinstance(start, datetime) and isinstance(end, datetime):
        return start.date(), max(end.date(), start.date() + timedelta(days=1))
    return start, end


def _reminder(
    event: Component, start: datetime | date, end: datetime | date, clock: Clock
) -> int | None:
    at = alarm_of(event, start, end, clock)
    if at is None:
        return None
    begins = start
    if not isinstance(begins, datetime):
        begins = datetime(begins.year, begins.month, begins.day, tzinfo=clock.default)
    return max(0, round((begins - at).total_seconds() / 60))


def _exdates(event: Component, clock: Clock) -> tuple[datetime | date, ...]:
    found: list[datetime | date] = []
    for line in event.every("EXDATE"):
        for value in line.value.split(","):
            try:
                found.append(utc(stamp(line, clock, value)))
            except Unreadable:
                clock.remark(
                    N_("The left-out date “{value}” cannot be read; it is shown."), value=value[:60]
                )
    return tuple(dict.fromkeys(found))


def _attendees(event: Component) -> tuple[Attendee, ...]:
    people = (_person(line, None) for line in event.every("ATTENDEE"))
    return tuple({person.address.address: person for person in people if person}.values())


def _person(line: Line, role: Role | None) -> Attendee | None:
    written = clean(line.value)
    text = re.sub(r"^mailto:\s*", "", written, flags=re.IGNORECASE)
    address = canonical_email(text) or canonical_email(line.params.get("EMAIL", ""))
    name = clean(line.params.get("CN", "")).strip("'\"")
    if not (address or text or name):
        return None
    person = Address(
        address or text or name, "" if name == address else name, readable=address is not None
    )
    if role is None:
        room = line.params.get("CUTYPE", "").upper() in ("ROOM", "RESOURCE")
        role = (
            Role.RESOURCE
            if room
            else _ROLES.get(line.params.get("ROLE", "").upper(), Role.REQUIRED)
        )
    answer = _RESPONSES.get(line.params.get("PARTSTAT", "").upper(), Response.NONE)
    return Attendee(person, role, answer)


def _show_as(event: Component) -> ShowAs:
    named = event.text("X-MICROSOFT-CDO-BUSYSTATUS") or event.text("X-MICROSOFT-CDO-INTENDEDSTATUS")
    if found := _BUSY.get(named.upper()):
        return found
    if event.text("TRANSP").upper() == "TRANSPARENT":
        return ShowAs.FREE
    return ShowAs.TENTATIVE if event.text("STATUS").upper() == "TENTATIVE" else ShowAs.BUSY
