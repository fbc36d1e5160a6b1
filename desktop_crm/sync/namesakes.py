"""Messages that bear the identifier of another one, by mistake or on purpose.

Some devices give every message the same Message-ID, and anybody can write one into a file. By it
two copies are one message (M2), and whoever holds a copy reads what is stored; so a copy has to
look like it as well. One that does not is a message of its own, known again by what it says (R29).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from desktop_crm.core.text import fold
from desktop_crm.sync.exclusion import Ours
from desktop_crm.sync.formats.mime import with_fingerprint
from desktop_crm.sync.mapping import message_key
from desktop_crm.sync.port import Change, MailItem

TEXT_READ: Final = 400
"""Characters of a stored text that are compared."""

_COMPARED: Final = 60
"""Letters and digits in which two texts begin alike; servers differ in all else."""

_ENOUGH: Final = 20
_SAME_HOUR: Final = timedelta(hours=1)
_SAME_DAY: Final = timedelta(days=1)
_SAME_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Looks:
    """What is stored of a message that a copy has to look like; the text is its beginning."""

    at: datetime | None = None
    sender: str = ""
    subject: str = ""
    text: str = ""
    foreign: bool = False


def looks_of(item: MailItem) -> Looks:
    """The same of a message that is about to be stored."""
    sender = item.sender.address if item.sender else ""
    return Looks(item.at, sender, item.subject, item.text[:TEXT_READ])


def told_apart(
    change: Change, holder: str, known: Mapping[str, Looks], ours: Ours
) -> tuple[Change, MailItem | None]:
    """A change whose message goes under its own identity where it only bears another's name.

    Args:
        change: what the mailbox reports.
        holder: identity under which the item is known already; empty where it is new.
        known: looks of the messages that are stored or come before it, by identity.
        ours: who we are.

    Returns:
        The change, and the message when it was told apart.
    """
    item = change.item
    if not isinstance(item, MailItem) or not item.has_message_id:
        return change, None
    key = message_key(item.message_id)
    looks = known.get(key)
    if holder == key or (not holder and looks is None):
        return change, None  # by far the most
    own = with_fingerprint(item)
    if holder == message_key(own.message_id) or (
        looks is not None and is_namesake(item, looks, ours)
    ):
        return replace(change, item=own), own
    return change, None


def is_namesake(item: MailItem, looks: Looks, ours: Ours) -> bool:
    """Whether a message is another one than the one stored under its identifier.

    A colleague's is compared strictly, by its moment and by its text or sender: who has no copy
    of it must not read it. One's own is told apart only where it clearly differs, for then nothing
    but a message of one's own could be doubled.
    """
    sender = item.sender.address if item.sender else ""
    apart = abs(item.at - looks.at) if item.at and looks.at else None
    if looks.foreign:
        if looks.at and (apart is None or apart > _SAME_HOUR):
            return True
        if _plain(looks.text):
            return not _begin_alike(looks.text, item.text)
        return sender != looks.sender
    other_sender = bool(sender and looks.sender and sender != looks.sender)
    other_subject = fold(item.subject) != fold(looks.subject)
    if other_sender and other_subject:
        return True
    if apart is None or ours.is_ours(sender):
        return False  # a message of ours leaves when the server sends it, maybe days later
    return apart > _SAME_DAY or (apart > _SAME_MINUTE and other_subject)


def _begin_alike(stored: str, told: str) -> bool:
    one, other = _plain(stored), _plain(told)
    length = min(len(one), len(other))
    return length >= min(_ENOUGH, len(one)) and one[:length] == other[:length]


def _plain(text: str) -> str:
    found = "".join(char for char in fold(text[:TEXT_READ]) if char.isalnum())
    return found[:_COMPARED]
