"""From the JSON of Microsoft Graph to plain values; nothing here talks to the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from desktop_crm.core import recurrence, turns
from desktop_crm.core.errors import UserError
from desktop_crm.core.text import canonical_email, clean
from desktop_crm.sync.formats import mail_header as header
from desktop_crm.sync.formats import zones
from desktop_crm.sync.formats.mail_body import text_of, tidy
from desktop_crm.sync.formats.mime import read_message, with_fingerprint
from desktop_crm.sync.graph.rrule import rule_of
from desktop_crm.sync.port import (
    UNKNOWN_ZONE,
    UNREADABLE_RULE,
    Address,
    Attendee,
    ContactItem,
    Flag,
    MailItem,
    MeetingItem,
    PostalAddress,
    Remark,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    TaskItem,
)

Json = Mapping[str, Any]

OWN_KEY: Final = "String {5b9a3f3e-0c0e-4f0b-9d63-1f2c6f0a7c11} Name DesktopCrmKey"
"""Extended property with the key of the deed that made an item; survives moving."""

SIZE: Final = "Integer 0x0E08"
"""PidTagMessageSize."""

MAIL_FIELDS: Final = (
    "id,changeKey,internetMessageId,subject,isRead,isDraft,flag,categories,importance,"
    "conversationId,receivedDateTime,sentDateTime,bccRecipients"
)
MAIL_EXPAND: Final = f"singleValueExtendedProperties($filter=id eq '{SIZE}' or id eq '{OWN_KEY}')"
EVENT_FIELDS: Final = (
    "id,changeKey,iCalUId,type,seriesMasterId,subject,body,start,end,originalStart,"
    "originalStartTimeZone,isAllDay,isCancelled,isOrganizer,isReminderOn,isOnlineMeeting,"
    "reminderMinutesBeforeStart,location,organizer,attendees,responseStatus,recurrence,showAs,"
    "sensitivity,categories,createdDateTime,lastModifiedDateTime"
)
OWN_KEY_EXPAND: Final = f"singleValueExtendedProperties($filter=id eq '{OWN_KEY}')"

_SENSITIVE: Final = {s.value: s for s in Sensitivity}
_ANSWERS: Final = {
    "organizer": Response.ACCEPTED,
    "accepted": Response.ACCEPTED,
    "tentativelyaccepted": Response.TENTATIVE,
    "declined": Response.DECLINED,
}
_ROLES: Final = {
    "required": Role.REQUIRED,
    "optional": Role.OPTIONAL,
    "resource": Role.RESOURCE,
}
SHOWN: Final = {
    "free": ShowAs.FREE,
    "workingelsewhere": ShowAs.FREE,
    "tentative": ShowAs.TENTATIVE,
    "oof": ShowAs.OUT_OF_OFFICE,
}
"""What the service's words for free and busy mean; every other word is busy."""
_FLAGS: Final = {
    "notflagged": Flag.NONE,
    "flagged": Flag.FLAGGED,
    "complete": Flag.COMPLETE,
}
_STATES: Final = {
    "notstarted": "not_started",
    "inprogress": "in_progress",
    "completed": "completed",
    "waitingonothers": "waiting",
    "deferred": "deferred",
}


def own_filter(key: str) -> str:
    """The filter that finds what carries the key of a deed."""
    prop = f"ep/id eq '{OWN_KEY}' and ep/value eq {text_literal(key)}"
    return f"singleValueExtendedProperties/Any(ep: {prop})"


def text_literal(value: str) -> str:
    """A text as a filter writes it."""
    return "'" + value.replace("'", "''") + "'"


class Unreadable(Exception):
    """The item cannot be understood; the text is for the log."""


def text(entry: Json, name: str) -> str:
    """A property as text; empty when it is missing or null."""
    value = entry.get(name)
    return value.strip() if isinstance(value, str) else ""


def _part(entry: Json, name: str) -> Json:
    value = entry.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(entry: Json, name: str) -> Sequence[Any]:
    value = entry.get(name)
    return value if isinstance(value, list) else ()


def change_key(entry: Json) -> str:
    """Version of an item; the one inside its etag where nothing else tells it."""
    found = text(entry, "changeKey")
    return found or text(entry, "@odata.etag").removeprefix("W/").strip('"')


def extended(entry: Json, name: str) -> str:
    """Value of an extended property that was asked for, or empty."""
    for one in _list(entry, "singleValueExtendedProperties"):
        # The service writes the number of a property without its leading zeros.
        told = text(one, "id").lower() if isinstance(one, Mapping) else ""
        if told.replace(" 0x0", " 0x") == name.lower().replace(" 0x0", " 0x"):
            return text(one, "value")
    return ""


def size_of(entry: Json) -> int:
    """Bytes a message takes in the mailbox; 0 where that is not told."""
    found = extended(entry, SIZE)
    return int(found) if found.isdigit() else 0


def moment(value: str) -> datetime | None:
    """Instant of a timestamp in UTC; none for the years 1 and 9999, which stand for none."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    if not MINYEAR < found.year < MAXYEAR:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def zoned(entry: Json, name: str) -> datetime | None:
    """Instant of a dateTimeTimeZone."""
    part = _part(entry, name)
    zone = zones.zone_by_name(text(part, "timeZone") or "UTC")
    try:
        found = datetime.fromisoformat(text(part, "dateTime"))
    except ValueError:
        return None
    if not MINYEAR < found.year < MAXYEAR:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=zone or UTC)).astimezone(UTC)


def _wall_day(entry: Json, name: str) -> date | None:
    """Day a dateTimeTimeZone names, on its own clock."""
    try:
        return datetime.fromisoformat(text(_part(entry, name), "dateTime")).date()
    except ValueError:
        return None


def _address(box: Json) -> Address | None:
    part = _part(box, "emailAddress")
    written, name = clean(text(part, "address")), clean(text(part, "name"))
    address = canonical_email(written) or canonical_email(name)
    if address is not None:
        return Address(address, "" if name.lower() == address else name)
    return Address(written or name, name, readable=False) if written or name else None


def _people(entry: Json, name: str) -> tuple[Address, ...]:
    found = (_address(one) for one in _list(entry, name) if isinstance(one, Mapping))
    return tuple(dict.fromkeys(person for person in found if person))


def categories(entry: Json) -> tuple[str, ...]:
    """Categories of an item."""
    names = (clean(str(name))[:100] for name in _list(entry, "categories"))
    return tuple(dict.fromkeys(name for name in names if name))


def flag_of(entry: Json) -> Flag:
    """Mark for follow-up of a message."""
    return _FLAGS.get(text(_part(entry, "flag"), "flagStatus").lower(), Flag.NONE)


def _body(entry: Json) -> str:
    part = _part(entry, "body")
    content = part.get("content")
    if not isinstance(content, str):
        return ""
    return text_of(content) if text(part, "contentType").lower() == "html" else tidy(content)


def _sensitivity(entry: Json) -> Sensitivity:
    """How private an item is; a word nobody knows counts as private rather than as nothing."""
    word = text(entry, "sensitivity").lower()
    return _SENSITIVE.get(word, Sensitivity.PRIVATE) if word else Sensitivity.NORMAL


def mail_item(entry: Json, mime: bytes) -> MailItem:
    """One message: its content from its own text, the rest from its properties.

    Raises:
        mime.Unusable: the text is no message.
    """
    base = read_message(mime)
    told = header.message_id(text(entry, "internetMessageId"))
    item = replace(
        base,
        message_id=base.message_id if base.has_message_id else told,
        has_message_id=True,
        subject=base.subject or clean(text(entry, "subject")),
        bcc=base.bcc or _people(entry, "bccRecipients"),
        sent_at=base.sent_at or moment(text(entry, "sentDateTime")),
        received_at=moment(text(entry, "receivedDateTime")) or base.received_at,
        thread_key=text(entry, "conversationId") or base.thread_key,
        own_key=extended(entry, OWN_KEY),
        categories=categories(entry),
        importance=text(entry, "importance").lower() or base.importance,
        is_read=entry.get("isRead") is not False,
        flag=flag_of(entry),
        is_draft=entry.get("isDraft") is True,
    )
    return item if item.message_id else with_fingerprint(item)


def zone_of(entry: Json) -> ZoneInfo | None:
    """Zone an event was made in, where it has a name that is known."""
    name = text(entry, "originalStartTimeZone").removeprefix("tzone://Microsoft/")
    return zones.zone_by_name(name) if name else None


def meeting_item(
    entry: Json, master: Json | None = None, exdates: tuple[datetime | date, ...] = ()
) -> MeetingItem:
    """One meeting, series or changed occurrence.

    Args:
        entry: the event.
        master: the series a changed occurrence belongs to.
        exdates: original starts of occurrences that were deleted or changed.

    Raises:
        Unreadable: it has no usable start.
    """
    turns.give_way()
    start = zoned(entry, "start")
    if start is None:
        raise Unreadable(f"start {_part(entry, 'start').get('dateTime')!r}")
    end = zoned(entry, "end") or start
    remarks: list[Remark] = []
    all_day = entry.get("isAllDay") is True
    first: datetime | date = start
    last: datetime | date = max(start, end)
    zone = zone_of(entry)
    if all_day:
        # An all-day event is midnight to midnight on the clock it is told in.
        first = _wall_day(entry, "start") or start.date()
        last = max(_wall_day(entry, "end") or first, first + timedelta(days=1))
    elif zone is None and text(entry, "originalStartTimeZone"):
        named = text(entry, "originalStartTimeZone")
        remarks.append(Remark(UNKNOWN_ZONE, (("zone", named),)))
    rule = _rule(entry, start, None if all_day else zone, remarks)
    organizer = _address(_part(entry, "organizer"))
    identity = text(master or entry, "iCalUId") or f"graph:{text(master or entry, 'id')}"
    return MeetingItem(
        uid=identity[:500],
        start=first,
        end=last,
        recurrence_id=_original(entry, all_day=all_day),
        subject=clean(text(entry, "subject")),
        location=clean(text(_part(entry, "location"), "displayName")),
        text=_body(entry),
        zone="" if all_day or zone is None else zone.key,
        rrule=rule,
        exdates=exdates if rule else (),
        organizer=Attendee(organizer, Role.ORGANIZER, Response.ACCEPTED) if organizer else None,
        attendees=_attendees(entry),
        cancelled=entry.get("isCancelled") is True,
        show_as=SHOWN.get(text(entry, "showAs").lower(), ShowAs.BUSY),
        sensitivity=_sensitivity(entry),
        categories=categories(entry),
        my_response=_ANSWERS.get(
            text(_part(entry, "responseStatus"), "response").lower(), Response.NONE
        ),
        reminder_minutes=_reminder(entry),
        modified_at=moment(text(entry, "lastModifiedDateTime")),
        remarks=tuple(remarks),
    )


def _reminder(entry: Json) -> int | None:
    minutes = entry.get("reminderMinutesBeforeStart")
    return minutes if entry.get("isReminderOn") is True and isinstance(minutes, int) else None


def _original(entry: Json, *, all_day: bool) -> datetime | date | None:
    if text(entry, "type").lower() not in ("exception", "occurrence"):
        return None
    found = moment(text(entry, "originalStart")) or zoned(entry, "start")
    if found is None or not all_day:
        return found
    # Midnight somewhere: the nearest one in UTC, whose clock all-day events are told in.
    return (found + timedelta(hours=12)).date()


def _rule(entry: Json, start: datetime, zone: ZoneInfo | None, remarks: list[Remark]) -> str:
    found = entry.get("recurrence")
    if not isinstance(found, Mapping):
        return ""
    try:
        rule = rule_of(found)
        starts(rule, start, zone, start, start + timedelta(days=1))
    except (ValueError, KeyError, TypeError, UserError):
        remarks.append(Remark(UNREADABLE_RULE))
        return ""
    return rule


def starts(
    rule: str, first: datetime, zone: ZoneInfo | None, since: datetime, until: datetime
) -> list[datetime]:
    """Instants at which the occurrences of a rule start within a window.

    Raises:
        UserError: the rule cannot be read.
    """
    wall = first.astimezone(zone or UTC).replace(tzinfo=None)
    found = recurrence.occurrences(rule, wall, zone, (), window_start=since, window_end=until)
    return [one.start for one in found]


def _attendees(entry: Json) -> tuple[Attendee, ...]:
    found: dict[str, Attendee] = {}
    for one in _list(entry, "attendees"):
        person = _address(one) if isinstance(one, Mapping) else None
        if person is not None:
            answer = text(_part(one, "status"), "response").lower()
            role = _ROLES.get(text(one, "type").lower(), Role.REQUIRED)
            response = _ANSWERS.get(answer, Response.NONE)
            found.setdefault(person.address, Attendee(person, role, response))
    return tuple(found.values())


def task_item(entry: Json) -> TaskItem:
    """One task of Microsoft To Do; it knows neither a percentage nor how private a task is."""
    status = _STATES.get(text(entry, "status").lower(), "not_started")
    rule = ""
    remarks: tuple[Remark, ...] = ()
    if isinstance(entry.get("recurrence"), Mapping):
        try:
            rule = rule_of(entry["recurrence"])
        except (ValueError, KeyError, TypeError):
            remarks = (Remark(UNREADABLE_RULE),)
    return TaskItem(
        uid=f"graph:{text(entry, 'id')}",
        subject=clean(text(entry, "title")),
        text=_body(entry),
        start=_wall_day(entry, "startDateTime"),
        due=_wall_day(entry, "dueDateTime"),
        completed_at=zoned(entry, "completedDateTime"),
        status=status,
        percent=100 if status == "completed" else 0,
        importance=text(entry, "importance").lower() or "normal",
        categories=categories(entry),
        rrule=rule,
        remind_at=zoned(entry, "reminderDateTime") if entry.get("isReminderOn") is True else None,
        modified_at=moment(text(entry, "lastModifiedDateTime")),
        remarks=remarks,
    )


def contact_item(entry: Json) -> ContactItem:
    """One person of an address book."""
    born = moment(text(entry, "birthday"))
    emails = (
        _address({"emailAddress": one})
        for one in _list(entry, "emailAddresses")
        if isinstance(one, Mapping)
    )
    phones = [("mobile", text(entry, "mobilePhone"))]
    phones += [("work", str(number)) for number in _list(entry, "businessPhones")]
    phones += [("home", str(number)) for number in _list(entry, "homePhones")]
    return ContactItem(
        uid=f"graph:{text(entry, 'id')}",
        full_name=clean(text(entry, "displayName")),
        first_name=clean(text(entry, "givenName")),
        last_name=clean(text(entry, "surname")),
        middle_name=clean(text(entry, "middleName")),
        prefix=clean(text(entry, "title")),
        suffix=clean(text(entry, "generation")),
        company=clean(text(entry, "companyName")),
        job_title=clean(text(entry, "jobTitle")),
        department=clean(text(entry, "department")),
        emails=tuple(dict.fromkeys(one for one in emails if one)),
        phones=tuple((kind, clean(number)) for kind, number in phones if number.strip()),
        addresses=_postal(entry),
        website=text(entry, "businessHomePage"),
        birthday=born.date() if born else None,
        text=tidy(text(entry, "personalNotes")),
        categories=categories(entry),
        modified_at=moment(text(entry, "lastModifiedDateTime")),
    )


def _postal(entry: Json) -> tuple[PostalAddress, ...]:
    found = []
    for kind, name in (
        ("work", "businessAddress"),
        ("home", "homeAddress"),
        ("other", "otherAddress"),
    ):
        part = _part(entry, name)
        said = [
            clean(text(part, key))
            for key in ("street", "postalCode", "city", "state", "countryOrRegion")
        ]
        if any(said):
            found.append(PostalAddress(kind, *said))
    return tuple(found)
