"""What IMAP says of one message: its marks, and the item its bytes become.

Categories are keywords. A keyword is one plain word on the wire, so a category's other letters are
written in IMAP's own modified UTF-7, as folder names are; what other programs wrote reads as is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from imapclient import imap_utf7

from desktop_crm.core.text import clean
from desktop_crm.sync.formats import mime
from desktop_crm.sync.port import Change, ChangeKind, Flag, MailItem

SEEN: Final = b"\\Seen"
FLAGGED: Final = b"\\Flagged"
DRAFT: Final = b"\\Draft"
COMPLETED: Final = b"$Completed"
"""Keyword of a follow-up that is done; IMAP itself knows only flagged or not."""

# Thunderbird's five built-in tags, which several servers' webmail shares.
_NAMED: Final = {
    b"$label1": "Important",
    b"$label2": "Work",
    b"$label3": "Personal",
    b"$label4": "To Do",
    b"$label5": "Later",
}
_BY_NAME: Final = {name.casefold(): keyword for keyword, name in _NAMED.items()}
# Keywords programs keep for themselves; none of them is a category a person gave.
_OWN: Final = frozenset(
    {
        b"junk", b"nonjunk", b"notjunk", b"forwarded", b"mdnsent", b"redirected", b"attachment",
        b"xaol-read", b"receipthandled", b"old", b"hasatt",
    }
)  # fmt: skip
_UNFIT: Final = re.compile(r"[\x00-\x20(){%*\"\\\]\x7f]")
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one message."""

    is_read: bool
    flag: Flag
    categories: tuple[str, ...]

    @classmethod
    def of(cls, flags: Iterable[bytes]) -> Marks:
        """Marks of the flags a server sent."""
        words = {word.lower(): word for word in flags}
        flag = Flag.COMPLETE if COMPLETED.lower() in words else Flag.NONE
        if FLAGGED.lower() in words:
            flag = Flag.FLAGGED
        named = (category_of(word) for word in words.values())
        return cls(SEEN.lower() in words, flag, tuple(sorted({name for name in named if name})))


def category_of(keyword: bytes) -> str:
    """Category a keyword stands for; empty for flags and programs' own keywords."""
    word = keyword.lower()
    if word in _NAMED:
        return _NAMED[word]
    if word.startswith((b"\\", b"$")) or word in _OWN:
        return ""
    try:
        text = imap_utf7.decode(keyword)
    except (ValueError, UnicodeError, LookupError):
        text = keyword.decode("utf-8", "replace")
    return clean(str(text))[:_LONGEST]


def keyword_of(category: str) -> bytes:
    """Keyword a category is written as; the same category always gives the same one."""
    name = clean(category)[:_LONGEST]
    if name.casefold() in _BY_NAME:
        return _BY_NAME[name.casefold()]
    plain = _UNFIT.sub(_escaped, imap_utf7.encode(name).decode("ascii"))
    # A dollar sign begins the names that programs keep for themselves.
    return (f"&ACQ-{plain[1:]}" if plain.startswith("$") else plain).encode("ascii")


def _escaped(match: re.Match[str]) -> str:
    from base64 import b64encode

    code = b64encode(match[0].encode("utf-16-be")).decode("ascii").rstrip("=")
    return f"&{code.replace('/', ',')}-"


def mail_change(item_id: str, answer: Mapping[bytes, Any]) -> Change:
    """The message that was fetched with its marks.

    Raises:
        mime.Unusable: its bytes are no message.
    """
    marks = Marks.of(answer.get(b"FLAGS", ()))
    item = read_mail(answer[b"BODY[]"] or b"", answer.get(b"INTERNALDATE"))
    item = replace(
        item,
        is_read=marks.is_read,
        flag=marks.flag,
        categories=marks.categories,
        is_draft=item.is_draft or _is_draft(answer.get(b"FLAGS", ())),
    )
    return Change(
        ChangeKind.CREATE,
        item_id,
        item,
        is_read=marks.is_read,
        flag=marks.flag,
        categories=marks.categories,
    )


def read_mail(data: bytes, received_at: datetime | None) -> MailItem:
    """The message of some bytes; when it was received is what the server noted, where it did.

    Raises:
        mime.Unusable: the bytes are no message.
    """
    item = mime.read_message(data)
    if received_at is None or received_at.tzinfo is None:
        return item
    return replace(item, received_at=received_at.astimezone(UTC))


def marks_change(item_id: str, flags: Iterable[bytes]) -> Change:
    """A message whose marks changed."""
    marks = Marks.of(flags)
    return Change(
        ChangeKind.MARKS,
        item_id,
        is_read=marks.is_read,
        flag=marks.flag,
        categories=marks.categories,
    )


def _is_draft(flags: Iterable[bytes]) -> bool:
    return any(flag.lower() == DRAFT.lower() for flag in flags)
