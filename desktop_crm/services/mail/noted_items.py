"""Items of a person's mailboxes about which something is to be known: unread ones and remarks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from desktop_crm.core.text import clean
from desktop_crm.models import Activity, Contact, Mailbox, MailboxItem
from desktop_crm.models.mail import ItemState, MailboxKind
from desktop_crm.services.context import Actor

MOST: Final = 500
"""Items that are listed; the latest ones."""


@dataclass(frozen=True, slots=True)
class NotedItem:
    """One item and what is to be known of it.

    Attributes:
        mailbox: name of the mailbox.
        folder: its key there.
        title: what it is called here, or its file; empty where nothing is known of it.
        state: stored, or that it could not be read.
        reason: a sentence.
        at: since when that is so.
        entity: kind of its record; empty for none.
        record: key of its record.
    """

    mailbox: str
    folder: str
    title: str
    state: ItemState
    reason: str
    at: datetime
    entity: str = ""
    record: int = 0


def noted(actor: Actor) -> tuple[NotedItem, ...]:
    """Items of the actor's own mailboxes, the latest first; nobody else sees them.

    One statement, which looks at every item of these mailboxes.
    """
    item = MailboxItem.__table__
    statement = (
        select(
            Mailbox.name.label("mailbox"),
            Mailbox.kind,
            item.c.folder,
            item.c.item_key,
            item.c.state,
            item.c.reason,
            func.coalesce(item.c.modified_at, item.c.created_at).label("at"),
            item.c.activity_id,
            item.c.contact_id,
            Activity.subject,
            Contact.full_name,
        )
        .join_from(item, Mailbox, Mailbox.id == item.c.mailbox_id)
        .outerjoin(Activity, Activity.id == item.c.activity_id)
        .outerjoin(Contact, Contact.id == item.c.contact_id)
        .where(
            Mailbox.user_id == actor.user_id,
            Mailbox.deleted_at.is_(None),
            item.c.reason.is_not(None),
            item.c.state.in_((ItemState.STORED.value, ItemState.QUARANTINED.value)),
        )
        .order_by(func.coalesce(item.c.modified_at, item.c.created_at).desc(), item.c.id.desc())
        .limit(MOST)
    )
    with actor.db.reading() as connection:
        rows = connection.execute(statement).all()
    found = []
    for row in rows:
        # Files have names; what other mailboxes call an item tells a person nothing.
        file = row.item_key if row.kind == MailboxKind.FOLDER.value else ""
        entity = "activity" if row.activity_id else "contact" if row.contact_id else ""
        found.append(
            NotedItem(
                row.mailbox,
                row.folder,
                clean(row.subject or row.full_name or file),
                ItemState(row.state),
                row.reason,
                row.at,
                entity,
                row.activity_id or row.contact_id or 0,
            )
        )
    return tuple(found)
