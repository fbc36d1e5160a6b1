"""Lines of message lists: what is shown of a message, read by one statement for all of them.

The statements stand ready with the actor, whose rights stand in them; what a list holds chooses
keys first, and only the winners are asked for their marks and links.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    bindparam,
    func,
    literal_column,
    select,
)

from desktop_crm.db.engine import Cancel
from desktop_crm.models import Activity, Link, MailboxItem, MailMessage
from desktop_crm.models.activity import Direction, LinkState
from desktop_crm.models.mail import MailFlag
from desktop_crm.services.aliases import alias
from desktop_crm.services.context import Actor
from desktop_crm.services.list_plan import late_keys, told
from desktop_crm.services.mail.reach import own_items, visible
from desktop_crm.services.prepared import Prepared
from desktop_crm.services.query import packed_keys

THREAD_LIMIT: Final = 200
"""Messages of one conversation that are shown at once."""

_ADDRESS: Final = re.compile(r"(?<=\S)\s*<[^<>]*>")
_MESSAGE: Final = MailMessage.__table__
_ACTIVITY: Final = Activity.__table__
_OUTGOING: Final = Direction.OUTGOING.value


class MessageRow(NamedTuple):
    """One line of a message list; a tuple, because a page makes a hundred of them.

    Attributes:
        id: The activity's key.
        thread: How many messages its conversation has, where lines stand for conversations.
    """

    id: int
    correspondent: str
    subject: str
    preview: str
    at: datetime | None
    unread: bool
    outgoing: bool
    has_attachments: bool
    linked: int
    suggested: int
    flagged: bool = False
    thread: int = 1


def messages(
    actor: Actor, ids: Sequence[int], *, threads: bool = False, cancel: Cancel | None = None
) -> tuple[MessageRow, ...]:
    """Lines for these messages, in the order given; those that are gone are left out.

    One statement.

    Args:
        actor: Who looks.
        ids: Activities of the messages.
        threads: Whether each line stands for its conversation, whose messages are counted.
        cancel: Stops the statement.
    """
    if not ids:
        return ()
    read = prepared(actor, ("lines", threads), lambda: _by_keys(actor, threads=threads))
    found = read.tuples(actor.db, cancel, keys=packed_keys(actor.db.dialect, ids))
    rows = {row.id: row for _thread, row in lines(found)}
    return tuple(rows[key] for key in ids if key in rows)


def conversation(
    actor: Actor, activity: int, *, cancel: Cancel | None = None
) -> tuple[MessageRow, ...]:
    """Messages of the conversation a message belongs to, the newest first; itself included.

    One statement; two for a message that belongs to none.
    """
    read = prepared(actor, "conversation", lambda: _conversation(actor))
    found = read.tuples(actor.db, cancel, activity=activity)
    rows = tuple(row for _thread, row in lines(found))
    return rows or messages(actor, [activity], cancel=cancel)


def prepared(
    actor: Actor, key: Hashable, make: Callable[[], Select[Any]], *, whole: bool = False
) -> Prepared:
    """A statement with the actor's rights in it, made once and kept with the actor.

    Args:
        actor: Who asks.
        key: What the statement depends on, beside the actor.
        make: Makes it.
        whole: As for `Prepared`.
    """
    found = actor.statements.get(("mail", key))
    if found is None:
        found = actor.statements["mail", key] = Prepared(actor.db, make(), whole=whole)
    return found


def lines(found: Iterable[tuple[Any, ...]]) -> list[tuple[str | None, MessageRow]]:
    """Conversation and line of each row that a statement of :func:`shown` brought."""
    made: list[tuple[str | None, MessageRow]] = []
    new = tuple.__new__  # the constructor of a named tuple takes three times as long
    for (
        key, thread, name, address, to_line, subject, preview, at, has_files, direction,
        unread, flagged, linked, suggested, size,
    ) in found:  # fmt: skip
        outgoing = direction == _OUTGOING
        who = name or address or ""
        if outgoing:
            who = _names(to_line) or who
        values = (
            key, who, subject or "", preview or "", at, bool(unread), outgoing, has_files,
            linked, suggested, bool(flagged), size or 1,
        )  # fmt: skip
        made.append((thread, new(MessageRow, values)))
    return made


def _names(line: str | None) -> str:
    """The people of a header line without their addresses, where they have names."""
    return _ADDRESS.sub("", line or "").strip(" ,") or (line or "")


def shown(actor: Actor, *, threads: bool = False) -> list[ColumnElement[Any]]:
    """Columns of a line, of messages joined to their activities."""
    message = _MESSAGE.c
    size: ColumnElement[Any] = _size_of_thread(actor) if threads else literal_column("1", Integer)
    return [
        message.activity_id,
        message.thread_key,
        message.from_name,
        message.from_address,
        message.to_line,
        message.subject,
        message.preview,
        message.sent_at,
        message.has_attachments,
        _ACTIVITY.c.direction,
        _marked(actor, unread=True),
        _marked(actor, unread=False),
        _links(LinkState.LINKED),
        _links(LinkState.SUGGESTED),
        size.label("size"),
    ]


def first_of(actor: Actor, keys: Select[Any], limit: int, *, threads: bool) -> Select[Any]:
    """Lines of the first of some keys.

    Args:
        actor: Who looks.
        keys: Chooses activities the actor may see, as ``activity`` and what orders them as ``at``.
        limit: So many.
        threads: As for :func:`messages`.
    """
    first = keys.limit(told(limit)).subquery("k")
    source = first.join(_MESSAGE, _MESSAGE.c.activity_id == first.c.activity)
    source = source.join(_ACTIVITY, _ACTIVITY.c.id == first.c.activity)
    statement = select(*shown(actor, threads=threads)).select_from(source)
    return statement.order_by(first.c.at.desc(), first.c.activity.desc())


def of_activities() -> FromClause:
    """Messages joined to their activities."""
    return _MESSAGE.join(_ACTIVITY, _ACTIVITY.c.id == _MESSAGE.c.activity_id)


def _by_keys(actor: Actor, *, threads: bool) -> Select[Any]:
    wanted = late_keys(actor.db.dialect, _MESSAGE.c.activity_id)
    columns = shown(actor, threads=threads)
    return select(*columns).select_from(of_activities()).where(wanted, visible(actor))


def _conversation(actor: Actor) -> Select[Any]:
    asked = alias(_MESSAGE, "asked")
    thread = select(asked.c.thread_key).where(
        asked.c.activity_id == bindparam("activity", 0, Integer)
    )
    return (
        select(*shown(actor))
        .select_from(of_activities())
        .where(_MESSAGE.c.thread_key == thread.scalar_subquery(), visible(actor))
        .order_by(_MESSAGE.c.sent_at.desc(), _MESSAGE.c.activity_id.desc())
        .limit(told(THREAD_LIMIT))
    )


def _marked(actor: Actor, *, unread: bool) -> ColumnElement[Any]:
    """Whether a message is unread, or flagged, in one of the actor's own mailboxes."""
    own = alias(MailboxItem.__table__, "own")
    mark = own.c.is_read.is_(False) if unread else own.c.flag == MailFlag.FLAGGED.value
    held = select(own.c.id).where(
        own.c.activity_id == _MESSAGE.c.activity_id, mark, own_items(actor, own)
    )
    return held.correlate_except(own).exists().label("unread" if unread else "flagged")


def _links(state: LinkState) -> ColumnElement[Any]:
    link = Link.__table__.c
    counted = select(func.count()).where(
        link.activity_id == _MESSAGE.c.activity_id,
        link.state == state.value,
        link.deleted_at.is_(None),
    )
    return counted.correlate_except(Link.__table__).scalar_subquery().label(state.value)


def _size_of_thread(actor: Actor) -> ColumnElement[Any]:
    """How many messages of the conversation the actor may see."""
    message, activity = alias(_MESSAGE, "tm"), alias(_ACTIVITY, "ta")
    both = message.join(activity, activity.c.id == message.c.activity_id)
    counted = (
        select(func.count())
        .select_from(both)
        .where(message.c.thread_key == _MESSAGE.c.thread_key, visible(actor, activity))
    )
    return counted.correlate_except(message, activity).scalar_subquery()
