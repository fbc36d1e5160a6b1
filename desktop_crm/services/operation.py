"""Several savings as one operation: one transaction, one step of undo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from desktop_crm.core.identity import new_uid
from desktop_crm.meta import registry
from desktop_crm.services import writer
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.customizing import definitions
from desktop_crm.services.drafts import Work
from desktop_crm.services.records import Change, prepare, remove


class Operation:
    """An open transaction in which records of several entities are written.

    Attributes:
        actor: Who acts.
        connection: The transaction, for reads and for tables the calling service owns alone.
        uid: Operation in the audit trail.
        report: What changed so far.
    """

    def __init__(
        self,
        actor: Actor,
        connection: Connection,
        source: str,
        batch: int | None,
        uid: str | None = None,
    ) -> None:
        self.actor = actor
        self.connection = connection
        self.uid = uid or new_uid()
        self.report: ChangeSet = NOTHING
        self._source = source
        self._batch = batch

    def save_many(self, entity: str, changes: Sequence[Change]) -> list[int]:
        """Write records with rights, rules and audit; ids in the order of the changes."""
        if not changes:
            return []
        work = self.work(entity)
        drafts, _ = prepare(work, changes)
        self.report = self.report.merge(writer.write(work, drafts))
        return [draft.id for draft in drafts if draft.id is not None]

    def create(self, entity: str, values: Mapping[str, Any]) -> int:
        """Create one record and return its key."""
        return self.save_many(entity, [Change(None, None, values)])[0]

    def change(self, entity: str, record_id: int, values: Mapping[str, Any]) -> None:
        """Change one record on top of whatever stands."""
        self.save_many(entity, [Change(record_id, None, values)])

    def remove(self, entity: str, ids: Sequence[int]) -> None:
        """Put records into the recycle bin, with rights and rules."""
        if ids:
            self.report = self.report.merge(remove(self.work(entity), ids))

    def work(self, entity: str) -> Work:
        """What rules and the writer need to know about this operation."""
        return Work(
            self.actor, self.connection, registry.get(entity), self.uid, self._batch, self._source
        )


@contextmanager
def operation(
    actor: Actor, source: str = "window", batch: int | None = None, uid: str | None = None
) -> Iterator[Operation]:
    """Open an operation; an exception takes back everything that was written in it.

    ``uid`` is that of an operation to join, so that several transactions are one step of undo.
    """
    with actor.db.writing() as connection:
        work = Operation(actor, connection, source, batch, uid)
        yield work
    definitions.follow(actor.db, work.report)
