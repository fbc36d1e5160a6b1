"""Whom to tell of a changed meeting: asked while the change waits, and nobody without an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.meta import registry
from desktop_crm.models import OutboxItem
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services import outbox
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.records_kept import set_where
from desktop_crm.sync.twoway.passing import ASKED
from desktop_crm.sync.writes import Notify

_TABLE: Final = OutboxItem.__table__


@dataclass(frozen=True, slots=True)
class Question:
    """One change that waits for an answer.

    Attributes:
        order: its entry in the outbox.
        people: how many other people take part.
        due_at: when it is written without telling anybody.
    """

    order: int
    mailbox: int
    title: str
    people: int
    due_at: datetime


def waiting(actor: Actor) -> list[Question]:
    """The user's own changes that others could be told of; one statement."""
    rights = row_clause(actor, registry.get("outbox_item"), _TABLE, "read")
    statement = select(
        _TABLE.c.id, _TABLE.c.mailbox_id, _TABLE.c.title, _TABLE.c.why_params, _TABLE.c.due_at
    ).where(
        _TABLE.c.state == OutboxState.WAITING.value,
        _TABLE.c.attempts == 0,
        _TABLE.c.why == ASKED,
        _TABLE.c.notify.is_(None),
    )
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
            )
            for row in connection.execute(statement.order_by(_TABLE.c.id))
        ]


def answer(actor: Actor, order: int, *, tell: bool) -> ChangeSet:
    """Write a change with the next pass, and tell the others or not.

    Raises:
        NotFound: there is no such entry, or it is another's.
        UserError: it is done already, or being done.
    """
    outbox.get(actor, order)
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
