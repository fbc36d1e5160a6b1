"""From the XML of an Exchange item to plain values; nothing here talks to the server."""

from __future__ import annotations

import logging
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from desktop_crm.core import recurrence, turns
from desktop_crm.core.errors import UserError
from desktop_crm.core.text import canonical_email, clean
from desktop_crm.sync.exchange.calls import OWN_KEY
from desktop_crm.sync.exchange.rrule import rule_of
from desktop_crm.sync.exchange.xml import Element, T, flag_at, id_of, moment, text_at, texts_of
from desktop_crm.sync.formats import mail_header as header
from desktop_crm.sync.formats import zones
from desktop_crm.sync.formats.mail_body import clean_html, text_of, tidy
from desktop_crm.sync.formats.mime import KEPT_HEADERS, Unusable, read_message, with_fingerprint
from desktop_crm.sync.port import (
    UNKNOWN_ZONE,
    UNREADABLE_RULE,
    Address,
    Attachment,
    Attendee,
    Flag,
    MailItem,
    MeetingItem,
    Remark,
    Response,
    Role,
    Sensitivity,
    ShowAs,
)

_log = logging.getLogger(__name__)

MAIL_FIELDS: Final = (
    "item:ItemClass", "item:Subject", "item:Sensitivity", "item:Flag", "item:DateTimeReceived",
    "item:Size", "item:Categories", "item:Importance", "item:InReplyTo",
    "item:IsDraft", "item:DateTimeSent", "item:ConversationId", "message:From", "message:Sender",
    "message:ToRecipients", "message:CcRecipients",
    "message:BccRecipients", "message:ReplyTo", "message:InternetMessageId", "message:References",
    "message:IsRead",
)  # fmt: skip
BODY_FIELDS: Final = ("item:Body", "item:Attachments", "item:InternetMessageHeaders")
"""What is asked for besides where a message's own text cannot be had."""

MEETING_FIELDS: Final = (
    "item:ItemClass", "item:Subject", "item:Sensitivity", "item:Body", "item:Categories",
    "item:LastModifiedTime", "calendar:UID", "calendar:RecurrenceId", "calendar:Start",
    "calendar:End", "calendar:OriginalStart", "calendar:IsAllDayEvent",
    "calendar:LegacyFreeBusyStatus", "calendar:Location", "calendar:IsCancelled",
    "calendar:CalendarItemType", "calendar:MyResponseType", "calendar:Organizer",
    "calendar:RequiredAttendees", "calendar:OptionalAttendees", "calendar:Resources",
    "calendar:Recurrence", "calendar:ModifiedOccurrences", "calendar:DeletedOccurrences",
    "calendar:StartTimeZone", "item:ReminderIsSet", "item:ReminderMinutesBeforeStart",
)  # fmt: skip
MAIL_TAGS: Final = frozenset(
    {"Message", "MeetingMessage", "MeetingRequest", "MeetingResponse", "MeetingCancellation"}
)

Resolve = Callable[[str], str]
"""From a legacy directory name to an SMTP address, or empty (R28)."""

SENSITIVE: Final = {s.value: s for s in Sensitivity}
"""Sensitivities by the server's word in lower case."""
_ANSWERS: Final = {
    "accept": Response.ACCEPTED,
    "organizer": Response.ACCEPTED,
    "tentative": Response.TENTATIVE,
    "decline": Response.DECLINED,
}
_TRUE: Final = ("true", "1")
_FLAGS: Final = {"flagged": Flag.FLAGGED, "complete": Flag.COMPLETE}
_BUSY: Final = {
    "free": ShowAs.FREE,
    "tentative": ShowAs.TENTATIVE,
    "busy": ShowAs.BUSY,
    "oof": ShowAs.OUT_OF_OFFICE,
    "workingelsewhere": ShowAs.FREE,
}


class Unreadable(Exception):
    """The item cannot be understood; the text is for the log."""


def _address(element: Element, resolve: Resolve) -> Address | None:
    written = clean(text_at(element, "EmailAddress"))
    name = clean(text_at(element, "Name"))
    if text_at(element, "RoutingType").upper() == "EX" or written.lower().startswith("/o="):
        written = resolve(written) or written
    address = canonical_email(written) or canonical_email(name)
    if address is not None:
        return Address(address, "" if name.lower() == address else name)
    return Address(written or name, name, readable=False) if written or name else None


def _people(element: Element, path: str, resolve: Resolve) -> tuple[Address, ...]:
    boxes = element.findall("/".join(f"{T}{name}" for name in (*path.split("/"), "Mailbox")))
    found = (_address(box, resolve) for box in boxes)
    return tuple(dict.fromkeys(person for person in found if person))


def mail_item(element: Element, resolve: Resolve) -> MailItem:
    """One message.

    Content comes from the message's own MIME text where the server hands it over; what Exchange
    knows better (identity, people, flags) comes from its properties.
    """
    texts = texts_of(element)
    parsed = _parsed(texts.get("MimeContent", ""))
    item_class = texts.get("ItemClass", "").lower()
    encrypted = "smime" in item_class and "multipartsigned" not in item_class
    base = parsed or _by_fields(element)
    senders = _people(element, "From", resolve) or _people(element, "Sender", resolve)
    sent = moment(texts.get("DateTimeSent", "")) or base.sent_at
    item = replace(
        base,
        message_id=header.message_id(texts.get("InternetMessageId", ""))
        or (base.message_id if base.has_message_id else ""),
        has_message_id=True,
        subject=clean(texts.get("Subject", "")) or base.subject,
        sender=senders[0] if senders else base.sender,
        to=_people(element, "ToRecipients", resolve) or base.to,
        cc=_people(element, "CcRecipients", resolve) or base.cc,
        bcc=_people(element, "BccRecipients", resolve) or base.bcc,
        reply_to=_people(element, "ReplyTo", resolve) or base.reply_to,
        sent_at=sent,
        received_at=moment(texts.get("DateTimeReceived", "")) or base.received_at,
        in_reply_to=next(iter(header.message_ids(texts.get("InReplyTo", ""))), "")
        or base.in_reply_to,
        references=header.message_ids(texts.get("References", "")) or base.references,
        headers=_headers(element) or base.headers,
        thread_key=_conversation(element) or base.thread_key,
        categories=categories_of(element),
        sensitivity=SENSITIVE.get(texts.get("Sensitivity", "").lower(), base.sensitivity),
        importance=texts.get("Importance", "").lower() or base.importance,
        is_read=texts.get("IsRead") in _TRUE,
        flag=_FLAGS.get(text_at(element, "Flag/FlagStatus").lower(), Flag.NONE),
        own_key=own_text(element, OWN_KEY) or base.own_key,
        is_draft=texts.get("IsDraft") in _TRUE,
        encrypted=encrypted or base.encrypted,
        size=int(texts.get("Size", "") or base.size),
    )
    if item.encrypted:
        item = replace(item, text="", html="", attachments=())
    return item if item.message_id else with_fingerprint(item)


def _by_fields(element: Element) -> MailItem:
    text, html = body_of(element)
    return MailItem(message_id="", text=text, html=html, attachments=_attachments(element))


def _parsed(content: str) -> MailItem | None:
    if not content:
        return None
    try:
        return read_message(b64decode(content))
    except (Base64Error, ValueError, Unusable) as error:
        _log.info("MIME text of an item cannot be read: %s", error)
        return None


def body_of(element: Element) -> tuple[str, str]:
    """Body of an item as plain text and as harmless HTML."""
    found = element.find(f"{T}Body")
    text = (found.text or "") if found is not None else ""
    if found is not None and found.get("BodyType", "").upper() == "HTML":
        return text_of(text), clean_html(text)
    return tidy(text), ""


def _attachments(element: Element) -> tuple[Attachment, ...]:
    found = element.find(f"{T}Attachments")
    return tuple(
        Attachment(
            clean(text_at(part, "Name")) or "attachment",
            text_at(part, "ContentType") or "application/octet-stream",
            int(text_at(part, "Size") or 0),
            None,
            text_at(part, "ContentId"),
        )
        for part in (found if found is not None else ())
    )


def _headers(element: Element) -> tuple[tuple[str, str], ...]:
    found = element.findall(f"{T}InternetMessageHeaders/{T}InternetMessageHeader")
    values = {(line.get("HeaderName") or "").lower(): (line.text or "").strip() for line in found}
    return tuple((name, values[name][:998]) for name in KEPT_HEADERS if values.get(name))


def _conversation(element: Element) -> str:
    found = element.find(f"{T}ConversationId")
    return str(found.get("Id", "")) if found is not None else ""


def categories_of(element: Element) -> tuple[str, ...]:
    """Categories of an item, each once."""
    names = (clean(e.text or "")[:100] for e in element.findall(f"{T}Categories/{T}String"))
    return tuple(dict.fromkeys(name for name in names if name))


def meeting_item(element: Element, resolve: Resolve) -> MeetingItem:
    """One meeting, series or changed occurrence.

    Raises:
        Unreadable: it has no usable start.
    """
    turns.give_way()
    start = moment(text_at(element, "Start"))
    if start is None:
        raise Unreadable(f"start {text_at(element, 'Start')!r}")
    end = moment(text_at(element, "End")) or start
    remarks: list[Remark] = []
    zone = _zone(element, remarks)
    first: datetime | date = start
    last: datetime | date = max(start, end)
    all_day = flag_at(element, "IsAllDayEvent")
    if all_day:
        first = _day(start, zone)
        last = max(_day(end, zone), first + timedelta(days=1))
    rule = rule_at(element, start, remarks)
    body, _ = body_of(element)
    organizer = _people(element, "Organizer", resolve)
    return MeetingItem(
        uid=(text_at(element, "UID") or f"exchange:{id_of(element)}")[:500],
        start=first,
        end=last,
        recurrence_id=_recurrence_id(element, zone, all_day=all_day),
        subject=clean(text_at(element, "Subject")),
        location=clean(text_at(element, "Location")),
        text=body,
        zone="" if all_day else zone,
        rrule=rule,
        exdates=_deleted(element, zone, all_day=all_day) if rule else (),
        organizer=Attendee(organizer[0], Role.ORGANIZER, Response.ACCEPTED) if organizer else None,
        attendees=_attendees(element, resolve),
        cancelled=flag_at(element, "IsCancelled"),
        show_as=_BUSY.get(text_at(element, "LegacyFreeBusyStatus").lower(), ShowAs.BUSY),
        sensitivity=SENSITIVE.get(text_at(element, "Sensitivity").lower(), Sensitivity.NORMAL),
        categories=categories_of(element),
        my_response=_ANSWERS.get(text_at(element, "MyResponseType").lower(), Response.NONE),
        reminder_minutes=reminder_minutes(element),
        modified_at=moment(text_at(element, "LastModifiedTime")),
        remarks=tuple(remarks),
    )


def own_text(element: Element, name: str) -> str:
    """Value of a property of this product's own, or empty."""
    for found in element.findall(f"{T}ExtendedProperty"):
        path = found.find(f"{T}ExtendedFieldURI")
        if path is not None and path.get("PropertyName") == name:
            return text_at(found, "Value")
    return ""


def reminder_minutes(element: Element) -> int | None:
    """How long before the start an item reminds; None for not at all."""
    minutes = text_at(element, "ReminderMinutesBeforeStart")
    return int(minutes) if flag_at(element, "ReminderIsSet") and minutes.isdigit() else None


def changed_occurrences(element: Element) -> list[str]:
    """Ids of the occurrences of a series that were changed one by one."""
    path = f"{T}ModifiedOccurrences/{T}Occurrence"
    return [found for found in (id_of(e) for e in element.findall(path)) if found]


def _zone(element: Element, remarks: list[Remark]) -> str:
    found = element.find(f"{T}StartTimeZone")
    if found is None:
        return ""
    for name in (found.get("Id") or "", found.get("Name") or ""):
        zone = zones.zone_by_name(name) if name.strip() else None
        if zone is not None:
            return zone.key
    named = found.get("Id") or found.get("Name") or ""
    remarks.append(Remark(UNKNOWN_ZONE, (("zone", named[:100] or "?"),)))
    return ""


def _day(instant: datetime, zone: str) -> date:
    """Day whose midnight an instant is; without a known zone the nearest midnight (R34)."""
    known = zones.zone_by_name(zone) if zone else None
    if known is not None:
        return (instant.astimezone(known) + timedelta(hours=1)).date()
    return (instant + timedelta(hours=12)).date()


def _recurrence_id(element: Element, zone: str, *, all_day: bool) -> datetime | date | None:
    if text_at(element, "CalendarItemType").lower() not in ("exception", "occurrence"):
        return None
    found = moment(text_at(element, "OriginalStart")) or moment(text_at(element, "RecurrenceId"))
    return _day(found, zone) if found and all_day else found


def _deleted(element: Element, zone: str, *, all_day: bool) -> tuple[datetime | date, ...]:
    starts = element.findall(f"{T}DeletedOccurrences/{T}DeletedOccurrence/{T}Start")
    moved = element.findall(f"{T}ModifiedOccurrences/{T}Occurrence/{T}OriginalStart")
    found = (moment(e.text or "") for e in (*starts, *moved))
    return tuple(_day(at, zone) if all_day else at for at in found if at)


def rule_at(element: Element, start: datetime, remarks: list[Remark]) -> str:
    """Rule of a series; one that cannot be read leaves a remark and a single item."""
    found = element.find(f"{T}Recurrence")
    if found is None:
        return ""
    try:
        rule = rule_of(found, T)
        recurrence.check(rule, start)
    except (ValueError, KeyError, UserError):
        remarks.append(Remark(UNREADABLE_RULE))
        return ""
    return rule


def _attendees(element: Element, resolve: Resolve) -> tuple[Attendee, ...]:
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
                answer = _ANSWERS.get(text_at(entry, "ResponseType").lower(), Response.NONE)
                found.setdefault(person.address, Attendee(person, role, answer))
    return tuple(found.values())
