"""Writing records of several entities in one transaction: set-up and sample data.

Everything passes the same checks, rules and audit as a record saved from the window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from desktop_crm.core.identity import new_uid
from desktop_crm.meta import registry
from desktop_crm.services import records, writer
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Work

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filling:
    """Records on their way into one open writing transaction.

    Attributes:
        actor: Who acts.
        connection: The transaction; the caller begins and ends it.
        source: Way in, kept in the audit trail.
    """

    actor: Actor
    connection: Connection
    source: str

    def add(self, entity: str, rows: Sequence[Row]) -> list[int]:
        """Make records and return their keys in the same order.

        Raises:
            ValidationFailed: A row is wrong; roll the transaction back.
        """
        return self._write(entity, [records.Change(None, None, row) for row in rows])

    def change(self, entity: str, rows: Sequence[tuple[int, Row]]) -> None:
        """Change records by key, whatever version stands.

        Raises:
            ValidationFailed: A row is wrong; roll the transaction back.
        """
        self._write(entity, [records.Change(key, None, values) for key, values in rows])

    def is_empty(self, entity: str) -> bool:
        """Whether there never was a record of the entity; one statement."""
        table = registry.get(entity).table
        return not self.connection.execute(select(func.count()).select_from(table)).scalar()

    def by(self, actor: Actor) -> Filling:
        """Return the same transaction with another person acting."""
        return Filling(actor, self.connection, self.source)

    def _write(self, entity: str, changes: Sequence[records.Change]) -> list[int]:
        if not changes:
            return []
        work = Work(self.actor, self.connection, registry.get(entity), new_uid(), None, self.source)
        drafts, _ = records.prepare(work, changes)
        writer.write(work, drafts)
        return [draft.id for draft in drafts if draft.id is not None]
