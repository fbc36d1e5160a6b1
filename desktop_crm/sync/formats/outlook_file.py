"""Messages that Outlook saved as .msg files, turned into the form every other message has."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from desktop_crm.core.i18n import N_
from desktop_crm.sync.formats import outlook_mime as kept
from desktop_crm.sync.formats.mime import Unusable

if TYPE_CHECKING:
    from oxmsg import Message


def as_mime(data: bytes) -> bytes:
    """A .msg file as the message it was made from, as far as Outlook kept that.

    Raises:
        Unusable: it is no such file, or holds something else than a message.
    """
    # A library nothing else needs.
    from oxmsg import Message

    try:
        found = Message.load(data)
        if not found.message_class.upper().startswith(kept.MAIL):
            raise Unusable(N_("The Outlook file holds no message."))
        return kept.written(_kept(found))
    except (OSError, ValueError, LookupError, struct.error, AttributeError) as error:
        raise Unusable(N_("The Outlook file cannot be read; save it again in Outlook.")) from error


def _kept(found: Message) -> kept.KeptMessage:
    def text(tag: int) -> str:
        return found.properties.str_prop_value(tag) or ""

    people = (
        kept.KeptPerson(
            one.properties.int_prop_value(kept.RECIPIENT_TYPE) or 1, one.name, one.email_address
        )
        for one in found.recipients
    )
    files = (
        kept.KeptFile(
            file.file_name or "",
            file.mime_type or "",
            file.file_bytes,
            file.properties.str_prop_value(kept.CONTENT_ID) or "",
        )
        for file in found.attachments
        # Without bytes: a message within the message, or a file that only Outlook can find.
        if file.file_bytes is not None
    )
    return kept.KeptMessage(
        headers=text(kept.HEADERS),
        subject=found.subject or "",
        message_id=text(kept.MESSAGE_ID),
        in_reply_to=text(kept.IN_REPLY_TO),
        references=text(kept.REFERENCES),
        sender=found.sender or "",
        sent_at=found.sent_date,
        people=tuple(people),
        text=found.body or "",
        html=found.html_body or "",
        files=tuple(files),
    )
