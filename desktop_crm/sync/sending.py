"""Sending a message: its record with links at once, and the order to send it, in one transaction.

The record says that it is being sent until it is. The copy a server keeps in Sent is known again by
Message-ID or own key, so that one message is one activity. What is never to be stored leaves
nothing but the order (M1), and of that nothing but the fact once it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, select

from desktop_crm.core import clock
from desktop_crm.core.identity import new_uid
from desktop_crm.meta import registry
from desktop_crm.models import MailMessage
from desktop_crm.models.activity import LinkRule
from desktop_crm.services.changes import NOTHING, ChangeKind, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import outbox
from desktop_crm.services.mail.noting import Notes
from desktop_crm.services.permissions import row_clause
from desktop_crm.sync import known, lease, outbox_rows
from desktop_crm.sync.apply import BatchWriter, Decided, decide
from desktop_crm.sync.compose import Answered, Letter, build
from desktop_crm.sync.exclusion import reason_to_exclude
from desktop_crm.sync.facts import gather
from desktop_crm.sync.formats.mime import read_message
from desktop_crm.sync.linking import Proposal
from desktop_crm.sync.mapping import content_hash, identity_of
from desktop_crm.sync.narrowing import is_of_internal_thread
from desktop_crm.sync.outbox_rows import Reason
from desktop_crm.sync.plan import Action, ActionKind
from desktop_crm.sync.port import Folder, FolderRole, MailItem

UNDO_S: Final = 10
"""Seconds in which a message can be called back, unless the person chose others."""

_SENT: Final = Folder("", "", FolderRole.SENT)


@dataclass(frozen=True, slots=True)
class Sending:
    """A message on its way.

    Attributes:
        item: key in the outbox, to cancel it or to put it off.
        activity: the record that stands for it; None for one that is never to be stored.
        due_at: when it leaves.
    """

    item: int
    activity: int | None
    due_at: datetime
    changes: ChangeSet


def send(
    actor: Actor,
    mailbox: int,
    letter: Letter,
    *,
    due_at: datetime | None = None,
    undo_s: float = UNDO_S,
    regarding: Sequence[tuple[str, int]] = (),
    why: Reason = Reason(),  # noqa: B008  a value that never changes
    notes: Notes | None = None,
) -> Sending:
    """Order a message to be sent from one of the user's mailboxes.

    Args:
        actor: who sends it.
        mailbox: the mailbox's key.
        letter: what was written.
        due_at: send later, at this moment; None for as soon as it can no longer be called back.
        undo_s: how long that is.
        regarding: entity and key of the records it was written from.
        why: what the history says about it.
        notes: records to note it on once it has left, as far as they are written to.

    Raises:
        UserError: it cannot be sent as it is; `field` names the control.
        NotFound: the mailbox does not exist, or is another's.
    """
    outbox.own_mailbox(actor, mailbox)
    now = clock.now()
    leaves = due_at or now + timedelta(seconds=undo_s)
    deed = build(letter, leaves.astimezone(actor.zone))
    # The bytes name no blind copies; the record knows them.
    item = replace(read_message(deed.mime), bcc=letter.bcc)
    everybody = (*letter.to, *letter.cc, *letter.bcc)
    with actor.db.writing() as connection:
        lease.write_alone(connection)
        activity, changes = _record(connection, actor, mailbox, item, regarding)
        key = outbox_rows.insert(
            connection,
            mailbox,
            deed,
            why=why,
            title=item.subject,
            activity=activity,
            due_at=leaves,
            operation=changes.operation,
            notes=notes and notes.among(one.address for one in everybody),
        )
    ordered = outbox.changed([key], ChangeKind.CREATED)
    return Sending(key, activity, leaves, changes.merge(ordered))


def _record(
    connection: Connection,
    actor: Actor,
    mailbox: int,
    item: MailItem,
    regarding: Sequence[tuple[str, int]],
) -> tuple[int | None, ChangeSet]:
    box = known.box(connection, mailbox)
    if reason_to_exclude(item, _SENT, box.ours):
        return None, NOTHING
    facts = gather(connection, [item], box.ours, box.id)
    if is_of_internal_thread(item, facts):
        return None, NOTHING
    action = Action(
        ActionKind.CREATE, "", identity_of(item), item, is_read=True, digest=content_hash(item)
    )
    chosen = tuple(
        Proposal(entity, key, LinkRule.RECORD, "", Decimal(100)) for entity, key in regarding
    )
    decided = [_with(one, chosen) for one in decide([action], _SENT, facts)]
    writer = BatchWriter(
        connection, actor, mailbox, box.user, _SENT, facts, box.policy, sending=True
    )
    (activity,), changes = writer.create(decided, new_uid())
    return activity, changes


def _with(one: Decided, chosen: tuple[Proposal, ...]) -> Decided:
    """What a person wrote it from stands before what the rules found."""
    keys = {proposal.key for proposal in chosen}
    found = (proposal for proposal in one.proposals if proposal.key not in keys)
    return replace(one, proposals=(*chosen, *found), outgoing=True)


def answered(actor: Actor, activity: int) -> Answered | None:
    """What an answer to a stored message names; None for no message the user may see.

    One that had no Message-ID of its own, or one too long to be kept, cannot be named.
    """
    table = MailMessage.__table__
    statement = select(table.c.message_id, table.c.references).where(
        table.c.activity_id == activity
    )
    rights = row_clause(actor, registry.get("mail_message"), table, "read")
    with actor.db.reading() as connection:
        row = connection.execute(
            statement if rights is None else statement.where(rights)
        ).one_or_none()
    if row is None or row.message_id.startswith(("fingerprint:", "sha256:")):
        return None
    return Answered(row.message_id, tuple(row.references or ()))
