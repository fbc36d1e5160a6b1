"""What a person does to messages of their mailboxes: marks, moves, deletions.

Marks stand here at once and go to the mailbox through the journal; when the mailbox refuses one,
what stood before comes back. A message that is to go from its folder is not shown there any more
while its order waits (:func:`desktop_crm.services.mail.reach.own_items`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.identity import new_uid
from desktop_crm.models import Activity, Link, Mailbox, MailboxItem
from desktop_crm.models.activity import LinkState
from desktop_crm.models.mail import MailFlag
from desktop_crm.services import records
from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailboxes, outbox
from desktop_crm.services.mail.reach import own_items
from desktop_crm.services.records_kept import set_where
from desktop_crm.sync import outbox_rows, scheduler
from desktop_crm.sync.outbox_rows import Reason
from desktop_crm.sync.port import Flag, Folder, FolderRole
from desktop_crm.sync.writes import Ability, Deed, Delete, Mark, Move, Ref, WritableMailbox
from desktop_crm.sync.writing import abilities

_ITEM: Final = MailboxItem.__table__
_BY_PERSON: Final = Reason(N_("Done in the mail window."))


@dataclass(frozen=True, slots=True)
class Held:
    """One copy of a message in a mailbox of the user."""

    id: int
    mailbox: int
    kind: str
    activity: int
    title: str
    ref: Ref


@dataclass(frozen=True, slots=True)
class Removal:
    """Messages on their way out of a folder: the orders, and the records put into the bin."""

    orders: tuple[int, ...]
    binned: tuple[int, ...]
    changes: ChangeSet


def held(connection: Connection, actor: Actor, activities: Sequence[int]) -> list[Held]:
    """Copies of messages in the user's own mailboxes; one statement."""
    rows = connection.execute(
        select(
            _ITEM.c.id,
            _ITEM.c.mailbox_id,
            Mailbox.kind,
            _ITEM.c.activity_id,
            Activity.subject,
            _ITEM.c.folder,
            _ITEM.c.item_key,
            _ITEM.c.change_key,
        )
        .join(Mailbox, Mailbox.id == _ITEM.c.mailbox_id)
        .join(Activity, Activity.id == _ITEM.c.activity_id)
        .where(own_items(actor), _ITEM.c.activity_id.in_(activities))
    )
    return [
        Held(
            row.id,
            row.mailbox_id,
            row.kind,
            row.activity_id,
            row.subject or "",
            Ref(row.folder, row.item_key, row.change_key or ""),
        )
        for row in rows
    ]


def mark(
    actor: Actor,
    activities: Sequence[int],
    *,
    is_read: bool | None = None,
    flag: Flag | None = None,
    categories: tuple[str, ...] | None = None,
) -> ChangeSet:
    """Set marks of messages, here at once and in every mailbox that holds them.

    A mailbox that knows no such marks, such as a folder of files, has them here alone.
    """
    values: dict[str, Any] = {}
    needed: set[Ability] = set()
    if is_read is not None:
        values["is_read"] = is_read
        needed.add(Ability.READ_MARK)
    if flag is not None:
        values["flag"] = MailFlag(flag.value).value
        needed.add(Ability.FLAG)
    if categories is not None:
        values["categories"] = list(categories) or None
        needed.add(Ability.CATEGORIES)
    orders = []
    with actor.db.writing() as connection:
        items = held(connection, actor, activities)
        for item in items:
            set_where(connection, MailboxItem, _ITEM.c.id == item.id, values)
            if needed <= abilities(item.kind):
                deed = Mark(new_uid(), item.ref, is_read, flag, categories)
                orders.append(_order(connection, item, deed))
    return _told(items).merge(outbox.changed(orders, ChangeKind.CREATED))


def move(
    actor: Actor, activities: Sequence[int], folder: str, due_at: datetime | None = None
) -> Removal:
    """Move messages to another folder of their mailbox.

    Raises:
        UserError: a mailbox cannot move messages, or none of its own holds them; nothing was done.
    """
    return _remove(actor, activities, folder, due_at)


def delete(actor: Actor, activities: Sequence[int], due_at: datetime | None = None) -> Removal:
    """Delete messages in their mailbox; what stood there is kept for a while to be restored.

    Here the record stays where the message is linked to something; otherwise it goes to the bin.

    Raises:
        UserError: a mailbox cannot delete messages, or none of its own holds them.
    """
    removal = _remove(actor, activities, None, due_at)
    with actor.db.reading() as connection:
        linked = set(
            connection.execute(
                select(Link.activity_id).where(
                    Link.activity_id.in_(activities),
                    Link.state == LinkState.LINKED.value,
                    Link.deleted_at.is_(None),
                )
            ).scalars()
        )
        table = Activity.__table__.c
        mine = set(
            connection.execute(
                select(table.id).where(
                    table.id.in_(activities),
                    table.owner_id == actor.user_id,
                    table.deleted_at.is_(None),
                )
            ).scalars()
        )
    loose = tuple(sorted(mine - linked))
    if not loose or not actor.can("activity", "remove"):
        return removal
    gone = records.delete(actor, "activity", loose)
    return Removal(removal.orders, loose, removal.changes.merge(gone))


def _remove(
    actor: Actor, activities: Sequence[int], folder: str | None, due_at: datetime | None
) -> Removal:
    with actor.db.writing() as connection:
        items = [
            item
            for item in held(connection, actor, activities)
            if folder is None or item.ref.folder != folder
        ]
        if not items:
            raise UserError(
                N_("The message is in none of your mailboxes any more. Nothing was changed.")
            )
        needed = Ability.DELETE if folder is None else Ability.MOVE
        if any(needed not in abilities(item.kind) for item in items):
            raise UserError(N_("This mailbox cannot do that. Nothing was changed."))
        orders = tuple(
            _order(
                connection,
                item,
                Delete(new_uid(), item.ref)
                if folder is None
                else Move(new_uid(), item.ref, folder),
                due_at,
            )
            for item in items
        )
    told = _told(items).merge(outbox.changed(orders, ChangeKind.CREATED))
    return Removal(orders, (), told)


def put_back(actor: Actor, removal: Removal) -> ChangeSet:
    """Give up orders that still wait, and take the records out of the bin.

    Raises:
        UserError: an order is being done or is done; the outbox restores it.
    """
    changes = NOTHING
    for order in removal.orders:
        changes = changes.merge(outbox.cancel(actor, order))
    if removal.binned:
        changes = changes.merge(records.restore(actor, "activity", removal.binned))
    # The folders show them again.
    return changes.merge(ChangeSet("", (Changed("mailbox_item", frozenset(), ChangeKind.UPDATED),)))


def _order(connection: Connection, item: Held, deed: Deed, due_at: datetime | None = None) -> int:
    return outbox_rows.insert(
        connection,
        item.mailbox,
        deed,
        why=_BY_PERSON,
        title=item.title,
        activity=item.activity,
        due_at=due_at,
        confirmed=True,
    )


def _told(items: Sequence[Held]) -> ChangeSet:
    if not items:
        return NOTHING
    changed = Changed("mailbox_item", frozenset(item.id for item in items), ChangeKind.UPDATED)
    return ChangeSet("", (changed,))


def folders(actor: Actor, activity: int) -> list[Folder]:
    """Folders of its mailbox a message can be moved to; asks the mailbox.

    Raises:
        UserError: none of the user's mailboxes holds it.
        EnvironmentProblem: the mailbox cannot be reached.
    """
    with actor.db.reading() as connection:
        items = held(connection, actor, [activity])
    if not items:
        raise UserError(
            N_("The message is in none of your mailboxes any more. Nothing was changed.")
        )
    port = scheduler.open_mailbox(actor, mailboxes.get(actor, items[0].mailbox))
    try:
        if not isinstance(port, WritableMailbox):
            raise UserError(N_("This mailbox cannot do that. Nothing was changed."))
        left_out = (FolderRole.CALENDAR, FolderRole.TASKS, FolderRole.CONTACTS, FolderRole.DRAFTS)
        return [
            folder
            for folder in port.all_folders()
            if folder.role not in left_out and folder.key != items[0].ref.folder
        ]
    finally:
        port.close()
