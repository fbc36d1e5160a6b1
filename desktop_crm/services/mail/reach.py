"""Whose mail is whose: mailboxes, their items, and the messages an actor may see or find."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, FromClause, and_, exists, or_, select
from sqlalchemy import true as always

from desktop_crm.core.errors import NotFound
from desktop_crm.core.i18n import N_
from desktop_crm.meta import registry
from desktop_crm.models import Activity, Mailbox, MailboxItem, MailMessage, OutboxItem
from desktop_crm.models.activity import ActivityKind, Sensitivity
from desktop_crm.models.mail import ItemState, StoredPart
from desktop_crm.models.outbox import OPEN, DeedKind
from desktop_crm.services import permissions
from desktop_crm.services.aliases import alias
from desktop_crm.services.context import Actor

_LEAVING: Final = (DeedKind.MOVE.value, DeedKind.DELETE.value)
_OPEN: Final = tuple(state.value for state in OPEN)


def own_mailbox(actor: Actor) -> ColumnElement[bool]:
    """Mailboxes of the actor, and those of nobody; an administrator has no more.

    The product itself, an actor without a user, has all.
    """
    if actor.user_id is None:
        return always()
    return or_(
        Mailbox.user_id == actor.user_id,
        and_(Mailbox.user_id.is_(None), _mailbox_rights(actor)),
    )


def _mailbox_rights(actor: Actor) -> ColumnElement[bool]:
    clause = permissions.row_clause(actor, registry.get("mailbox"), Mailbox.__table__, "read")
    return always() if clause is None else clause


def own_items(actor: Actor, items: FromClause = MailboxItem.__table__) -> ColumnElement[bool]:
    """Items of the actor's own mailboxes, as they are shown: not those on their way out.

    An item that is to be moved or deleted is left out while its order waits, and stands there
    again when the order is cancelled or refused.

    Args:
        actor: Who looks.
        items: The table of items, or an alias of it.
    """
    item = items.c
    # Asked item by item through an index: orders are few, and a page shows few items.
    leaving = (
        exists()
        .where(
            OutboxItem.mailbox_id == item.mailbox_id,
            OutboxItem.item_key == item.item_key,
            OutboxItem.folder == item.folder,
            OutboxItem.deed.in_(_LEAVING),
            OutboxItem.state.in_(_OPEN),
        )
        .correlate(items)
    )
    boxes = select(Mailbox.id).where(Mailbox.deleted_at.is_(None), own_mailbox(actor))
    return and_(
        item.mailbox_id.in_(boxes),
        item.state == ItemState.STORED.value,
        item.deleted_at.is_(None),
        ~leaving,
    )


def in_own_box(actor: Actor, activity: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether one of the actor's own mailboxes holds the message of an activity.

    Asked message by message: a list of all that lie in a mailbox is as long as the mailbox.
    """
    own = alias(MailboxItem.__table__, "own")
    held = select(own.c.id).where(own.c.activity_id == activity, own_items(actor, own))
    return held.correlate_except(own).exists()


def visible(actor: Actor, activities: FromClause = Activity.__table__) -> ColumnElement[bool]:
    """Messages of records the actor may see, and of the actor's own mailboxes.

    Args:
        actor: Who looks.
        activities: The table of activities, or an alias of it.
    """
    activity = activities.c
    rights = permissions.content_clause(actor, registry.get("activity"), activities)
    seen = always() if rights is None else or_(rights, in_own_box(actor, activity.id))
    return and_(activity.deleted_at.is_(None), activity.kind == ActivityKind.EMAIL.value, seen)


def activity_of(actor: Actor, message_id: str) -> int:
    """Activity of the message with a Message-ID, with or without its brackets.

    Raises:
        NotFound: there is none the actor may see.
    """
    wanted = message_id.strip().removeprefix("<").removesuffix(">")
    with actor.db.reading() as connection:
        found = connection.execute(
            select(MailMessage.activity_id)
            .join(Activity, Activity.id == MailMessage.activity_id)
            .where(MailMessage.message_id == wanted, visible(actor))
        ).scalar()
    if found is None:
        raise NotFound(N_("This message is no longer there, or you may not see it."))
    return int(found)


def findable(actor: Actor) -> ColumnElement[bool]:
    """Messages that search may show: of those the actor may see.

    One that is private, or of which only the header is kept because it belongs to no record, is
    found by its owner and in the actor's own mailboxes alone, whatever the role says. It asks
    for the mailbox row by row: search looks at few.
    """
    boxes = select(Mailbox.id).where(Mailbox.deleted_at.is_(None), Mailbox.user_id == actor.user_id)
    item = MailboxItem.__table__
    in_mine = exists().where(
        item.c.activity_id == Activity.id,
        item.c.state == ItemState.STORED.value,
        item.c.deleted_at.is_(None),
        item.c.mailbox_id.in_(boxes),
    )
    mine = or_(Activity.owner_id == actor.user_id, in_mine)
    rights = permissions.row_clause(actor, registry.get("activity"), Activity.__table__, "read")
    seen = always() if rights is None else or_(rights, in_mine)
    is_open = and_(
        MailMessage.stored == StoredPart.FULL.value,
        Activity.sensitivity == Sensitivity.NORMAL.value,
    )
    return and_(Activity.deleted_at.is_(None), seen, or_(is_open, mine))
