"""From an iCalendar file to meetings; what cannot be read is quarantined one by one."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from desktop_crm.core import recurrence
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import canonical_email, clean
from desktop_crm.sync import zones
from desktop_crm.sync.ical_tree import Component, Line, read_tree
from desktop_crm.sync.mail_body import text_of, tidy
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

_log = logging.getLogger(__name__)

_STAMP: Final = re.compile(r"^(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d):?(\d\d):?(\d\d)?\d*(Z)?)?$")
_DURATION: Final = re.compile(
    r"^([+-])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$"
)
_MARKUP: Final = re.compile(r"<(?:br|p|div|html|body|b|a|ul|span|table)\b[^>]*>", re.IGNORECASE)
_RESPONSES: Final = {
    "ACCEPTED": Response.ACCEPTED,
    "COMPLETED": Response.ACCEPTED,
    "TENTATIVE": Response.TENTATIVE,
    "DECLINED": Response.DECLINED,
}
# Messages about a meeting that say nothing a calendar could show.
_ANSWERS: Final = frozenset({"REPLY", "REFRESH", "COUNTER", "DECLINECOUNTER"})
_ROLES: Final = {"OPT-PARTICIPANT": Role.OPTIONAL, "NON-PARTICIPANT": Role.OPTIONAL}
_CLASSES: Final = {
    "": Sensitivity.NORMAL,
    "PUBLIC": Sensitivity.NORMAL,
    "PRIVATE": Sensitivity.PRIVATE,
    "CONFIDENTIAL": Sensitivity.CONFIDENTIAL,
    "PERSONAL": Sensitivity.PERSONAL,
}
_BUSY: Final = {
    "FREE": ShowAs.FREE,
    "TENTATIVE": ShowAs.TENTATIVE,
    "OOF": ShowAs.OUT_OF_OFFICE,
    "BUSY": ShowAs.BUSY,
}


class _Unreadable(Exception):
    """One component cannot be read; carries a translatable sentence and its parameters."""

    def __init__(self, reason: str, **params: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.params = params


@dataclass(slots=True)
class Calendar:
    """What a file holds: the readable meetings, and what was set aside with its reason."""

    items: list[MeetingItem] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)


@dataclass(slots=True)
class _Clock:
    """Zones of one calendar: by name, by definition, and the one for times without any."""

    definitions: dict[str, Component]
    default: tzinfo
    warnings: list[str] = field(default_factory=list)
    known: dict[str, tzinfo] = field(default_factory=dict)

    def zone(self, name: str | None, around: datetime) -> tzinfo:
        """Zone a property names; unknown ones are UTC and leave a warning (R34)."""
        if name is None:
            return self.default
        found = zones.zone_by_name(name) or self.known.get(name)
        if found is None:
            found = self._defined(name, around)
            self.known[name] = found
        return found

    def _defined(self, name: str, around: datetime) -> tzinfo:
        component = self.definitions.get(name)
        defined = zones.zone_by_definition("\n".join(component.source)) if component else None
        if defined is None:
            self.warnings.append(f"unknown time zone {name!r} read as UTC")
            return UTC
        alike = zones.zone_like(defined, around.replace(tzinfo=UTC))
        self.warnings.append(f"time zone {name!r} read as {alike.key if alike else 'its offsets'}")
        return alike or defined


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
        clock = _Clock(definitions, own or default_zone)
        try:
            item = _event(event, clock, cancelled=cancelled)
        except _Unreadable as error:
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


def _event(event: Component, clock: _Clock, *, cancelled: bool) -> MeetingItem:
    start = _start(event, clock)
    end = _end(event, start, clock)
    start, end = _whole_days(event, start, end)
    recurrence_id = event.one("RECURRENCE-ID")
    zone = _zone_name(start)
    rule = _rule(event, start, clock)
    organizer = event.one("ORGANIZER")
    return MeetingItem(
        uid=_uid(event),
        start=_utc(start),
        end=_utc(end),
        recurrence_id=_utc(_stamp(recurrence_id, clock)) if recurrence_id else None,
        subject=clean(event.text("SUMMARY")),
        location=clean(event.text("LOCATION")),
        text=_description(event),
        zone=zone,
        rrule=rule,
        exdates=_exdates(event, clock) if rule else (),
        organizer=_person(organizer, Role.ORGANIZER) if organizer else None,
        attendees=_attendees(event),
        cancelled=cancelled or event.text("STATUS").upper() in ("CANCELLED", "CANCELED"),
        show_as=_show_as(event),
        sensitivity=_sensitivity(event),
        categories=_categories(event),
        modified_at=_modified(event, clock),
        warnings=tuple(clock.warnings),
    )


def _zone_name(value: datetime | date) -> str:
    if isinstance(value, datetime) and isinstance(value.tzinfo, ZoneInfo):
        return value.tzinfo.key
    return ""


def _utc(value: datetime | date) -> datetime | date:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _uid(event: Component) -> str:
    uid = event.text("UID")
    if uid:
        return uid[:500]
    source = "\n".join(line for line in event.source if not line.startswith("DTSTAMP"))
    digest = hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()
    return f"fingerprint:{digest[:40]}"


def _stamp(line: Line, clock: _Clock, value: str | None = None) -> datetime | date:
    text = (line.value if value is None else value).strip()
    match = _STAMP.match(text)
    if not match:
        raise _Unreadable(N_('The time "{value}" cannot be read.'), value=text[:60])
    try:
        if match[4] is None:
            return date(int(match[1]), int(match[2]), int(match[3]))
        second = min(int(match[6] or 0), 59)
        naive = datetime(  # noqa: DTZ001  the zone is put on below
            int(match[1]), int(match[2]), int(match[3]), int(match[4]), int(match[5]), second
        )
    except ValueError as error:
        raise _Unreadable(N_('The time "{value}" cannot be read.'), value=text[:60]) from error
    return naive.replace(tzinfo=UTC if match[7] else clock.zone(line.params.get("TZID"), naive))


def _start(event: Component, clock: _Clock) -> datetime | date:
    line = event.one("DTSTART")
    if line is None:
        raise _Unreadable(N_("The event has no start."))
    return _stamp(line, clock)


def _end(event: Component, start: datetime | date, clock: _Clock) -> datetime | date:
    day = timedelta(days=1)
    timed = isinstance(start, datetime)
    line = event.one("DTEND")
    end: datetime | date = start if timed else start + day
    if line is not None:
        end = _stamp(line, clock)
    elif (duration := event.one("DURATION")) is not None:
        end = start + _duration(duration.value, clock)
    if isinstance(end, datetime) != timed:
        clock.warnings.append("start and end are of different kinds; the end was dropped")
        return start if timed else start + day
    if end < start:
        clock.warnings.append("the end lies before the start; it was dropped")
        return start if timed else start + day
    return start + day if not timed and end == start else end


def _duration(text: str, clock: _Clock) -> timedelta:
    match = _DURATION.match(text.strip().upper())
    if not match:
        clock.warnings.append(f"unreadable duration {text!r}")
        return timedelta()
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups()[1:])
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _whole_days(
    event: Component, start: datetime | date, end: datetime | date
) -> tuple[datetime | date, datetime | date]:
    """Outlook writes an all-day event as midnight to midnight and says so in a line of its own."""
    marked = event.text("X-MICROSOFT-CDO-ALLDAYEVENT").upper() == "TRUE"
    if marked and isinstance(start, datetime) and isinstance(end, datetime):
        return start.date(), max(end.date(), start.date() + timedelta(days=1))
    return start, end


def _rule(event: Component, start: datetime | date, clock: _Clock) -> str:
    line = event.one("RRULE")
    if line is None or event.one("RECURRENCE-ID") is not None:
        return ""
    if event.one("RDATE") is not None:
        clock.warnings.append("extra dates of the series (RDATE) are not shown")
    rule = line.value.strip().removeprefix("RRULE:")
    wall = (
        start.replace(tzinfo=None)
        if isinstance(start, datetime)
        else datetime(start.year, start.month, start.day)  # noqa: DTZ001  a wall clock
    )
    window = wall.replace(tzinfo=UTC)
    try:
        recurrence.occurrences(
            rule, wall, None, (), window_start=window, window_end=window + timedelta(days=1)
        )
    except UserError:
        clock.warnings.append(f"unreadable recurrence rule {rule!r}; only the first one is shown")
        return ""
    return rule


def _exdates(event: Component, clock: _Clock) -> tuple[datetime | date, ...]:
    found: list[datetime | date] = []
    for line in event.every("EXDATE"):
        for value in line.value.split(","):
            try:
                found.append(_utc(_stamp(line, clock, value)))
            except _Unreadable:
                clock.warnings.append(f"unreadable exception date {value!r}")
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


def _sensitivity(event: Component) -> Sensitivity:
    # A word that is not known is to be treated like PRIVATE (RFC 5545, 3.8.1.3).
    return _CLASSES.get(event.text("CLASS").strip().upper(), Sensitivity.PRIVATE)


def _show_as(event: Component) -> ShowAs:
    named = event.text("X-MICROSOFT-CDO-BUSYSTATUS") or event.text("X-MICROSOFT-CDO-INTENDEDSTATUS")
    if found := _BUSY.get(named.upper()):
        return found
    if event.text("TRANSP").upper() == "TRANSPARENT":
        return ShowAs.FREE
    return ShowAs.TENTATIVE if event.text("STATUS").upper() == "TENTATIVE" else ShowAs.BUSY


def _description(event: Component) -> str:
    text = event.text("DESCRIPTION")
    return text_of(text) if _MARKUP.search(text) else tidy(text)


def _categories(event: Component) -> tuple[str, ...]:
    written = (
        part for line in event.every("CATEGORIES") for part in re.split(r"(?<!\\),", line.value)
    )
    plain: Callable[[str], str] = lambda text: clean(text.replace("\\,", ",").replace("\\;", ";"))  # noqa: E731  one use
    return tuple(dict.fromkeys(name[:100] for part in written if (name := plain(part))))


def _modified(event: Component, clock: _Clock) -> datetime | None:
    line = event.one("LAST-MODIFIED") or event.one("DTSTAMP")
    if line is None:
        return None
    try:
        stamp = _utc(_stamp(line, clock))
    except _Unreadable:
        return None
    return stamp if isinstance(stamp, datetime) else None
