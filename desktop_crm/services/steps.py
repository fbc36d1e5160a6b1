"""The step that undo or redo would take next, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, or_, select

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.models import AuditEntry
from desktop_crm.models.office import AuditAction
from desktop_crm.services import standing
from desktop_crm.services.context import Actor

SOURCE: Final = "undo"
"""Where the trail says that a change comes from that took another back."""
REDO: Final = "redo"
_TABLE: Final = AuditEntry.__table__


@dataclass(frozen=True, slots=True)
class Step:
    """One operation that can be taken back.

    Attributes:
        operation: Its uid.
        at: When it was done.
        action: What it did first.
        entity: Entity of the first record.
        count: Records it touched, child rows not counted.
    """

    operation: str
    at: datetime
    action: AuditAction
    entity: str
    count: int

    @property
    def text(self) -> str:
        """The step in words, e.g. "Changed: Contact"."""
        entity = registry.get(self.entity)
        if self.entity == standing.MERGE:
            return ntr(
                "Merged {n} record into another", "Merged {n} records into another", self.count
            )
        if self.count == 1:
            return f"{tr(self.action.label)}: {tr(entity.label)}"
        return ntr(
            "{action}: {n} record",
            "{action}: {n} records",
            self.count,
            action=tr(self.action.label),
        )


def last(actor: Actor) -> Step | None:
    """Return the user's latest operation that was not taken back yet; None when there is none."""
    return _latest(actor, redo=False)


def last_undone(actor: Actor) -> Step | None:
    """Return the operation that :func:`desktop_crm.services.undo.redo` would do again."""
    return _latest(actor, redo=True)


def _latest(actor: Actor, *, redo: bool) -> Step | None:
    undoing = _TABLE.alias()
    undone = select(undoing.c.id).where(undoing.c.undoes == _TABLE.c.operation).exists()
    statement = (
        select(_TABLE.c.operation, _TABLE.c.at, _TABLE.c.action, _TABLE.c.entity, _TABLE.c.undoes)
        .where(
            _TABLE.c.by_id == actor.user_id,
            _TABLE.c.source.not_in(("sync", "purge")),
            ~undone,
        )
        .order_by(_TABLE.c.id.desc())
        .limit(1)
    )
    # A redo counts as a deed of its own: it can be undone again.
    deed = or_(_TABLE.c.undoes.is_(None), _TABLE.c.source == REDO)
    statement = statement.where(_TABLE.c.source == SOURCE if redo else deed)
    with actor.db.reading() as connection:
        row = connection.execute(statement).first()
        if row is None or (redo and _did_something_since(connection, actor, row.operation)):
            return None
        found = connection.execute(
            select(_TABLE.c.entity, _TABLE.c.action, func.count())
            .where(_TABLE.c.operation == row.operation)
            .group_by(_TABLE.c.entity, _TABLE.c.action)
            .order_by(func.min(_TABLE.c.id))
        ).all()
    heads = [part for part in found if not registry.get(part[0]).parent] or found
    head = heads[0]
    return Step(row.operation, row.at, AuditAction(head[1]), head[0], int(head[2]))


def _did_something_since(connection: Connection, actor: Actor, operation: str) -> bool:
    newest = connection.execute(
        select(func.max(_TABLE.c.id)).where(
            _TABLE.c.by_id == actor.user_id, _TABLE.c.undoes.is_(None), _TABLE.c.source != "sync"
        )
    ).scalar()
    own = connection.execute(
        select(func.max(_TABLE.c.id)).where(_TABLE.c.operation == operation)
    ).scalar()
    return bool(newest and own and newest > own)
