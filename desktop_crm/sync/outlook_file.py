"""Messages that Outlook saved as .msg files, turned into the form every other message has."""

from __future__ import annotations

import struct
from email import policy
from email.message import EmailMessage
from email.parser import HeaderParser
from email.utils import format_datetime, formataddr
from typing import TYPE_CHECKING, Final

from desktop_crm.core.i18n import N_
from desktop_crm.sync.mime import Unusable

if TYPE_CHECKING:
    from oxmsg import Message

_MAIL: Final = "IPM.NOTE"
_LINES: Final = {1: "To", 2: "Cc", 3: "Bcc"}
_HEADERS: Final = 0x007D
_RECIPIENT_TYPE: Final = 0x0C15
_MESSAGE_ID: Final = 0x1035
_REFERENCES: Final = 0x1039
_IN_REPLY_TO: Final = 0x1042
_CONTENT_ID: Final = 0x3712
_POLICY: Final = policy.SMTP.clone(cte_type="7bit")


def as_mime(data: bytes) -> bytes:
    """A .msg file as the message it was made from, as far as Outlook kept that.

    Raises:
        Unusable: it is no such file, or holds something else than a message.
    """
    # A library nothing else needs.
    from oxmsg import Message

    try:
        found = Message.load(data)
        if not found.message_class.upper().startswith(_MAIL):
            raise Unusable(N_("The Outlook file holds no message."))
        lines = _head(found)
        body = _body(found).as_bytes(policy=_POLICY)
    except (OSError, ValueError, LookupError, struct.error, AttributeError) as error:
        raise Unusable(N_("The Outlook file cannot be read.")) from error
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace") + body


def _head(found: Message) -> list[str]:
    """The header it came with; of one that never travelled, what the file says itself."""
    kept = HeaderParser().parsestr(found.properties.str_prop_value(_HEADERS) or "")
    lines = {
        name.lower(): f"{name}: {' '.join(value.split())}"
        for name, value in kept.items()
        if not name.lower().startswith(("content-", "mime-version"))
    }
    said = {
        "Subject": found.subject,
        "Message-ID": found.properties.str_prop_value(_MESSAGE_ID),
        "In-Reply-To": found.properties.str_prop_value(_IN_REPLY_TO),
        "References": found.properties.str_prop_value(_REFERENCES),
        "From": found.sender,
        "Date": format_datetime(found.sent_date) if found.sent_date else None,
    }
    people: dict[str, list[str]] = {}
    for one in found.recipients:
        line = _LINES.get(one.properties.int_prop_value(_RECIPIENT_TYPE) or 1, "To")
        if one.email_address:
            people.setdefault(line, []).append(formataddr((one.name, one.email_address), "utf-8"))
    said |= {line: ", ".join(named) for line, named in people.items()}
    for name, value in said.items():
        if value:
            lines.setdefault(name.lower(), f"{name}: {' '.join(value.split())}")
    return list(lines.values())


def _body(found: Message) -> EmailMessage:
    made = EmailMessage(policy=_POLICY)
    text, html = found.body, found.html_body
    if text or not html:
        made.set_content(text or "", charset="utf-8")
        if html:
            made.add_alternative(html, subtype="html", charset="utf-8")
    else:
        made.set_content(html, subtype="html", charset="utf-8")
    for file in found.attachments:
        if file.file_bytes is None:
            continue  # a message within the message, or a file that only Outlook can find
        kind, _slash, part = (file.mime_type or "application/octet-stream").partition("/")
        cid = file.properties.str_prop_value(_CONTENT_ID)
        made.add_attachment(
            file.file_bytes,
            kind if part and kind not in ("message", "multipart", "text") else "application",
            part if part and kind not in ("message", "multipart", "text") else "octet-stream",
            filename=file.file_name or "attachment",
            cid=f"<{cid}>" if cid else None,
        )
    return made
