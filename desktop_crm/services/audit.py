"""The audit trail: written with the change, in the same transaction, by one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from desktop_crm.core import clock
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import AuditEntry, User
from desktop_crm.models.office import AuditAction
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Work
from desktop_crm.services.permissions import knows, require
from desktop_crm.services.values import decode, encode


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one audit entry, in shown form."""

    field: str
    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Who did what to a record, and when."""

    id: int
    at: datetime
    by: str
    action: AuditAction
    source: str
    operation: str
    changes: tuple[FieldChange, ...]


def entry(
    work: Work,
    action: AuditAction,
    record_id: int,
    version: int,
    changes: Mapping[str, tuple[Any, Any]],
) -> dict[str, Any]:
    """Make the row of one record's change."""
    audited = {
        name: [encode(old), encode(new)]
        for name, (old, new) in changes.items()
        if work.entity.fields[name].declared.audited
        and work.entity.fields[name].kind is not kinds.IMAGE
    }
    return {
        "at": clock.now(),
        "by_id": work.actor.user_id,
        "operation": work.operation,
        "batch_id": work.batch,
        "entity": work.entity.key,
        "record_id": record_id,
        "version": version,
        "action": action.value,
        "source": work.source,
        "undoes": None,
        "changes": audited,
    }


def write(work: Work, entries: Sequence[dict[str, Any]]) -> None:
    """Write the rows of one operation."""
    if entries:
        work.connection.execute(insert(AuditEntry), list(entries))


def history(actor: Actor, entity_key: str, record_id: int, limit: int = 200) -> list[HistoryEntry]:
    """Return the changes of one record, the latest first; two statements."""
    entity = registry.get(entity_key)
    require(actor, entity, "read")
    with actor.db.reading() as connection:
        found = connection.execute(
            select(AuditEntry.__table__, User.name.label("by_name"))
            .join(User, User.id == AuditEntry.by_id, isouter=True)
            .where(AuditEntry.entity == entity_key, AuditEntry.record_id == record_id)
            .order_by(AuditEntry.id.desc())
            .limit(limit)
        ).mappings()
        return [
            HistoryEntry(
                id=row["id"],
                at=row["at"],
                by=row["by_name"] or "",
                action=AuditAction(row["action"]),
                source=row["source"] or "",
                operation=row["operation"],
                changes=tuple(_shown(actor, entity, row["changes"] or {})),
            )
            for row in found
        ]


def _shown(actor: Actor, entity: Entity, changes: Mapping[str, Any]) -> list[FieldChange]:
    shown: list[FieldChange] = []
    for name, (old, new) in changes.items():
        field = entity.fields.get(name)
        if field is None or field.hidden or not knows(actor, field):
            continue
        before = field.display(decode(field, old), actor.formats)
        after = field.display(decode(field, new), actor.formats)
        shown.append(FieldChange(name, field.label, before, after))
    return shown


def changed_since(work: Work, record_id: int, version: int) -> dict[str, Any]:
    """Values the fields had at a version, for those that changed after it."""
    rows = work.connection.execute(
        select(AuditEntry.changes)
        .where(
            AuditEntry.entity == work.entity.key,
            AuditEntry.record_id == record_id,
            AuditEntry.version > version,
        )
        .order_by(AuditEntry.id)
    ).scalars()
    base: dict[str, Any] = {}
    for changes in rows:
        for name, (old, _new) in (changes or {}).items():
            field = work.entity.fields.get(name)
            if field is not None:
                base.setdefault(name, decode(field, old))
    return base
