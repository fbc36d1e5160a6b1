"""Meetings as Exchange is told them: fields, occurrences, and what a series cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from exchangelib.winzone import IANA_TO_MS_TIMEZONE_MAP

from desktop_crm.core import recurrence
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.exchange import calls, fields
from desktop_crm.sync.exchange.calls import OWN_KEY
from desktop_crm.sync.exchange.fields import Field
from desktop_crm.sync.exchange.rrule import recurrence_of
from desktop_crm.sync.exchange.xml import (
    Element,
    M,
    T,
    flag_text,
    id_of,
    moment,
    node,
    stamp,
    text_at,
)
from desktop_crm.sync.port import Attendee, MeetingItem, Role, ShowAs

_BUSY: Final = {
    ShowAs.FREE: "Free",
    ShowAs.TENTATIVE: "Tentative",
    ShowAs.BUSY: "Busy",
    ShowAs.OUT_OF_OFFICE: "OOF",
}
_LISTS: Final = (
    ("RequiredAttendees", Role.REQUIRED),
    ("OptionalAttendees", Role.OPTIONAL),
    ("Resources", Role.RESOURCE),
)
_SAME_DAY: Final = N_(
    "This series has another occurrence on {day}, and Exchange keeps one a day. Nothing was "
    "changed; choose a day on which the series does not meet."
)
_CROSSES: Final = N_(
    "Moved there, the occurrence would pass or overlap its neighbour on {day}, which Exchange does "
    "not allow. Nothing was changed; choose a time between its neighbours."
)
Moved = Mapping[datetime | date, tuple[datetime | date, datetime | date]]
"""Where changed occurrences are now, by their original starts."""

AROUND: Final = timedelta(days=800)
"""How far before and after an occurrence its neighbours are looked for."""


def windows_zone(zone: str) -> str:
    """Windows name of an IANA zone; UTC for none and for those nobody has a name for."""
    found = IANA_TO_MS_TIMEZONE_MAP.get(zone)
    return str(found[0]) if found else "UTC"


def meeting_fields(item: MeetingItem, local: tzinfo, own_key: str = "") -> list[Field]:
    """What a request says of a meeting, in the order of the schema.

    Args:
        item: the meeting; an occurrence has no rule of its own.
        local: zone in which all-day events begin at midnight.
        own_key: key of the deed; empty for none.

    Raises:
        UserError: its rule has no place in Exchange.
    """
    zone = _zone_of(item, local)
    minutes = item.reminder_minutes
    rule = None
    if item.rrule and item.recurrence_id is None:
        rule = recurrence_of(item.rrule, wall(item.start, zone), zone)
    return [
        fields.text("item:Subject", "t:Subject", item.subject),
        fields.sensitivity(item.sensitivity),
        fields.body(item.text),
        fields.categories(item.categories),
        Field("item:ReminderIsSet", node("t:ReminderIsSet", flag_text(minutes is not None))),
        *((_reminder(minutes),) if minutes is not None else ()),
        *((fields.own(OWN_KEY, own_key),) if own_key else ()),
        Field("calendar:Start", node("t:Start", stamp(instant(item.start, zone)))),
        Field("calendar:End", node("t:End", stamp(instant(item.end, zone)))),
        fields.truth("calendar:IsAllDayEvent", "t:IsAllDayEvent", item.all_day),
        Field("calendar:LegacyFreeBusyStatus", node("t:LegacyFreeBusyStatus", _BUSY[item.show_as])),
        fields.text("calendar:Location", "t:Location", item.location),
        *(_people(name, role, item.attendees) for name, role in _LISTS),
        *(
            ()
            if item.recurrence_id is not None
            else (
                Field("calendar:Recurrence", rule),
                Field("calendar:StartTimeZone", node("t:StartTimeZone", Id=windows_zone(zone))),
                Field("calendar:EndTimeZone", node("t:EndTimeZone", Id=windows_zone(zone))),
            )
        ),
    ]


def with_uid(made: list[Field], uid: str) -> list[Field]:
    """The fields of a new meeting, its identity before its times as the schema wants it."""
    place = next(n for n, one in enumerate(made) if one.uri == "calendar:Start")
    return [*made[:place], fields.text("calendar:UID", "t:UID", uid), *made[place:]]


def _zone_of(item: MeetingItem, local: tzinfo) -> str:
    """IANA zone the meeting is reckoned in; empty for UTC."""
    if item.zone:
        return item.zone
    return local.key if item.all_day and isinstance(local, ZoneInfo) else ""


def wall(start: datetime | date, zone: str) -> datetime:
    """Naive wall clock of a start in its zone."""
    if not isinstance(start, datetime):
        return datetime.combine(start, time())
    return start.astimezone(ZoneInfo(zone) if zone else UTC).replace(tzinfo=None)


def instant(value: datetime | date, zone: str) -> datetime:
    """Instant of a time, or of the midnight a day begins with in a zone."""
    if isinstance(value, datetime):
        return value
    return datetime.combine(value, time(), tzinfo=ZoneInfo(zone) if zone else UTC)


def _reminder(minutes: int) -> Field:
    made = node("t:ReminderMinutesBeforeStart", str(minutes))
    return Field("item:ReminderMinutesBeforeStart", made)


def _people(name: str, role: Role, attendees: Sequence[Attendee]) -> Field:
    entries = [
        node(
            "t:Attendee",
            node(
                "t:Mailbox",
                node("t:Name", person.address.name) if person.address.name else None,
                node("t:EmailAddress", person.address.address),
            ),
        )
        for person in attendees
        if person.role is role and person.address.readable
    ]
    made = node(f"t:{name}", *entries) if entries else None
    return Field(f"calendar:{name}", made)


def occurrence_id(
    account: calls.Account,
    folder: Element,
    master: Element,
    original: datetime | date,
    local: tzinfo,
) -> str | None:
    """Id of one occurrence by its original start; None when the series has none there.

    Args:
        account: whose mailbox it is.
        folder: what names the calendar.
        master: element of the series, with its changed occurrences.
        original: when the occurrence began before anybody moved it.
        local: zone in which all-day events begin at midnight.
    """
    for changed in master.findall(f"{T}ModifiedOccurrences/{T}Occurrence"):
        at = moment(text_at(changed, "OriginalStart"))
        if at is not None and _same(at, original):
            return id_of(changed)
    zone = local.key if isinstance(local, ZoneInfo) else ""
    begins = instant(original, zone)
    payload = node(
        "m:FindItem",
        calls.item_shape(("calendar:UID", "calendar:Start")),
        node(
            "m:CalendarView",
            StartDate=stamp(begins - timedelta(hours=15)),
            EndDate=stamp(begins + timedelta(hours=15)),
        ),
        node("m:ParentFolderIds", folder),
        Traversal="Shallow",
    )
    answer = calls.ask(account, payload)
    uid = text_at(master, "UID")
    for element in answer.findall(f"{M}RootFolder/{T}Items/{T}CalendarItem"):
        at = moment(text_at(element, "Start"))
        if at is not None and text_at(element, "UID") == uid and _same(at, original):
            return id_of(element)
    return None


def _same(at: datetime, original: datetime | date) -> bool:
    if isinstance(original, datetime):
        return at == original
    return (at + timedelta(hours=12)).date() == original


def check_move(series: MeetingItem, moved: Moved, item: MeetingItem) -> None:
    """Refuse what a series in Exchange cannot do (R35).

    Args:
        series: the series; its exceptions are original starts of deleted and moved occurrences.
        moved: where moved occurrences are now, by their original starts.
        item: the occurrence as it shall be.

    Raises:
        UserError: it would fall on the day of another, or pass or overlap a neighbour.
    """
    original = item.recurrence_id
    if original is None or not series.rrule:
        return
    zone = ZoneInfo(series.zone) if series.zone else ZoneInfo("UTC")
    start, end = _as_walls(item, zone)
    for first, last in _others(series, moved, original, zone):
        if first.date() == start.date():
            raise UserError(_SAME_DAY, field="start", day=first.date().isoformat())
        before = first < wall(original, zone.key)
        if (before and last > start) or (not before and first < end):
            raise UserError(_CROSSES, field="start", day=first.date().isoformat())


def _as_walls(item: MeetingItem, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return wall(item.start, zone.key), wall(item.end, zone.key)


def _others(
    series: MeetingItem,
    moved: Moved,
    original: datetime | date,
    zone: ZoneInfo,
) -> list[tuple[datetime, datetime]]:
    """Walls of every other occurrence around one, those moved where they are now."""
    at = wall(original, zone.key)
    centre = at.replace(tzinfo=zone)
    length = wall(series.end, zone.key) - wall(series.start, zone.key)
    found = recurrence.occurrences(
        series.rrule,
        wall(series.start, zone.key),
        zone,
        {*(wall(day, zone.key) for day in series.exdates), at},
        window_start=centre - AROUND,
        window_end=centre + AROUND,
    )
    regular = [(one.wall, one.wall + length) for one in found]
    elsewhere = [
        (wall(first, zone.key), wall(last, zone.key))
        for day, (first, last) in moved.items()
        if wall(day, zone.key) != at
    ]
    return regular + elsewhere


def moved_occurrences(master: Element, series: MeetingItem) -> Moved:
    """Where the changed occurrences of a series are now.

    Args:
        master: element of the series.
        series: the same, read.
    """
    found: dict[datetime | date, tuple[datetime | date, datetime | date]] = {}
    for changed in master.findall(f"{T}ModifiedOccurrences/{T}Occurrence"):
        moments = [moment(text_at(changed, name)) for name in ("OriginalStart", "Start", "End")]
        at, start, end = moments
        if at is None or start is None or end is None:
            continue
        if series.all_day:
            noon = timedelta(hours=12)
            found[(at + noon).date()] = ((start + noon).date(), (end + noon).date())
        else:
            found[at] = (start, end)
    return found
