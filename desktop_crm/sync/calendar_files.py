"""Calendar files that come with a message."""

from __future__ import annotations

from typing import Final

from desktop_crm.core.errors import CrmError
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import message as mail_message

CALENDAR: Final = "text/calendar"
_LARGEST: Final = 1_000_000


def is_calendar(name: str, media_type: str, size: int) -> bool:
    """Whether a file is a calendar that is not too large to be read."""
    named = media_type.startswith(CALENDAR) or name.lower().endswith(".ics")
    return named and size <= _LARGEST


def calendars_of(actor: Actor, message: mail_message.Message) -> list[bytes]:
    """The calendar files of a stored message that may be read."""
    found: list[bytes] = []
    for file in message.attachments:
        if file.stored and is_calendar(file.name, file.media_type, file.size):
            try:
                found.append(mail_message.attachment(actor, file.id).content)
            except CrmError:
                continue
    return found
