"""Inviting people to one's own meeting by mail: parts of a letter that never leaves by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import canonical_email
from desktop_crm.models.activity import Participation
from desktop_crm.services import records
from desktop_crm.services.calendar.series import end_of
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail.people import Person
from desktop_crm.sync import writing
from desktop_crm.sync.formats.ical_write import message_of, write_meeting
from desktop_crm.sync.port import Address, Attendee, MeetingItem, Role
from desktop_crm.sync.twoway.fields import moment_of
from desktop_crm.sync.writing import Enclosure, Sender

_ROLES: Final = {
    Participation.REQUIRED.value: Role.REQUIRED,
    Participation.OPTIONAL.value: Role.OPTIONAL,
    Participation.RESOURCE.value: Role.RESOURCE,
}


@dataclass(frozen=True, slots=True)
class Invitation:
    """A letter that invites, ready to be looked at."""

    sender: Sender
    people: tuple[Person, ...]
    subject: str
    html: str
    file: Enclosure
    changes: ChangeSet


def invite(actor: Actor, activity: int) -> Invitation:
    """Make the parts of a letter that invites the participants of a meeting.

    Only the organizer invites (R37). Sends nothing; a meeting without a calendar id is given one,
    by which answers are known again.

    Raises:
        UserError: somebody else organizes it, nobody is named, or there is no mailbox.
    """
    record = records.get(actor, "activity", activity)
    values = record.values
    if not values["is_organizer"]:
        raise UserError(N_("Somebody else organizes this meeting, so only they can invite to it."))
    senders = writing.senders(actor)
    if not senders:
        raise UserError(N_("There is no mailbox to invite from. Add one in the mail pane first."))
    sender = senders[0]
    own = canonical_email(sender.address)
    rows = [
        row
        for row in record.lines.get("parties", ())
        if row.get("address")
        and row["participation"] in _ROLES
        and canonical_email(row["address"]) != own
    ]
    if not rows:
        raise UserError(
            N_("This meeting names nobody to invite. Open it and add participants first.")
        )
    changes = NOTHING
    uid = values["ical_uid"]
    if not uid:
        uid = f"{new_uid()}@desktop-crm"
        changes = records.save(
            actor, "activity", activity, record.version, {"ical_uid": uid}
        ).changes
    content = message_of(write_meeting(_meeting(actor, values, uid, sender, rows), ""), "REQUEST")
    file = Enclosure(
        "invite.ics", len(content), content=content, content_type="text/calendar; method=REQUEST"
    )
    people = tuple(Person(row.get("name") or "", row["address"]) for row in rows)
    subject = tr("Invitation: {subject}", subject=values["subject"])
    return Invitation(sender, people, subject, _words(actor, values), file, changes)


def _meeting(
    actor: Actor,
    values: Mapping[str, Any],
    uid: str,
    sender: Sender,
    rows: list[Mapping[str, Any]],
) -> MeetingItem:
    start, end = values["start_at"], end_of(values)
    left_out = tuple(moment_of(text) for text in values["recurrence_exceptions"] or ())
    return MeetingItem(
        uid=uid,
        start=start.date() if values["is_all_day"] else start,
        end=end.date() if values["is_all_day"] else end,
        recurrence_id=moment_of(values["recurrence_id"]) if values["recurrence_id"] else None,
        subject=values["subject"] or "",
        location=values["location"] or "",
        text=values["description"] or "",
        zone=values["time_zone"] or actor.zone.key,
        rrule=values["recurrence_rule"] or "",
        exdates=left_out,
        organizer=Attendee(Address(sender.address, sender.name), Role.ORGANIZER),
        attendees=tuple(
            Attendee(Address(row["address"], row.get("name") or ""), _ROLES[row["participation"]])
            for row in rows
        ),
    )


def _words(actor: Actor, values: Mapping[str, Any]) -> str:
    formats = actor.formats
    if values["is_all_day"]:
        when = formats.date(values["start_at"].date())
    else:
        when = f"{formats.datetime(values['start_at'])}–{formats.time(end_of(values))}"
    lines = [escape(str(values["subject"] or "")), escape(f"{when} ({actor.zone.key})")]
    if values["location"]:
        lines.append(escape(values["location"]))
    return "".join(f"<p>{line}</p>" for line in lines)
