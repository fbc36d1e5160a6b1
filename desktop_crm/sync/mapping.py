"""From items of a mailbox to what the database stores; one table for each direction and kind.

Nothing here decides: what is excluded, linked or masked has been decided before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from desktop_crm.core import clock
from desktop_crm.core.i18n import translate
from desktop_crm.db import search_text
from desktop_crm.meta import registry
from desktop_crm.models.activity import (
    ActivityKind,
    ActivityReason,
    ActivityState,
    Direction,
    Participation,
    Priority,
)
from desktop_crm.models.mail import StoredPart
from desktop_crm.sync.exclusion import is_mass_mail
from desktop_crm.sync.facts import Facts
from desktop_crm.sync.port import (
    Address,
    Attendee,
    Correspondence,
    Flag,
    MailItem,
    MeetingItem,
    Response,
)
from desktop_crm.sync.twoway import kinds
from desktop_crm.sync.twoway.fields import TEXT_LIMIT, Frame, stamp
from desktop_crm.sync.twoway.meetings import BUSY, NO_SUBJECT, OWN_FIELDS
from desktop_crm.sync.twoway.people import PARTS

_PRIORITY: Final = {"high": Priority.HIGH, "low": Priority.LOW}


def plain(text: str, limit: int) -> str:
    """Text that every database takes: no NUL, no half characters, not too long."""
    clean = text.replace("\x00", "")
    return clean[:limit].encode("utf-8", "replace").decode("utf-8")


def identity_of(item: Correspondence) -> str:
    """What makes an item the same in every mailbox and folder (M2, R33)."""
    if isinstance(item, MailItem):
        return message_key(item.message_id)
    occurrence = stamp(item.recurrence_id) if item.recurrence_id else ""
    return f"{plain(item.uid, 490)}|{occurrence}"


def message_key(message_id: str) -> str:
    """Message id as it is stored; an overlong one is stored by its hash."""
    text = plain(message_id, 2_000)
    return text if len(text) <= 500 else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def content_hash(item: Correspondence) -> str:
    """Fingerprint of what would be stored; equal content is no change (R36)."""
    if isinstance(item, MailItem):
        facts = repr(
            replace(
                item, is_read=True, flag=Flag.NONE, text="", html="", attachments=(), remarks=()
            )
        )
    else:
        text = hashlib.sha256(item.text.encode("utf-8", "replace")).hexdigest()
        facts = repr(replace(item, modified_at=None, remarks=(), text="")) + text
    return hashlib.sha256(facts.encode("utf-8", "replace")).hexdigest()


def mail_values(
    item: MailItem, *, outgoing: bool, language: str, sending: bool = False
) -> dict[str, Any]:
    """Fields of the activity that stands for a message; one being sent is still open."""
    at = item.at or item.received_at or clock.now()
    if sending:
        return {
            "kind": ActivityKind.EMAIL.value,
            "subject": plain(item.subject, 400) or translate(language, NO_SUBJECT),
            "state": ActivityState.OPEN.value,
            "status_reason": ActivityReason.SENDING.value,
            "direction": Direction.OUTGOING.value,
            "priority": _PRIORITY.get(item.importance, Priority.NORMAL).value,
            "occurred_at": at,
        }
    reason = ActivityReason.SENT if outgoing else ActivityReason.RECEIVED
    return {
        "kind": ActivityKind.EMAIL.value,
        "subject": plain(item.subject, 400) or translate(language, NO_SUBJECT),
        "state": ActivityState.COMPLETED.value,
        "status_reason": reason.value,
        "direction": (Direction.OUTGOING if outgoing else Direction.INCOMING).value,
        "priority": _PRIORITY.get(item.importance, Priority.NORMAL).value,
        "occurred_at": at,
        "completed_at": at,
    }


def message_row(item: MailItem, facts: Facts, *, full: bool) -> dict[str, Any]:
    """Row of the message itself; headers only when `full` is False."""
    sender = item.sender
    text = plain(item.text, TEXT_LIMIT) if full else ""
    row = {
        "message_id": message_key(item.message_id),
        "thread_key": thread_key(item, facts),
        "conversation_id": plain(item.thread_key, 500) or None,
        "in_reply_to": plain(item.in_reply_to, 500) or None,
        "references": [plain(r, 500) for r in item.references[-50:]] or None,
        "sent_at": item.at or item.received_at,
        "from_name": plain(sender.name or sender.address, 320) if sender else None,
        "from_address": plain(sender.address, 254) if sender and sender.readable else None,
        "to_line": _line(item.to),
        "cc_line": _line(item.cc),
        "subject": plain(item.subject, 1_000) or None,
        "preview": " ".join(text[:600].split())[:200] or None,
        "body_text": text or None,
        "body_html": (plain(item.html, 4 * TEXT_LIMIT) or None) if full else None,
        "stored": _part(item, full=full).value,
        "is_automatic": is_mass_mail(item),
        "has_attachments": bool(item.attachments),
        "size_bytes": item.size,
    }
    # Made of what is stored: a message of which only the header is kept has no text to find.
    row["search_text"] = search_text.text_of(registry.get("mail_message"), row, {}, "")
    return row


def _part(item: MailItem, *, full: bool) -> StoredPart:
    if full:
        return StoredPart.FULL
    return StoredPart.SEALED if item.encrypted else StoredPart.HEADERS


def thread_key(item: MailItem, facts: Facts) -> str:
    """Key of the thread: that of the message it answers, else the oldest one it names."""
    for message_id in (item.in_reply_to, *reversed(item.references)):
        thread = facts.messages.get(message_id) if message_id else None
        if thread is not None:
            return thread.key
    first = next(iter(item.references), "") or item.in_reply_to or item.message_id
    return message_key(first)


def _line(people: Sequence[Address]) -> str | None:
    shown = (f"{p.name} <{p.address}>" if p.name else p.address for p in people)
    return plain(", ".join(shown), 10_000) or None


def meeting_values(
    item: MeetingItem, facts: Facts, language: str, *, both_ways: bool = False
) -> dict[str, Any]:
    """Fields of the activity that stands for a meeting; all-day events are midnights UTC.

    Who takes part is told by :func:`party_rows`. Reminder and categories are what a person set for
    themselves: of a mailbox that is only read they stay there.
    """
    fields = kinds.fields_of_item(item)
    apart = {"people", "answers"} | (set() if both_ways else OWN_FIELDS)
    told = {name: value for name, value in fields.items() if name not in apart}
    values = kinds.onto_record(kinds.Kind.MEETING, told, {}, Frame(language=language))
    organizer = item.organizer
    nothing = {"subject": translate(language, BUSY), "location": None, "description": None}
    return {
        **(nothing if fields["privacy"] else {}),
        **values,
        "kind": ActivityKind.APPOINTMENT.value,
        "occurred_at": values["start_at"],
        "ical_uid": plain(item.uid, 490),
        "recurrence_id": stamp(item.recurrence_id) if item.recurrence_id else None,
        "is_organizer": organizer is None or facts.ours.is_ours(organizer.address.address),
    }


def party_rows(item: Correspondence, facts: Facts) -> list[dict[str, Any]]:
    """Everybody an item names, known or not (R27)."""
    if isinstance(item, MeetingItem):
        return [_attendee(person, facts) for person in item.people]
    people = (
        *(((Participation.FROM, item.sender),) if item.sender else ()),
        *((Participation.REPLY_TO, p) for p in item.reply_to),
        *((Participation.TO, p) for p in item.to),
        *((Participation.CC, p) for p in item.cc),
        *((Participation.BCC, p) for p in item.bcc),
    )
    return [_party(part, person, Response.NONE, facts) for part, person in people]


def _attendee(person: Attendee, facts: Facts) -> dict[str, Any]:
    return _party(PARTS[person.role], person.address, person.response, facts)


def _party(
    part: Participation, person: Address, response: Response, facts: Facts
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "participation": part.value,
        "name": plain(person.name or ("" if person.readable else person.address), 320) or None,
        "address": plain(person.address, 254) if person.readable else None,
        "response": response.value,
        "user_id": None,
        "contact_id": None,
        "lead_id": None,
        "account_id": None,
    }
    row.update(_known(person, facts))
    return row


def _known(person: Address, facts: Facts) -> Mapping[str, int | None]:
    """Who an address is: one of us first, and nobody where it belongs to several."""
    if not person.readable:
        return {}
    if facts.ours.is_ours(person.address):
        return {"user_id": facts.ours.users.get(person.address)}
    matches = facts.matches.get(person.address, ())
    if len(matches) != 1:
        return {}
    (match,) = matches
    return {f"{match.entity}_id": match.id, "account_id": match.account}
