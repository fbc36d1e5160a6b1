"""How much of an operation still stands: whole, or without the records that were taken back.

What touched very many records is taken back in several transactions. Where that ended in the
middle, the operation stands in the records that were not reached.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, func, select

from desktop_crm.models import AuditEntry

MERGE: Final = "merge_log"
"""Entity of the entry that says records were made one; taken back as a whole."""
_TABLE: Final = AuditEntry.__table__

Touched = tuple[str, int]
"""Entity and key of a record."""


def takers(connection: Connection, operation: str) -> list[str]:
    """Operations that took an operation back, or some of its records; the latest first."""
    statement = select(_TABLE.c.operation).where(_TABLE.c.undoes == operation)
    statement = statement.group_by(_TABLE.c.operation).order_by(func.max(_TABLE.c.id).desc())
    return list(connection.execute(statement).scalars())


def is_effective(connection: Connection, operation: str) -> bool:
    """Whether what an operation did still stands in any record."""
    return not takers(connection, operation) or number(connection, operation) > 0


def number(connection: Connection, operation: str) -> int:
    """Number of records in which an operation stands; two statements for each that took it back."""
    touched = (
        select(_TABLE.c.entity, func.count(_TABLE.c.record_id.distinct()))
        .where(_TABLE.c.operation == operation)
        .group_by(_TABLE.c.entity)
    )
    count = {entity: int(found) for entity, found in connection.execute(touched)}
    taken = [number(connection, taker) for taker in takers(connection, operation)]
    total = sum(count.values())
    if MERGE in count:
        # Taking it back touches other rows than it did.
        return 0 if any(taken) else total
    return max(0, total - sum(taken))


def records(connection: Connection, operation: str) -> set[Touched]:
    """The records in which an operation stands, child rows included."""
    touched = select(_TABLE.c.entity, _TABLE.c.record_id).where(_TABLE.c.operation == operation)
    found = {(entity, key) for entity, key in connection.execute(touched.distinct())}
    for taker in takers(connection, operation):
        found -= records(connection, taker)
    return found
