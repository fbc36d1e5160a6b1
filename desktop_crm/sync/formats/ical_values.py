"""The values of iCalendar properties as programs really wrote them, for events and tasks alike."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from desktop_crm.core import recurrence
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import clean
from desktop_crm.sync.formats import zones
from desktop_crm.sync.formats.ical_tree import Component, Line
from desktop_crm.sync.formats.mail_body import text_of, tidy
from desktop_crm.sync.port import UNKNOWN_ZONE, UNREADABLE_RULE, Remark, Sensitivity

_STAMP: Final = re.compile(r"^(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d):?(\d\d):?(\d\d)?\d*(Z)?)?$")
_DURATION: Final = re.compile(
    r"^([+-])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$"
)
_MARKUP: Final = re.compile(r"<(?:br|p|div|html|body|b|a|ul|span|table)\b[^>]*>", re.IGNORECASE)
_CLASSES: Final = {
    "": Sensitivity.NORMAL,
    "PUBLIC": Sensitivity.NORMAL,
    "PRIVATE": Sensitivity.PRIVATE,
    "CONFIDENTIAL": Sensitivity.CONFIDENTIAL,
    "PERSONAL": Sensitivity.PERSONAL,
}


class Unreadable(Exception):
    """One component cannot be read; carries a translatable sentence and its parameters."""

    def __init__(self, reason: str, **params: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.params = params


@dataclass(slots=True)
class Clock:
    """Zones of one calendar: by name, by definition, and the one for times without any."""

    definitions: dict[str, Component]
    default: tzinfo
    remarks: list[Remark] = field(default_factory=list)
    known: dict[str, tzinfo] = field(default_factory=dict)

    def remark(self, reason: str, **params: object) -> None:
        """Note what cannot be taken over as it is written, once."""
        found = Remark(reason, tuple(params.items()))
        if found not in self.remarks:
            self.remarks.append(found)

    def zone(self, name: str | None, around: datetime) -> tzinfo:
        """Zone a property names; an unknown one is its offset or UTC and leaves a remark (R34)."""
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
        alike = zones.zone_like(defined, around.replace(tzinfo=UTC)) if defined else None
        if alike is not None:
            return alike
        self.remark(UNKNOWN_ZONE, zone=name[:100] or "?")
        return defined or zones.zone_by_offset(name) or UTC


def zone_name(value: datetime | date) -> str:
    """IANA name of a time's zone, empty for days and for zones without a name."""
    if isinstance(value, datetime) and isinstance(value.tzinfo, ZoneInfo):
        return value.tzinfo.key
    return ""


def utc(value: datetime | date) -> datetime | date:
    """The instant in UTC; a day stays a day."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def uid_of(event: Component) -> str:
    """Identity of a component; a fingerprint of what it says where it names none."""
    uid = event.text("UID")
    if uid:
        return uid[:500]
    source = "\n".join(line for line in event.source if not line.startswith("DTSTAMP"))
    digest = hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()
    return f"fingerprint:{digest[:40]}"


def stamp(line: Line, clock: Clock, value: str | None = None) -> datetime | date:
    """Aware time or day of a property, or of one of its values.

    Raises:
        Unreadable: it is neither.
    """
    text = (line.value if value is None else value).strip()
    match = _STAMP.match(text)
    if not match:
        raise Unreadable(N_('The time "{value}" cannot be read.'), value=text[:60])
    if not MINYEAR < int(match[1]) < MAXYEAR:
        # The first and the last year there is: their days cannot be told in every zone.
        raise Unreadable(N_('The time "{value}" cannot be read.'), value=text[:60])
    try:
        if match[4] is None:
            return date(int(match[1]), int(match[2]), int(match[3]))
        second = min(int(match[6] or 0), 59)
        naive = datetime(  # noqa: DTZ001  the zone is put on below
            int(match[1]), int(match[2]), int(match[3]), int(match[4]), int(match[5]), second
        )
    except ValueError as error:
        raise Unreadable(N_('The time "{value}" cannot be read.'), value=text[:60]) from error
    return naive.replace(tzinfo=UTC if match[7] else clock.zone(line.params.get("TZID"), naive))


def duration(text: str, clock: Clock) -> timedelta:
    """Length or distance in time; nothing for one that cannot be read."""
    match = _DURATION.match(text.strip().upper())
    if not match:
        clock.remark(N_("The length “{value}” cannot be read; it was left out."), value=text[:60])
        return timedelta()
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups()[1:])
    found = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -found if match[1] == "-" else found


def alarm_of(
    component: Component, start: datetime | date | None, end: datetime | date | None, clock: Clock
) -> datetime | None:
    """When the first alarm of a component goes off; an alarm by mail is none of this calendar's.

    Days begin at midnight in the calendar's own zone.
    """
    for alarm in component.children:
        trigger = alarm.one("TRIGGER") if alarm.name == "VALARM" else None
        if trigger is None or alarm.text("ACTION").upper() in ("NONE", "EMAIL"):
            continue
        if _STAMP.match(trigger.value.strip()):
            return _instant(trigger, clock)
        base = end if trigger.params.get("RELATED", "").upper() == "END" else start
        if base is None:
            continue
        if not isinstance(base, datetime):
            base = datetime(base.year, base.month, base.day, tzinfo=clock.default)
        return (base + duration(trigger.value, clock)).astimezone(UTC)
    return None


def rule_of(event: Component, start: datetime | date, clock: Clock) -> str:
    """Recurrence rule of a series; empty for single items and for rules nobody can read."""
    line = event.one("RRULE")
    if line is None or event.one("RECURRENCE-ID") is not None:
        return ""
    if event.one("RDATE") is not None:
        clock.remark(N_("Dates of the series beside its rule are not shown."))
    rule = line.value.strip().removeprefix("RRULE:")
    wall = (
        start.replace(tzinfo=None)
        if isinstance(start, datetime)
        else datetime(start.year, start.month, start.day)  # noqa: DTZ001  a wall clock
    )
    try:
        recurrence.check(rule, wall)
    except UserError:
        clock.remark(UNREADABLE_RULE)
        return ""
    return rule


def sensitivity_of(event: Component) -> Sensitivity:
    """How private a component is called."""
    # A word that is not known is to be treated like PRIVATE (RFC 5545, 3.8.1.3).
    return _CLASSES.get(event.text("CLASS").strip().upper(), Sensitivity.PRIVATE)


def description_of(event: Component) -> str:
    """Plain text of a component's description, whatever it was written in."""
    text = event.text("DESCRIPTION")
    return text_of(text) if _MARKUP.search(text) else tidy(text)


def categories_of(event: Component) -> tuple[str, ...]:
    """Categories of a component in the order of the file."""
    written = (
        part for line in event.every("CATEGORIES") for part in re.split(r"(?<!\\),", line.value)
    )
    plain: Callable[[str], str] = lambda text: clean(text.replace("\\,", ",").replace("\\;", ";"))  # noqa: E731  one use
    return tuple(dict.fromkeys(name[:100] for part in written if (name := plain(part))))


def modified_at(event: Component, clock: Clock) -> datetime | None:
    """When a component was last changed, where it says so."""
    line = event.one("LAST-MODIFIED") or event.one("DTSTAMP")
    return _instant(line, clock) if line else None


def _instant(line: Line, clock: Clock) -> datetime | None:
    try:
        found = utc(stamp(line, clock))
    except Unreadable:
        return None
    return found if isinstance(found, datetime) else None
