"""From the XML of an Exchange item to plain values; nothing here talks to the server."""

from __future__ import annotations

import logging
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from desktop_crm.core import recurrence
from desktop_crm.core.errors import UserError
from desktop_crm.core.text import canonical_email, clean
from desktop_crm.sync import mail_header as header
from desktop_crm.sync import zones
from desktop_crm.sync.exchange_rrule import rule_of
from desktop_crm.sync.mail_body import clean_html, text_of, tidy
from desktop_crm.sync.mime import KEPT_HEADERS, Unusable, read_message, with_fingerprint
from desktop_crm.sync.port import (
    Address,
    Attachment,
    Attendee,
    MailItem,
    MeetingItem,
    Response,
    Role,
    Sensitivity,
    ShowAs,
)

_log = logging.getLogger(__name__)

T: Final = "{http://schemas.microsoft.com/exchange/services/2006/types}"
MAIL_FIELDS: Final = (
    "item:ItemClass", "item:Subject", "item:Sensitivity", "item:Body", "item:Attachments",
    "item:DateTimeReceived", "item:Size", "item:Categories", "item:Importance", "item:InReplyTo",
    "item:IsDraft", "item:InternetMessageHeaders", "item:DateTimeSent", "item:ConversationId",
    "message:From", "message:Sender", "message:ToRecipients", "message:CcRecipients",
    "message:BccRecipients", "message:ReplyTo", "message:InternetMessageId", "message:References",
    "message:IsRead",
)  # fmt: skip
MEETING_FIELDS: Final = (
    "item:ItemClass", "item:Subject", "item:Sensitivity", "item:Body", "item:Categories",
    "item:LastModifiedTime", "calendar:UID", "calendar:RecurrenceId", "calendar:Start",
    "calendar:End", "calendar:OriginalStart", "calendar:IsAllDayEvent",
    "calendar:LegacyFreeBusyStatus", "calendar:Location", "calendar:IsCancelled",
    "calendar:CalendarItemType", "calendar:MyResponseType", "calendar:Organizer",
    "calendar:RequiredAttendees", "calendar:OptionalAttendees", "calendar:Resources",
    "calendar:Recurrence", "calendar:ModifiedOccurrences", "calendar:DeletedOccurrences",
    "calendar:StartTimeZone",
)  # fmt: skip
MAIL_TAGS: Final = frozenset(
    {"Message", "MeetingMessage", "MeetingRequest", "MeetingResponse", "MeetingCancellation"}
)

Resolve = Callable[[str], str]
"""From a legacy directory name to an SMTP address, or empty (R28)."""

_STAMP: Final = re.compile(
    r"^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?$"
)
_SENSITIVE: Final = {s.value: s for s in Sensitivity}
_ANSWERS: Final = {
    "accept": Response.ACCEPTED,
    "organizer": Response.ACCEPTED,
    "tentative": Response.TENTATIVE,
    "decline": Response.DECLINED,
}
_BUSY: Final = {
    "free": ShowAs.FREE,
    "tentative": ShowAs.TENTATIVE,
    "busy": ShowAs.BUSY,
    "oof": ShowAs.OUT_OF_OFFICE,
    "workingelsewhere": ShowAs.FREE,
}


class Unreadable(Exception):
    """The item cannot be understood; the text is for the log."""


def tag_of(element: Any) -> str:  # noqa: ANN401  an lxml element
    """Name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def id_of(element: Any) -> str:  # noqa: ANN401  an lxml element
    """Item id of an item or change element, or empty."""
    found = element.find(f"{T}ItemId")
    return found.get("Id", "") if found is not None else ""


def _text(element: Any, path: str) -> str:  # noqa: ANN401  an lxml element
    return (element.findtext("/".join(f"{T}{name}" for name in path.split("/"))) or "").strip()


def _flag(element: Any, path: str) -> bool:  # noqa: ANN401  an lxml element
    return _text(element, path).lower() in ("true", "1")


def moment(text: str) -> datetime | None:
    """Instant of an XML dateTime in UTC: any number of decimals, no zone means UTC."""
    match = _STAMP.match(text.strip())
    if not match:
        return None
    year, month, day, hour, minute = (int(match[n]) for n in range(1, 6))
    try:
        found = datetime(year, month, day, hour, minute, int(match[6] or 0), tzinfo=UTC)
    except ValueError:
        return None
    zone = match[8] or "Z"
    if zone == "Z":
        return found
    digits = zone.replace(":", "")
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
    return found - offset if digits[0] == "+" else found + offset


def _address(element: Any, resolve: Resolve) -> Address | None:  # noqa: ANN401  an lxml element
    written = clean(_text(element, "EmailAddress"))
    name = clean(_text(element, "Name"))
    if _text(element, "RoutingType").upper() == "EX" or written.lower().startswith("/o="):
        written = resolve(written) or written
    address = canonical_email(written) or canonical_email(name)
    if address is not None:
        return Address(address, "" if name.lower() == address else name)
    return Address(written or name, name, readable=False) if written or name else None


def _people(element: Any, path: str, resolve: Resolve) -> tuple[Address, ...]:  # noqa: ANN401
    boxes = element.findall("/".join(f"{T}{name}" for name in (*path.split("/"), "Mailbox")))
    found = (_address(box, resolve) for box in boxes)
    return tuple(dict.fromkeys(person for person in found if person))


def mail_item(element: Any, resolve: Resolve) -> MailItem:  # noqa: ANN401  an lxml element
    """One message.

    Content comes from the message's own MIME text where the server hands it over; what Exchange
    knows better (identity, people, flags) comes from its properties.
    """
    parsed = _parsed(element)
    item_class = _text(element, "ItemClass").lower()
    encrypted = "smime" in item_class and "multipartsigned" not in item_class
    body, html = _body(element)
    base = parsed or MailItem(
        message_id="", text=body, html=html, attachments=_attachments(element)
    )
    senders = _people(element, "From", resolve) or _people(element, "Sender", resolve)
    sent = moment(_text(element, "DateTimeSent")) or base.sent_at
    item = replace(
        base,
        message_id=header.message_id(_text(element, "InternetMessageId"))
        or (base.message_id if base.has_message_id else ""),
        has_message_id=True,
        subject=clean(_text(element, "Subject")) or base.subject,
        sender=senders[0] if senders else base.sender,
        to=_people(element, "ToRecipients", resolve) or base.to,
        cc=_people(element, "CcRecipients", resolve) or base.cc,
        bcc=_people(element, "BccRecipients", resolve) or base.bcc,
        reply_to=_people(element, "ReplyTo", resolve) or base.reply_to,
        sent_at=sent,
        received_at=moment(_text(element, "DateTimeReceived")) or base.received_at,
        in_reply_to=next(iter(header.message_ids(_text(element, "InReplyTo"))), "")
        or base.in_reply_to,
        references=header.message_ids(_text(element, "References")) or base.references,
        headers=_headers(element) or base.headers,
        thread_key=_conversation(element) or base.thread_key,
        categories=_categories(element) or base.categories,
        sensitivity=_SENSITIVE.get(_text(element, "Sensitivity").lower(), base.sensitivity),
        importance=_text(element, "Importance").lower() or base.importance,
        is_read=_flag(element, "IsRead"),
        is_draft=_flag(element, "IsDraft"),
        encrypted=encrypted or base.encrypted,
        size=int(_text(element, "Size") or base.size),
    )
    if item.encrypted:
        item = replace(item, text="", html="", attachments=())
    return item if item.message_id else with_fingerprint(item)


def _parsed(element: Any) -> MailItem | None:  # noqa: ANN401  an lxml element
    content = _text(element, "MimeContent")
    if not content:
        return None
    try:
        return read_message(b64decode(content))
    except (Base64Error, ValueError, Unusable) as error:
        _log.info("MIME text of an item cannot be read: %s", error)
        return None


def _body(element: Any) -> tuple[str, str]:  # noqa: ANN401  an lxml element
    found = element.find(f"{T}Body")
    text = (found.text or "") if found is not None else ""
    if found is not None and found.get("BodyType", "").upper() == "HTML":
        return text_of(text), clean_html(text)
    return tidy(text), ""


def _attachments(element: Any) -> tuple[Attachment, ...]:  # noqa: ANN401  an lxml element
    found = element.find(f"{T}Attachments")
    return tuple(
        Attachment(
            clean(_text(part, "Name")) or "attachment",
            _text(part, "ContentType") or "application/octet-stream",
            int(_text(part, "Size") or 0),
            None,
            _text(part, "ContentId"),
        )
        for part in (found if found is not None else ())
    )


def _headers(element: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401  an lxml element
    found = element.findall(f"{T}InternetMessageHeaders/{T}InternetMessageHeader")
    values = {(line.get("HeaderName") or "").lower(): (line.text or "").strip() for line in found}
    return tuple((name, values[name][:998]) for name in KEPT_HEADERS if values.get(name))


def _conversation(element: Any) -> str:  # noqa: ANN401  an lxml element
    found = element.find(f"{T}ConversationId")
    return str(found.get("Id", "")) if found is not None else ""


def _categories(element: Any) -> tuple[str, ...]:  # noqa: ANN401  an lxml element
    names = (clean(e.text or "")[:100] for e in element.findall(f"{T}Categories/{T}String"))
    return tuple(dict.fromkeys(name for name in names if name))


def meeting_item(element: Any, resolve: Resolve) -> MeetingItem:  # noqa: ANN401  an lxml element
    """One meeting, series or changed occurrence.

    Raises:
        Unreadable: it has no usable start.
    """
    start = moment(_text(element, "Start"))
    if start is None:
        raise Unreadable(f"start {_text(element, 'Start')!r}")
    end = moment(_text(element, "End")) or start
    warnings: list[str] = []
    zone = _zone(element, warnings)
    first: datetime | date = start
    last: datetime | date = max(start, end)
    all_day = _flag(element, "IsAllDayEvent")
    if all_day:
        first = _day(start, zone)
        last = max(_day(end, zone), first + timedelta(days=1))
    rule = _rule(element, start, warnings)
    body, _ = _body(element)
    organizer = _people(element, "Organizer", resolve)
    return MeetingItem(
        uid=(_text(element, "UID") or f"exchange:{id_of(element)}")[:500],
        start=first,
        end=last,
        recurrence_id=_recurrence_id(element, zone, all_day=all_day),
        subject=clean(_text(element, "Subject")),
        location=clean(_text(element, "Location")),
        text=body,
        zone="" if all_day else zone,
        rrule=rule,
        exdates=_deleted(element, zone, all_day=all_day) if rule else (),
        organizer=Attendee(organizer[0], Role.ORGANIZER, Response.ACCEPTED) if organizer else None,
        attendees=_attendees(element, resolve),
        cancelled=_flag(element, "IsCancelled"),
        show_as=_BUSY.get(_text(element, "LegacyFreeBusyStatus").lower(), ShowAs.BUSY),
        sensitivity=_SENSITIVE.get(_text(element, "Sensitivity").lower(), Sensitivity.NORMAL),
        categories=_categories(element),
        my_response=_ANSWERS.get(_text(element, "MyResponseType").lower(), Response.NONE),
        modified_at=moment(_text(element, "LastModifiedTime")),
        warnings=tuple(warnings),
    )


def changed_occurrences(element: Any) -> list[str]:  # noqa: ANN401  an lxml element
    """Ids of the occurrences of a series that were changed one by one."""
    path = f"{T}ModifiedOccurrences/{T}Occurrence"
    return [found for found in (id_of(e) for e in element.findall(path)) if found]


def _zone(element: Any, warnings: list[str]) -> str:  # noqa: ANN401  an lxml element
    found = element.find(f"{T}StartTimeZone")
    if found is None:
        return ""
    for name in (found.get("Id") or "", found.get("Name") or ""):
        zone = zones.zone_by_name(name) if name.strip() else None
        if zone is not None:
            return zone.key
    warnings.append(f"unknown time zone {found.get('Id')!r}; only the instants are kept")
    return ""


def _day(instant: datetime, zone: str) -> date:
    """Day whose midnight an instant is; without a known zone the nearest midnight (R34)."""
    known = zones.zone_by_name(zone) if zone else None
    if known is not None:
        return (instant.astimezone(known) + timedelta(hours=1)).date()
    return (instant + timedelta(hours=12)).date()


def _recurrence_id(element: Any, zone: str, *, all_day: bool) -> datetime | date | None:  # noqa: ANN401
    if _text(element, "CalendarItemType").lower() not in ("exception", "occurrence"):
        return None
    found = moment(_text(element, "OriginalStart")) or moment(_text(element, "RecurrenceId"))
    return _day(found, zone) if found and all_day else found


def _deleted(element: Any, zone: str, *, all_day: bool) -> tuple[datetime | date, ...]:  # noqa: ANN401
    starts = element.findall(f"{T}DeletedOccurrences/{T}DeletedOccurrence/{T}Start")
    moved = element.findall(f"{T}ModifiedOccurrences/{T}Occurrence/{T}OriginalStart")
    found = (moment(e.text or "") for e in (*starts, *moved))
    return tuple(_day(at, zone) if all_day else at for at in found if at)


def _rule(element: Any, start: datetime, warnings: list[str]) -> str:  # noqa: ANN401
    found = element.find(f"{T}Recurrence")
    if found is None:
        return ""
    try:
        rule = rule_of(found, T)
        recurrence.occurrences(
            rule,
            start.replace(tzinfo=None),
            None,
            (),
            window_start=start,
            window_end=start + timedelta(days=1),
        )
    except (ValueError, KeyError, UserError) as error:
        warnings.append(f"unreadable recurrence, only the first one is shown: {error}")
        return ""
    return rule


def _attendees(element: Any, resolve: Resolve) -> tuple[Attendee, ...]:  # noqa: ANN401
    found: dict[str, Attendee] = {}
    for path, role in (
        ("RequiredAttendees", Role.REQUIRED),
        ("OptionalAttendees", Role.OPTIONAL),
        ("Resources", Role.RESOURCE),
    ):
        for entry in element.findall(f"{T}{path}/{T}Attendee"):
            box = entry.find(f"{T}Mailbox")
            person = _address(box, resolve) if box is not None else None
            if person is not None:
                answer = _ANSWERS.get(_text(entry, "ResponseType").lower(), Response.NONE)
                found.setdefault(person.address, Attendee(person, role, answer))
    return tuple(found.values())
