"""What was written to mailboxes about one record: what, when and why, each with its way back."""

from __future__ import annotations

from sqlalchemy import select

from desktop_crm.models import MailboxItem
from desktop_crm.models.outbox import DeedKind, OutboxState
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import outbox
from desktop_crm.services.mail.outbox import OutboxRow


def of_record(actor: Actor, entity: str, record: int) -> list[OutboxRow]:
    """The user's own deeds about an activity or a contact, the latest first."""
    if entity == "activity":
        return list(outbox.history(actor, activity=record))
    table = MailboxItem.__table__
    with actor.db.reading() as connection:
        held = connection.execute(
            select(table.c.mailbox_id, table.c.item_key).where(table.c.contact_id == record)
        ).all()
    found = [
        row
        for one in held
        for row in outbox.history(actor, mailbox=one.mailbox_id, item_key=one.item_key)
    ]
    return sorted(found, key=lambda row: (row.ordered_at, row.id), reverse=True)


def restorable(row: OutboxRow) -> bool:
    """Whether a deed can be taken back: it was done, and what stood before is kept."""
    if row.state is not OutboxState.DONE or row.deed is DeedKind.SEND:
        return False
    return row.has_image or (row.deed is DeedKind.SAVE and not row.item_key)
