"""A message as Outlook keeps it in files, written in the form every other message has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import HeaderParser
from email.utils import format_datetime, formataddr
from typing import Final

SUBJECT: Final = 0x0037
HEADERS: Final = 0x007D
RECIPIENT_TYPE: Final = 0x0C15
SENDER_NAME: Final = 0x0C1A
SENDER: Final = 0x0C1F
SENDER_SMTP: Final = 0x5D01
MESSAGE_FLAGS: Final = 0x0E07
MESSAGE_SIZE: Final = 0x0E08
MESSAGE_CLASS: Final = 0x001A
BODY: Final = 0x1000
RTF: Final = 0x1009
HTML: Final = 0x1013
MESSAGE_ID: Final = 0x1035
REFERENCES: Final = 0x1039
IN_REPLY_TO: Final = 0x1042
DISPLAY_NAME: Final = 0x3001
EMAIL: Final = 0x3003
SMTP: Final = 0x39FE
CONTENT_ID: Final = 0x3712
MIME_TYPE: Final = 0x370E
FILE_NAME: Final = 0x3707
SHORT_NAME: Final = 0x3704
ATTACH_METHOD: Final = 0x3705
CODE_PAGE: Final = 0x3FDE
"""Numbers of properties; they are the same in every file of Outlook ([MS-OXPROPS])."""

MAIL: Final = "IPM.NOTE"
"""What the class of a message begins with, in capitals."""

_LINES: Final = {1: "To", 2: "Cc", 3: "Bcc"}
_PEOPLE: Final = ("from", "to", "cc")
_POLICY: Final = policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class KeptPerson:
    """Who it went to: `line` is 1 for To, 2 for Cc, 3 for blind copies."""

    line: int
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class KeptFile:
    """What was attached."""

    name: str
    kind: str
    content: bytes
    cid: str = ""


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """What Outlook kept of a message; everything may be missing.

    Attributes:
        headers: the header it travelled with; empty for one that never did.
        sender: name and address, as a header names them.
        sent_at: aware.
    """

    headers: str = ""
    subject: str = ""
    message_id: str = ""
    in_reply_to: str = ""
    references: str = ""
    sender: str = ""
    sent_at: datetime | None = None
    people: tuple[KeptPerson, ...] = ()
    text: str = ""
    html: str = ""
    files: tuple[KeptFile, ...] = ()


def written(kept: KeptMessage) -> bytes:
    """The message it was made from, as far as Outlook kept that.

    Raises:
        ValueError: a name or type holds what no header may.
    """
    body = _body(kept).as_bytes(policy=_POLICY)
    head = "".join(f"{line}\r\n" for line in _head(kept))
    return head.encode("utf-8", "replace") + body


def _head(kept: KeptMessage) -> Iterable[str]:
    """The header it came with; of one that never travelled, what the file says itself."""
    lines = {
        name.lower(): f"{name}: {' '.join(value.split())}"
        for name, value in HeaderParser().parsestr(kept.headers).items()
        if not name.lower().startswith(("content-", "mime-version"))
    }
    said = {
        "Subject": kept.subject,
        "Message-ID": kept.message_id,
        "In-Reply-To": kept.in_reply_to,
        "References": kept.references,
        "From": kept.sender,
        "Date": format_datetime(kept.sent_at) if kept.sent_at else "",
    }
    people: dict[str, list[str]] = {}
    for one in kept.people:
        if one.address:
            line = people.setdefault(_LINES.get(one.line, "To"), [])
            line.append(formataddr((one.name, one.address), "utf-8"))
    said |= {line: ", ".join(named) for line, named in people.items()}
    for name, value in said.items():
        key = name.lower()
        # A header of Exchange's own making names people without an address.
        nobody = key in _PEOPLE and "@" in value and "@" not in lines.get(key, "")
        if value and (key not in lines or nobody):
            lines[key] = f"{name}: {' '.join(value.split())}"
    return lines.values()


def _body(kept: KeptMessage) -> EmailMessage:
    made = EmailMessage(policy=_POLICY)
    if kept.text or not kept.html:
        made.set_content(kept.text, charset="utf-8")
        if kept.html:
            made.add_alternative(kept.html, subtype="html", charset="utf-8")
    else:
        made.set_content(kept.html, subtype="html", charset="utf-8")
    for file in kept.files:
        kind, _slash, part = file.kind.partition("/")
        usual = part and kind not in ("message", "multipart", "text")
        made.add_attachment(
            file.content,
            kind if usual else "application",
            part if usual else "octet-stream",
            filename=file.name or "attachment",
            cid=f"<{file.cid}>" if file.cid else None,
        )
    return made
