"""The journal of deeds in the database: writing one down, reading what is due, saying how it went.

Every function works inside its caller's transaction; `sync/outbox.py` says in which order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, select

from desktop_crm.core import clock
from desktop_crm.models import Activity, MailboxItem, MailMessage, OutboxContent, OutboxItem
from desktop_crm.models.mail import ItemState
from desktop_crm.models.outbox import OPEN, ContentPart, DeedKind, OutboxState
from desktop_crm.services.mail import outbox
from desktop_crm.services.mail.noting import Notes, with_notes
from desktop_crm.services.query import key_clause
from desktop_crm.services.records_kept import insert_facts, set_where
from desktop_crm.sync.deed_form import decode, decode_image, encode, kind_of, notify_of
from desktop_crm.sync.mapping import plain
from desktop_crm.sync.port import ContactItem, Item, MailItem
from desktop_crm.sync.writes import (
    Deed,
    Image,
    MakeFolder,
    Mark,
    Move,
    Notify,
    PutBack,
    Ref,
    Save,
    Send,
    Written,
)

_OPEN: Final = [state.value for state in OPEN]
_TABLE: Final = OutboxItem.__table__


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a deed is ordered: a translatable sentence with its parameters, or plain words."""

    text: str = ""
    params: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One open deed of a mailbox, without its content."""

    id: int
    deed: DeedKind
    state: OutboxState
    activity: int | None
    ref: Ref | None
    ordered_at: datetime
    due_at: datetime
    attempts: int
    confirmed: bool
    cancelling: bool

    @property
    def place(self) -> tuple[str, str] | None:
        """The item it changes; deeds of one item are done in their order."""
        return None if self.ref is None else (self.ref.folder, self.ref.item_id)


def ref_of(deed: Deed) -> Ref | None:
    """The item a deed changes; None for one that makes something new."""
    return None if isinstance(deed, Send | PutBack | MakeFolder) else deed.ref


def title_of(deed: Deed) -> str:
    """Subject of what a deed is about, where the deed itself knows it."""
    if isinstance(deed, Save):
        return _name(deed.item)
    if isinstance(deed, MakeFolder):
        return deed.name
    return _name(deed.image.item) if isinstance(deed, PutBack) else ""


def _name(item: Item) -> str:
    return item.full_name if isinstance(item, ContactItem) else item.subject


def insert(
    connection: Connection,
    mailbox: int,
    deed: Deed,
    *,
    why: Reason = Reason(),
    title: str = "",
    activity: int | None = None,
    due_at: datetime | None = None,
    held: bool = False,
    confirmed: bool = False,
    operation: str = "",
    restores: int | None = None,
    notes: Notes | None = None,
) -> int:
    """Write a deed down and return its key; nothing goes out.

    The activity of an item that was read from the mailbox is found by itself; the history of both
    is one, and what is kept of the item goes with the activity when that is deleted for good.
    """
    payload, blob = encode(deed)
    now = clock.now()
    ref = ref_of(deed)
    notify = notify_of(deed)
    title = title or title_of(deed)
    if ref is not None and (activity is None or not title):
        read_as, subject = _activity_of(connection, mailbox, ref)
        activity, title = activity or read_as, title or subject
    row = {
        "mailbox_id": mailbox,
        "own_key": deed.own_key,
        "deed": kind_of(deed).value,
        "state": (OutboxState.HELD if held else OutboxState.WAITING).value,
        "activity_id": activity,
        "title": plain(title, 400) or None,
        "payload": with_notes(payload, notes),
        "ordered_at": now,
        "due_at": due_at or now,
        "attempts": 0,
        "why": plain(why.text, 400) or None,
        "why_params": dict(why.params) or None,
        "operation": operation or None,
        "notify": None if notify is Notify.NOBODY else notify.value,
        "confirmed": confirmed,
        "restores_id": restores,
        "folder": None if ref is None else ref.folder,
        "item_key": None if ref is None else ref.item_id,
        "change_key": None if ref is None else ref.change_key or None,
    }
    (key,) = insert_facts(connection, OutboxItem, [row])
    if blob:
        _keep_bytes(connection, key, ContentPart.DEED, None, blob)
    return key


def _activity_of(connection: Connection, mailbox: int, ref: Ref) -> tuple[int | None, str]:
    """The activity an item was read as, and its subject."""
    row = connection.execute(
        select(MailboxItem.activity_id, Activity.subject)
        .join(Activity, Activity.id == MailboxItem.activity_id)
        .where(
            MailboxItem.mailbox_id == mailbox,
            MailboxItem.folder == ref.folder,
            MailboxItem.item_key == ref.item_id,
        )
    ).one_or_none()
    return (None, "") if row is None else (row.activity_id, row.subject or "")


def _keep_bytes(
    connection: Connection,
    key: int,
    part: ContentPart,
    item: Mapping[str, Any] | None,
    content: bytes,
) -> None:
    row = {"outbox_item_id": key, "part": part.value, "item": item, "content": content}
    insert_facts(connection, OutboxContent, [row])


def open_entries(connection: Connection, mailbox: int, only: int | None = None) -> list[Entry]:
    """What is still to be done in a mailbox, in the order it was ordered; one statement.

    Args:
        connection: a transaction.
        mailbox: the mailbox's key.
        only: one entry alone.
    """
    statement = (
        select(
            OutboxItem.id,
            OutboxItem.deed,
            OutboxItem.state,
            OutboxItem.activity_id,
            OutboxItem.folder,
            OutboxItem.item_key,
            OutboxItem.change_key,
            OutboxItem.ordered_at,
            OutboxItem.due_at,
            OutboxItem.attempts,
            OutboxItem.confirmed,
            OutboxItem.result,
        )
        .where(OutboxItem.mailbox_id == mailbox, OutboxItem.state.in_(_OPEN))
        .order_by(OutboxItem.id)
    )
    if only is not None:
        statement = statement.where(OutboxItem.id == only)
    rows = connection.execute(statement)
    return [
        Entry(
            row.id,
            DeedKind(row.deed),
            OutboxState(row.state),
            row.activity_id,
            Ref(row.folder, row.item_key, row.change_key or "") if row.item_key else None,
            row.ordered_at,
            row.due_at,
            row.attempts,
            row.confirmed,
            row.result == outbox.CANCELLING,
        )
        for row in rows
    ]


def deed_of(connection: Connection, entry: Entry) -> Deed:
    """The whole deed; its reference is the journal's, which follows what was done meanwhile."""
    row = connection.execute(
        select(OutboxItem.payload, OutboxContent.content)
        .outerjoin(OutboxContent, _bytes_of_deed())
        .where(OutboxItem.id == entry.id)
    ).one()
    deed = decode(entry.deed, row.payload, bytes(row.content or b""))
    if entry.ref is None or isinstance(deed, Send | PutBack | MakeFolder):
        return deed
    return replace(deed, ref=entry.ref)


def done(connection: Connection, key: int) -> tuple[Deed, Ref | None]:
    """A deed that was done, as it was ordered, and where its item lies since."""
    row = connection.execute(
        select(
            OutboxItem.deed,
            OutboxItem.payload,
            OutboxItem.result,
            OutboxContent.content,
        )
        .outerjoin(OutboxContent, _bytes_of_deed())
        .where(OutboxItem.id == key)
    ).one()
    result = row.result
    place = None
    if result is not None:
        place = Ref(result["folder"], result["item_id"], result["change_key"])
    deed = decode(DeedKind(row.deed), row.payload, bytes(row.content or b""))
    return deed, place


def _bytes_of_deed() -> ColumnElement[bool]:
    return and_(
        OutboxContent.outbox_item_id == OutboxItem.id,
        OutboxContent.part == ContentPart.DEED.value,
    )


def begin(connection: Connection, entry: Entry) -> bool:
    """Say that a deed is being done from now on; False when a person was faster."""
    still = select(OutboxItem.id).where(
        OutboxItem.id == entry.id, OutboxItem.state == entry.state.value
    )
    if connection.execute(still.with_for_update()).scalar() is None:
        return False
    values = {"state": OutboxState.RUNNING.value, "attempts": entry.attempts + 1, "message": None}
    set_where(connection, OutboxItem, _TABLE.c.id == entry.id, values)
    return True


def image_of(connection: Connection, key: int) -> Image | None:
    """The item as it stood before the deed, if that was kept and still is."""
    row = connection.execute(
        select(OutboxContent.item, OutboxContent.content).where(
            OutboxContent.outbox_item_id == key, OutboxContent.part == ContentPart.IMAGE.value
        )
    ).one_or_none()
    return None if row is None else decode_image(row.item, bytes(row.content))


def keep_image(connection: Connection, entry: Entry, deed: Deed, image: Image) -> None:
    """Keep what stood before a deed, as much of it as restoring takes.

    Marks and moves change no content, so none of it is kept: only where the item lay and how it
    was marked.
    """
    item = image.item
    if isinstance(deed, Mark | Move):
        item = MailItem(item.message_id) if isinstance(item, MailItem) else item
        image = replace(image, item=item, raw=b"")
    named, blob = encode(image)
    _keep_bytes(connection, entry.id, ContentPart.IMAGE, named, blob)
    if isinstance(image.item, MailItem):
        return
    set_where(
        connection,
        OutboxItem,
        and_(_TABLE.c.id == entry.id, _TABLE.c.title.is_(None)),
        {"title": plain(_name(image.item), 400) or None},
    )


def finish(
    connection: Connection,
    entry: Entry,
    state: OutboxState,
    message: str = "",
    written: Written | None = None,
) -> None:
    """Say how a deed ended; later deeds of the same item follow it to where it lies now."""
    values: dict[str, Any] = {
        "state": state.value,
        "done_at": clock.now(),
        "message": plain(message, 500) or None,
        "result": _placed(written.ref) if written is not None else None,
    }
    set_where(connection, OutboxItem, _TABLE.c.id == entry.id, values)
    if state is OutboxState.DONE and entry.deed is DeedKind.SEND:
        # It lies in the mailbox now; as much of it as may be known stands with its activity.
        outbox.forget_content(connection, [entry.id])
    if written is not None and written.ref is not None and entry.ref is not None:
        _follow(connection, entry, entry.ref, written.ref)


def _placed(ref: Ref | None) -> dict[str, Any] | None:
    if ref is None:
        return None
    return {"folder": ref.folder, "item_id": ref.item_id, "change_key": ref.change_key}


def _follow(connection: Connection, entry: Entry, old: Ref, new: Ref) -> None:
    own = _TABLE.c
    mailbox = select(OutboxItem.mailbox_id).where(OutboxItem.id == entry.id).scalar_subquery()
    later = and_(
        own.mailbox_id == mailbox,
        own.id > entry.id,
        own.folder == old.folder,
        own.item_key == old.item_id,
        own.state.in_(_OPEN),
    )
    # One that knew the version this deed began with has seen nothing else change since.
    knew = and_(later, func.coalesce(own.change_key, "") == old.change_key)
    set_where(connection, OutboxItem, knew, {"change_key": new.change_key or None})
    set_where(connection, OutboxItem, later, {"folder": new.folder, "item_key": new.item_id})


def rename(connection: Connection, activity: int, message_id: str) -> None:
    """Keep the Message-ID a server gave a message, unless another message stands under it."""
    own, other = MailMessage.__table__, MailMessage.__table__.alias("other")
    taken = select(other.c.id).where(other.c.message_id == message_id).exists()
    message = and_(own.c.activity_id == activity, ~taken)
    set_where(connection, MailMessage, message, {"message_id": message_id})


def postpone(connection: Connection, entry: Entry, message: str, due_at: datetime) -> None:
    """Leave a deed for later, with the sentence that says why."""
    values = {
        "state": OutboxState.WAITING.value,
        "due_at": due_at,
        "message": plain(message, 500) or None,
    }
    set_where(connection, OutboxItem, _TABLE.c.id == entry.id, values)


def brake(connection: Connection, keys: Sequence[int], message: str) -> None:
    """Hold deeds back until a person has decided about them."""
    values = {"state": OutboxState.HELD.value, "message": plain(message, 500)}
    set_where(connection, OutboxItem, key_clause(connection, _TABLE.c.id, keys), values)


def held_by_mailbox(connection: Connection, mailbox: int) -> int:
    """How many items a mailbox holds, as far as it was read."""
    found: int = connection.execute(
        select(func.count()).where(
            MailboxItem.mailbox_id == mailbox,
            MailboxItem.deleted_at.is_(None),
            MailboxItem.state.in_([ItemState.STORED.value, ItemState.EXCLUDED.value]),
        )
    ).scalar_one()
    return found


def forget_old(connection: Connection, mailbox: int, before: datetime) -> None:
    """Drop the bytes of what was finished before a moment; the history stays."""
    old = (
        select(OutboxItem.id)
        .join(OutboxContent, OutboxContent.outbox_item_id == OutboxItem.id)
        .where(
            OutboxItem.mailbox_id == mailbox,
            OutboxItem.done_at < before,
            OutboxItem.state.not_in(_OPEN),
        )
        .distinct()
    )
    outbox.forget_content(connection, list(connection.execute(old).scalars()))


def deletes(entry: Entry) -> bool:
    """Whether a deed takes something out of the mailbox that no person decided one by one."""
    return entry.deed is DeedKind.DELETE and not entry.confirmed
