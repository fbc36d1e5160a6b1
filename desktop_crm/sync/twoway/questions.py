"""Whom to tell of a changed meeting: asked while the change waits, and nobody without an answer.

Some mailboxes cannot keep a change from the guests: there it is written only when a person agrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.meta import registry
from desktop_crm.models import OutboxItem
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import outbox
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.records_kept import set_where
from desktop_crm.sync.twoway.passing import ASKED
from desktop_crm.sync.twoway.plan import TELLS
from desktop_crm.sync.writes import Notify

_TABLE: Final = OutboxItem.__table__
_LEFT: Final = "left"
"""Parameter of a question somebody looked at and left unanswered: it is not asked again."""


@dataclass(frozen=True, slots=True)
class Question:
    """One change that waits for an answer.

    Attributes:
        order: its entry in the outbox.
        people: how many other people take part.
        due_at: when it is written without telling anybody.
        tells: it cannot be written without telling them, so without an answer it is not.
    """

    order: int
    mailbox: int
    title: str
    people: int
    due_at: datetime
    tells: bool = False


def waiting(actor: Actor) -> list[Question]:
    """The user's own changes that others could be told of; one statement."""
    rights = row_clause(actor, registry.get("outbox_item"), _TABLE, "read")
    statement = select(
        _TABLE.c.id,
        _TABLE.c.mailbox_id,
        _TABLE.c.title,
        _TABLE.c.why,
        _TABLE.c.why_params,
        _TABLE.c.due_at,
    ).where(_TABLE.c.attempts == 0, or_(_open_question(), _loud_question()))
    if rights is not None:
        statement = statement.where(rights)
    with actor.db.reading() as connection:
        return [
            Question(
                row.id,
                row.mailbox_id,
                row.title or "",
                int((row.why_params or {}).get("people", 0)),
                row.due_at,
                tells=row.why != ASKED,
            )
            for row in connection.execute(statement.order_by(_TABLE.c.id))
            if not (row.why_params or {}).get(_LEFT)
        ]


def _open_question() -> ColumnElement[bool]:
    return and_(
        _TABLE.c.state == OutboxState.WAITING.value,
        _TABLE.c.why == ASKED,
        _TABLE.c.notify.is_(None),
    )


def _loud_question() -> ColumnElement[bool]:
    return and_(_TABLE.c.state == OutboxState.HELD.value, _TABLE.c.why == TELLS)


def answer(actor: Actor, order: int, *, tell: bool) -> ChangeSet:
    """Write a change with the next pass, and tell the others or not.

    One that cannot be written in silence stays in the outbox when nobody is to be told.

    Raises:
        NotFound: there is no such entry, or it is another's.
        UserError: it is done already, or being done.
    """
    if outbox.get(actor, order).state is OutboxState.HELD:
        return _agree(actor, order, tell=tell)
    with actor.db.writing() as connection:
        row = connection.execute(
            select(_TABLE.c.payload)
            .where(
                _TABLE.c.id == order,
                _TABLE.c.state == OutboxState.WAITING.value,
                _TABLE.c.attempts == 0,
            )
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise UserError(
                N_("This change is written already; nobody else was told of it."), field="item"
            )
        notify = Notify.EVERYBODY if tell else Notify.NOBODY
        values = {
            "payload": {**row.payload, "notify": notify.value},
            "notify": notify.value,
            "due_at": clock.now(),
        }
        set_where(connection, OutboxItem, _TABLE.c.id == order, values)
    return outbox.changed([order])


def _agree(actor: Actor, order: int, *, tell: bool) -> ChangeSet:
    if tell:
        return outbox.release(actor, [order])
    with actor.db.writing() as connection:
        params = connection.execute(
            select(_TABLE.c.why_params).where(_TABLE.c.id == order)
        ).scalar_one()
        values = {"why_params": {**(params or {}), _LEFT: True}}
        set_where(connection, OutboxItem, _TABLE.c.id == order, values)
    return outbox.changed([order])
