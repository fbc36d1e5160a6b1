"""The record of an import: what it was, how it went, what can be taken back as a whole (R57)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from desktop_crm.core.text import fold, search_text
from desktop_crm.meta import registry
from desktop_crm.models import ImportBatch
from desktop_crm.models.office import BatchState
from desktop_crm.services import records_kept
from desktop_crm.services.context import Actor


def begin(actor: Actor, entity: str, name: str, details: dict[str, Any]) -> int:
    """Open an import and return its key; it is marked as running until :func:`finish`."""
    values = {
        "name": name[:255],
        "title_key": fold(name)[:200],
        "search_text": search_text((name,)),
        "entity": entity,
        "state": BatchState.RUNNING.value,
        "details": details,
    }
    with actor.db.writing() as connection:
        return records_kept.insert_rows(connection, ImportBatch, [values], actor.user_id)[0]


def finish(actor: Actor, batch: int, counts: dict[str, int], *, stopped: bool) -> None:
    """Close an import with its counts; columns not named keep theirs."""
    state = (BatchState.STOPPED if stopped else BatchState.APPLIED).value
    with actor.db.writing() as connection:
        records_kept.update_rows(
            connection, ImportBatch, [(batch, {"state": state, **counts})], actor.user_id
        )


def next_stage_position(actor: Actor) -> int:
    """Position behind the last open stage in use, before those that close a deal."""
    table = registry.get("stage").table
    with actor.db.reading() as connection:
        last = connection.execute(
            select(func.max(table.c.position)).where(
                table.c.deleted_at.is_(None), table.c.state == "open"
            )
        ).scalar()
    return (last or 0) + 1
