"""What of an item could not be taken over as it is written, as a person reads it (R34)."""

from __future__ import annotations

from collections.abc import Iterable

from desktop_crm.core.i18n import translate
from desktop_crm.sync.plan import Action, ActionKind
from desktop_crm.sync.port import MailItem, MeetingItem, Sensitivity, TaskItem


def sentences(item: MailItem | MeetingItem | TaskItem, language: str) -> list[str]:
    """The remarks about an item in a language."""
    return [translate(language, one.reason, **dict(one.params)) for one in item.remarks]


def named(item: MeetingItem | TaskItem, language: str) -> list[tuple[str, str]]:
    """Each remark with what the item is called; of a private one that is its day alone."""
    hidden = item.sensitivity is not Sensitivity.NORMAL or not item.subject
    name = str(item.start or "")[:10] if hidden else item.subject
    return [(name, one) for one in sentences(item, language)]


def of_meetings(actions: Iterable[Action], language: str) -> list[tuple[str, str]]:
    """The remarks about meetings that are new or changed, for the summary of a pass."""
    written = (ActionKind.CREATE, ActionKind.UPDATE)
    items = (one.item for one in actions if one.kind in written)
    return [one for i in items if isinstance(i, MeetingItem) for one in named(i, language)]
