"""Withdrawing mail: it is deleted for good everywhere here, and never stored again.

The mailbox itself is not touched. A message, a thread, all of a sender or all of a mailbox; by the
person in whose mailbox it lies, and by nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, true

from desktop_crm.core.errors import PermissionDenied, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import canonical_email
from desktop_crm.db import scrub
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import (
    Activity,
    FilingRule,
    MailboxItem,
    MailMessage,
    OutboxContent,
    OutboxItem,
)
from desktop_crm.models.filing import FilingKind
from desktop_crm.models.outbox import DeedKind
from desktop_crm.services import purge
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Work
from desktop_crm.services.mail.reach import own_items
from desktop_crm.services.purge import Purged, Refusal
from desktop_crm.services.query import key_clause

CHUNK: Final = 100
SOURCE: Final = "withdraw"
NAMED: Final = 3
"""Messages that are named before they go."""


class Which(StrEnum):
    """How much is withdrawn at once."""

    MESSAGE = "message"
    THREAD = "thread"
    SENDER = "sender"
    MAILBOX = "mailbox"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What would be withdrawn: activities, the newest first, and how many colleagues hold too.

    Attributes:
        ids: activities of the messages.
        subjects: the first few subjects, so that a person sees what it is about.
        held_by_others: how many of them lie in a colleague's mailbox as well.
    """

    ids: tuple[int, ...]
    subjects: tuple[str, ...]
    held_by_others: int


def choose(actor: Actor, which: Which, value: int | str, *, cancel: Cancel | None = None) -> Chosen:
    """Find what would be withdrawn; reads only.

    Args:
        actor: who withdraws.
        which: how much.
        value: activity of a message (or of one of the thread), a sender's address, or a mailbox.
        cancel: stops the work.

    Raises:
        UserError: the address is none.
        PermissionDenied: the message lies in no mailbox of the actor.
    """
    with actor.db.reading(cancel) as connection:
        clause = _meant(connection, which, value)
        ids = list(connection.execute(_own(actor, clause)).scalars())
        if not ids and which in (Which.MESSAGE, Which.THREAD):
            raise _not_yours()
        return _described(connection, actor, ids)


def described(actor: Actor, ids: Sequence[int], *, cancel: Cancel | None = None) -> Chosen:
    """The same for messages somebody else chose; those of others are left out."""
    with actor.db.reading(cancel) as connection:
        these = key_clause(connection, MailMessage.__table__.c.activity_id, ids)
        return _described(connection, actor, list(connection.execute(_own(actor, these)).scalars()))


def _described(connection: Connection, actor: Actor, ids: Sequence[int]) -> Chosen:
    own = MailMessage.__table__.c
    first = ids[:NAMED]
    asked = select(own.activity_id, own.subject).where(own.activity_id.in_(first))
    named = {row.activity_id: row.subject for row in connection.execute(asked)}
    subjects = tuple(named.get(key) or "" for key in first)
    return Chosen(tuple(ids), subjects, _elsewhere(connection, actor, ids))


def _meant(connection: Connection, which: Which, value: int | str) -> ColumnElement[bool]:
    message = MailMessage.__table__.c
    match which:
        case Which.MESSAGE:
            return message.activity_id == int(value)
        case Which.THREAD:
            asked = select(message.thread_key).where(message.activity_id == int(value))
            key = connection.execute(asked).scalar()
            alone = message.activity_id == int(value)
            return alone if key is None else or_(alone, message.thread_key == key)
        case Which.SENDER:
            address = canonical_email(str(value))
            if address is None:
                raise UserError(
                    N_('"{address}" is no e-mail address; nothing was withdrawn.'),
                    field="sender",
                    address=value,
                )
            return message.from_address == address
        case Which.MAILBOX:
            item = MailboxItem.__table__.c
            brought = select(item.activity_id).where(
                item.mailbox_id == int(value), item.activity_id.is_not(None)
            )
            return message.activity_id.in_(brought)


def _own(actor: Actor, clause: ColumnElement[bool]) -> Select[int]:
    item = MailboxItem.__table__.c
    mine: ColumnElement[bool] = true()
    if actor.user_id is not None:
        inside = select(item.activity_id).where(own_items(actor))
        mine = or_(Activity.owner_id == actor.user_id, Activity.id.in_(inside))
    return (
        select(MailMessage.activity_id)
        .join(Activity, Activity.id == MailMessage.activity_id)
        .where(clause, mine)
        .order_by(MailMessage.sent_at.desc(), MailMessage.activity_id.desc())
    )


def _elsewhere(connection: Connection, actor: Actor, ids: Sequence[int]) -> int:
    if actor.user_id is None or not ids:
        return 0
    item = MailboxItem.__table__.c
    others = and_(key_clause(connection, item.activity_id, ids), ~own_items(actor))
    asked = select(func.count(item.activity_id.distinct())).where(others)
    return connection.execute(asked).scalar_one()


def _not_yours() -> PermissionDenied:
    return PermissionDenied(
        N_(
            "This message lies in no mailbox of yours; only the person who received or sent it "
            "withdraws it. Nothing was withdrawn."
        )
    )


def withdraw(
    actor: Actor,
    ids: Sequence[int],
    progress: Callable[[int, int], None] | None = None,
    cancel: Cancel | None = None,
) -> Purged:
    """Delete messages for good, with everything they left here, and never store them again.

    Participants, links, files and their bytes, orders of the outbox, what was kept to restore
    them, tags, marks, the audit trail and the search index go along. Of each item of a mailbox a
    digest stays, by which a later pass knows it. One short transaction for each hundred.

    Args:
        actor: who withdraws.
        ids: activities of the messages.
        progress: told after each chunk how many of how many are done.
        cancel: stops between two chunks; what is done stays done.

    Raises:
        PermissionDenied: a message lies in no mailbox of the actor; earlier chunks stay done.
    """
    wanted = list(dict.fromkeys(ids))
    operation = new_uid()
    report, refused, done = NOTHING, list[Refusal](), 0
    was_stopped = False
    for start in range(0, len(wanted), CHUNK):
        if cancel is not None and cancel.is_cancelled:
            was_stopped = True
            break
        chunk = wanted[start : start + CHUNK]
        with actor.db.writing() as connection, scrub.overwriting(connection):
            count, kept, changes = _chunk(connection, actor, operation, chunk)
        done += count
        refused += kept
        report = report.merge(changes)
        if progress is not None:
            progress(min(start + CHUNK, len(wanted)), len(wanted))
    if done:
        scrub.scrub(actor.db)
    return Purged(done, tuple(refused), report, was_stopped=was_stopped)


def _chunk(
    connection: Connection, actor: Actor, operation: str, chunk: Sequence[int]
) -> tuple[int, list[Refusal], ChangeSet]:
    these = key_clause(connection, MailMessage.__table__.c.activity_id, chunk)
    mine = set(connection.execute(_own(actor, these)).scalars())
    there = set(connection.execute(select(MailMessage.activity_id).where(these)).scalars())
    if there - mine:
        raise _not_yours()
    work = Work(actor, connection, registry.get("activity"), operation, None, SOURCE)
    orders = _orders_beside(connection, sorted(mine))
    rules = _thread_rules(connection, sorted(mine))
    tasks = _reminders(connection, sorted(mine))
    beside = (("outbox_item", orders), ("filing_rule", rules), ("activity", tasks))
    return purge.erase(work, sorted(mine), beside)


def reminder_of(message: str) -> str:
    """Identifier of the task that reminds of a message; it goes along with it."""
    return f"reminder:{message}"


def _reminders(connection: Connection, ids: Sequence[int]) -> list[int]:
    """Tasks that were made because no answer came: they are called as the message."""
    message = MailMessage.__table__.c
    uids = connection.execute(
        select(message.uid).where(key_clause(connection, message.activity_id, ids))
    ).scalars()
    named = [reminder_of(uid) for uid in uids]
    asked = select(Activity.id).where(Activity.external_id.in_(named))
    return list(connection.execute(asked).scalars())


def _orders_beside(connection: Connection, ids: Sequence[int]) -> list[int]:
    """Orders about the items of messages that do not name their activity, and their images."""
    item, order = MailboxItem.__table__.c, OutboxItem.__table__.c
    statement = (
        select(order.id)
        .join(
            MailboxItem.__table__,
            and_(item.mailbox_id == order.mailbox_id, item.item_key == order.item_key),
        )
        .where(key_clause(connection, item.activity_id, ids))
    )
    found = list(connection.execute(statement).scalars())
    return sorted({*found, *_answers_begun(connection, ids)})


def _answers_begun(connection: Connection, ids: Sequence[int]) -> list[int]:
    """Drafts of answers that wait in the journal: they quote what goes; they are few."""
    message, part = MailMessage.__table__.c, OutboxContent.__table__.c
    order = OutboxItem.__table__.c
    named = connection.execute(
        select(message.message_id).where(key_clause(connection, message.activity_id, ids))
    ).scalars()
    keys = [one.encode() for one in named]
    drafts = connection.execute(
        select(order.id, part.content)
        .join(OutboxContent.__table__, part.outbox_item_id == order.id)
        .where(order.deed == DeedKind.SAVE_DRAFT.value)
    )
    return [row.id for row in drafts if any(key in row.content for key in keys)]


def _thread_rules(connection: Connection, ids: Sequence[int]) -> list[int]:
    """Filing rules of threads that go as a whole: they name the first message."""
    message, rule = MailMessage.__table__.c, FilingRule.__table__.c
    these = key_clause(connection, message.activity_id, ids)
    threads = set(connection.execute(select(message.thread_key).where(these)).scalars()) - {None}
    stays = select(message.thread_key).where(message.thread_key.in_(threads), ~these)
    left = threads - set(connection.execute(stays).scalars())
    asked = select(rule.id).where(rule.kind == FilingKind.THREAD.value, rule.value.in_(left))
    return list(connection.execute(asked).scalars())
