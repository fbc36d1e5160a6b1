"""A message built whole, here: header, thread, text beside HTML, pictures, files, own key.

What is built is what leaves, byte for byte, whichever server carries it; it reads back through
:mod:`.mime` as it was written. Blind copies stand among the recipients and nowhere in the bytes.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import policy
from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import bare_email, canonical_email, clean, email_domain
from desktop_crm.sync.formats.mail_body import text_of
from desktop_crm.sync.formats.mime import Unusable, read_message
from desktop_crm.sync.port import Address, Attachment
from desktop_crm.sync.writes import Ref, SaveDraft, Send

OWN_HEADER: Final = "X-CRM-Ref"
"""Carries the own key, by which a server's copy of the message is known again."""

MOST_REFERENCES: Final = 30
"""Identifiers of earlier messages that are named: the first and the latest."""

_EOL: Final = "\r\n"
_POLICY: Final = policy.SMTP.clone(cte_type="7bit", max_line_length=78)
_PRIORITY: Final = {"high": "1 (Highest)", "low": "5 (Lowest)"}
_QUOTED: Final = frozenset('()<>[]:;@\\,."')


@dataclass(frozen=True, slots=True)
class Answered:
    """The message an answer goes to: its identifier and those it names itself, oldest first."""

    message_id: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as a person wrote it.

    Attributes:
        sender: whose mailbox it leaves.
        text: plain text; made from the HTML when it is empty.
        html: as it is to be shown; pictures are named by `cid:`. Empty for plain mail.
        pictures: pictures of the HTML, each with its `cid`.
        files: what is attached.
        answers: the message it answers or forwards in its thread.
        importance: high, normal or low.
    """

    sender: Address
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    subject: str = ""
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    pictures: tuple[Attachment, ...] = ()
    files: tuple[Attachment, ...] = ()
    answers: Answered | None = None
    importance: str = "normal"


def build(letter: Letter, at: datetime, own_key: str = "") -> Send:
    """The message ready to leave.

    Args:
        letter: what was written.
        at: its date, aware; the zone of the sender's clock shows in it.
        own_key: key of its outbox row; a new one when empty.

    Raises:
        UserError: it has no recipient, an address nobody can be reached by, or a file without
            content; `field` names the control.
    """
    if not (letter.to or letter.cc or letter.bcc):
        raise UserError(N_("Give at least one recipient; nothing was sent."), field="to")
    key = own_key or new_uid()
    checked = _checked(letter)
    message_id = _message_id(checked, key)
    mime = _mime(checked, key, message_id, at)
    everybody = (*checked.to, *checked.cc, *checked.bcc)
    recipients = tuple(dict.fromkeys(_wire(person.address) for person in everybody))
    return Send(key, message_id, mime, _wire(checked.sender.address), recipients)


def hidden_recipients(deed: Send) -> tuple[str, ...]:
    """Recipients the message does not name; it must name nobody who is no recipient.

    Raises:
        UserError: it names somebody it shall not go to, or is no message.
    """
    wanted = list(dict.fromkeys(canonical_email(one) or one for one in deed.recipients))
    try:
        message = read_message(deed.mime)
    except Unusable as error:
        raise UserError(error.reason) from error
    named = {person.address for person in (*message.to, *message.cc, *message.bcc)}
    stray = named.difference(wanted)
    if stray:
        raise UserError(
            N_("The message names {address}, to whom it shall not go. Nothing was sent."),
            address=", ".join(sorted(stray)),
        )
    return tuple(one for one in wanted if one not in named)


def build_draft(letter: Letter, at: datetime, ref: Ref | None = None) -> SaveDraft:
    """The message as a draft, its blind copies in it; recipients may still be missing.

    Args:
        letter: what was written so far.
        at: its date, aware.
        ref: the draft it takes the place of.

    Raises:
        UserError: an address nobody can be reached by, or a file without content.
    """
    key = new_uid()
    checked = _checked(letter)
    message_id = _message_id(checked, key)
    return SaveDraft(key, message_id, _mime(checked, key, message_id, at, draft=True), ref)


def _message_id(letter: Letter, key: str) -> str:
    return f"{key}@{email_domain(_wire(letter.sender.address))}"


def _mime(letter: Letter, key: str, message_id: str, at: datetime, *, draft: bool = False) -> bytes:
    named = [
        ("From", (letter.sender,)),
        ("To", letter.to),
        ("Cc", letter.cc),
        ("Reply-To", letter.reply_to),
        ("Bcc", letter.bcc if draft else ()),
    ]
    head = [f"Message-ID: <{message_id}>", f"Date: {format_datetime(at)}"]
    head += [_people(name, people) for name, people in named if people]
    if not draft and not (letter.to or letter.cc):
        head.append("To: undisclosed-recipients:;")
    head += [_words("Subject", clean(letter.subject)), *_thread(letter.answers)]
    head.append(f"{OWN_HEADER}: {key}")
    if letter.importance in _PRIORITY:
        head.append(f"Importance: {letter.importance}")
        head.append(f"X-Priority: {_PRIORITY[letter.importance]}")
    if draft:
        head.append("X-Unsent: 1")
    lines = _EOL.join([*head, ""]).encode("ascii")
    return lines + _body(letter).as_bytes(policy=_POLICY)


def _checked(letter: Letter) -> Letter:
    for name in ("sender", "to", "cc", "bcc", "reply_to"):
        people = (letter.sender,) if name == "sender" else getattr(letter, name)
        for person in people:
            if not person.readable or canonical_email(person.address) is None:
                raise UserError(
                    N_('"{address}" is no e-mail address; nothing was sent.'),
                    field=name,
                    address=person.address,
                )
    for file in (*letter.files, *letter.pictures):
        if file.content is None:
            raise UserError(
                N_('The content of the file "{name}" is not at hand; nothing was sent.'),
                field="files",
                name=file.name,
            )
    if letter.text.strip() or not letter.html:
        return letter
    return replace(letter, text=text_of(letter.html))


def _wire(address: str) -> str:
    """An address as servers take it: the domain in ASCII (RFC 5891).

    Raises:
        UserError: the part before the @ is not ASCII, which few servers carry.
    """
    name, _, domain = bare_email(address).rpartition("@")
    try:
        name.encode("ascii")
        return f"{name}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError as error:
        raise UserError(
            N_('"{address}" is no e-mail address; nothing was sent.'), field="to", address=address
        ) from error


# --- header ---------------------------------------------------------------------------------


def _words(name: str, value: str) -> str:
    """A header of words in any language, folded."""
    plain = value.isascii() and "=?" not in value and all(len(w) < 70 for w in value.split())
    charset = "us-ascii" if plain else "utf-8"
    header = Header(value, charset, header_name=name, maxlinelen=76)
    return f"{name}: {header.encode(linesep=_EOL)}"


def _people(name: str, people: Sequence[Address]) -> str:
    return f"{name}: " + f",{_EOL} ".join(_person(person) for person in people)


def _person(person: Address) -> str:
    shown, address = clean(person.name), _wire(person.address)
    if not shown or shown == person.address:
        return address
    if not shown.isascii() or "=?" in shown:
        encoded = Header(shown, "utf-8", maxlinelen=70).encode(linesep=_EOL)
        return f"{encoded}{_EOL} <{address}>"
    if _QUOTED & set(shown):
        shown = '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{shown} <{address}>"


def _thread(answers: Answered | None) -> list[str]:
    """The lines that tie an answer to its thread; one identifier a line, since none may be cut."""
    if answers is None or not answers.message_id:
        return []
    known = [*answers.references, answers.message_id]
    named = [one for one in dict.fromkeys(known) if _is_plain(one)]
    if len(named) > MOST_REFERENCES:
        named = [named[0], *named[1 - MOST_REFERENCES :]]
    lines = []
    if _is_plain(answers.message_id):
        lines.append(f"In-Reply-To: <{answers.message_id}>")
    if named:
        lines.append("References: " + f"{_EOL} ".join(f"<{one}>" for one in named))
    return lines


def _is_plain(identifier: str) -> bool:
    """Whether an identifier can stand in a header as it is; some programs write nonsense."""
    fits = identifier.isascii() and identifier.isprintable() and len(identifier) < 900
    return bool(identifier) and fits and not set(" <>") & set(identifier)


# --- body -----------------------------------------------------------------------------------


def _body(letter: Letter) -> EmailMessage:
    """Text, HTML beside it, its pictures within that, and files around them."""
    message = EmailMessage(policy=_POLICY)
    message.set_content(_with_end(letter.text), charset="utf-8")
    if letter.html:
        message.add_alternative(_with_end(letter.html), subtype="html", charset="utf-8")
        parts = message.get_payload()
        assert isinstance(parts, list)  # noqa: S101  text and HTML
        html = parts[-1]
        assert isinstance(html, EmailMessage)  # noqa: S101  made two lines above
        for picture in letter.pictures:
            _embed(html, picture)
    for file in letter.files:
        _attach(message, file)
    return message


def _with_end(text: str) -> str:
    """Lines end as mail wants them, the last one too."""
    joined = "\n".join(text.splitlines())
    return joined if joined.endswith("\n") else f"{joined}\n"


def _attach(message: EmailMessage, file: Attachment) -> None:
    kind, _, part = _content_type(file).partition("/")
    if kind in ("message", "multipart"):
        # Anything else would be written anew on the way, and a signed message be one no longer.
        kind, part = "application", "octet-stream"
    message.add_attachment(file.content or b"", kind, part, filename=_file_name(file))


def _embed(html: EmailMessage, picture: Attachment) -> None:
    kind, _, part = _content_type(picture).partition("/")
    html.add_related(
        picture.content or b"",
        kind,
        part,
        cid=f"<{picture.cid}>",
        filename=_file_name(picture),
        disposition="inline",
    )


def _content_type(file: Attachment) -> str:
    said = file.content_type.split(";")[0].strip().lower()
    if re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", said):
        return said
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def _file_name(file: Attachment) -> str:
    name = clean(file.name) or "attachment"
    return f"{name}.eml" if file.content_type == "message/rfc822" and "." not in name else name
