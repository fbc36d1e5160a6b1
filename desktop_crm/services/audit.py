"""The audit trail: written with the change, in the same transaction, by one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import AuditEntry, User
from desktop_crm.models.office import AuditAction
from desktop_crm.services.columns import Paths
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Work
from desktop_crm.services.permissions import knows, require, row_clause
from desktop_crm.services.query import key_clause
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
        if work.entity.fields[name].audited
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
        "undoes": work.undoes,
        "changes": audited,
    }


def write(work: Work, entries: Sequence[dict[str, Any]]) -> None:
    """Write the rows of one operation."""
    if entries:
        work.connection.execute(insert(AuditEntry), list(entries))


def history(actor: Actor, entity_key: str, record_id: int, limit: int = 200) -> list[HistoryEntry]:
    """Return the changes of one record, the latest first.

    Two statements, and one for each kind of record that links changed between.

    Raises:
        NotFound: The record does not exist, or this user may not see it.
    """
    entity = registry.get(entity_key)
    require(actor, entity, "read")
    with actor.db.reading() as connection:
        _require_sight(actor, connection, entity, record_id)
        found = (
            connection.execute(
                select(AuditEntry.__table__, User.name.label("by_name"))
                .join(User, User.id == AuditEntry.by_id, isouter=True)
                .where(AuditEntry.entity == entity_key, AuditEntry.record_id == record_id)
                .order_by(AuditEntry.id.desc())
                .limit(limit)
            )
            .mappings()
            .all()
        )
        titles = _titles(actor, connection, entity, [row["changes"] or {} for row in found])
        return [
            HistoryEntry(
                id=row["id"],
                at=row["at"],
                by=row["by_name"] or "",
                action=AuditAction(row["action"]),
                source=row["source"] or "",
                operation=row["operation"],
                changes=tuple(_shown(actor, entity, row["changes"] or {}, titles)),
            )
            for row in found
        ]


def _require_sight(actor: Actor, connection: Connection, entity: Entity, record_id: int) -> None:
    key = entity.table.c.id
    rights = row_clause(actor, entity, entity.table, "read")
    statement = select(key).where(key_clause(connection, key, [record_id]))
    if rights is not None:
        statement = statement.where(rights)
    if connection.execute(statement).first() is None:
        raise NotFound(
            N_("This {entity} does not exist, or you may not see it."),
            entity=tr(entity.label).lower(),
        )


def _titles(
    actor: Actor, connection: Connection, entity: Entity, changes: Sequence[Mapping[str, Any]]
) -> dict[str, dict[int, str]]:
    """Titles of the records that changed links lead to, by target and key."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for change in changes:
        for name, sides in change.items():
            field = entity.fields.get(name)
            if field is not None and field.kind is kinds.LINK:
                wanted[field.target] |= {side for side in sides if side is not None}
    found: dict[str, dict[int, str]] = {}
    for target_key, ids in wanted.items():
        target = registry.get(target_key)
        paths = Paths(actor, target)
        title = paths.shown(target.title)
        rights = row_clause(actor, target, paths.table, "read")
        statement = select(paths.table.c.id, title).select_from(paths.source)
        statement = statement.where(key_clause(connection, paths.table.c.id, sorted(ids)))
        if rights is not None:
            statement = statement.where(rights)
        rows = connection.execute(statement)
        found[target_key] = {row[0]: str(row[1] or "") for row in rows}
    return found


def _shown(
    actor: Actor,
    entity: Entity,
    changes: Mapping[str, Any],
    titles: Mapping[str, Mapping[int, str]],
) -> list[FieldChange]:
    shown: list[FieldChange] = []
    for name, sides in changes.items():
        field = entity.fields.get(name)
        if field is None or field.hidden or not knows(actor, field):
            continue
        if field.kind is kinds.LINK:
            named = titles[field.target]
            before, after = ("" if side is None else named.get(side, "?") for side in sides)
        else:
            before, after = (field.display(decode(field, s), actor.formats) for s in sides)
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
