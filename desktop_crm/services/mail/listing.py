"""Read models of the mail pane: folders and message lists."""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Integer, Select, String, and_, bindparam, func, or_, select

from desktop_crm.core.text import fold
from desktop_crm.db.engine import Cancel
from desktop_crm.models import Activity, Link, Mailbox, MailboxItem, MailMessage
from desktop_crm.models.activity import LinkState
from desktop_crm.models.mail import SyncState
from desktop_crm.services.context import Actor
from desktop_crm.services.list_plan import FEW_HITS, late_keys, told
from desktop_crm.services.list_words import NO_WORDS, Words, matches, standing
from desktop_crm.services.mail import lines
from desktop_crm.services.mail.lines import MessageRow, prepared
from desktop_crm.services.mail.reach import in_own_box, own_items, own_mailbox, visible
from desktop_crm.services.prepared import Prepared
from desktop_crm.services.query import packed_keys
from desktop_crm.services.record_query import RecordQuery

PAGE: Final = 100
"""Lines that are read at once."""

_MESSAGE: Final = MailMessage.__table__
_ACTIVITY: Final = Activity.__table__
_ITEM: Final = MailboxItem.__table__


class Special(StrEnum):
    """Lists that reach over all folders."""

    ALL = "all"
    REVIEW = "review"
    UNLINKED = "unlinked"


@dataclass(frozen=True, slots=True)
class MailFolder:
    """One folder of one mailbox, with how many messages it holds.

    Attributes:
        folder: its key, a mere number in some mailboxes.
        name: what the mailbox calls it, empty where it was not read since names are kept.
    """

    mailbox_id: int
    mailbox: str
    folder: str
    name: str
    total: int
    unread: int

    @property
    def shown(self) -> str:
        """Its name, or its key where that is all there is."""
        return self.name or self.folder


@dataclass(frozen=True, slots=True)
class MailFolders:
    """Everything the folder list shows; `review` counts messages that wait to be filed."""

    folders: tuple[MailFolder, ...]
    mailboxes: tuple[tuple[int, str], ...]
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


def folders(actor: Actor, *, cancel: Cancel | None = None) -> MailFolders:
    """The actor's folders with counts, and the counts of the special lists; two statements."""
    held = prepared(actor, "folders", lambda: _folders(actor), whole=True).tuples(actor.db, cancel)
    waiting = prepared(actor, "counts", lambda: _counts(actor), whole=True).tuples(actor.db, cancel)
    found = [MailFolder(*row) for row in held if row[2] is not None]
    found.sort(key=lambda one: (fold(one.mailbox), _folder_rank(one.shown), fold(one.shown)))
    names = dict.fromkeys((key, name) for key, name, *_folder in held)
    return MailFolders(tuple(found), tuple(names), *waiting[0])


def _folders(actor: Actor) -> Select[Any]:
    """Mailboxes by name with what each of their folders holds; one that is empty stands alone."""
    counted = (
        select(
            _ITEM.c.mailbox_id,
            _ITEM.c.folder,
            func.count().label("total"),
            func.count().filter(_ITEM.c.is_read.is_(False)).label("unread"),
        )
        .select_from(_ITEM.join(_MESSAGE, _MESSAGE.c.activity_id == _ITEM.c.activity_id))
        .where(own_items(actor))
        .group_by(_ITEM.c.mailbox_id, _ITEM.c.folder)
        .subquery("held")
    )
    box, state = Mailbox.__table__, SyncState.__table__
    named = and_(state.c.mailbox_id == box.c.id, state.c.folder == counted.c.folder)
    name = func.coalesce(state.c.name, "").label("name")
    return (
        select(box.c.id, box.c.name, counted.c.folder, name, counted.c.total, counted.c.unread)
        .select_from(
            box.outerjoin(counted, counted.c.mailbox_id == box.c.id).outerjoin(state, named)
        )
        .where(box.c.deleted_at.is_(None), own_mailbox(actor))
        .order_by(box.c.title_key, box.c.id)
    )


def _counts(actor: Actor) -> Select[Any]:
    """How many messages wait to be filed, and how many are not linked."""
    numbers = [
        select(func.count()).select_from(_special(actor, which).subquery()).scalar_subquery()
        for which in (Special.REVIEW, Special.UNLINKED)
    ]
    return select(*(number.label(f"n{n}") for n, number in enumerate(numbers)))


def _folder_rank(name: str) -> int:
    folded = fold(name)
    return 0 if "inbox" in folded else 1 if "sent" in folded else 2


def _has_link(state: LinkState) -> ColumnElement[bool]:
    link = Link.__table__
    found = select(link.c.id).where(
        link.c.activity_id == _MESSAGE.c.activity_id,
        link.c.state == state.value,
        link.c.deleted_at.is_(None),
    )
    return found.correlate_except(link).exists()


def _waits(actor: Actor) -> ColumnElement[bool]:
    """Messages a person is asked about: with a suggestion, or of nobody known.

    Of mass mail nobody is asked, nor about what lies in other people's mailboxes alone.
    """
    unknown = and_(
        _MESSAGE.c.set_aside.is_(False),
        _MESSAGE.c.is_automatic.is_(False),
        ~_has_link(LinkState.LINKED),
        in_own_box(actor, _MESSAGE.c.activity_id),
    )
    return or_(_has_link(LinkState.SUGGESTED), unknown)


def _special(actor: Actor, which: Special) -> Select[Any]:
    """Messages of a list that reaches over all folders."""
    keys = _keys(_ACTIVITY.c.id, _ACTIVITY.c.occurred_at)
    statement = keys.select_from(lines.of_activities()).where(visible(actor))
    if which is Special.REVIEW:
        return statement.where(_waits(actor))
    if which is Special.UNLINKED:
        return statement.where(~_has_link(LinkState.LINKED))
    return statement


def _keys(activity: ColumnElement[Any], at: ColumnElement[Any]) -> Select[Any]:
    return select(activity.label("activity"), at.label("at"), _MESSAGE.c.thread_key)


class _Searched(NamedTuple):
    """The words of a query as its statement takes them.

    Attributes:
        shape: What the statement depends on.
        late: What is put into it.
        is_few: Few messages match, whose keys are among what is put in.
    """

    words: Words
    shape: tuple[Hashable, ...] = ()
    late: dict[str, object] = {}  # noqa: RUF012  a value that is never changed
    is_few: bool = False


def _searched(actor: Actor, query: MailQuery, cancel: Cancel | None) -> _Searched | None:
    """Read the words of a query; None when nothing matches. One statement on SQLite."""
    asked = RecordQuery("mail_message", (), search=query.search)
    words = Words.of(actor, asked)
    late = words.late(asked)
    if not words.phrase:
        return _Searched(words, words.shape, late)
    hits = prepared(actor, "hits", lambda: matches("mail_message").limit(told(FEW_HITS + 1)))
    found = hits.keys(actor.db, cancel, match=words.phrase)
    if not found:
        return None
    if len(found) > FEW_HITS:
        return _Searched(words, (words.shape, "many"), late)
    late["keys"] = packed_keys(actor.db.dialect, found)
    return _Searched(words, (words.shape, "few"), late, is_few=True)


def _matching(actor: Actor, searched: _Searched) -> list[ColumnElement[bool]]:
    """Every word in subject, people or text of the message."""
    stands = standing(searched.words, _MESSAGE.c.search_text)
    found = [] if stands is None else [stands]
    if searched.is_few:
        found.append(late_keys(actor.db.dialect, _MESSAGE.c.id))
    elif searched.words.phrase:
        # An expression instead of the key: the index of the order leads, not the matches.
        found.append((_MESSAGE.c.id + 0).in_(matches("mail_message")))
    return found


def _chosen(actor: Actor, query: MailQuery, searched: _Searched) -> Select[Any]:
    """Messages of a list, the newest first."""
    if query.mailbox_id is None:
        # Walked in the order of the index over mail by time, until a page is full.
        at, key = _ACTIVITY.c.occurred_at, _ACTIVITY.c.id
        statement = _special(actor, query.special)
    else:
        # The item has the message's date, so that the folder's index gives the order.
        at, key = _ITEM.c.sent_at, _ITEM.c.activity_id
        source = _ITEM.join(_MESSAGE, _MESSAGE.c.activity_id == _ITEM.c.activity_id)
        gone = select(_ACTIVITY.c.id).where(_ACTIVITY.c.deleted_at.is_not(None))
        statement = (
            _keys(key, at)
            .select_from(source)
            .where(
                own_items(actor),
                _ITEM.c.mailbox_id == bindparam("box", 0, Integer),
                _ITEM.c.folder == bindparam("folder", "", String),
                key.not_in(gone),
            )
        )
    return statement.where(*_matching(actor, searched)).order_by(at.desc(), key.desc())


def _statement(
    actor: Actor, query: MailQuery, searched: _Searched, limit: int | None
) -> tuple[Prepared, dict[str, object]]:
    """Statement of a list and what is put into it: its keys, or its first lines."""
    late = dict(searched.late)
    if query.mailbox_id is not None:
        late |= {"box": query.mailbox_id, "folder": query.folder}
    in_folder, threads = query.mailbox_id is not None, query.conversations

    def make() -> Select[Any]:
        chosen = _chosen(actor, query, searched)
        if limit is not None:
            return lines.first_of(actor, chosen, limit, threads=threads)
        columns = chosen.selected_columns
        return chosen.with_only_columns(
            columns.activity, *([columns.thread_key] if threads else [])
        )

    key = (in_folder, query.special, searched.shape, limit, threads)
    return prepared(actor, key, make, whole=limit is None), late


def first_page(
    actor: Actor, query: MailQuery, *, limit: int = PAGE, cancel: Cancel | None = None
) -> tuple[MessageRow, ...]:
    """The newest lines of a list; one statement, one more on SQLite where words are searched for.

    Args:
        actor: Who looks.
        query: Which messages; by conversations, the newest of each stands for it.
        limit: So many of the newest messages are looked at.
        cancel: Stops the statement.
    """
    searched = _searched(actor, query, cancel) if query.search.strip() else _Searched(NO_WORDS)
    if searched is None:
        return ()
    read, late = _statement(actor, query, searched, limit)
    rows: dict[object, MessageRow] = {}
    for thread, row in lines.lines(read.tuples(actor.db, cancel, **late)):
        rows.setdefault((query.conversations and thread) or row.id, row)
    return tuple(rows.values())


def message_keys(actor: Actor, query: MailQuery, *, cancel: Cancel | None = None) -> array[int]:
    """Activities of all messages of a list, the newest first; statements as :func:`first_page`.

    Args:
        actor: Who looks.
        query: Which messages; by conversations, the newest of each stands for it.
        cancel: Stops the statement.
    """
    searched = _searched(actor, query, cancel) if query.search.strip() else _Searched(NO_WORDS)
    if searched is None:
        return array("q")
    read, late = _statement(actor, query, searched, None)
    if not query.conversations:
        return array("q", dict.fromkeys(read.keys(actor.db, cancel, **late)))
    seen: dict[object, int] = {}
    for activity, thread in read.tuples(actor.db, cancel, **late):
        seen.setdefault(thread or activity, activity)
    return array("q", seen.values())
