"""Answers to our invitations that come as mail become attendance at the meeting (RFC 5546, 3.2.3).

Some mailboxes do that by themselves; where they do not, an answer counts when it comes from the
very guest it speaks of. A mail counts once, when it is stored, and an older one never over a newer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.core import clock
from desktop_crm.core.errors import CrmError
from desktop_crm.core.i18n import N_, translate
from desktop_crm.core.text import canonical_email
from desktop_crm.models import Activity, Mailbox, MailboxItem
from desktop_crm.models.activity import ActivityKind, Participation, Response
from desktop_crm.services import records
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.records import Change
from desktop_crm.sync.calendar_files import calendars_of, is_calendar
from desktop_crm.sync.formats.ical_tree import Component, read_tree
from desktop_crm.sync.formats.ical_values import Clock, Unreadable, stamp, utc
from desktop_crm.sync.mapping import identity_of, plain
from desktop_crm.sync.port import MailItem
from desktop_crm.sync.twoway import rows
from desktop_crm.sync.twoway.fields import stamp as written

_log = logging.getLogger(__name__)

_ACTIVITY: Final = Activity.__table__
_SAYS: Final = {
    "ACCEPTED": Response.ACCEPTED,
    "TENTATIVE": Response.TENTATIVE,
    "DECLINED": Response.DECLINED,
}
_OTHERS: Final = frozenset({Participation.ORGANIZER.value})

STRANGER: Final = N_(
    "{who} answers the invitation to “{title}” but is not the guest who was asked. Nothing was "
    "changed."
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody answers: to which meeting, for which of its dates, and who says so."""

    uid: str
    occurrence: str
    who: str
    response: Response


class Verdict(StrEnum):
    """What an answer is worth."""

    COUNTS = "counts"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to one of our meetings, as a person is told of it."""

    title: str
    who: str
    response: Response
    verdict: Verdict


def replies_in(calendars: Iterable[bytes]) -> list[Reply]:
    """The answers in calendar files; what is no answer or cannot be read says nothing. Pure."""
    found = []
    for data in calendars:
        for calendar in read_tree(data).children:
            if calendar.text("METHOD").upper() != "REPLY":
                continue
            definitions = {zone.text("TZID"): zone for zone in calendar.walk("VTIMEZONE")}
            for event in calendar.walk("VEVENT"):
                reply = _reply(event, Clock(definitions, UTC))
                if reply is not None:
                    found.append(reply)
    return found


def _reply(event: Component, zones: Clock) -> Reply | None:
    people = event.every("ATTENDEE")
    uid = event.text("UID")
    if len(people) != 1 or not uid:
        return None
    who = canonical_email(people[0].value.strip().lower().removeprefix("mailto:"))
    response = _SAYS.get(people[0].params.get("PARTSTAT", "").upper())
    if not who or response is None:
        return None
    original = event.one("RECURRENCE-ID")
    try:
        occurrence = written(utc(stamp(original, zones))) if original else ""
    except Unreadable:
        return None
    return Reply(plain(uid, 490), occurrence, who, response)


def take(
    connection: Connection, actor: Actor, user: int | None, items: Sequence[MailItem]
) -> tuple[ChangeSet, dict[str, str]]:
    """Note the answers in new mail at the meetings they speak of, the oldest first.

    Returns:
        What was changed, and by the identity of a message why its answer changed nothing.

    Args:
        connection: the transaction the mail is stored in.
        actor: who acts.
        user: whose mailbox it is; they organize the meetings.
        items: what came in.
    """
    changes = NOTHING
    refused: dict[str, str] = {}
    answers = [(item, reply) for item in items for reply in replies_in(_files(item))]
    for item, reply in sorted(answers, key=lambda pair: _at(pair[0])):
        record = _meeting(connection, user, reply)
        if record is None:
            continue
        if _verdict(record, reply, _sender(item)) is not Verdict.COUNTS:
            _log.warning("an answer to meeting %d came from nobody it invites", record["id"])
            who = _sender(item) or (item.sender.name if item.sender else "")
            told = translate(actor.language, STRANGER, who=who, title=record["subject"])
            refused[identity_of(item)] = plain(told, 500)
            continue
        try:
            changes = changes.merge(_note(connection, actor, record, reply, _at(item)))
        except CrmError as problem:
            _log.warning("meeting %d: %s", record["id"], problem.template)
    return changes, refused


def _files(item: MailItem) -> list[bytes]:
    return [
        one.content
        for one in item.attachments
        if one.content is not None and is_calendar(one.name, one.content_type, one.size)
    ]


def _at(item: MailItem) -> datetime:
    """When it was said; a clock that is ahead does not keep later answers out."""
    now = clock.now()
    return min(item.at or now, now)


def _sender(item: MailItem) -> str:
    return (canonical_email(item.sender.address) or "") if item.sender else ""


def _meeting(connection: Connection, user: int | None, reply: Reply) -> dict[str, Any] | None:
    """The meeting of ours an answer speaks of, with who takes part."""
    occurrence = _ACTIVITY.c.recurrence_id
    key = connection.execute(
        select(_ACTIVITY.c.id).where(
            _ACTIVITY.c.ical_uid == reply.uid,
            occurrence == reply.occurrence if reply.occurrence else occurrence.is_(None),
            _ACTIVITY.c.kind == ActivityKind.APPOINTMENT.value,
            _ACTIVITY.c.owner_id == user,
            _ACTIVITY.c.is_organizer.is_(True),
            _ACTIVITY.c.deleted_at.is_(None),
        )
    ).scalar()
    return None if key is None else rows.activities(connection, [key]).get(key)


def _verdict(record: dict[str, Any], reply: Reply, sender: str) -> Verdict:
    """Whether the very guest it speaks of sent it: nobody answers for another."""
    guests = {_address(one) for one in record["parties"] if one["participation"] not in _OTHERS}
    return Verdict.COUNTS if sender == reply.who and sender in guests else Verdict.STRANGER


def _address(party: dict[str, Any]) -> str:
    return canonical_email(party["address"] or "") or ""


def _note(
    connection: Connection, actor: Actor, record: dict[str, Any], reply: Reply, at: datetime
) -> ChangeSet:
    parties = []
    changed = False
    for row in record["parties"]:
        values = {name.removesuffix("_id"): value for name, value in row.items()}
        before = row["answered_at"]
        guest = _address(row) == reply.who and row["participation"] not in _OTHERS
        if guest and (before is None or before < at):
            values |= {"response": reply.response.value, "answered_at": at}
            changed = True
        parties.append(values)
    if not changed:
        return NOTHING
    change = Change(record["id"], record["version"], {"parties": parties})
    return records.save_within(connection, actor, "activity", change, source="sync").changes


def about(actor: Actor, message: mail_message.Message) -> Answered | None:
    """What a message answers to one of the actor's meetings; None for every other message."""
    if message.outgoing or message.sender is None:
        return None
    sender = canonical_email(message.sender.address) or message.sender.address
    for reply in replies_in(calendars_of(actor, message)):
        with actor.db.reading() as connection:
            record = _meeting(connection, actor.user_id, reply)
        if record is not None:
            verdict = _verdict(record, reply, sender)
            who = _shown(record, reply, sender)
            return Answered(str(record["subject"]), who, reply.response, verdict)
    return None


def noted(actor: Actor, activity: int) -> str:
    """What was noted about a message when it came into one of the actor's mailboxes, or empty.

    It stands also where the files of the message were not kept; one statement.
    """
    item = MailboxItem.__table__.c
    statement = (
        select(item.reason)
        .join(Mailbox.__table__, Mailbox.__table__.c.id == item.mailbox_id)
        .where(
            item.activity_id == activity,
            item.reason.is_not(None),
            Mailbox.__table__.c.user_id == actor.user_id,
        )
        .limit(1)
    )
    with actor.db.reading() as connection:
        return connection.execute(statement).scalar() or ""


def _shown(record: dict[str, Any], reply: Reply, sender: str) -> str:
    """Name of a guest, or the address of who is none."""
    if sender != reply.who:
        return sender
    named = (one["name"] for one in record["parties"] if _address(one) == sender and one["name"])
    return next(named, sender)
