"""Read models of the mail pane: folders and message lists."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    table,
)
from sqlalchemy import true as always

from desktop_crm.core.errors import NotFound
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import fold
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import (
    Activity,
    Link,
    Mailbox,
    MailboxItem,
    MailMessage,
    OutboxItem,
)
from desktop_crm.models.activity import ActivityKind, Direction, LinkState, Sensitivity
from desktop_crm.models.mail import ItemState, MailFlag, StoredPart
from desktop_crm.models.outbox import OPEN, DeedKind
from desktop_crm.services import permissions
from desktop_crm.services.context import Actor
from desktop_crm.services.list_plan import late_keys
from desktop_crm.services.prepared import Prepared
from desktop_crm.services.query import key_clause, packed_keys
from desktop_crm.services.search import typed

_LEAVING: Final = (DeedKind.MOVE.value, DeedKind.DELETE.value)
_OPEN: Final = tuple(state.value for state in OPEN)
THREAD_LIMIT: Final = 200
"""Messages of one conversation that are shown at once."""

_ADDRESS: Final = re.compile(r"(?<=\S)\s*<[^<>]*>")


class Special(StrEnum):
    """Lists that reach over all folders."""

    ALL = "all"
    REVIEW = "review"
    UNLINKED = "unlinked"


@dataclass(frozen=True, slots=True)
class MailFolder:
    """One folder of one mailbox, with how many messages it holds."""

    mailbox_id: int
    mailbox: str
    folder: str
    total: int
    unread: int


@dataclass(frozen=True, slots=True)
class MailFolders:
    """Everything the folder list shows; `review` counts messages that wait to be filed."""

    folders: tuple[MailFolder, ...]
    mailboxes: tuple[tuple[int, str], ...]
    all: int
    review: int
    unlinked: int


@dataclass(frozen=True, slots=True)
class MailQuery:
    """Which messages: a folder of a mailbox, or one of the special lists; narrowed by words."""

    mailbox_id: int | None = None
    folder: str = ""
    special: Special = Special.ALL
    search: str = ""
    conversations: bool = False

    @property
    def waits(self) -> bool:
        """Whether it asks for what waits to be filed."""
        return self.mailbox_id is None and self.special is Special.REVIEW


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One line of a message list; `id` is the activity's, `thread` how many messages it has."""

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


def folders(actor: Actor, *, cancel: Cancel | None = None) -> MailFolders:
    """The actor's folders with counts, and the counts of the special lists."""
    own = own_items(actor)
    with actor.db.reading(cancel) as connection:
        mailboxes = connection.execute(
            select(Mailbox.id, Mailbox.name)
            .where(Mailbox.deleted_at.is_(None), own_mailbox(actor))
            .order_by(Mailbox.title_key)
        ).all()
        rows = connection.execute(
            select(
                MailboxItem.mailbox_id,
                MailboxItem.folder,
                func.count().label("total"),
                func.count().filter(MailboxItem.is_read.is_(False)).label("unread"),
            )
            .join(MailMessage, MailMessage.activity_id == MailboxItem.activity_id)
            .where(own)
            .group_by(MailboxItem.mailbox_id, MailboxItem.folder)
        ).all()
        counts = [
            connection.execute(
                select(func.count()).select_from(_special(actor, which).subquery())
            ).scalar_one()
            for which in Special
        ]
    names = {row.id: row.name for row in mailboxes}
    found = [
        MailFolder(row.mailbox_id, names.get(row.mailbox_id, ""), row.folder, row.total, row.unread)
        for row in rows
    ]
    found.sort(key=lambda one: (fold(one.mailbox), _folder_rank(one.folder), fold(one.folder)))
    return MailFolders(tuple(found), tuple((row.id, row.name) for row in mailboxes), *counts)


def _names(line: str | None) -> str:
    """The people of a header line without their addresses, where they have names."""
    return _ADDRESS.sub("", line or "").strip(" ,") or (line or "")


def _folder_rank(name: str) -> int:
    folded = fold(name)
    return 0 if "inbox" in folded else 1 if "sent" in folded else 2


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


def own_items(actor: Actor) -> ColumnElement[bool]:
    """Items of the actor's own mailboxes, as they are shown: not those on their way out.

    An item that is to be moved or deleted is left out while its order waits, and stands there
    again when the order is cancelled or refused.
    """
    # Asked item by item through an index: orders are few, and a page shows few items.
    leaving = (
        exists()
        .where(
            OutboxItem.mailbox_id == MailboxItem.mailbox_id,
            OutboxItem.item_key == MailboxItem.item_key,
            OutboxItem.folder == MailboxItem.folder,
            OutboxItem.deed.in_(_LEAVING),
            OutboxItem.state.in_(_OPEN),
        )
        .correlate(MailboxItem.__table__)
    )
    boxes = select(Mailbox.id).where(Mailbox.deleted_at.is_(None), own_mailbox(actor))
    return and_(
        MailboxItem.mailbox_id.in_(boxes),
        MailboxItem.state == ItemState.STORED.value,
        MailboxItem.deleted_at.is_(None),
        ~leaving,
    )


def visible(actor: Actor) -> ColumnElement[bool]:
    """Messages of records the actor may see, and of the actor's own mailboxes."""
    in_own_box = Activity.id.in_(select(MailboxItem.activity_id).where(own_items(actor)))
    rights = permissions.content_clause(actor, registry.get("activity"), Activity.__table__)
    seen = always() if rights is None else or_(rights, in_own_box)
    return and_(Activity.deleted_at.is_(None), Activity.kind == ActivityKind.EMAIL.value, seen)


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
    in_own_box = exists().where(
        item.c.activity_id == Activity.id,
        item.c.state == ItemState.STORED.value,
        item.c.deleted_at.is_(None),
        item.c.mailbox_id.in_(boxes),
    )
    mine = or_(Activity.owner_id == actor.user_id, in_own_box)
    rights = permissions.row_clause(actor, registry.get("activity"), Activity.__table__, "read")
    seen = always() if rights is None else or_(rights, in_own_box)
    is_open = and_(
        MailMessage.stored == StoredPart.FULL.value,
        Activity.sensitivity == Sensitivity.NORMAL.value,
    )
    return and_(Activity.deleted_at.is_(None), seen, or_(is_open, mine))


def _has_link(state: LinkState) -> ColumnElement[bool]:
    return exists().where(
        Link.activity_id == MailMessage.activity_id,
        Link.state == state.value,
        Link.deleted_at.is_(None),
    )


def _waits(actor: Actor) -> ColumnElement[bool]:
    """Messages a person is asked about: with a suggestion, or of nobody known.

    Of mass mail nobody is asked, nor about what lies in other people's mailboxes alone.
    """
    here = MailMessage.activity_id.in_(select(MailboxItem.activity_id).where(own_items(actor)))
    unknown = and_(
        MailMessage.set_aside.is_(False),
        MailMessage.is_automatic.is_(False),
        ~_has_link(LinkState.LINKED),
        here,
    )
    return or_(_has_link(LinkState.SUGGESTED), unknown)


def _special(actor: Actor, which: Special) -> Select[int]:
    statement = (
        select(MailMessage.activity_id)
        .join(Activity, Activity.id == MailMessage.activity_id)
        .where(visible(actor))
    )
    if which is Special.REVIEW:
        return statement.where(_waits(actor))
    if which is Special.UNLINKED:
        return statement.where(~_has_link(LinkState.LINKED))
    return statement


def message_keys(
    actor: Actor, query: MailQuery, *, limit: int | None = None, cancel: Cancel | None = None
) -> array[int]:
    """Activities of the messages of a list, the newest first.

    Args:
        actor: Who looks.
        query: Which messages; by conversations, the newest of each stands for it.
        limit: Only so many of the newest are looked at; None for all.
        cancel: Stops the statement.
    """
    if query.mailbox_id is not None:
        # The item has the message's date, so that the folder's index gives the order.
        newest: tuple[ColumnElement[Any], ...] = (
            MailboxItem.sent_at.desc(),
            MailboxItem.activity_id.desc(),
        )
        statement = (
            select(MailboxItem.activity_id, MailMessage.thread_key)
            .join(MailMessage, MailMessage.activity_id == MailboxItem.activity_id)
            .where(
                own_items(actor),
                MailboxItem.mailbox_id == query.mailbox_id,
                MailboxItem.folder == query.folder,
            )
        )
    else:
        # Walked in the order of the index over mail by time, until a page is full.
        newest = (Activity.occurred_at.desc(), Activity.id.desc())
        statement = _special(actor, query.special).add_columns(MailMessage.thread_key)
    if query.search.strip():
        statement = statement.where(_matches(actor, query.search))
    with actor.db.reading(cancel) as connection:
        found = connection.execute(statement.order_by(*newest).limit(limit)).all()
    rows = [(activity, thread) for activity, thread in found if activity is not None]
    if not query.conversations:
        return array("q", dict.fromkeys(activity for activity, _thread in rows))
    seen: dict[str, int] = {}
    for activity, thread in rows:
        seen.setdefault(thread or f"#{activity}", activity)
    return array("q", seen.values())


def conversation(
    actor: Actor, activity: int, *, cancel: Cancel | None = None
) -> tuple[MessageRow, ...]:
    """Messages of the conversation a message belongs to, the newest first; itself included."""
    thread = select(MailMessage.thread_key).where(MailMessage.activity_id == activity)
    statement = (
        select(MailMessage.activity_id)
        .join(Activity, Activity.id == MailMessage.activity_id)
        .where(MailMessage.thread_key == thread.scalar_subquery(), visible(actor))
        .order_by(MailMessage.sent_at.desc(), MailMessage.activity_id.desc())
        .limit(THREAD_LIMIT)
    )
    with actor.db.reading(cancel) as connection:
        keys = list(connection.execute(statement).scalars())
    return messages(actor, keys or [activity], cancel=cancel)


def _matches(actor: Actor, words: str) -> ColumnElement[bool]:
    """Every word in subject, people or text of the message."""
    found = typed.read(words)
    searched = MailMessage.__table__.c.search_text
    if actor.db.dialect == "sqlite" and (match := typed.match(found)):
        index = table("mail_message_fts", column("rowid", Integer))
        name: ColumnElement[str] = literal_column(index.name)
        hits = select(index.c.rowid).where(name.op("MATCH")(match))
        letters = (w for w in found.words if len(w) == 1)
        return and_(MailMessage.id.in_(hits), *(_stands(searched, word) for word in letters))
    return or_(*(and_(*(_stands(searched, w) for w in reading)) for reading in found.readings))


def _stands(searched: ColumnElement[str], word: str) -> ColumnElement[bool]:
    return searched.like(typed.pattern(typed.term(word)), escape="/")


def messages(
    actor: Actor, ids: Sequence[int], *, threads: bool = False, cancel: Cancel | None = None
) -> tuple[MessageRow, ...]:
    """Lines for these messages, in the order given; those that are gone are left out.

    Args:
        actor: Who looks.
        ids: Activities of the messages.
        threads: Whether each line stands for its conversation, whose messages are counted.
        cancel: Stops the statement.
    """
    packed = packed_keys(actor.db.dialect, ids)
    with actor.db.reading(cancel) as connection:
        found = _prepared(actor, _lines).inside(connection, keys=packed)
        rows = {row[0]: _Line(*row) for row in found}
        sizes = _thread_sizes(actor, connection, rows.values()) if threads else {}
        unread: set[int] = set()
        flagged: set[int] = set()
        for activity, is_read, flag in _prepared(actor, _marks).inside(connection, keys=packed):
            if not is_read:
                unread.add(activity)
            if flag == MailFlag.FLAGGED.value:
                flagged.add(activity)
        counted = _prepared(actor, _links).inside(connection, keys=packed)
        links = {(activity, state): count for activity, state, count in counted}
    lines = []
    for activity_id in ids:
        row = rows.get(activity_id)
        if row is None:
            continue
        outgoing = row.direction == Direction.OUTGOING.value
        sender = row.from_name or row.from_address or ""
        lines.append(
            MessageRow(
                id=activity_id,
                correspondent=(_names(row.to_line) or sender) if outgoing else sender,
                subject=row.subject or "",
                preview=" ".join((row.preview or "").split()),
                at=row.sent_at,
                unread=activity_id in unread,
                outgoing=outgoing,
                has_attachments=row.has_attachments,
                linked=links.get((activity_id, LinkState.LINKED.value), 0),
                suggested=links.get((activity_id, LinkState.SUGGESTED.value), 0),
                flagged=activity_id in flagged,
                thread=sizes.get(row.thread_key, 1),
            )
        )
    return tuple(lines)


class _Line(NamedTuple):
    """What is read of a message for its line."""

    activity_id: int
    thread_key: str | None
    from_name: str | None
    from_address: str | None
    to_line: str | None
    subject: str | None
    preview: str | None
    sent_at: datetime | None
    has_attachments: bool
    direction: str | None


def _prepared(actor: Actor, make: Callable[[Actor], Select[*tuple[Any, ...]]]) -> Prepared:
    """A statement with the actor's rights in it, made once and kept with the actor."""
    key = ("mail", make.__name__)
    found = actor.statements.get(key)
    if found is None:
        found = actor.statements[key] = Prepared(actor.db, make(actor))
    return found


def _lines(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Messages by their activities."""
    columns = [MailMessage.__table__.c[name] for name in _Line._fields if name != "direction"]
    return (
        select(*columns, Activity.direction)
        .join(Activity, Activity.id == MailMessage.activity_id)
        .where(visible(actor), late_keys(actor.db.dialect, MailMessage.activity_id))
    )


def _marks(actor: Actor) -> Select[*tuple[Any, ...]]:
    """How messages are marked in the actor's own mailboxes."""
    return select(MailboxItem.activity_id, MailboxItem.is_read, MailboxItem.flag).where(
        own_items(actor), late_keys(actor.db.dialect, MailboxItem.activity_id)
    )


def _links(actor: Actor) -> Select[*tuple[Any, ...]]:
    """How many links of each state messages have."""
    return (
        select(Link.activity_id, Link.state, func.count())
        .where(late_keys(actor.db.dialect, Link.activity_id), Link.deleted_at.is_(None))
        .group_by(Link.activity_id, Link.state)
    )


def _thread_sizes(
    actor: Actor, connection: Connection, rows: Collection[_Line]
) -> dict[str | None, int]:
    keys = sorted({row.thread_key for row in rows if row.thread_key})
    if not keys:
        return {}
    statement = (
        select(MailMessage.thread_key, func.count())
        .join(Activity, Activity.id == MailMessage.activity_id)
        .where(key_clause(connection, MailMessage.thread_key, keys), visible(actor))
        .group_by(MailMessage.thread_key)
    )
    return {key: size for key, size in connection.execute(statement)}
