"""The record of an import: what it was, how it went, what can be taken back as a whole (R57)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, insert, select, update

from desktop_crm.core import clock
from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import fold
from desktop_crm.meta import registry
from desktop_crm.models.office import BatchState
from desktop_crm.services.context import Actor


def begin(actor: Actor, entity: str, name: str, details: dict[str, Any]) -> int:
    """Open an import and return its key; it is marked as running until :func:`finish`."""
    now = clock.now()
    table = registry.get("import_batch").table
    values = {
        "uid": new_uid(),
        "version": 1,
        "created_at": now,
        "modified_at": now,
        "created_by_id": actor.user_id,
        "modified_by_id": actor.user_id,
        "name": name[:255],
        "title_key": fold(name)[:200],
        "search_text": fold(name),
        "entity": entity,
        "state": BatchState.RUNNING.value,
        "details": details,
    }
    with actor.db.writing() as connection:
        statement = insert(table).values(**values).returning(table.c.id)
        return int(connection.execute(statement).scalar_one())


def finish(actor: Actor, batch: int, counts: dict[str, int], *, stopped: bool) -> None:
    """Close an import with its counts; columns not named keep theirs."""
    table = registry.get("import_batch").table
    with actor.db.writing() as connection:
        connection.execute(
            update(table)
            .where(table.c.id == batch)
            .values(
                state=(BatchState.STOPPED if stopped else BatchState.APPLIED).value,
                modified_at=clock.now(),
                version=table.c.version + 1,
                **counts,
            )
        )


def next_stage_position(actor: Actor) -> int:
    """Position behind the last stage in use."""
    table = registry.get("stage").table
    with actor.db.reading() as connection:
        last = connection.execute(
            select(func.max(table.c.position)).where(table.c.deleted_at.is_(None))
        ).scalar()
    return (last or 0) + 10
