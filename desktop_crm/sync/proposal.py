"""Proposing several times by mail, and booking the one that was chosen.

Each time is an own tentative event here and an own invitation there; the names of the events say
which belong together. Whatever comes back with one of those names, accepted, chooses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from sqlalchemy import select

from desktop_crm.core.errors import NotFound
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import canonical_email
from desktop_crm.models import Activity
from desktop_crm.models.activity import ActivityReason, ActivityState
from desktop_crm.services.calendar.slots import Slot
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.operation import operation
from desktop_crm.services.records import Change
from desktop_crm.sync.calendar_files import CALENDAR, calendars_of
from desktop_crm.sync.formats.ical_tree import Component, read_tree
from desktop_crm.sync.formats.ical_write import message_of, write_meeting
from desktop_crm.sync.port import Address, Attendee, MeetingItem, Role, ShowAs
from desktop_crm.sync.writing import Enclosure

PREFIX: Final = "proposal."
MOST: Final = 3
"""Times in one proposal."""

_DOMAIN: Final = "@desktop-crm"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was proposed: events held here, and what goes along with the mail."""

    activities: tuple[int, ...]
    files: tuple[Enclosure, ...]
    html: str
    changes: ChangeSet


@dataclass(frozen=True, slots=True)
class Choice:
    """A proposed time that an answer chose."""

    activity: int
    uid: str
    title: str
    start: datetime
    end: datetime


def propose(
    actor: Actor,
    subject: str,
    slots: Sequence[Slot],
    sender: Address,
    people: Sequence[Address],
    location: str = "",
) -> Proposal:
    """Hold times as tentative events, one step of undo, and make the parts of the mail.

    Args:
        actor: who proposes and organizes.
        subject: what it is about.
        slots: at most :data:`MOST` times.
        sender: the organizer's own address.
        people: who is asked.
        location: where it would be.
    """
    token = new_uid()
    chosen = list(slots)[:MOST]
    parties = [{"participation": "organizer", "name": sender.name, "address": sender.address}]
    parties += [
        {"participation": "required", "name": one.name or one.address, "address": one.address}
        for one in people
    ]
    with operation(actor) as work:
        keys = work.save_many(
            "activity",
            [
                Change(
                    None,
                    None,
                    {
                        "subject": subject,
                        "kind": "appointment",
                        "start_at": slot.start,
                        "end_at": slot.end,
                        "location": location or None,
                        "status_reason": ActivityReason.TENTATIVE.value,
                        "time_zone": actor.zone.key,
                        "ical_uid": uid_of(token, number),
                        "owner": actor.user_id,
                        "parties": [dict(party) for party in parties],
                    },
                )
                for number, slot in enumerate(chosen, 1)
            ],
        )
    files = tuple(
        _file(
            actor,
            MeetingItem(
                uid=uid_of(token, number),
                start=slot.start,
                end=slot.end,
                subject=subject,
                location=location,
                zone=actor.zone.key,
                organizer=Attendee(sender, Role.ORGANIZER),
                attendees=tuple(Attendee(one) for one in people),
                show_as=ShowAs.TENTATIVE,
            ),
            number,
        )
        for number, slot in enumerate(chosen, 1)
    )
    return Proposal(tuple(keys), files, _words(actor, chosen), work.report)


def uid_of(token: str, number: int) -> str:
    """Calendar id of one of the times that belong together."""
    return f"{PREFIX}{token}.{number}{_DOMAIN}"


def siblings(uid: str) -> tuple[str, ...]:
    """Calendar ids of all times proposed together; empty for what is no proposal."""
    if not (uid.startswith(PREFIX) and uid.endswith(_DOMAIN)):
        return ()
    token = uid.removeprefix(PREFIX).removesuffix(_DOMAIN).rpartition(".")[0]
    return tuple(uid_of(token, number) for number in range(1, MOST + 1)) if token else ()


def _file(actor: Actor, meeting: MeetingItem, number: int) -> Enclosure:
    content = message_of(write_meeting(meeting, ""), "REQUEST")
    assert isinstance(meeting.start, datetime)  # noqa: S101  slots have hours
    stamp = meeting.start.astimezone(actor.zone)
    name = f"{number} - {stamp:%Y-%m-%d %H.%M}.ics"
    return Enclosure(name, len(content), content=content, content_type=CALENDAR)


def _words(actor: Actor, slots: Sequence[Slot]) -> str:
    formats = actor.formats
    lines = "".join(
        f"<li>{escape(formats.weekday(slot.start.astimezone(actor.zone).date()))}, "
        f"{escape(formats.datetime(slot.start))}–{escape(formats.time(slot.end))} "
        f"({escape(actor.zone.key)})</li>"
        for slot in slots
    )
    first = escape(tr("Which of these times suits you?"))
    last = escape(tr("Please accept the one of the attached appointments that suits you."))
    return f"<p>{first}</p><ol>{lines}</ol><p>{last}</p>"


# --- the answer -----------------------------------------------------------------------------------


def chosen(calendars: Sequence[bytes], own: frozenset[str] = frozenset()) -> str | None:
    """Which proposed time calendar files choose; None when none or more than one.

    An answer counts when it accepts; a file that is no answer counts by being there. Pure.

    Args:
        calendars: the files of one message.
        own: one's own addresses, whose acceptance as organizer says nothing.
    """
    found: set[str] = set()
    for data in calendars:
        for calendar in read_tree(data).children:
            method = calendar.text("METHOD").upper()
            for event in calendar.walk("VEVENT"):
                uid = event.text("UID")
                if siblings(uid) and _says_yes(event, method, own):
                    found.add(uid)
    return found.pop() if len(found) == 1 else None


def _says_yes(event: Component, method: str, own: frozenset[str]) -> bool:
    if method in {"CANCEL", "COUNTER", "DECLINECOUNTER"}:
        return False
    if method != "REPLY":
        return True
    states = [
        line.params.get("PARTSTAT", "").upper()
        for line in event.every("ATTENDEE")
        if canonical_email(line.value.lower().removeprefix("mailto:")) not in own
    ]
    return "ACCEPTED" in states


def choice_in(actor: Actor, message: mail_message.Message) -> Choice | None:
    """The proposed time a message chose, while it is still held; None for every other message."""
    if message.outgoing:
        return None
    uid = chosen(calendars_of(actor, message))
    return None if uid is None else _held(actor, uid)


def _held(actor: Actor, uid: str) -> Choice | None:
    statement = select(Activity.id, Activity.subject, Activity.start_at, Activity.end_at).where(
        Activity.ical_uid == uid,
        Activity.owner_id == actor.user_id,
        Activity.status_reason == ActivityReason.TENTATIVE.value,
        Activity.state == ActivityState.OPEN.value,
        Activity.deleted_at.is_(None),
    )
    with actor.db.reading() as connection:
        row = connection.execute(statement).first()
    if row is None or row.start_at is None:
        return None
    return Choice(row.id, uid, str(row.subject), row.start_at, row.end_at or row.start_at)


def book(actor: Actor, uid: str) -> ChangeSet:
    """Make a proposed time the meeting and let go of the others; one step of undo.

    Nobody is told: the one who chose it knows.

    Raises:
        NotFound: it is no longer held.
    """
    held = _held(actor, uid)
    if held is None:
        raise NotFound(N_("This time is no longer held. Nothing was booked."))
    statement = select(Activity.id).where(
        Activity.ical_uid.in_(siblings(uid)),
        Activity.id != held.activity,
        Activity.owner_id == actor.user_id,
        Activity.deleted_at.is_(None),
    )
    with operation(actor) as work:
        others = list(work.connection.execute(statement).scalars())
        work.change("activity", held.activity, {"status_reason": ActivityReason.BUSY.value})
        work.remove("activity", others)
    return work.report
