"""The journal of what mailboxes are asked to change, and the bytes that go out or can come back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Index, LargeBinary, UniqueConstraint

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import Stored, boolean, choice, integer, json, link, moment, text
from desktop_crm.meta.field import Choice, EntityMeta, Tone
from desktop_crm.models.base import Base, sparse


class OutboxState(Choice):
    """Where a deed stands; only the first three are still to be done."""

    HELD = "held", N_("Waits for your decision"), Tone.WARN
    WAITING = "waiting", N_("Waiting"), Tone.INFO
    RUNNING = "running", N_("Being done"), Tone.INFO
    DONE = "done", N_("Done"), Tone.OK
    STALE = "stale", N_("Changed in the mailbox meanwhile"), Tone.WARN
    FAILED = "failed", N_("Failed"), Tone.BAD
    CANCELLED = "cancelled", N_("Cancelled"), Tone.NEUTRAL


OPEN: Final = (OutboxState.HELD, OutboxState.WAITING, OutboxState.RUNNING)
"""States of what is still to be done."""


class DeedKind(Choice):
    """What the mailbox is asked for."""

    SEND = "send", N_("Send message")
    SAVE_DRAFT = "save_draft", N_("Save draft")
    SAVE = "save", N_("Save item")
    MARK = "mark", N_("Mark item")
    MOVE = "move", N_("Move item")
    DELETE = "delete", N_("Delete item")
    ANSWER = "answer", N_("Answer invitation")
    PUT_BACK = "put_back", N_("Put item back")
    MAKE_FOLDER = "make_folder", N_("Make folder")


class ContentPart(Choice):
    """Which bytes of a deed."""

    DEED = "deed", N_("What goes out")
    IMAGE = "image", N_("What stood before")


class OutboxItem(Base):
    """One deed: written down before anything goes out, kept as history; its user's alone."""

    __tablename__ = "outbox_item"
    __table_args__ = (
        UniqueConstraint("own_key"),
        Index("ix_outbox_item_due", "mailbox_id", "state", "due_at"),
        Index("ix_outbox_item_latest", "mailbox_id", "ordered_at"),
        Index("ix_outbox_item_item", "mailbox_id", "item_key"),
        *sparse("outbox_item", "activity_id"),
    )
    __entity__ = EntityMeta(
        key="outbox_item",
        label=N_("Change of a mailbox"),
        plural=N_("Changes of mailboxes"),
        icon="mail",
        title="title",
        columns=("ordered_at", "deed", "title", "state", "due_at", "message", "mailbox"),
        order="-ordered_at",
        parent=("mailbox",),
    )
    mailbox_id: Stored[int] = link(N_("Mailbox"), "mailbox.id", cascade=True)
    own_key: Stored[str] = text(N_("Own key"), length=36, hidden=True)
    deed: Stored[str] = choice(N_("What"), DeedKind)
    state: Stored[str] = choice(N_("State"), OutboxState, default=OutboxState.WAITING)
    activity_id: Stored[int | None] = link(N_("Activity"), "activity.id", cascade=True)
    title: Stored[str | None] = text(N_("Subject"), length=400)
    folder: Stored[str | None] = text(N_("Folder"), length=300)
    item_key: Stored[str | None] = text(N_("Item"), length=1000, hidden=True)
    change_key: Stored[str | None] = text(N_("Change key"), length=500, hidden=True)
    payload: Stored[dict[str, Any] | None] = json(N_("Content"), hidden=True, audited=False)
    result: Stored[dict[str, Any] | None] = json(N_("Result"), hidden=True, audited=False)
    ordered_at: Stored[datetime] = moment(N_("Ordered"))
    due_at: Stored[datetime] = moment(N_("Due"))
    done_at: Stored[datetime | None] = moment(N_("Done"))
    attempts: Stored[int] = integer(N_("Attempts"), default=0)
    message: Stored[str | None] = text(N_("Message"), length=500)
    why: Stored[str | None] = text(N_("Why"), length=400)
    why_params: Stored[dict[str, Any] | None] = json(N_("Why, in detail"), hidden=True)
    operation: Stored[str | None] = text(N_("Operation"), length=36, hidden=True)
    notify: Stored[str | None] = text(N_("Who is told"), length=20)
    confirmed: Stored[bool] = boolean(
        N_("Confirmed"), help=N_("A person decided this very deed; it is never held back.")
    )
    restores_id: Stored[int | None] = integer(N_("Restores"), hidden=True)


class OutboxContent(Base):
    """Bytes of a deed: the message to send, or the item as it stood before it was changed.

    Apart from everything that is searched, listed and audited; handed out with its deed alone.
    """

    __tablename__ = "outbox_content"
    __table_args__ = (UniqueConstraint("outbox_item_id", "part"),)
    __entity__ = EntityMeta(
        key="outbox_content",
        label=N_("Content of a change"),
        plural=N_("Contents of changes"),
        icon="mail",
        title="part",
        columns=("outbox_item", "part"),
        parent=("outbox_item",),
    )
    outbox_item_id: Stored[int] = link(N_("Change of a mailbox"), "outbox_item.id", cascade=True)
    part: Stored[str] = choice(N_("Part"), ContentPart)
    item: Stored[dict[str, Any] | None] = json(N_("Item, read"), hidden=True, audited=False)
    content: Stored[bytes] = Stored(LargeBinary)
