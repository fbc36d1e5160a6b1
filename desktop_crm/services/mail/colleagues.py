"""What colleagues would see of one's mail, asked by the very clauses their own reading uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from desktop_crm.core.errors import NotFound
from desktop_crm.core.i18n import N_
from desktop_crm.db.engine import Cancel
from desktop_crm.models import Activity, MailboxItem, MailMessage, User
from desktop_crm.models.mail import StoredPart
from desktop_crm.models.user import UserState
from desktop_crm.services import context
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailboxes
from desktop_crm.services.mail.lines import MessageRow, messages
from desktop_crm.services.mail.mailboxes import MailboxRow
from desktop_crm.services.mail.reach import visible
from desktop_crm.services.query import key_clause

LISTED: Final = 200
"""Messages named of a mailbox, the newest that any colleague sees."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """What one colleague would see.

    Attributes:
        user_id: who.
        name: shown name.
        messages: how many messages.
        texts: of how many of them the text as well; of the others there is the header alone.
    """

    user_id: int
    name: str
    messages: int
    texts: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What colleagues would see of a mailbox or of one message.

    Attributes:
        total: messages that are stored.
        colleagues: everybody else who may sign in, those who see most first.
        rows: the newest messages that anybody else sees.
    """

    total: int
    colleagues: tuple[Colleague, ...]
    rows: tuple[MessageRow, ...]

    @property
    def most(self) -> int:
        """Messages seen by the colleague who sees most."""
        return max((one.messages for one in self.colleagues), default=0)


def own_mailbox(actor: Actor, mailbox_id: int) -> MailboxRow:
    """A mailbox of the actor; what one holds is for nobody else to ask.

    Raises:
        NotFound: it does not exist, or is another's.
    """
    row = mailboxes.get(actor, mailbox_id)
    if actor.user_id is not None and row.user_id not in (None, actor.user_id):
        raise NotFound(
            N_("The mailbox {mailbox} is another person's; what it holds is theirs alone."),
            mailbox=row.name,
        )
    return row


def seen_of_mailbox(actor: Actor, mailbox_id: int, *, cancel: Cancel | None = None) -> Seen:
    """What colleagues would see of a mailbox; two statements for each colleague.

    Raises:
        NotFound: it does not exist, or is another's.
    """
    box = own_mailbox(actor, mailbox_id)
    item = MailboxItem.__table__.c
    brought = select(item.activity_id).where(
        item.mailbox_id == mailbox_id, item.activity_id.is_not(None)
    )
    with actor.db.reading(cancel) as connection:
        statement = (
            select(MailMessage.activity_id)
            .join(Activity, Activity.id == MailMessage.activity_id)
            .where(MailMessage.activity_id.in_(brought), Activity.deleted_at.is_(None))
        )
        ids = list(connection.execute(statement).scalars())
    return _seen(actor, ids, {actor.user_id, box.user_id}, cancel)


def seen_of_messages(
    actor: Actor, activities: Sequence[int], *, cancel: Cancel | None = None
) -> Seen:
    """What colleagues would see of messages the actor sees himself; the others are left out."""
    with actor.db.reading(cancel) as connection:
        statement = (
            select(MailMessage.activity_id, Activity.owner_id)
            .join(Activity, Activity.id == MailMessage.activity_id)
            .where(
                key_clause(connection, MailMessage.__table__.c.activity_id, activities),
                visible(actor),
            )
        )
        rows = connection.execute(statement).all()
    owners = {actor.user_id, *(row.owner_id for row in rows)}
    return _seen(actor, [row.activity_id for row in rows], owners, cancel)


def _seen(actor: Actor, ids: Sequence[int], owners: set[int | None], cancel: Cancel | None) -> Seen:
    with actor.db.reading(cancel) as connection:
        people = connection.execute(
            select(User.id, User.name, User.login)
            .where(
                User.login.is_not(None),
                User.state == UserState.ACTIVE.value,
                User.deleted_at.is_(None),
                User.id.not_in(owners - {None}),
            )
            .order_by(User.title_key, User.id)
        ).all()
    found: list[Colleague] = []
    anybody: set[int] = set()
    for person in people:
        if cancel is not None:
            cancel.check()
        other = context.as_seen_by(actor.db, person.login)
        with actor.db.reading(cancel) as connection:
            keys, texts = _of(connection, other, ids)
        anybody |= set(keys)
        found.append(Colleague(person.id, person.name, len(keys), texts))
    found.sort(key=lambda one: -one.messages)
    newest = _newest(actor, sorted(anybody), cancel)
    return Seen(len(ids), tuple(found), messages(actor, newest, cancel=cancel))


def _of(connection: Connection, other: Actor, ids: Sequence[int]) -> tuple[list[int], int]:
    own = key_clause(connection, MailMessage.__table__.c.activity_id, ids)
    statement = (
        select(MailMessage.activity_id, MailMessage.stored)
        .join(Activity, Activity.id == MailMessage.activity_id)
        .where(own, visible(other))
    )
    rows = connection.execute(statement).all()
    texts = sum(1 for row in rows if row.stored == StoredPart.FULL.value)
    return [row.activity_id for row in rows], texts


def _newest(actor: Actor, ids: Sequence[int], cancel: Cancel | None) -> list[int]:
    if not ids:
        return []
    own = MailMessage.__table__.c
    with actor.db.reading(cancel) as connection:
        statement = (
            select(own.activity_id)
            .where(key_clause(connection, own.activity_id, ids))
            .order_by(func.coalesce(own.sent_at, own.created_at).desc(), own.activity_id.desc())
            .limit(LISTED)
        )
        return list(connection.execute(statement).scalars())
