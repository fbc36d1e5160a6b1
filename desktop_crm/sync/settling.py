"""What the end of a deed means for what is shown of the mailbox: gone, or as it was before."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, and_, select

from desktop_crm.models import MailboxItem, OutboxItem
from desktop_crm.models.mail import ItemState
from desktop_crm.models.outbox import DeedKind
from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.services.records_kept import set_where
from desktop_crm.sync import outbox_rows
from desktop_crm.sync.outbox_rows import Entry

_ITEM: Final = MailboxItem.__table__
_OF_MAIL: Final = (DeedKind.MARK, DeedKind.MOVE, DeedKind.DELETE)


def settled(connection: Connection, entry: Entry, *, done: bool) -> ChangeSet:
    """Follow the end of a deed: a message that went is gone, a mark that failed is as before."""
    if entry.ref is None or entry.deed not in _OF_MAIL:
        return NOTHING
    if done is (entry.deed is DeedKind.MARK):
        return NOTHING
    mailbox = select(OutboxItem.mailbox_id).where(OutboxItem.id == entry.id).scalar_subquery()
    own = and_(
        _ITEM.c.mailbox_id == mailbox,
        _ITEM.c.folder == entry.ref.folder,
        _ITEM.c.item_key == entry.ref.item_id,
    )
    if done:
        set_where(connection, MailboxItem, own, {"state": ItemState.GONE.value})
    elif entry.deed is DeedKind.MARK:
        image = outbox_rows.image_of(connection, entry.id)
        if image is None:
            return NOTHING
        before = {
            "is_read": image.is_read,
            "flag": image.flag.value,
            "categories": list(image.categories) or None,
        }
        set_where(connection, MailboxItem, own, before)
    return ChangeSet("", (Changed("mailbox_item", frozenset(), ChangeKind.UPDATED),))
