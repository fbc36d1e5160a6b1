"""A letter to many, noted on each record it went to once it has left: not before, and only once.

The records wait with the order to send; the notes are written in the transaction that says it is
sent. Each tells of the letter itself and of nobody else who got it (docs/adr/0021).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, RowMapping, select

from desktop_crm.core import clock
from desktop_crm.core.errors import PermissionDenied, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.models import Mailbox, OutboxItem, User
from desktop_crm.models.activity import ActivityKind, ActivityReason, ActivityState, Direction
from desktop_crm.services.bulk import deeds
from desktop_crm.services.bulk.job import BulkReport, Failure, Targets
from desktop_crm.services.context import Actor, as_seen_by
from desktop_crm.services.mail import noting
from desktop_crm.services.mail.noting import Notes
from desktop_crm.sync.current import current_records

_NEVER: Final = N_("Mail like this is never stored.")


def note(connection: Connection, actor: Actor, item: int) -> BulkReport | None:
    """Note a letter that has just left, in the name of who sent it; None where nobody asked for it.

    Args:
        connection: the transaction that says that it is sent: both stand, or neither.
        actor: who runs the pass.
        item: its key in the outbox, whose content is still kept.

    Returns:
        The notes, which one undo takes back, and the records that got none with the reason.
    """
    row = (
        connection.execute(
            select(
                OutboxItem.payload,
                OutboxItem.title,
                OutboxItem.activity_id,
                Mailbox.user_id,
                User.login,
            )
            .join(Mailbox, Mailbox.id == OutboxItem.mailbox_id)
            .outerjoin(User, User.id == Mailbox.user_id)
            .where(OutboxItem.id == item)
        )
        .mappings()
        .one()
    )
    notes = noting.read(row["payload"])
    if notes is None:
        return None
    if row["activity_id"] is None:
        return _none(notes, tr(_NEVER))
    try:
        return _noted(connection, _sender(actor, row), notes, row["title"] or "")
    except (PermissionDenied, UserError) as error:
        # The letter has left: that stands, whatever the records take.
        return _none(notes, str(error))


def _sender(actor: Actor, row: RowMapping) -> Actor:
    """Who sent it: an administrator's pass over the mailboxes of one file notes for each user."""
    if row["user_id"] in (None, actor.user_id):
        return actor
    return as_seen_by(actor.db, row["login"] or "")


def _noted(connection: Connection, sender: Actor, notes: Notes, subject: str) -> BulkReport:
    now = clock.now()
    values = {
        "subject": subject or tr("E-mail"),
        "kind": ActivityKind.EMAIL.value,
        "direction": Direction.OUTGOING.value,
        "state": ActivityState.COMPLETED.value,
        "status_reason": ActivityReason.SENT.value,
        "occurred_at": now,
        "completed_at": now,
        "owner": sender.user_id,
    }
    named = [(notes.entity, key) for key, _address in notes.addresses]
    now_are = current_records(connection, named)
    # One that was merged meanwhile is the one that is left; a lead stays the lead it was.
    keys = [dict(now_are[one]).get(notes.entity, one[1]) for one in named]
    targets = Targets(notes.entity, keys)
    return deeds.add_activities(sender, targets, values, within=connection)


def _none(notes: Notes, reason: str) -> BulkReport:
    failures = tuple(Failure(key, "", reason) for key, _address in notes.addresses)
    return BulkReport("", len(failures), 0, failures=failures)
