"""From the bytes of a message to a :class:`MailItem`; malformed messages are the normal case.

What its sender calls it (Keywords) is no category of the mailbox's user: those are commands, keep
mail out and file it.

`read_message` never raises for a damaged message: what can be read is read, what cannot is told
in `remarks`. Only bytes that are no message at all raise :class:`Unusable`.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message
from typing import Final

from desktop_crm.core import turns
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import clean
from desktop_crm.sync.formats import mail_header as header
from desktop_crm.sync.formats.mail_body import clean_html, text_of, tidy
from desktop_crm.sync.formats.mime_usual import Leaf, read_usual
from desktop_crm.sync.port import Address, Attachment, MailItem, Remark, Sensitivity

_log = logging.getLogger(__name__)

NESTING_LIMIT: Final = 40
"""Parts inside parts that are followed; deeper ones are kept as one attachment."""

KEPT_HEADERS: Final = (
    "auto-submitted", "precedence", "list-id", "list-unsubscribe", "list-post", "feedback-id",
    "x-auto-response-suppress", "x-autoreply", "x-autorespond", "x-crm-ref", "x-spam-flag",
    "x-failed-recipients", "return-path", "content-type", "thread-index",
)  # fmt: skip
"""Headers the exclusions and the linking rules ask for."""

_TELLING: Final = frozenset(
    {
        "from", "to", "cc", "subject", "date", "message-id", "received", "mime-version",
        "return-path", "sender", "delivered-to", "reply-to", "content-type",
    }
)  # fmt: skip
_CTE: Final = {"quoted printable": "quoted-printable", "base 64": "base64", "8-bit": "8bit"}
_PGP: Final = re.compile(r"^-----BEGIN PGP MESSAGE-----", re.MULTILINE)
_SENSITIVE: Final = {
    "": Sensitivity.NORMAL,
    "normal": Sensitivity.NORMAL,
    "none": Sensitivity.NORMAL,
    "personal": Sensitivity.PERSONAL,
    "company-confidential": Sensitivity.CONFIDENTIAL,
    "company confidential": Sensitivity.CONFIDENTIAL,
    "confidential": Sensitivity.CONFIDENTIAL,
}
_OTHERS: Final = ("sender", "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-bcc")
_READING: Final = (ValueError, TypeError, LookupError, AttributeError, MessageError)
"""What the standard library raises for parts that no standard describes."""


class Unusable(Exception):
    """The bytes are no message; `reason` is a translatable sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Parts:
    """What has been found in a message so far."""

    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    encrypted: bool = False


def read_message(data: bytes) -> MailItem:
    """Read one message.

    Raises:
        Unusable: the bytes are empty or hold no mail header.
    """
    turns.give_way()
    if not data.strip():
        raise Unusable(N_("The file is empty."))
    usual = read_usual(data)
    if usual is not None and _TELLING & usual[0].keys():
        parts = _Parts()
        for leaf in usual[1]:
            _sort(leaf, _safe_name(header.decode_words(leaf.name)), parts)
        return _item(usual[0], parts, data)
    mended = header.mend(data)
    try:
        message: Message = message_from_bytes(mended, policy=policy.compat32)
    except (RecursionError, *_READING) as error:
        _log.info("message without structure: %s", error)
        head = mended.partition(b"\n\n")[0]
        message = message_from_bytes(head + b"\n\n", policy=policy.compat32)
    fields = _fields(message)
    if not _TELLING & fields.keys():
        raise Unusable(N_("The file has no mail header, so it is no message."))
    parts = _Parts()
    if _encrypted(message):
        parts.encrypted = True
    else:
        _walk(message, parts)
    return _item(fields, parts, data)


def _fields(message: Message) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    charset = _parameter(message, "charset")
    for name, value in message.raw_items():
        fields.setdefault(name.strip().lower(), []).append(header.raw_text(value, charset))
    return fields


def _mend_parameters(part: Message) -> None:
    """Read 8-bit file names as text: the parser would replace every such byte by a mark."""
    for name, value in list(part.raw_items()):
        if name.lower() in ("content-type", "content-disposition"):
            text = header.raw_text(value)
            if text != value:
                part.replace_header(name, text)


def _item(fields: dict[str, list[str]], parts: _Parts, data: bytes) -> MailItem:
    def one(name: str) -> str:
        return next((value for value in fields.get(name, ()) if value), "")

    def people(name: str) -> tuple[Address, ...]:
        found = [a for value in fields.get(name, ()) for a in header.addresses(value)]
        return tuple(dict.fromkeys(found))

    encrypted = parts.encrypted or any(_PGP.search(text) for text in parts.texts)
    text, html = ("", "") if encrypted else _bodies(parts)
    senders = people("from") or people("sender") or people("return-path")
    sent_at = header.moment(one("date"))
    if sent_at is None:
        parts.remarks.append(Remark(N_("Its date cannot be read.")))
    item = MailItem(
        message_id=header.message_id(one("message-id")),
        subject=header.decode_words(one("subject")),
        sender=senders[0] if senders else None,
        to=people("to") + people("apparently-to"),
        cc=people("cc"),
        bcc=people("bcc"),
        reply_to=people("reply-to"),
        others=(*senders[1:], *(person for name in _OTHERS for person in people(name))),
        sent_at=sent_at,
        received_at=_received(fields.get("received", ())),
        text=text,
        html=html,
        in_reply_to=next(iter(header.message_ids(one("in-reply-to"))), ""),
        references=header.message_ids(one("references")),
        headers=tuple((name, one(name)[:998]) for name in KEPT_HEADERS if one(name)),
        attachments=() if encrypted else tuple(parts.files),
        thread_key=one("thread-index")[:29],
        own_key=one("x-crm-ref")[:36],
        sensitivity=_sensitivity(fields.get("sensitivity", ())),
        importance=_importance(one("importance") or one("x-priority")),
        is_draft=one("x-unsent") == "1" or bool(one("x-mozilla-draft-info")),
        encrypted=encrypted,
        size=len(data),
        remarks=tuple(parts.remarks),
    )
    return item if item.message_id else with_fingerprint(item)


def with_fingerprint(item: MailItem) -> MailItem:
    """Identify a message without Message-ID by what it says (R29)."""
    moment = item.at
    facts = (
        item.sender.address if item.sender else "",
        moment.isoformat(timespec="seconds") if moment else "",
        item.subject,
        str(len(item.text)),
        hashlib.sha256(item.text.encode("utf-8", "replace")).hexdigest(),
    )
    digest = hashlib.sha256("\x1f".join(facts).encode("utf-8", "replace")).hexdigest()
    return replace(item, message_id=f"fingerprint:{digest[:40]}", has_message_id=False)


def _sensitivity(values: Sequence[str]) -> Sensitivity:
    """The strictest word said; what nobody knows counts as private rather than as nothing."""
    said = (_SENSITIVE.get(value.strip().lower(), Sensitivity.PRIVATE) for value in values)
    return next((one for one in said if one is not Sensitivity.NORMAL), Sensitivity.NORMAL)


def _received(values: list[str] | tuple[()]) -> datetime | None:
    for value in values:
        found = header.moment(value.rpartition(";")[2])
        if found is not None:
            return found
    return None


def _importance(value: str) -> str:
    word = value.strip().lower()
    if word.startswith(("high", "1", "2", "urgent")):
        return "high"
    return "low" if word.startswith(("low", "4", "5")) else "normal"


def _content_type(part: Message) -> str:
    try:
        return part.get_content_type()
    except _READING:
        return "application/octet-stream"


def _parameter(part: Message, name: str, within: str = "content-type") -> str:
    try:
        value = part.get_param(name, header=within)
    except _READING:
        return ""
    if isinstance(value, tuple):
        charset, _, text = value
        try:
            return text.encode("latin-1").decode(charset or "utf-8")
        except (UnicodeError, LookupError):
            return text
    return header.decode_words(header.raw_text(value)) if value else ""


def _encrypted(message: Message) -> bool:
    kind = _content_type(message)
    if kind == "multipart/encrypted":
        return True
    if kind in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        return _parameter(message, "smime-type").lower() not in ("signed-data", "certs-only")
    return False


def _walk(message: Message, parts: _Parts) -> None:
    """Sort every part into text, HTML and files; without recursion, mail is nested at will."""
    pending: list[tuple[Message, int]] = [(message, 0)]
    while pending:
        part, depth = pending.pop()
        children = part.get_payload()
        nested = _content_type(part) == "message/rfc822"
        if isinstance(children, list) and not nested and depth < NESTING_LIMIT:
            pending += [
                (child, depth + 1) for child in reversed(children) if isinstance(child, Message)
            ]
        else:
            _leaf(part, parts, nested=nested)


def _leaf(part: Message, parts: _Parts, *, nested: bool) -> None:
    _mend_parameters(part)
    kind = "message/rfc822" if nested else _content_type(part)
    content = _nested_bytes(part) if isinstance(part.get_payload(), list) else _bytes(part)
    name = _file_name(part)
    disposition = header.raw_text(part.get("content-disposition") or "").lower()
    if kind.startswith("multipart/"):
        # A multipart whose boundary was never found is one piece of text.
        kind = "text/plain"
        parts.remarks.append(Remark(N_("Its parts cannot be told apart; it is shown as one text.")))
    cid = header.raw_text(part.get("content-id") or "").strip("<> ")
    charset = _parameter(part, "charset")
    _sort(Leaf(kind, content, name, disposition, charset, cid), name, parts)


def _sort(leaf: Leaf, name: str, parts: _Parts) -> None:
    """Put a part among texts, HTML or files."""
    kind = leaf.kind
    attached = leaf.disposition.startswith("attachment") or (bool(name) and kind != "text/html")
    if kind in ("text/plain", "text/html") and not attached:
        text = header.decode_bytes(leaf.content, leaf.charset)
        (parts.texts if kind == "text/plain" else parts.htmls).append(text)
    elif leaf.content or name:
        shown = name or _default_name(kind, len(parts.files) + 1)
        parts.files.append(Attachment(shown, kind, len(leaf.content), leaf.content, leaf.cid))


def _bytes(part: Message) -> bytes:
    encoding = header.raw_text(part.get("content-transfer-encoding") or "")
    word = encoding.split(";")[0].strip().lower()
    if word != encoding:
        del part["content-transfer-encoding"]
        part["content-transfer-encoding"] = _CTE.get(word, word)
    try:
        payload = part.get_payload(decode=True)
    except _READING:
        payload = None
    if isinstance(payload, bytes):
        return payload
    raw = part.get_payload()
    return raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else b""


def _nested_bytes(part: Message) -> bytes:
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else part
    try:
        return inner.as_bytes() if isinstance(inner, Message) else b""
    except (RecursionError, *_READING):
        return b""


def _file_name(part: Message) -> str:
    found = _parameter(part, "filename", "content-disposition") or _parameter(part, "name")
    if not found and _content_type(part) == "message/rfc822":
        payload = part.get_payload()
        inner = payload[0] if isinstance(payload, list) and payload else None
        subject = header.raw_text(inner.get("subject") or "") if isinstance(inner, Message) else ""
        found = f"{header.decode_words(subject)[:80]}.eml" if subject else "message.eml"
    return _safe_name(found)


def _safe_name(found: str) -> str:
    """A name is a name, not a path: nothing of it may lead outside the folder it is saved to."""
    name = re.sub(r"[\x00-\x1f<>:\"|?*]", "_", found.replace("\\", "/").rpartition("/")[2])
    return clean(name).strip(". ")[-200:]  # the ending says what it is


def _default_name(kind: str, number: int) -> str:
    import mimetypes

    return f"part-{number}{mimetypes.guess_extension(kind) or '.bin'}"


def _bodies(parts: _Parts) -> tuple[str, str]:
    pictures = {file.cid: file for file in parts.files if file.cid}
    source = "\n".join(parts.htmls)
    html = clean_html(source, pictures) if source else ""
    text = tidy("\n".join(_without_blank(parts.texts)))
    return text or (text_of(source) if source else ""), html


def _without_blank(texts: list[str]) -> Iterator[str]:
    return (text for text in texts if text.strip())
