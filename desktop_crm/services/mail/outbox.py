"""The user's own outbox: what mailboxes were asked for, what became of it, and a say in it.

Writing the journal and doing what it says is `sync/outbox.py`'s; here it is shown, and a person
holds back, lets go, tries again and cancels. Nobody sees another's rows, an administrator included.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, and_, func, or_, select

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.meta import registry
from desktop_crm.models import Mailbox, OutboxContent, OutboxItem
from desktop_crm.models.activity import ActivityReason
from desktop_crm.models.outbox import OPEN, ContentPart, DeedKind, OutboxState
from desktop_crm.services import writer
from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.mail import mailboxes
from desktop_crm.services.mail.mailboxes import MailboxRow
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.query import key_clause
from desktop_crm.services.records_kept import delete_rows, set_where

MOST: Final = 500
SOURCE: Final = "sync"
"""What a pass says of a message is no step of the person's own, to be undone."""

CANCELLING: Final = {"cancel": True}
"""Result of a deed that is to be given up once the mailbox says that it was not done."""
_TABLE: Final = OutboxItem.__table__
_WITH_BYTES: Final = (DeedKind.SEND, DeedKind.SAVE_DRAFT, DeedKind.PUT_BACK)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One deed as it stands.

    Attributes:
        title: subject of the message or item.
        item_key: id of the item in the mailbox, when it was ordered.
        due_at: when it is done or tried again.
        attempts: how often it was tried.
        message: what went wrong or is waited for, one sentence; empty when all is well.
        why: why it was ordered, one sentence; empty when that says itself.
        has_image: what stood before is kept, so that it can be restored.
    """

    id: int
    mailbox_id: int
    mailbox: str
    deed: DeedKind
    state: OutboxState
    activity_id: int | None
    title: str
    folder: str
    item_key: str
    ordered_at: datetime
    due_at: datetime
    done_at: datetime | None
    attempts: int
    message: str
    why: str
    operation: str
    notify: str
    has_image: bool

    @property
    def can_cancel(self) -> bool:
        """Whether it is not being done at this moment, nor finished."""
        return self.state in (OutboxState.HELD, OutboxState.WAITING)

    @property
    def can_retry(self) -> bool:
        """Whether a person may have it done now."""
        return self.state in (OutboxState.HELD, OutboxState.WAITING, OutboxState.FAILED)


def own_mailbox(actor: Actor, mailbox: int) -> MailboxRow:
    """One of the user's own mailboxes: what is written goes out in its user's name alone.

    Raises:
        NotFound: It does not exist, or is another's, which an administrator may see.
    """
    row = mailboxes.get(actor, mailbox)
    if actor.user_id is not None and row.user_id not in (None, actor.user_id):
        raise NotFound(
            N_("The mailbox {mailbox} is another person's; nothing was ordered."),
            mailbox=row.name,
        )
    return row


def list_items(
    actor: Actor,
    *,
    mailbox: int | None = None,
    states: Collection[OutboxState] = (),
    limit: int = MOST,
) -> tuple[OutboxRow, ...]:
    """The user's own outbox, the latest first; one statement.

    Args:
        actor: Who looks.
        mailbox: One mailbox; None for all.
        states: Those to show; none for all.
        limit: At most so many.
    """
    statement = _statement(actor).order_by(OutboxItem.ordered_at.desc(), OutboxItem.id.desc())
    if mailbox is not None:
        statement = statement.where(OutboxItem.mailbox_id == mailbox)
    if states:
        statement = statement.where(OutboxItem.state.in_([s.value for s in states]))
    return _rows(actor, statement.limit(limit))


def history(
    actor: Actor, *, activity: int | None = None, mailbox: int | None = None, item_key: str = ""
) -> tuple[OutboxRow, ...]:
    """What was done to one item in the user's mailboxes: what, when and why, the latest first.

    Args:
        actor: Who looks.
        activity: The item by its activity.
        mailbox: The item by its mailbox and id there.
        item_key: Its id there.
    """
    statement = _statement(actor).order_by(OutboxItem.ordered_at.desc(), OutboxItem.id.desc())
    if activity is not None:
        statement = statement.where(OutboxItem.activity_id == activity)
    else:
        statement = statement.where(
            OutboxItem.mailbox_id == mailbox, OutboxItem.item_key == item_key
        )
    return _rows(actor, statement.limit(MOST))


def get(actor: Actor, item: int) -> OutboxRow:
    """One deed.

    Raises:
        NotFound: There is none, or it is another's.
    """
    found = _rows(actor, _statement(actor).where(OutboxItem.id == item))
    if not found:
        raise NotFound(N_("There is no such entry in your outbox."), field="item")
    return found[0]


def content(actor: Actor, item: int, part: ContentPart = ContentPart.DEED) -> bytes:
    """Bytes of a deed: the message that goes out, or the item as it stood before.

    Raises:
        NotFound: There is no such deed, it is another's, or its bytes are no longer kept.
    """
    get(actor, item)
    with actor.db.reading() as connection:
        found = connection.execute(
            select(OutboxContent.content).where(
                OutboxContent.outbox_item_id == item, OutboxContent.part == part.value
            )
        ).scalar()
    if found is None:
        raise NotFound(N_("The content of this entry is no longer kept."), field="item")
    return bytes(found)


def result_of(actor: Actor, item: int) -> tuple[str, str, str] | None:
    """Where the item of a deed lies since it was done: folder, id and version; None before.

    Raises:
        NotFound: There is no such deed, or it is another's.
    """
    get(actor, item)
    with actor.db.reading() as connection:
        asked = select(OutboxItem.result).where(OutboxItem.id == item)
        found: dict[str, str] | None = connection.execute(asked).scalar()
    if not found or "item_id" not in found:
        return None
    return found["folder"], found["item_id"], found["change_key"]


def counts(actor: Actor) -> Mapping[OutboxState, int]:
    """How many of the user's deeds are still to be done or need a look, by state."""
    shown = (*OPEN, OutboxState.FAILED, OutboxState.STALE)
    statement = (
        select(OutboxItem.state, func.count())
        .where(OutboxItem.state.in_([s.value for s in shown]), *_own(actor))
        .group_by(OutboxItem.state)
    )
    with actor.db.reading() as connection:
        return {OutboxState(state): count for state, count in connection.execute(statement)}


def next_due(actor: Actor) -> datetime | None:
    """When the next of the user's deeds is due; None when none waits."""
    statement = select(func.min(OutboxItem.due_at)).where(
        OutboxItem.state == OutboxState.WAITING.value, *_own(actor)
    )
    with actor.db.reading() as connection:
        found: datetime | None = connection.execute(statement).scalar()
    return found


def due_mailboxes(actor: Actor) -> frozenset[int]:
    """The mailboxes for which the user has something to do now; one statement."""
    due = or_(
        OutboxItem.state == OutboxState.RUNNING.value,
        and_(OutboxItem.state == OutboxState.WAITING.value, OutboxItem.due_at <= clock.now()),
    )
    statement = select(OutboxItem.mailbox_id).where(due, *_own(actor)).distinct()
    with actor.db.reading() as connection:
        return frozenset(connection.execute(statement).scalars())


def cancel(actor: Actor, item: int) -> ChangeSet:
    """Give up a deed; the record of a message that was not sent goes, too.

    One that was tried before may have gone out though no answer came: the next pass asks the
    mailbox first.

    Raises:
        NotFound: There is none, or it is another's.
        UserError: It is finished, or being done at this moment.
    """
    row = get(actor, item)
    if row.state not in OPEN:
        raise UserError(N_("This is finished already; there is nothing to cancel."), field="item")
    waiting = OutboxItem.state.in_([OutboxState.HELD.value, OutboxState.WAITING.value])
    with actor.db.writing() as connection:
        if _set(connection, item, (waiting, OutboxItem.attempts == 0), _cancelled()):
            return give_up(connection, actor, item, row.deed, row.activity_id)
        asked = {
            "state": OutboxState.WAITING.value,
            "due_at": clock.now(),
            "result": CANCELLING,
            "message": tr(N_("Being cancelled; the mailbox is asked first whether it was done.")),
        }
        if _set(connection, item, (waiting,), asked):
            return changed([item])
    raise UserError(
        N_("This is being done at this moment. Look again in a minute; it may be restored then."),
        field="item",
    )


def give_up(
    connection: Connection, actor: Actor, item: int, deed: DeedKind, activity: int | None
) -> ChangeSet:
    """Close a deed that was cancelled and of which the mailbox knows nothing."""
    set_where(connection, OutboxItem, _TABLE.c.id == item, _cancelled())
    return _gone(connection, actor, item, deed, activity).merge(changed([item]))


def _gone(
    connection: Connection, actor: Actor, item: int, deed: DeedKind, activity: int | None
) -> ChangeSet:
    if deed is not DeedKind.SEND:
        return NOTHING
    if activity is None:
        forget_content(connection, [item])
        return NOTHING
    # Nobody ever got it: it is no mail that was exchanged.
    return writer.remove(_work(actor, connection), [activity], restore=False)


def hold(actor: Actor, item: int) -> ChangeSet:
    """Keep a deed back until :func:`release`.

    Raises:
        NotFound: There is none, or it is another's.
        UserError: It is no longer waiting.
    """
    get(actor, item)
    waiting = (OutboxItem.state == OutboxState.WAITING.value,)
    values = {"state": OutboxState.HELD.value, "message": None}
    with actor.db.writing() as connection:
        if not _set(connection, item, waiting, values):
            raise UserError(N_("This is no longer waiting; it cannot be held."), field="item")
    return changed([item])


def release(actor: Actor, items: Sequence[int]) -> ChangeSet:
    """Let deeds that were held go on; a person has looked at them and the brake lets them pass.

    Raises:
        NotFound: One of them is not there, or another's; none was let go.
    """
    for item in items:
        get(actor, item)
    values = {
        "state": OutboxState.WAITING.value,
        "confirmed": True,
        "due_at": clock.now(),
        "message": None,
    }
    with actor.db.writing() as connection:
        held = (OutboxItem.state == OutboxState.HELD.value,)
        let = [item for item in items if _set(connection, item, held, values)]
    return changed(let)


def retry(actor: Actor, item: int) -> ChangeSet:
    """Have a deed done with the next pass, whatever its time was.

    Raises:
        NotFound: There is none, or it is another's.
        UserError: It is done, cancelled, the item changed meanwhile, or its content is no longer
            kept.
    """
    row = get(actor, item)
    if row.deed in _WITH_BYTES:
        content(actor, item)
    if row.state is OutboxState.HELD:
        return release(actor, [item])
    again = (OutboxItem.state.in_([OutboxState.WAITING.value, OutboxState.FAILED.value]),)
    values = {
        "state": OutboxState.WAITING.value,
        "due_at": clock.now(),
        "done_at": None,
        "message": None,
    }
    with actor.db.writing() as connection:
        if not _set(connection, item, again, values):
            raise UserError(
                N_("This cannot be tried again: it is done, cancelled or outdated."), field="item"
            )
        told = NOTHING
        if row.deed is DeedKind.SEND and row.activity_id is not None:
            told = tell(connection, actor, row.activity_id, ActivityReason.SENDING)
    return told.merge(changed([item]))


def put_off(actor: Actor, item: int, due_at: datetime) -> ChangeSet:
    """Have a waiting deed done at another time; aware, at the earliest now.

    Raises:
        NotFound: There is none, or it is another's.
        UserError: It is no longer waiting.
    """
    get(actor, item)
    waiting = (OutboxItem.state == OutboxState.WAITING.value,)
    with actor.db.writing() as connection:
        if not _set(connection, item, waiting, {"due_at": due_at}):
            raise UserError(N_("This is no longer waiting; it cannot be put off."), field="item")
    return changed([item])


def tell(connection: Connection, actor: Actor, activity: int, reason: ActivityReason) -> ChangeSet:
    """Say on a message's activity how its sending goes; one that was deleted is left alone.

    The message is its sender's whoever owns the activity by now, so no right is asked for.
    """
    work = _work(actor, connection)
    row = writer.load(work, [activity]).get(activity)
    if row is None or row["deleted_at"] is not None:
        return NOTHING
    draft = Draft(activity, row["version"], row, {})
    values: dict[str, Any] = {"status_reason": reason.value}
    if reason is ActivityReason.SENT:
        values |= {"occurred_at": clock.now(), "completed_at": clock.now()}
    writer.fill(work, draft, values)
    return writer.write(work, [draft])


def forget_content(connection: Connection, items: Sequence[int]) -> None:
    """Drop the bytes of deeds; what they were stays as history.

    Of a message that is never to be stored, which has no activity, only the fact stays.
    """
    delete_rows(connection, OutboxContent, "outbox_item_id", items)
    private = and_(
        key_clause(connection, _TABLE.c.id, items),
        _TABLE.c.deed == DeedKind.SEND.value,
        _TABLE.c.activity_id.is_(None),
    )
    set_where(connection, OutboxItem, private, {"payload": None, "title": None})


def changed(items: Sequence[int], kind: ChangeKind = ChangeKind.UPDATED) -> ChangeSet:
    """Report for the windows that rows of the outbox changed."""
    if not items:
        return NOTHING
    return ChangeSet("", (Changed("outbox_item", frozenset(items), kind),))


def _cancelled() -> dict[str, Any]:
    now = clock.now()
    state = OutboxState.CANCELLED.value
    return {"state": state, "done_at": now, "message": None, "result": None}


def _work(actor: Actor, connection: Connection) -> Work:
    return Work(actor, connection, registry.get("activity"), new_uid(), None, SOURCE)


def _set(
    connection: Connection, item: int, condition: Sequence[Any], values: Mapping[str, Any]
) -> bool:
    """Change a row if it still stands as it must; the pass may be faster."""
    locked = select(OutboxItem.id).where(OutboxItem.id == item, *condition).with_for_update()
    if connection.execute(locked).scalar() is None:
        return False
    set_where(connection, OutboxItem, _TABLE.c.id == item, values)
    return True


def _own(actor: Actor) -> list[Any]:
    rights = row_clause(actor, registry.get("outbox_item"), _TABLE, "read")
    return [] if rights is None else [rights]


def _statement(actor: Actor) -> Select[*tuple[Any, ...]]:
    image = select(OutboxContent.id).where(
        OutboxContent.outbox_item_id == OutboxItem.id,
        OutboxContent.part == ContentPart.IMAGE.value,
    )
    statement: Select[*tuple[Any, ...]] = (
        select(
            OutboxItem.id,
            OutboxItem.mailbox_id,
            Mailbox.name.label("mailbox"),
            OutboxItem.deed,
            OutboxItem.state,
            OutboxItem.activity_id,
            OutboxItem.title,
            OutboxItem.folder,
            OutboxItem.item_key,
            OutboxItem.ordered_at,
            OutboxItem.due_at,
            OutboxItem.done_at,
            OutboxItem.attempts,
            OutboxItem.message,
            OutboxItem.why,
            OutboxItem.why_params,
            OutboxItem.operation,
            OutboxItem.notify,
            image.exists().label("has_image"),
        )
        .join(Mailbox, Mailbox.id == OutboxItem.mailbox_id)
        .where(*_own(actor))
    )
    return statement


def _rows(actor: Actor, statement: Select[*tuple[Any, ...]]) -> tuple[OutboxRow, ...]:
    with actor.db.reading() as connection:
        return tuple(_row(found) for found in connection.execute(statement).mappings())


def _row(found: RowMapping) -> OutboxRow:
    return OutboxRow(
        id=found["id"],
        mailbox_id=found["mailbox_id"],
        mailbox=found["mailbox"],
        deed=DeedKind(found["deed"]),
        state=OutboxState(found["state"]),
        activity_id=found["activity_id"],
        title=found["title"] or "",
        folder=found["folder"] or "",
        item_key=found["item_key"] or "",
        ordered_at=found["ordered_at"],
        due_at=found["due_at"],
        done_at=found["done_at"],
        attempts=found["attempts"],
        message=found["message"] or "",
        why=tr(found["why"], **(found["why_params"] or {})) if found["why"] else "",
        operation=found["operation"] or "",
        notify=found["notify"] or "",
        has_image=bool(found["has_image"]),
    )
