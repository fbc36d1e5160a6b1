"""What a decision about a message can reach: its thread, its sender, the mail like it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from desktop_crm.core.errors import NotFound
from desktop_crm.core.i18n import N_
from desktop_crm.core.sameness import public_domains
from desktop_crm.core.text import email_domain
from desktop_crm.models import (
    Activity,
    ActivityParty,
    Link,
    Mailbox,
    MailboxItem,
    MailMessage,
    User,
)
from desktop_crm.models.activity import Direction, LinkState, Participation
from desktop_crm.models.filing import FilingKind
from desktop_crm.services.context import Actor
from desktop_crm.services.mail.reach import visible
from desktop_crm.services.query import key_clause

MOST: Final = 2_000
"""Messages one decision moves; the newest first."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a decision about a message can reach beyond it.

    Attributes:
        activity: the message's activity.
        mailbox: own mailbox it lies in; None for a colleague's, for which no rule can be made.
        thread: messages of its thread that the actor may file, itself among them, newest first.
        thread_key: key of the thread.
        subject: subject of the message.
        address: address of the other side; empty when there is none.
        domain: domain of that address; empty for public mail services, which tell nothing.
        categories: names of its categories in the mailbox.
    """

    activity: int
    mailbox: int | None
    thread: tuple[int, ...]
    thread_key: str
    subject: str
    address: str
    domain: str
    categories: tuple[str, ...] = ()

    def value(self, kind: FilingKind) -> tuple[str, str]:
        """What a rule of a kind would look at, and as a person reads it; empty when it cannot."""
        match kind:
            case FilingKind.THREAD:
                return self.thread_key, self.subject or self.thread_key
            case FilingKind.SENDER:
                return self.address, self.address
            case FilingKind.DOMAIN:
                return self.domain, f"@{self.domain}" if self.domain else ""
            case _:
                return "", ""


def subject(actor: Actor, activity_id: int) -> Subject:
    """What a decision about a message can reach; five statements.

    Raises:
        NotFound: the message is gone, or the actor may not see it.
    """
    with actor.db.reading() as connection:
        return inside(actor, connection, activity_id)


def inside(actor: Actor, connection: Connection, activity_id: int) -> Subject:
    """The same within an open transaction."""
    row = connection.execute(
        select(
            MailMessage.thread_key,
            MailMessage.message_id,
            MailMessage.conversation_id,
            MailMessage.subject,
            MailMessage.from_address,
            Activity.direction,
        )
        .join(Activity, Activity.id == MailMessage.activity_id)
        .where(MailMessage.activity_id == activity_id, visible(actor))
    ).one_or_none()
    if row is None:
        raise NotFound(N_("This message is no longer there, or you may not see it."))
    item = connection.execute(
        select(MailboxItem.mailbox_id, MailboxItem.categories)
        .join(Mailbox, Mailbox.id == MailboxItem.mailbox_id)
        .where(
            MailboxItem.activity_id == activity_id,
            Mailbox.user_id == actor.user_id,
            Mailbox.deleted_at.is_(None),
        )
        .order_by(MailboxItem.id)
    ).first()
    address = _other_side(connection, activity_id, row)
    domain = email_domain(address)
    ours = connection.execute(
        select(User.email).where(User.email.is_not(None), User.deleted_at.is_(None))
    ).scalars()
    if address in {(one or "").lower() for one in ours}:
        address = domain = ""
    return Subject(
        activity=activity_id,
        mailbox=item.mailbox_id if item is not None else None,
        thread=_thread(actor, connection, activity_id, row),
        thread_key=row.thread_key or row.message_id,
        subject=row.subject or "",
        address=address,
        domain="" if domain in public_domains() else domain,
        categories=tuple(item.categories or ()) if item is not None else (),
    )


def _other_side(connection: Connection, activity_id: int, row: Any) -> str:  # noqa: ANN401  a row
    if row.direction != Direction.OUTGOING.value:
        return row.from_address or ""
    party: Any = ActivityParty.__table__
    found = connection.execute(
        select(party.c.address)
        .where(
            party.c.activity_id == activity_id,
            party.c.participation == Participation.TO.value,
            party.c.user_id.is_(None),
            party.c.address.is_not(None),
            party.c.deleted_at.is_(None),
        )
        .order_by(party.c.id)
    ).first()
    return found.address if found is not None else ""


def _thread(
    actor: Actor,
    connection: Connection,
    activity_id: int,
    row: Any,  # noqa: ANN401  a row
) -> tuple[int, ...]:
    same: list[ColumnElement[bool]] = [MailMessage.activity_id == activity_id]
    if row.thread_key:
        # The first message of a thread may have been stored before it was known to be one.
        same.append(MailMessage.thread_key == row.thread_key)
        same.append(MailMessage.message_id == row.thread_key)
    same.append(MailMessage.thread_key == row.message_id)
    if row.conversation_id:
        same.append(MailMessage.conversation_id == row.conversation_id)
    found = connection.execute(
        select(MailMessage.activity_id)
        .join(Activity, Activity.id == MailMessage.activity_id)
        .where(or_(*same), visible(actor))
        .order_by(MailMessage.sent_at.desc(), MailMessage.activity_id.desc())
        .limit(MOST)
    ).scalars()
    return tuple(dict.fromkeys((activity_id, *found)))


def waiting(actor: Actor, connection: Connection, about: Subject, kind: FilingKind) -> list[int]:
    """Mail that a new rule speaks of and nobody has decided about, the newest first."""
    if kind is FilingKind.THREAD:
        like = key_clause(connection, MailMessage.__table__.c.activity_id, list(about.thread))
    elif kind is FilingKind.SENDER:
        like = and_(MailMessage.from_address == about.address)
    else:
        sent_from = MailMessage.__table__.c.from_address
        like = or_(
            sent_from.endswith(f"@{about.domain}", autoescape=True),
            sent_from.endswith(f".{about.domain}", autoescape=True),
        )
    here = select(MailboxItem.activity_id).where(MailboxItem.mailbox_id == about.mailbox)
    found = connection.execute(
        select(MailMessage.activity_id)
        .join(Activity, Activity.id == MailMessage.activity_id)
        .where(
            like,
            MailMessage.activity_id.in_(here),
            MailMessage.activity_id != about.activity,
            MailMessage.set_aside.is_(False),
            visible(actor),
        )
        .order_by(MailMessage.sent_at.desc())
        .limit(MOST)
    ).scalars()
    ids = list(found)
    links = links_of(connection, ids)
    return [key for key in ids if _is_open(links[key])]


def _is_open(links: Sequence[Any]) -> bool:
    """Whether nobody decided about a message, and it is on no record for sure."""
    decided = any(one.linked_by_id is not None for one in links)
    return not decided and all(one.state != LinkState.LINKED.value for one in links)


def links_of(
    connection: Connection, ids: Sequence[int], *, gone: bool = False
) -> dict[int, list[Any]]:
    """Links of messages, the surest first; living ones, or those that were taken back."""
    table: Any = Link.__table__
    rows = connection.execute(
        select(
            table.c.id,
            table.c.activity_id,
            table.c.record_type,
            table.c.record_id,
            table.c.state,
            table.c.rule,
            table.c.linked_by_id,
        )
        .where(
            key_clause(connection, table.c.activity_id, list(ids)),
            table.c.deleted_at.is_not(None) if gone else table.c.deleted_at.is_(None),
        )
        .order_by(table.c.confidence.desc(), table.c.id)
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.activity_id].append(row)
    return found
