"""Invitations, updates, cancellations and answers as mail (RFC 6047)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from enum import StrEnum

from desktop_crm.core import clock
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import email_domain
from desktop_crm.sync.port import MeetingItem, Response
from desktop_crm.sync.writes import Send


class Method(StrEnum):
    """What a mail about a meeting wants; the word of iCalendar."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    REPLY = "REPLY"


_SUBJECTS = {
    Method.REQUEST: N_("Invitation: {subject}"),
    Method.CANCEL: N_("Cancelled: {subject}"),
}
_ANSWERS = {
    Response.ACCEPTED: N_("Accepted: {subject}"),
    Response.TENTATIVE: N_("Tentatively accepted: {subject}"),
    Response.DECLINED: N_("Declined: {subject}"),
}


def mail_about(
    own_key: str,
    meeting: MeetingItem,
    calendar: bytes,
    method: Method,
    *,
    sender: str,
    recipients: Sequence[str],
    response: Response = Response.NONE,
) -> Send:
    """The mail that tells people of a meeting; its Message-ID follows from the deed's key.

    Args:
        own_key: key of the deed that changed the meeting.
        meeting: the meeting, for the mail's own words.
        calendar: the object every calendar program reads.
        method: what is wanted.
        sender: the mailbox's own address.
        recipients: who is told.
        response: what is answered, in a reply.
    """
    message_id = f"{own_key}.{method.value.lower()}@{email_domain(sender) or 'localhost'}"
    template = _ANSWERS.get(response, _SUBJECTS.get(method, _SUBJECTS[Method.REQUEST]))
    built = EmailMessage(policy=policy.SMTP)
    built["Message-ID"] = f"<{message_id}>"
    built["Date"] = format_datetime(clock.now())
    built["From"] = formataddr(("", sender))
    built["To"] = ", ".join(recipients)
    built["Subject"] = tr(template, subject=meeting.subject or tr("Meeting"))
    built.set_content(_words(meeting))
    built.add_alternative(
        calendar,
        maintype="text",
        subtype="calendar",
        params={"method": method.value, "charset": "utf-8"},
    )
    return Send(own_key, message_id, built.as_bytes(), sender, tuple(recipients))


def _words(meeting: MeetingItem) -> str:
    """What somebody reads whose program knows no calendars."""
    plain = replace(meeting, text=meeting.text.strip())
    when = f"{plain.start:%Y-%m-%d %H:%M %Z}" if not plain.all_day else f"{plain.start:%Y-%m-%d}"
    lines = (plain.subject, when, plain.location, plain.text)
    return "\n".join(line for line in lines if line) + "\n"
